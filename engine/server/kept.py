"""What is kept on this machine: the indexes of folders, looked at, measured and forgotten.

Nothing here needs an engine, and only what is forgotten is changed.
"""

import contextlib
import os
import re
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine import paths
from engine.errors import FolderError, ManifestError, NoIndexError, StoreError
from engine.storage.manifest_file import EMBEDDED_TOTAL, SCHEMA_VERSION
from engine.wire.api_kept import Forgotten, KeptIndex

MANIFEST = "manifest.sqlite"
FORGOTTEN = "forgotten-"
"""What the name of an index begins with that is being removed."""
COLLECTIONS = "collections"
"""The folder of test collections that were written out as documents."""
CACHES = ("encoders", "models", "vllm", COLLECTIONS)
"""The folders of what can be made again."""

READABLE = (2, 3, SCHEMA_VERSION)
"""Versions of a manifest that opening it brings up to ours, and that tell the same here."""

_INDEX_NAME = re.compile(r"[0-9a-f]{16}")
_IN_WAL_MODE = 2
"""What stands at byte 18 of an SQLite file that is written through a log."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a manifest tells of its folder."""

    root: str = ""
    agreed: bool = False
    files: int = 0
    skipped: int = 0
    chunks: int = 0
    embedded_total: int = 0
    collection: str = ""
    """Name of its collection in Milvus."""


def stored(place: Path) -> Stored:
    """Return what the manifest in ``place`` tells; nothing is written, whoever has it open.

    Raises:
        sqlite3.DatabaseError: it is damaged, or of another version.
        ManifestError: it can't be read just now.
    """
    path = place / MANIFEST
    try:
        with contextlib.closing(read_only(path)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                return Stored()
            if version not in READABLE:
                raise sqlite3.DatabaseError(f"schema {version}, this is {SCHEMA_VERSION}")
            facts = dict(connection.execute("SELECT name, value FROM facts"))
            files, skipped = connection.execute(
                "SELECT count(*) - count(reason), count(reason) FROM files"
            ).fetchone()
            (chunks,) = connection.execute("SELECT count(*) FROM chunks").fetchone()
    except FileNotFoundError:
        return Stored()
    except (OSError, sqlite3.OperationalError) as error:
        raise ManifestError(f"{path} can't be read: {error}") from error
    return Stored(
        root=str(facts.get("root", "")),
        agreed="agreed" in facts,
        files=files,
        skipped=skipped,
        chunks=chunks,
        embedded_total=_number(facts.get(EMBEDDED_TOTAL)),
        collection=str(facts.get("collection", "")),
    )


def _number(fact: str | None) -> int:
    return int(fact) if fact and fact.isdigit() else 0


def read_only(path: Path) -> sqlite3.Connection:
    """Open an SQLite file so that nothing is left beside it.

    Raises:
        OSError: it is not there, or no file.
        sqlite3.DatabaseError: it is no database.
    """
    if not stat.S_ISREG(path.lstat().st_mode):
        raise sqlite3.DatabaseError("it is no file")
    with path.open("rb") as file:
        mode = file.read(19)[18:]
    # A reader would leave the files of a log that nobody uses, and the next opening then checks
    # the whole manifest.
    is_quiet = mode == bytes([_IN_WAL_MODE]) and not path.with_name(f"{path.name}-wal").exists()
    options = "?mode=ro&immutable=1" if is_quiet else "?mode=ro"
    return sqlite3.connect(path.absolute().as_uri() + options, uri=True, timeout=5)


# --- finding -----------------------------------------------------------------------------------


def place_of(name: str) -> Path:
    """Return where the index lies of the folder ``name``, which may be gone, or of that place.

    Raises:
        FolderError: ``name`` can be no folder's.
    """
    try:
        root = Path(name).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FolderError(f"{name} can't be read: {reason}", "Check the spelling") from error
    if root.parent == _home().resolve() and _INDEX_NAME.fullmatch(root.name):
        return _home() / root.name
    return paths.index_dir(root)


def place_named(name: str) -> Path:
    """Return where the index with this id lies.

    Raises:
        NoIndexError: there is none.
    """
    if not _INDEX_NAME.fullmatch(name) or not os.path.lexists(_home() / name):
        raise NoIndexError(f"there is no index {name}")
    return _home() / name


def indexes() -> Iterator[KeptIndex]:
    """Yield all indexes, the one used last first; without those nobody agreed to."""
    found = [look(place) for place in _places(lambda name: bool(_INDEX_NAME.fullmatch(name)))]
    yield from sorted(
        (index for index in found if index.state != "new"),
        key=lambda index: index.last_used,
        reverse=True,
    )


def half_forgotten() -> list[Path]:
    """Return what was to be removed by a process that ended meanwhile."""
    return _places(lambda name: name.startswith(FORGOTTEN))


def _places(wanted: Callable[[str], bool]) -> list[Path]:
    try:
        return sorted(place for place in _home().iterdir() if wanted(place.name))
    except OSError:
        return []


def _home() -> Path:
    return paths.data_dir() / "indexes"


def look(place: Path, name: str = "that folder") -> KeptIndex:
    """Return what is kept in ``place``, of the folder that a person calls ``name``.

    Raises:
        NoIndexError: nothing is.
    """
    if not os.path.lexists(place):
        raise NoIndexError(f"nothing is kept of {name}")
    told, state, detail = Stored(), "closed", ""
    try:
        told = stored(place)
        if not told.agreed:
            state = "new"
        elif told.root and not Path(told.root).is_dir():
            state, detail = "missing", "the folder is gone"
    except ManifestError as error:
        detail = str(error)
    except sqlite3.Error as error:
        state, detail = "damaged", f"the manifest can't be read: {error}"
    return KeptIndex.model_validate(
        {
            "docs": told.root,
            "place": str(place),
            "state": state,
            "detail": detail,
            "files": told.files,
            "chunks": told.chunks,
            "bytes": disk_use(place),
            "last_used": _last_use(place),
        }
    )


def _last_use(place: Path) -> str:
    """Return when a file in ``place`` was last written: opening and closing do."""
    times = [0.0]
    with contextlib.suppress(OSError):
        for file in place.iterdir():
            # Whoever only looks at what a crash left may write the shared memory of SQLite's log,
            # and with it the folder.
            if not file.name.endswith("-shm"):
                times.append(file.lstat().st_mtime)
    return datetime.fromtimestamp(max(times)).astimezone().isoformat(timespec="seconds")


def disk_use(place: Path) -> int:
    """Return the bytes on disk of ``place`` and all below it, not of what links lead to."""
    return sum(status.st_blocks * 512 for status in _below(place))


def caches() -> dict[str, int]:
    """Return the bytes on disk of each cache."""
    return {name: disk_use(paths.cache_dir() / name) for name in CACHES}


def _below(place: Path) -> Iterator[os.stat_result]:
    """Yield what ``lstat`` tells of ``place`` and of everything below it."""
    with contextlib.suppress(OSError):
        status = place.lstat()
        yield status
        if stat.S_ISDIR(status.st_mode):
            for child in place.iterdir():
                yield from _below(child)


# --- forgetting --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TakenAway:
    """An index that nobody can open any more, and that is still to be removed."""

    index: KeptIndex
    aside: Path
    collection: str


def take_away(place: Path) -> TakenAway:
    """Rename the index in ``place``; the caller sees to it that nobody has it open.

    Raises:
        NoIndexError: there is none.
        ManifestError: it can't be renamed.
    """
    index = look(place)
    collection = ""
    with contextlib.suppress(sqlite3.Error, ManifestError):
        collection = stored(place).collection
    try:
        aside = Path(tempfile.mkdtemp(prefix=FORGOTTEN, dir=place.parent))
        try:
            place.rename(aside / place.name)
        except OSError:
            aside.rmdir()
            raise
    except OSError as error:
        raise ManifestError(f"{place} can't be removed: {error.strerror}") from error
    return TakenAway(index, aside, collection)


def remove(taken: TakenAway, drop_collection: Callable[[str], None] | None = None) -> Forgotten:
    """Remove what was taken away, its collection on a Milvus server too."""
    left = []
    if drop_collection and taken.collection:
        try:
            drop_collection(taken.collection)
        except StoreError as error:
            left.append(str(error))
    try:
        remove_all(taken.aside)
    except OSError as error:
        left.append(f"{error.filename or taken.aside}: {error.strerror}")
    return Forgotten(index=taken.index, left=tuple(left))


def remove_all(place: Path) -> None:
    """Remove ``place`` with all below it. A link is removed, and what it leads to is left alone."""
    if place.is_symlink() or not place.is_dir():
        place.unlink()
        return
    for folder in _folders(place):
        folder.chmod(0o700)
    shutil.rmtree(place)


def _folders(place: Path) -> Iterator[Path]:
    """Yield ``place`` and every folder below it, each before it is listed."""
    yield place
    for child in place.iterdir():
        if child.is_dir() and not child.is_symlink():
            yield from _folders(child)
