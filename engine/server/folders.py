"""What a person may name as a folder."""

import contextlib
import os
import shlex
from pathlib import Path

from engine.errors import FolderError, HoverkiteError
from engine.figures import counted

NO_DOCUMENTS = ("/proc", "/sys", "/dev")
"""Folders whose files are the system's own devices and figures …"""
BUT_DOCUMENTS = "/dev/shm"  # noqa: S108  named, not written to
"""… with the one of them that anybody may keep files in."""


def resolve(name: str) -> Path:
    """Return the folder ``name`` stands for: absolute, links followed, readable.

    Raises:
        FolderError: it does not exist, is a file, can't be read, or is the system's own.
    """
    try:
        root = Path(name).expanduser().resolve(strict=True)
        if not root.is_dir():
            raise FolderError(f"{name} is a file, not a folder", "Name the folder it is in")
        os.scandir(root).close()
    except FileNotFoundError as error:
        raise _gone(name) from error
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FolderError(f"{name} can't be read: {reason}", "Check its permissions") from error
    above = {str(root), *map(str, root.parents)}
    if above.intersection(NO_DOCUMENTS) and BUT_DOCUMENTS not in above:
        raise FolderError(
            f"{name} belongs to the system and holds no documents", "Name a folder of documents"
        )
    if os.fsencode(root).decode("utf-8", "replace") != str(root):
        raise FolderError(
            f"the name of {name} is not valid UTF-8",
            "Open a folder above it: names inside a folder may hold any bytes",
        )
    return root


def _gone(name: str) -> FolderError:
    """Say whether a folder that is not there was here before, and what is kept of it."""
    from engine.server import kept  # the screen's first frame waits for this file

    with contextlib.suppress(HoverkiteError):
        index = kept.look(kept.place_of(name))
        if index.state == "missing":
            return FolderError(
                f"{name} is gone; its index ({counted(index.files, 'file')}) is kept",
                "It is used again when the folder is back; "
                f"to remove it: hoverkite forget {shlex.quote(name)}",
            )
    return FolderError(f"{name} does not exist", "Check the spelling")
