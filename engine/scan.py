"""Which files belong to a folder: a walk that never follows links and never hangs.

The rules, in order: what tools made and what holds keys is left out always; names beginning with a
dot unless ``include_hidden``; then the folder's own ``.gitignore`` and ``.ignore`` files, nested
ones too, as git reads them. Files of kinds that are not read yet are counted by kind.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine import paths
from engine.api import FolderSurvey
from engine.config import Settings
from engine.ignore import Ignored
from engine.kinds import (
    GENERATED_MARKS,
    FileKind,
    is_generated_or_secret,
    is_left_out_folder,
    kind_of,
)

MEGABYTE = 1_000_000
SURVEY_SECONDS = 3.0
"""How long a survey counts before it says "at least"."""
BYTES_PER_CHUNK = 410
"""Of Markdown: 2.8 MB of the Milvus documentation make 6 848 chunks."""
CHUNKS_PER_SECOND = 30
"""And core, embedded by the default encoder."""
TEXT_SHARE = {"pdf": 0.05, "html": 0.4}
"""How much of a file's size is text, roughly, by kind; the rest are all text."""
PSEUDO_FILES = frozenset({"/proc", "/sys", "/dev", "/run"})
"""Folders that hold no documents but endless look-alikes of files."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file to be read."""

    path: bytes
    """Relative to the folder, ``/`` between parts, as the file system spells it."""
    size: int
    mtime_ns: int
    inode: int


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


def look(root: Path, path: bytes, settings: Settings, *, index_root: Path) -> Entry | None:
    """Return what a scan would find at ``path``; None if nothing, or nothing to be read."""
    if not belongs(root, path, settings, index_root=index_root):
        return None
    parts = os.fsdecode(path).split("/")
    folder = os.path.realpath(root)
    try:
        for part in parts[:-1]:
            folder = f"{folder}/{part}"
            if not stat.S_ISDIR(os.lstat(folder).st_mode):
                return None
        status = os.lstat(f"{folder}/{parts[-1]}")
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode) or status.st_size > settings.max_file_mb * MEGABYTE:
        return None
    return _entry(path, status)


def belongs(
    root: Path, relative: bytes, settings: Settings, *, index_root: Path | None = None
) -> bool:
    """Whether a file of this path is to be read, by its name, its folders' and the ignore files.

    The file need not exist.
    """
    base = os.path.realpath(root)
    own = os.path.realpath(index_root or paths.data_dir())
    ignored = Ignored()
    folder, prefix = base, ""
    *folders, name = os.fsdecode(relative).split("/")
    if _is_within(base, own) or "" in (*folders, name) or {".", ".."} & {*folders, name}:
        return False
    ignored = ignored.within(folder, prefix)
    for part in folders:
        inside = f"{folder}/{part}"
        if (
            _left_out(part, settings)
            or is_left_out_folder(part, _beside(folder))
            or inside == own
            or any(map(_beside(inside), GENERATED_MARKS))
            or ignored.matches(f"{prefix}{part}/")
        ):
            return False
        folder, prefix = inside, f"{prefix}{part}/"
        ignored = ignored.within(folder, prefix)
    return (
        not _left_out(name, settings)
        and not is_generated_or_secret(name)
        and isinstance(kind_of(name), FileKind)
        and not ignored.matches(prefix + name)
    )


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
    return FolderSurvey(
        files=len(found.entries),
        bytes=sum(entry.size for entry in found.entries),
        seconds=round(text / BYTES_PER_CHUNK / (CHUNKS_PER_SECOND * (os.cpu_count() or 1)), 1),
        ignored=found.ignored,
        unread=found.unread,
        reason=_why_ask(root, found, settings),
    )


def _why_ask(root: Path, found: Scan, settings: Settings) -> str:
    at_least = "" if found.complete else "; counting stopped, so there is more than shown"
    where = os.path.realpath(root)
    if where == "/":
        return f"it is the whole file system{at_least}"
    if where == os.path.realpath(Path.home()):
        return f"it is your home folder{at_least}"
    if len(found.entries) > settings.confirm_files:
        return f"it holds more than {settings.confirm_files} files{at_least}"
    return "it is too large to count quickly" if at_least else ""


def _text_share(path: bytes) -> float:
    kind = kind_of(os.fsdecode(path.rpartition(b"/")[2]))
    return TEXT_SHARE.get(kind.kind, 1.0) if isinstance(kind, FileKind) else 1.0


class _Walk:
    """One walk over a folder, parents before children."""

    def __init__(self, root: Path, settings: Settings, index_root: Path) -> None:
        self.found = Scan()
        self._root = os.path.realpath(root)
        self._own = os.path.realpath(index_root)
        self._settings = settings
        self._largest = settings.max_file_mb * MEGABYTE
        self._pending: list[tuple[str, str, Ignored]] = [(self._root, "", Ignored())]

    def run(self, go_on: Callable[[], bool]) -> None:
        if _is_within(self._root, self._own):
            self.found.skipped.append((b".", "hoverkite's own data"))
            return
        while self._pending:
            if not go_on():
                self.found.complete = False
                return
            self._visit(*self._pending.pop())

    def _visit(self, folder: str, prefix: str, ignored: Ignored) -> None:
        try:
            with os.scandir(folder) as listing:
                children = list(listing)
        except OSError as error:
            self._skip(prefix.rstrip("/") or ".", _explain(error, "this folder"))
            return
        names = {child.name for child in children}
        if prefix and not names.isdisjoint(GENERATED_MARKS):
            self.found.ignored += 1
            return
        if ".gitignore" in names or ".ignore" in names:
            ignored = ignored.within(folder, prefix)
        for child in children:
            path = prefix + child.name
            if _left_out(child.name, self._settings):
                self.found.ignored += 1
            elif child.is_symlink():
                self._note_link(child, path, ignored)
            elif child.is_dir(follow_symlinks=False):
                self._note_folder(child, path, names, ignored)
            else:
                self._note_file(child, path, ignored)

    def _note_folder(
        self, child: os.DirEntry[str], path: str, beside: set[str], ignored: Ignored
    ) -> None:
        where = f"{self._root.rstrip('/')}/{path}"
        if (
            is_left_out_folder(child.name, beside.__contains__)
            or where == self._own
            or where in PSEUDO_FILES
            or ignored.matches(path + "/")
        ):
            self.found.ignored += 1
        else:
            self._pending.append((where, path + "/", ignored))

    def _note_file(self, child: os.DirEntry[str], path: str, ignored: Ignored) -> None:
        if is_generated_or_secret(child.name) or ignored.matches(path):
            self.found.ignored += 1
            return
        kind = kind_of(child.name)
        if isinstance(kind, str):
            self.found.unread[kind] = self.found.unread.get(kind, 0) + 1
            return
        try:
            status = child.stat(follow_symlinks=False)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                self._skip(path, _explain(error, "this file"))
            return
        if not stat.S_ISREG(status.st_mode):
            self._skip(path, f"not a file but {_special(status.st_mode)}")
        elif status.st_size > self._largest:
            self._skip(path, f"larger than {self._settings.max_file_mb:g} MB")
        else:
            self.found.entries.append(_entry(os.fsencode(path), status))

    def _note_link(self, child: os.DirEntry[str], path: str, ignored: Ignored) -> None:
        """A link is never followed: what it leads to inside the folder is read there."""
        if is_generated_or_secret(child.name) or ignored.matches(path):
            self.found.ignored += 1
            return
        try:
            is_folder = child.is_dir()
            target = os.path.realpath(child.path, strict=True)
        except FileNotFoundError:
            self._skip(path, "a link to nothing")
            return
        except OSError as error:
            self._skip(path, f"a link that can't be followed: {error.strerror}")
            return
        if not is_folder and isinstance(kind_of(child.name), str):
            return
        if not _is_within(target, self._root):
            self._skip(path, "a link that leads out of the folder")
        elif _is_within(self._root + "/" + path, target):
            self._skip(path, "a link that leads back to a folder it stands in")
        else:
            self._skip(path, "a link; what it leads to is read in its own place")

    def _skip(self, path: str, reason: str) -> None:
        self.found.skipped.append((os.fsencode(path), reason))


def _entry(path: bytes, status: os.stat_result) -> Entry:
    return Entry(path, status.st_size, status.st_mtime_ns, status.st_ino)


def _left_out(name: str, settings: Settings) -> bool:
    return name[0] == "." and not settings.include_hidden


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _beside(folder: str) -> Callable[[str], bool]:
    return lambda name: os.path.lexists(f"{folder}/{name}")


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
