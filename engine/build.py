"""Which hoverkite this is: a checkout changes without a new version number, so its code counts."""

import hashlib
from functools import cache
from pathlib import Path

from engine import __version__


@cache
def build() -> str:
    """Return the version and a hash of the engine's code at the first call: ``0.1.0+3f2a9c10``."""
    code = hashlib.blake2b(digest_size=4)
    folder = Path(__file__).parent
    for path in sorted(folder.rglob("*.py")):
        code.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return f"{__version__}+{code.hexdigest()}"
