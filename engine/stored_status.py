"""What can be said of a folder while no engine has it open."""

import sqlite3
from pathlib import Path

from engine import paths
from engine.api import EmbeddingState, FolderState, FolderStatus, LlmState, Processes
from engine.config import Settings
from engine.errors import ManifestError
from engine.manifest import Manifest


def stored_status(root: Path, settings: Settings) -> FolderStatus:
    """Return a folder's state from its manifest alone; nothing is started."""
    state, detail, files, chunks = _stored(paths.index_dir(root) / "manifest.sqlite")
    return FolderStatus(
        docs=str(root),
        state=state,
        detail=detail,
        files=files,
        chunks=chunks,
        embedding=EmbeddingState(
            model=settings.embedding_model, dimension=0, max_tokens=0, device="not loaded"
        ),
        llm=LlmState(state="off", model=settings.llm_model),
        pids=Processes(engine=None),
    )


def _stored(path: Path) -> tuple[FolderState, str, int, int]:
    """Return state, detail, files and chunks as the manifest at ``path`` tells them."""
    if not path.exists():
        return "new", "", 0, 0
    try:
        manifest = Manifest(path)
        try:
            if manifest.fact("agreed") is None:
                return "new", "", 0, 0
            return "closed", "", *manifest.counts()
        finally:
            manifest.close()
    except sqlite3.Error as error:
        return "closed", _set_aside(error), 0, 0
    except ManifestError as error:
        cause = error.__cause__
        passing = isinstance(cause, sqlite3.OperationalError) or cause is None
        return "closed", str(error) if passing else _set_aside(cause), 0, 0


def _set_aside(error: BaseException | None) -> str:
    return f"the stored index can't be read ({error}); it will be set aside and read again"
