"""A cache of the model hub, laid out as its own client leaves it."""

from collections.abc import Mapping
from pathlib import Path

COMMIT = "5c38ec7c405ec4b44b94cc5a9bb96e735b38267a"


def fetched(cache: Path, name: str, files: Mapping[str, bytes]) -> Path:
    """Put the model ``name`` into ``cache`` with ``files``; return its folder."""
    repository = cache / f"models--{name.replace('/', '--')}"
    snapshot = repository / "snapshots" / COMMIT
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    (repository / "blobs").mkdir()
    snapshot.mkdir(parents=True)
    for number, (path, content) in enumerate(files.items()):
        blob = repository / "blobs" / f"{number:040x}"
        blob.write_bytes(content)
        place = snapshot / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(blob)
    return snapshot
