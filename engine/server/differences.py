"""What differs between a folder, its manifest and Milvus, and how the index is made right again."""

import contextlib
import os
import shlex
import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path, PurePosixPath

from engine import documents, paths
from engine.config import Settings
from engine.errors import LoadError
from engine.figures import counted
from engine.files import scan
from engine.files.scan import Entry
from engine.server.kept import read_only
from engine.storage.index import Index
from engine.storage.manifest import FileRecord, Manifest, row_id, text_hash
from engine.wire.api_kept import Finding

SHOWN = 5
"""Examples of one finding."""
_BATCH = 2000

Census = tuple[set[int], int]
"""The rows in Milvus that count, and how many are there a second time."""


def repair(root: Path) -> str:
    """Return how a person has the index of ``root`` put right."""
    return f"Run: hoverkite doctor {shlex.quote(str(root))} --repair"


def verdict(manifest: Path) -> str:
    """Return ``ok``, or what is wrong with the SQLite file; reads all of it and changes nothing."""
    try:
        with contextlib.closing(read_only(manifest)) as connection:
            return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        return str(error)


class Examination:
    """Compares one folder with its index. Blocking; nothing is changed."""

    def __init__(
        self, root: Path, settings: Settings, manifest: Manifest, model: str, dimension: int
    ) -> None:
        self._root, self._settings, self._manifest = root, settings, manifest
        self._model, self._dimension = model, dimension
        self._read = f"Run: hoverkite index {shlex.quote(str(root))}, or open the folder"
        self._repair = repair(root)
        self.findings: list[Finding] = []
        self.unsound: set[int] = set()
        """Files whose entries are wrong: they have to be read anew."""
        self._suspects: list[int] = []

    def look_at_folder(self) -> None:
        """Compare the folder with the manifest; every file's content is read."""
        found = scan.scan(self._root, self._settings, index_root=paths.data_dir())
        known = self._manifest.files()
        present = {entry.path: entry for entry in found.entries}
        new = present.keys() - known.keys()
        # What can't be listed just now is not gone.
        hidden = tuple(found.unlisted)
        gone = [p for p in known.keys() - present.keys() if not p.startswith(hidden)]
        changed: set[bytes] = set()
        altered: set[bytes] = set()
        closed: set[bytes] = set()
        for path in present.keys() & known.keys():
            if _stat(present[path]) != _stat(known[path]):
                changed.add(path)
            elif what := self._what_became_of(known[path]):
                (altered if what == "altered" else closed).add(path)
        self.unsound.update(known[path].id for path in altered | closed)
        self._tell(new, "{} that {} not in the index yet", self._read, "is", "are")
        self._tell(changed, "{} that {} changed since it was read", self._read, "has", "have")
        self._tell(gone, "{} that {} gone and still in the index", self._read, "is", "are")
        self._tell(altered, "{} with another content under the same time and size", self._repair)
        self._tell(
            closed,
            "{} that can't be read any more and {} in the index",
            self._repair,
            "is",
            "are",
        )

    def _what_became_of(self, record: FileRecord) -> str:
        """Return why an unchanged-looking file is not what was read; empty if it is."""
        if record.reason is not None or not record.content:
            return ""
        path = self._root / PurePosixPath(os.fsdecode(record.path))
        try:
            limit = int(self._settings.max_file_mb * scan.MEGABYTE)
            raw = documents.read(path, max_bytes=limit)
        except documents.Changing:
            return ""
        except LoadError:
            return "closed"
        return "" if documents.content_hash(raw) == record.content else "altered"

    def look_at_chunks(self) -> None:
        """Compare every chunk with its hash, and look at its vector; files may change meanwhile."""
        broken, lacking = self._unsound_among(list(self._manifest.all_rows()))
        self._suspects = [*broken, *lacking]

    def look_at_rows(self, census: Callable[[], Census], *, is_open: bool) -> None:
        """Compare the manifest with Milvus, as ``census`` counts it; nothing may change meanwhile.

        What :meth:`look_at_chunks` has found is looked at once more.
        """
        wanted = self._manifest.all_rows()
        broken, lacking = (set(rows.values()) for rows in self._unsound_among(self._suspects))
        without = lacking & self._manifest.vectors.files_without(self._model) if lacking else set()
        self.unsound |= broken | lacking
        self._tell_of(broken, "{} whose chunks are damaged in the manifest")
        self._tell_of(without, "{} with chunks that have no vector of this encoder")
        self._tell_of(lacking - without, "{} with damaged vectors")
        present, doubled = census()
        if missing := wanted - present:
            self._fault(f"{counted(len(missing), 'row')} missing in Milvus")
        if doubled:
            self._fault(f"{counted(doubled, 'row')} in Milvus twice")
        if extra := present - wanted:
            told = f"{counted(len(extra), 'row')} in Milvus that no chunk needs any more"
            if is_open:
                self._fault(told)
            else:
                self._note("note", told, "Nothing: they are purged when the folder is next open")
        if not self.findings:
            files, chunks = self._manifest.counts()
            told = f"{counted(files, 'file')}, {counted(chunks, 'chunk')}: folder, manifest and "
            self._note("ok", told + "Milvus agree")

    def _unsound_among(self, rows: list[int]) -> tuple[dict[int, int], dict[int, int]]:
        """Return damaged chunks, and those without a sound vector: rows with their files."""
        broken, lacking = {}, {}
        for begin in range(0, len(rows), _BATCH):
            batch = rows[begin : begin + _BATCH]
            sources = self._manifest.sources_of(batch)
            chunks = self._manifest.chunks_at(batch)
            keys = {key for _, _, key in sources}
            vectors = self._manifest.vectors.of(keys, self._model, self._dimension)
            for row, file, key in sources:
                stored = chunks.get(row)
                if (
                    not stored
                    or text_hash(stored.chunk.embedded) != key
                    or row_id(file, key) != row
                ):
                    broken[row] = file
                elif key not in vectors:
                    lacking[row] = file
        return broken, lacking

    # --- telling ---

    def _tell_of(self, files: Collection[int], what: str) -> None:
        names = {record.id: path for path, record in self._manifest.files().items()}
        self._tell([names.get(file, b"?") for file in files], what, self._repair)

    def _tell(
        self, found: Collection[bytes], what: str, step: str, one: str = "", many: str = ""
    ) -> None:
        if found:
            told = what.format(counted(len(found), "file"), one if len(found) == 1 else many)
            examples = tuple(scan.decode(path) for path in sorted(found)[:SHOWN])
            self._note("fault", told, step, examples)

    def _fault(self, what: str) -> None:
        self._note("fault", what, self._repair)

    def _note(self, level: str, what: str, step: str = "", examples: tuple[str, ...] = ()) -> None:
        self.findings.append(
            Finding.model_validate(
                {
                    "about": str(self._root),
                    "level": level,
                    "what": what,
                    "step": step,
                    "examples": examples,
                }
            )
        )


def mend(manifest: Manifest, index: Index, unsound: Collection[int]) -> None:
    """Let go of entries that are wrong, and bring Milvus in line with what is left.

    The next reconcile reads their files anew; vectors that are sound are used again.
    """
    if unsound:
        manifest.save([], removed=unsound)
    index.reopen()


def _stat(file: Entry | FileRecord) -> tuple[int, int, int]:
    return file.inode, file.size, file.mtime_ns
