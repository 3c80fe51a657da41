"""The marks that fence passages in a prompt, and an answer without them.

A mark is a keyed hash of the passages. No document can hold its own, since that would change it;
and the same passages always have the same, so that another question about them begins with the
same words, which vLLM then has in its prefix cache.
"""

import hashlib
import secrets
from collections.abc import Iterable
from functools import cache


@cache
def _secret() -> bytes:
    """Return the key of this process, which nobody else knows."""
    return secrets.token_bytes(16)


def mark_of(texts: Iterable[str]) -> str:
    """Return the mark that fences ``texts``, which can be encoded: eight characters."""
    made = hashlib.blake2b(key=_secret(), digest_size=4)
    for text in texts:
        made.update(hashlib.blake2b(text.encode()).digest())
    return made.hexdigest()


def around_one(mark: str) -> tuple[str, str]:
    """Return what stands before and after a passage among others, as its title does between."""
    return mark, f"{mark} end"


def around_all(mark: str) -> tuple[str, str]:
    """Return what stands before and after all passages, in words that a tiny model understands.

    In their place it took a line of dashes for the answer, to one question in thirteen.
    """
    return f"Context {mark}:", f"End of context {mark}"


class Unfenced:
    """Takes the fences of a prompt out of an answer's pieces: small models repeat them."""

    def __init__(self, mark: str) -> None:
        """Without a ``mark`` there are no fences."""
        self._mark = mark
        self._fences = {*around_one(mark), *around_all(mark)} - {mark} if mark else set()
        self._held = ""

    def take(self, piece: str) -> str:
        """Return what is certainly no part of a fence; what may become one is held back."""
        whole = self._held + piece
        for fence in self._fences:
            whole = whole.replace(fence, "")
        held = max((_begun(whole, fence) for fence in self._fences), default=0)
        said, self._held = whole[: len(whole) - held], whole[len(whole) - held :]
        return self._without_mark(said)

    def rest(self) -> str:
        """Return what was held back, at the end of the answer."""
        return self._without_mark(self._held)

    def _without_mark(self, text: str) -> str:
        return text.replace(self._mark, "") if self._mark else text


def _begun(text: str, fence: str) -> int:
    """Return how many characters at the end of ``text`` may be the beginning of ``fence``."""
    return next(n for n in range(len(fence) - 1, -1, -1) if text.endswith(fence[:n]))
