"""Which files belong to a folder: a walk that never follows links and never hangs.

What is left out by its name says ``rules.py``. Files of kinds that are not read yet are counted by
kind.
"""

import os
import pwd
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine import paths
from engine.config import Settings
from engine.files.kinds import FileKind, kind_of
from engine.files.rules import Place, is_within
from engine.wire.api import FolderSurvey, SkippedFile

MEGABYTE = 1_000_000
SURVEY_SECONDS = 3.0
"""How long a survey counts before it says "at least"."""
BYTES_PER_CHUNK = 410
"""Of Markdown: 2.8 MB of the Milvus documentation make 6 848 chunks."""
CHUNKS_PER_SECOND = 30
"""And core, embedded by the default encoder."""
BYTES_KEPT_PER_CHUNK = 7_700
"""On disk: of hoverkite's own manual, 394 chunks make 3 MB in Milvus and the manifest."""
IGNORED = "ignored"
"""Why a path is left out that rules name: version control, builds, ``.gitignore`` …"""
MOST_TOLD = 100
"""Paths of each kind that a survey names."""
TEXT_SHARE = {"pdf": 0.05, "html": 0.4}
"""How much of a file's size is text, roughly, by kind; the rest are all text."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file to be read."""

    path: bytes
    """Relative to the folder, ``/`` between parts, as the file system spells it."""
    size: int
    mtime_ns: int
    """This, the inode and the ctime only tell states apart: they are wrapped to signed 64 bits."""
    inode: int
    ctime_ns: int = 0
    """When anything of the file changed last, which nobody can set back."""


@dataclass
class Scan:
    """What a walk found. Entries are sorted by path."""

    entries: list[Entry] = field(default_factory=list)
    ignored: int = 0
    """Files left out by rules; a folder left out whole counts as one."""
    unread: dict[str, int] = field(default_factory=dict)
    """Files of kinds that are not read yet: ``{"Word": 12}``; unknown kinds are ``other``."""
    skipped: list[tuple[bytes, str]] = field(default_factory=list)
    """Paths that should have been read, and why they were not."""
    left_out: list[tuple[bytes, str]] = field(default_factory=list)
    """Some of the paths that are ignored or of a kind that is not read, and which of the two."""
    unlisted: list[bytes] = field(default_factory=list)
    """Folders that could not be listed just now: empty for the root, else ending with ``/``."""
    complete: bool = True
    """False when the walk was told to stop."""


def decode(path: bytes) -> str:
    """Return ``path`` for a message or the screen; bytes that are not UTF-8 become U+FFFD."""
    return path.decode("utf-8", "replace")


def scan(
    root: Path,
    settings: Settings,
    *,
    index_root: Path,
    go_on: Callable[[], bool] = lambda: True,
) -> Scan:
    """Return the files of ``root`` that are to be read.

    ``index_root`` is hoverkite's own data folder, which is never read. ``go_on`` is asked once a
    folder.
    """
    walk = _Walk(root, settings, index_root)
    walk.run(go_on)
    walk.found.entries.sort(key=lambda entry: entry.path)
    return walk.found


class Look:
    """Decides single paths as a walk would. Remembers folders, so it is good for one moment."""

    def __init__(self, root: Path, settings: Settings, *, index_root: Path) -> None:
        self._settings = settings
        self._root = Place.root(root, settings, index_root)
        self._inner: dict[str, Place | None] = {}

    def at(self, path: bytes) -> Entry | None:
        """Return what a scan would find at ``path``; None if nothing, or nothing to be read."""
        place, name = self._place_of(path)
        if place is None or not self._may_read(place, name):
            return None
        try:
            status = os.lstat(place.path_of(name))
        except OSError:
            return None
        return None if _refusal(status, self._settings) else _entry(path, status)

    def may_read(self, path: bytes) -> bool:
        """Whether a file at ``path`` would be read, as far as names tell."""
        place, name = self._place_of(path)
        return place is not None and self._may_read(place, name)

    def enters(self, path: bytes) -> bool:
        """Whether a walk would visit the folder that ``path`` stands in, and so come by it."""
        return self._place_of(path)[0] is not None

    def _place_of(self, path: bytes) -> tuple[Place | None, str]:
        """Return the folder that ``path`` stands in, None if it is not there or not read."""
        *folders, name = os.fsdecode(path).split("/")
        if b"\0" in path or {".", ".."} & {*folders, name} or "" in folders:
            return None, name
        place, prefix = self._root, ""
        for folder in folders:
            if place is None:
                break
            prefix += folder + "/"
            if prefix not in self._inner:
                listed = _is_listed(place.path_of(folder))
                self._inner[prefix] = place.inner(folder) if listed else None
            place = self._inner[prefix]
        return place, name

    def _may_read(self, place: Place, name: str) -> bool:
        kind = kind_of(name, self._settings.readers)
        return bool(name) and not place.leaves_out(name) and not isinstance(kind, str)


def _is_listed(folder: str) -> bool:
    """Whether a walk would enter ``folder``, which may be a link, or nothing."""
    try:
        return stat.S_ISDIR(os.lstat(folder).st_mode) and os.access(
            folder, os.R_OK | os.X_OK, effective_ids=True
        )
    except OSError:
        return False


def survey(
    root: Path,
    settings: Settings,
    *,
    index_root: Path | None = None,
    now: Callable[[], float] = time.monotonic,
) -> FolderSurvey:
    """Count what indexing ``root`` would take, in a few seconds at most, reading no document."""
    end = now() + SURVEY_SECONDS
    found = scan(
        root, settings, index_root=index_root or paths.data_dir(), go_on=lambda: now() < end
    )
    text = sum(entry.size * _text_share(entry.path) for entry in found.entries)
    chunks = max(text / BYTES_PER_CHUNK, len(found.entries))
    return FolderSurvey(
        files=len(found.entries),
        bytes=sum(entry.size for entry in found.entries),
        chunks=round(chunks),
        seconds=round(chunks / (CHUNKS_PER_SECOND * (os.cpu_count() or 1)), 1),
        ignored=found.ignored,
        unread=found.unread,
        left_out=[
            SkippedFile(path=decode(path), reason=reason)
            for path, reason in [*found.left_out, *found.skipped[:MOST_TOLD]]
        ],
        kept_bytes=round(chunks * BYTES_KEPT_PER_CHUNK),
        reason=_why_ask(root, found, settings),
    )


def _why_ask(root: Path, found: Scan, settings: Settings) -> str:
    at_least = "" if found.complete else "; counting stopped, so there is more than shown"
    where = os.path.realpath(root)
    home = os.path.realpath(Path.home())
    if where == "/":
        return f"it is the whole file system{at_least}"
    if where == home:
        return f"it is your home folder{at_least}"
    if is_within(home, where):
        return f"your home folder is in it{at_least}"
    if owner := _whose_home(where):
        return f"it is the home folder of {owner}{at_least}"
    if len(found.entries) > settings.confirm_files:
        return f"it holds more than {settings.confirm_files} files{at_least}"
    return "it is too large to count quickly" if at_least else ""


def _whose_home(folder: str) -> str:
    """Return the name of the other user whose home ``folder`` is; empty for none."""
    try:
        owner = pwd.getpwuid(Path(folder).stat().st_uid)
    except (OSError, KeyError):
        return ""
    is_home = owner.pw_uid != os.getuid() and os.path.realpath(owner.pw_dir) == folder
    return owner.pw_name if is_home else ""


def _text_share(path: bytes) -> float:
    kind = kind_of(os.fsdecode(path.rpartition(b"/")[2]))
    return TEXT_SHARE.get(kind.kind, 1.0) if isinstance(kind, FileKind) else 1.0


class _Walk:
    """One walk over a folder, parents before children."""

    def __init__(self, root: Path, settings: Settings, index_root: Path) -> None:
        self.found = Scan()
        self._settings = settings
        self._root = os.path.realpath(root)
        place = Place.root(root, settings, index_root)
        self._pending = [place] if place else []
        if not place:
            self.found.skipped.append((b".", "hoverkite's own data"))

    def run(self, go_on: Callable[[], bool]) -> None:
        while self._pending:
            if not go_on():
                self.found.complete = False
                return
            self._visit(self._pending.pop())

    def _visit(self, place: Place) -> None:
        try:
            with os.scandir(place.path) as listing:
                children = list(listing)
        except OSError as error:
            self._skip(place.prefix.rstrip("/") or ".", _explain(error, "this folder"))
            lasting = isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError)
            if not (lasting and place.prefix):
                self.found.unlisted.append(os.fsencode(place.prefix))
            return
        for child in children:
            if child.is_dir(follow_symlinks=False):
                self._note_folder(child, place)
            elif place.leaves_out(child.name):
                self.found.ignored += 1
                self._leave_out(place.prefix + child.name, IGNORED)
            elif child.is_symlink():
                self._note_link(child, place.prefix + child.name)
            else:
                self._note_file(child, place.prefix + child.name)

    def _note_folder(self, child: os.DirEntry[str], place: Place) -> None:
        inner = place.inner(child.name)
        if inner:
            self._pending.append(inner)
        else:
            self.found.ignored += 1
            self._leave_out(f"{place.prefix}{child.name}/", IGNORED)

    def _leave_out(self, path: str, reason: str) -> None:
        if len(self.found.left_out) < MOST_TOLD:
            self.found.left_out.append((os.fsencode(path), reason))

    def _note_file(self, child: os.DirEntry[str], path: str) -> None:
        kind = kind_of(child.name, self._settings.readers)
        if isinstance(kind, str):
            self.found.unread[kind] = self.found.unread.get(kind, 0) + 1
            self._leave_out(path, f"{kind} files are not read yet")
            return
        try:
            status = child.stat(follow_symlinks=False)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                self._skip(path, _explain(error, "this file"))
            return
        if refusal := _refusal(status, self._settings):
            self._skip(path, refusal)
        else:
            self.found.entries.append(_entry(os.fsencode(path), status))

    def _note_link(self, child: os.DirEntry[str], path: str) -> None:
        """A link is never followed: what it leads to inside the folder is read there."""
        try:
            is_folder = child.is_dir()
            target = os.path.realpath(child.path, strict=True)
        except FileNotFoundError:
            self._skip(path, "a link to nothing")
            return
        except OSError as error:
            self._skip(path, f"a link that can't be followed: {error.strerror}")
            return
        if not is_folder and isinstance(kind_of(child.name, self._settings.readers), str):
            return
        if not is_within(target, self._root):
            self._skip(path, "a link that leads out of the folder")
        elif is_within(self._root + "/" + path, target):
            self._skip(path, "a link that leads back to a folder it stands in")
        else:
            self._skip(path, "a link; what it leads to is read in its own place")

    def _skip(self, path: str, reason: str) -> None:
        self.found.skipped.append((os.fsencode(path), reason))


def _entry(path: bytes, status: os.stat_result) -> Entry:
    numbers = map(_signed, (status.st_mtime_ns, status.st_ino, status.st_ctime_ns))
    return Entry(path, status.st_size, *numbers)


def _signed(number: int) -> int:
    """Wrap ``number`` to what SQLite holds: a time from 2262 on, or a large inode, does not fit."""
    return (number + 2**63) % 2**64 - 2**63


def _refusal(status: os.stat_result, settings: Settings) -> str:
    """Return why a file is not read for what it is; empty if it is read."""
    if not stat.S_ISREG(status.st_mode):
        return f"not a file but {_special(status.st_mode)}"
    if status.st_size > settings.max_file_mb * MEGABYTE:
        return f"larger than {settings.max_file_mb:g} MB"
    return ""


def _special(mode: int) -> str:
    names: Iterator[str] = (
        name
        for test, name in (
            (stat.S_ISFIFO, "a pipe"),
            (stat.S_ISSOCK, "a socket"),
            (stat.S_ISCHR, "a device"),
            (stat.S_ISBLK, "a device"),
        )
        if test(mode)
    )
    return next(names, "something else")


def _explain(error: OSError, what: str) -> str:
    if isinstance(error, PermissionError):
        return f"no permission to read {what}"
    return f"{what} can't be read: {error.strerror}"
