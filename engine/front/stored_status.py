"""What can be said of a folder while no engine has it open."""

import sqlite3
from pathlib import Path

from engine import paths
from engine.config import Settings
from engine.errors import ManifestError
from engine.server import kept, moved
from engine.wire.api import EmbeddingState, FolderState, FolderStatus, LlmState, Processes


def stored_status(root: Path, settings: Settings) -> FolderStatus:
    """Return a folder's state from its manifest alone; nothing is started."""
    state, detail, told = _stored(paths.index_dir(root))
    if state == "new":
        detail = moved_from(root)
    return FolderStatus(
        docs=str(root),
        state=state,
        detail=detail,
        files=told.files,
        skipped_total=told.skipped,
        chunks=told.chunks,
        embedded_total=told.embedded_total,
        embedding=EmbeddingState(
            model=settings.embedding_model, dimension=0, max_tokens=0, device="not loaded"
        ),
        llm=LlmState(state="off", model=settings.llm_model),
        pids=Processes(engine=None),
    )


def moved_from(root: Path) -> str:
    """Return what there is to say of a folder without an index of its own that has moved."""
    former = moved.find(root)
    if former is None:
        return ""
    return f"moved here from {former.root}; its index is taken along when it is opened"


def _stored(place: Path) -> tuple[FolderState, str, kept.Stored]:
    """Return state, detail and what else the manifest in ``place`` tells."""
    try:
        told = kept.stored(place)
        return "closed" if told.agreed else "new", "", told
    except ManifestError as error:
        return "closed", str(error), kept.Stored()
    except sqlite3.Error as error:
        detail = f"the stored index can't be read ({error}); it will be set aside and read again"
        return "closed", detail, kept.Stored()
