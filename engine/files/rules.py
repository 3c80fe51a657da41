"""Which names belong to a folder: one set of rules for a walk and for a look at a single path.

The rules, in order: what tools made and what holds keys is left out always; names beginning with a
dot unless ``include_hidden``; then the folder's own ``.gitignore`` and ``.ignore`` files, nested
ones too, as git reads them.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from engine.config import Settings
from engine.files.ignore import Ignored
from engine.files.kinds import GENERATED_MARKS, is_generated_or_secret, is_left_out_folder

SYSTEM_FOLDERS = ("/proc", "/sys", "/dev", "/run")
"""Folders that hold no documents but endless look-alikes of files."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that is read, with the rules for the names in it."""

    path: str
    """Absolute, links resolved."""
    prefix: str
    """What stands before a name in its path relative to the root: empty or ending with ``/``."""
    _ignored: Ignored
    _own: str
    _hidden: bool

    @classmethod
    def root(cls, root: Path, settings: Settings, index_root: Path) -> "Place | None":
        """Return the root's place; None when it lies in hoverkite's own data, ``index_root``."""
        path, own = os.path.realpath(root), os.path.realpath(index_root)
        if is_within(path, own):
            return None
        ignored = Ignored().within(path, "")
        return cls(path, "", ignored, own, settings.include_hidden)

    def inner(self, name: str) -> "Place | None":
        """Return the place of the folder ``name``; None when it is left out."""
        path = self.path_of(name)
        if (
            self._is_hidden(name)
            or is_left_out_folder(name, self.holds)
            or path == self._own
            or path in SYSTEM_FOLDERS
            or self._ignored.matches(f"{self.prefix}{name}/")
        ):
            return None
        prefix = f"{self.prefix}{name}/"
        inner = Place(path, prefix, self._ignored, self._own, self._hidden)
        if any(map(inner.holds, GENERATED_MARKS)):
            return None
        ignored = self._ignored.within(path, prefix)
        return Place(path, prefix, ignored, self._own, self._hidden)

    def leaves_out(self, name: str) -> bool:
        """Whether the file or link ``name`` is left out."""
        return (
            self._is_hidden(name)
            or is_generated_or_secret(name)
            or self._ignored.matches(self.prefix + name)
        )

    def path_of(self, name: str) -> str:
        """Return the absolute path of ``name``."""
        return f"{self.path.rstrip('/')}/{name}"

    def holds(self, name: str) -> bool:
        """Whether something of this name stands here."""
        return os.path.lexists(self.path_of(name))

    def _is_hidden(self, name: str) -> bool:
        return name[0] == "." and not self._hidden


def is_within(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or below it; both absolute, links resolved."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
