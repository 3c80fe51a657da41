"""What the engine does with kept indexes, open or not: forgets, examines and mends them."""

import asyncio
import sqlite3
import time
from functools import partial
from pathlib import Path

from engine import paths
from engine.config import Settings
from engine.errors import FolderInUseError, HoverkiteError, NoIndexError, StoreError
from engine.server import kept
from engine.server.differences import Census, Examination, mend, repair, verdict
from engine.server.folder import Folder
from engine.server.folders import resolve
from engine.server.open_folders import OpenFolders as Folders
from engine.server.shared_encoder import SharedEncoder
from engine.storage import seal
from engine.storage.index import Index
from engine.storage.manifest import Manifest
from engine.storage.manifest_file import set_aside
from engine.storage.store import Store, drop_collection
from engine.wire import api
from engine.wire.api_kept import Examined, ExamineRequest, Finding, Forgotten

LEAVING_SECONDS = 3.0
"""How long a client that just left may take to be noticed."""
PAUSED = "A window has paused the folder: let it go on there, or leave that window, and try again"
_POLL = 0.1


class Upkeep:
    """Works on indexes so that nobody meets one half removed or half mended."""

    def __init__(self, settings: Settings, folders: Folders, encoder: SharedEncoder) -> None:
        self._settings, self._folders, self._encoder = settings, folders, encoder

    async def forget(self, name: str) -> Forgotten:
        """Close a folder and remove what is kept of it.

        Raises:
            NoIndexError: nothing is.
            FolderInUseError: somebody has it open.
            ManifestError: it can't be removed.
        """
        place = kept.place_named(name)
        deadline = time.monotonic() + LEAVING_SECONDS
        while True:
            try:
                async with self._folders.closed(name):
                    taken = await asyncio.to_thread(kept.take_away, place)
                break
            except FolderInUseError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_POLL)
        server = self._settings.milvus_uri
        drop = partial(drop_collection, server) if server else None
        return await asyncio.to_thread(kept.remove, taken, drop)

    async def examine(self, request: ExamineRequest) -> Examined:
        """Compare a folder with its index, and put it right where that is asked for.

        Raises:
            NoIndexError: the folder is not indexed.
            HoverkiteError: why it can't be examined or put right.
        """
        root = await asyncio.to_thread(resolve, request.path)
        index = await asyncio.to_thread(kept.look, paths.index_dir(root), str(root))
        if index.state == "new":
            raise NoIndexError(f"{root} is not indexed")
        look = await self._look(root)
        if any(folder.root == root and folder.paused for folder in self._folders.all()):
            look.wait_for_a_window()
            return Examined(findings=look.findings, left=look.faults)
        found = look.findings
        if request.repair and look.faults:
            await self._mend(root, look)
            look = await self._look(root)
        return Examined(findings=found, left=look.faults)

    async def _look(self, root: Path) -> "_Look":
        damage = await asyncio.to_thread(verdict, paths.index_dir(root) / kept.MANIFEST)
        if damage != "ok":
            told = _fault(root, f"the manifest is damaged: {damage}")
            return _Look([told], set(), is_damaged=True)
        encoder = await self._encoder.get()
        name = paths.short_hash(str(root))
        for folder in self._folders.all():
            if folder.id == name:
                with self._folders.in_use(folder):
                    return await self._look_at_open(folder, encoder.model_id, encoder.dimension)
        async with self._folders.closed(name):
            return await asyncio.to_thread(
                self._look_at_closed, root, encoder.model_id, encoder.dimension
            )

    async def _look_at_open(self, folder: Folder, model: str, dimension: int) -> "_Look":
        def begin(manifest: Manifest, _: Index) -> Examination:
            return Examination(folder.root, self._settings, manifest, model, dimension)

        def look_at_rows(_: Manifest, index: Index) -> None:
            examination.look_at_rows(index.census, is_open=True)

        try:
            examination = await folder.examined(begin)
            # Reading everything takes its time, and an edit should not wait for it.
            await asyncio.to_thread(examination.look_at_folder)
            await asyncio.to_thread(examination.look_at_chunks)
            await folder.examined(look_at_rows)
        except HoverkiteError as error:
            return _Look([_fault(folder.root, f"it can't be opened: {error}")], set())
        return _Look(examination.findings, examination.unsound)

    def _look_at_closed(self, root: Path, model: str, dimension: int) -> "_Look":
        """Look at a folder that is not open, and leave it as it is."""
        place = paths.index_dir(root)
        try:
            manifest = Manifest(place / kept.MANIFEST)
        except sqlite3.DatabaseError as error:
            told = _fault(root, f"the manifest is damaged: {error}")
            return _Look([told], set(), is_damaged=True)
        try:
            examination = Examination(root, self._settings, manifest, model, dimension)
            examination.look_at_folder()
            examination.look_at_chunks()
            try:
                examination.look_at_rows(
                    lambda: self._census(place, manifest, dimension), is_open=False
                )
            except StoreError as error:
                examination.findings.append(_fault(root, str(error)))
            return _Look(examination.findings, examination.unsound)
        finally:
            manifest.close()

    def _census(self, place: Path, manifest: Manifest, dimension: int) -> Census:
        target = self._settings.milvus_uri or place / "index.db"
        collection = manifest.fact("collection")
        if not collection or (isinstance(target, Path) and not target.exists()):
            return set(), 0
        if isinstance(target, Path) and seal.is_broken(target):
            raise StoreError(f"{target} is not what it was when it was closed")
        store = Store(target, collection, dimension)
        try:
            present, count = store.census()
        finally:
            store.close()
            if isinstance(target, Path) and seal.take_off(target):
                seal.put(target)  # Milvus may have written to it
        return present, count - len(present)

    async def _mend(self, root: Path, look: "_Look") -> None:
        if look.is_damaged:
            async with self._folders.closed(paths.short_hash(str(root))):
                await asyncio.to_thread(set_aside, paths.index_dir(root) / kept.MANIFEST)
        opened = await self._folders.open(api.OpenFolder(path=str(root), agreed=True))
        folder = self._folders.get(opened.folder)
        with self._folders.in_use(folder):
            await folder.examined(lambda manifest, index: mend(manifest, index, look.unsound))
            await folder.synced()


class _Look:
    """What an examination came to."""

    def __init__(
        self, findings: list[Finding], unsound: set[int], *, is_damaged: bool = False
    ) -> None:
        self.findings, self.unsound, self.is_damaged = findings, unsound, is_damaged

    @property
    def faults(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level == "fault"]

    def wait_for_a_window(self) -> None:
        """Send a person to the window that has paused the folder: nothing is read meanwhile."""
        steps = {"fault": {"step": PAUSED}}
        self.findings = [f.model_copy(update=steps.get(f.level)) for f in self.findings]


def _fault(root: Path, what: str) -> Finding:
    return Finding(about=str(root), level="fault", what=what, step=repair(root))
