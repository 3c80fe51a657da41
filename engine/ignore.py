"""``.gitignore`` and ``.ignore`` files, as git reads them: the deepest file decides."""

import logging
import os
from dataclasses import dataclass
from functools import lru_cache

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError

log = logging.getLogger(__name__)

NAMES = (".gitignore", ".ignore")
"""In this order: what ``.ignore`` says comes later and so wins."""
LARGEST = 1_000_000
"""Bytes of an ignore file; a larger one is none."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """The rules in force in a folder: its own and its parents', outermost first."""

    _rules: tuple[tuple[str, GitIgnoreSpec], ...] = ()

    def within(self, folder: str, prefix: str) -> "Ignored":
        """Return the rules for the contents of ``folder``, whose path is ``prefix`` or empty."""
        lines = [line for name in NAMES for line in _lines(f"{folder}/{name}")]
        if not lines:
            return self
        return Ignored((*self._rules, (prefix, _compile(tuple(lines)))))

    def matches(self, path: str) -> bool:
        """Whether ``path`` is left out; a folder's ends with ``/``.

        The parents of ``path`` must not be left out themselves.
        """
        for prefix, spec in reversed(self._rules):
            verdict = spec.check_file(path.removeprefix(prefix)).include
            if verdict is not None:
                return verdict
        return False


def _lines(path: str) -> list[str]:
    """Read without following links or waiting on a pipe."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return []
    with os.fdopen(handle, "rb") as file:
        try:
            text = os.fsdecode(file.read(LARGEST).removeprefix(b"\xef\xbb\xbf"))
        except OSError:
            return []
    return [line.removesuffix("\r") for line in text.split("\n")] if text else []


@lru_cache(256)
def _compile(lines: tuple[str, ...]) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(lines)
    except GitIgnorePatternError:
        return GitIgnoreSpec.from_lines(filter(_is_pattern, lines))


def _is_pattern(line: str) -> bool:
    """Whether git could read the line; a line it can't read is passed over."""
    try:
        GitIgnoreSpec.from_lines([line])
    except GitIgnorePatternError:
        log.info("an ignore file holds a line that is no pattern")
        return False
    return True
