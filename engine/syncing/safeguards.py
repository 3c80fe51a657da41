"""What has to hold before a sync may write: the folder is there, and the disk has room."""

import contextlib
import os
import shutil
from pathlib import Path

from engine.errors import FolderError, ManifestError
from engine.storage.manifest import Manifest

LEAST_FREE = 4_000_000
"""Bytes that a disk must have left before anything is added to Milvus."""


def see_that_folder_is_there(root: Path, manifest: Manifest) -> None:
    """Raise FolderError unless ``root`` is the folder that ``manifest`` is of, or could be."""
    manifest.see_that_it_is_there()
    try:
        status = root.stat()
        with os.scandir(root) as listing:  # its first name, however many there are
            is_empty = next(listing, None) is None
    except OSError:
        status = None
    if status is None or os.path.realpath(root) != str(root):
        raise FolderError(f"{root} is gone or closed to you", "Its index is kept and used again")
    identity = f"{status.st_dev} {status.st_ino}"
    before = manifest.fact("identity")
    if before not in (None, identity) and is_empty:
        raise FolderError(
            f"{root} is empty and not the folder it was; perhaps a disk is missing",
            "Its index is kept, and compared with the folder once something is in it",
        )
    if before != identity:
        manifest.set_fact("identity", identity)


def see_that_there_is_room(data: Path) -> None:
    """Fail before Milvus does: it would try again and again for half a minute."""
    with contextlib.suppress(FileNotFoundError):
        if shutil.disk_usage(data).free < LEAST_FREE:
            raise ManifestError(f"the disk that holds {data} is full")
