"""``.gitignore`` and ``.ignore`` files, as git reads them: the deepest file decides."""

import logging
import os
import re
from dataclasses import dataclass
from functools import lru_cache

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

log = logging.getLogger(__name__)

NAMES = (".gitignore", ".ignore")
"""In this order: what ``.ignore`` says comes later and so wins."""
LARGEST = 64_000
"""Bytes of an ignore file that are read; the lines beyond are passed over."""
MOST_PATTERNS = 2_000
"""Patterns of an ignore file that are read; the lines beyond are passed over."""
MOST_DOUBLE_STARS = 2
"""Of ``**`` between the parts of a pattern: each multiplies the time by a path's depth."""

_STARS = re.compile(r"(?:\[\^/\]\*)+")
_STAR_BEFORE_STAR = re.compile(r"\[\^/\]\*((?:\[\^/\](?!\*)|(?!\[\^/\])[^/])+?)(?=\[\^/\]\*)")


@dataclass(frozen=True, slots=True)
class Ignored:
    """The rules in force in a folder: its own and its parents', outermost first."""

    _rules: tuple[tuple[str, GitIgnoreSpec], ...] = ()

    def within(self, folder: str, prefix: str) -> "Ignored":
        """Return the rules for the contents of ``folder``, whose path is ``prefix`` or empty."""
        lines = [line for name in NAMES for line in _lines(f"{folder}/{name}")]
        if not lines:
            return self
        return Ignored((*self._rules, (prefix, compiled(tuple(lines)))))

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
    try:
        with os.fdopen(handle, "rb", closefd=False) as file:  # which takes no folder
            content = file.read(LARGEST + 1)
    except OSError:
        return []
    finally:
        os.close(handle)
    whole = content.removeprefix(b"\xef\xbb\xbf")
    if len(content) > LARGEST:
        whole = whole.rpartition(b"\n")[0]
    lines = [line.removesuffix("\r") for line in os.fsdecode(whole).split("\n")]
    patterns = [line for line in lines if line and not line.startswith("#")]
    if len(content) > LARGEST or len(patterns) > MOST_PATTERNS:
        log.info("an ignore file is too long; its last lines are passed over")
    return patterns[:MOST_PATTERNS]


@lru_cache(256)
def compiled(lines: tuple[str, ...]) -> GitIgnoreSpec:
    """Return the patterns of ``lines``, less those that can't be read or would take too long."""
    patterns = [pattern for pattern in map(_pattern, lines) if pattern]
    return GitIgnoreSpec(patterns, backend="simple")  # others take no atomic group, nor all names


def _pattern(line: str) -> GitIgnoreSpecPattern | None:
    """Return the pattern of one line; None for one that can't be read or would take too long."""
    try:
        regex, include = GitIgnoreSpecPattern.pattern_to_regex(line)
        if regex is None:
            return None
        if regex.count("(?:/.+)?") > MOST_DOUBLE_STARS:
            raise GitIgnorePatternError(line)
        return GitIgnoreSpecPattern(re.compile(_without_retries(regex)), include)
    except (GitIgnorePatternError, re.error):
        log.info("an ignore file holds a line that is no pattern")
        return None


def _without_retries(regex: str) -> str:
    """Return ``regex`` so that the stars of one part take linear, not exponential time.

    The shortest match of a star and what follows it is as good as any longer one when another
    star comes next, so it need not be tried again.
    """
    return _STAR_BEFORE_STAR.sub(r"(?>[^/]*?\1)", _STARS.sub("[^/]*", regex))
