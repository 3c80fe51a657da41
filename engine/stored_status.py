"""What can be said of a folder while no engine has it open."""

from pathlib import Path

from engine import paths
from engine.api import EmbeddingState, FolderStatus, LlmState, Processes
from engine.config import Settings
from engine.manifest import Manifest


def stored_status(root: Path, settings: Settings) -> FolderStatus:
    """Return a folder's state from its manifest alone; nothing is started."""
    path = paths.index_dir(root) / "manifest.sqlite"
    files = chunks = 0
    if path.exists():
        manifest = Manifest(path)
        files, chunks = manifest.counts()
        manifest.close()
    return FolderStatus(
        docs=str(root),
        state="closed" if path.exists() else "new",
        files=files,
        chunks=chunks,
        embedding=EmbeddingState(
            model=settings.embedding_model, dimension=0, max_tokens=0, device="not loaded"
        ),
        llm=LlmState(state="off", model=settings.llm_model),
        pids=Processes(engine=None),
    )
