"""A folder's files against the manifest: what is to be read, what only moved, what is gone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from engine.files.scan import Entry
from engine.storage.manifest import FileRecord
from engine.syncing.reading import Reader

Work = list[Entry]
"""Files to be read."""


@dataclass
class Plan:
    """What brings the manifest in line with the folder."""

    work: Work = field(default_factory=list)
    """The newest first, and those that are slow to read after all others."""
    moved: list[tuple[FileRecord, Entry]] = field(default_factory=list)
    """Files with their new places; those whose ctime is new may be others that look the same."""
    removed: list[FileRecord] = field(default_factory=list)


def compare(
    entries: Sequence[Entry],
    known: dict[bytes, FileRecord],
    reader: Reader,
    lacking: Collection[int],
) -> Plan:
    """Compare by stat values alone; no file is opened, so a move is only likely.

    ``reader`` tells what chunks are made by now; the files of ids in ``lacking`` are read anew.
    """
    plan = Plan()
    present = {entry.path for entry in entries}
    gone = {_stamp(record): record for record in known.values() if record.path not in present}
    moved = set()
    for entry in entries:
        record = known.get(entry.path)
        source = None if record else gone.get(_stamp(entry))
        if source and source.id not in moved and _usable(source, reader, lacking):
            moved.add(source.id)
            plan.moved.append((source, entry))
        elif not (record and _is_as_read(record, entry) and _usable(record, reader, lacking)):
            plan.work.append(entry)
    plan.removed = [r for r in known.values() if r.path not in present and r.id not in moved]
    plan.work.sort(key=lambda entry: (reader.is_slow(entry), -entry.mtime_ns))
    return plan


def _usable(record: FileRecord, reader: Reader, lacking: Collection[int]) -> bool:
    return record.recipe == reader.recipe_of(record.path) and record.id not in lacking


def _is_as_read(record: FileRecord, entry: Entry) -> bool:
    # Another file can have all of the first three, down to the inode, but not the last.
    return _stat(record) == _stat(entry) and record.ctime_ns == entry.ctime_ns


def _stat(file: Entry | FileRecord) -> tuple[int, int, int]:
    return file.inode, file.size, file.mtime_ns


def _stamp(file: Entry | FileRecord) -> tuple[int, int, int, bytes]:
    """Return what a renamed file keeps: a new suffix may mean another reader."""
    return *_stat(file), file.path.rpartition(b"/")[2].rpartition(b".")[2].lower()
