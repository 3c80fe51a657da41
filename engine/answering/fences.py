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
    return _hash_of(texts).hex()


def rule_of(texts: Iterable[str]) -> str:
    """Return a mark of 32 dashes of two kinds, which a tiny model takes for no word of the text."""
    bits = f"{int.from_bytes(_hash_of(texts)):032b}"
    return bits.translate(_DASHES)


_DASHES = str.maketrans("01", "-=")
_OF_RULES = "-= \t\n"


def _hash_of(texts: Iterable[str]) -> bytes:
    made = hashlib.blake2b(key=_secret(), digest_size=4)
    for text in texts:
        made.update(hashlib.blake2b(text.encode()).digest())
    return made.digest()


class Unfenced:
    """Takes the fences of a prompt out of an answer's pieces: small models repeat them."""

    def __init__(self, mark: str) -> None:
        self._mark, self._fence = mark, f"{mark} end"
        self._held = ""
        self._only_dashes = bool(mark) and not mark.strip(_OF_RULES)
        """Whether the mark is a rule, and the answer so far at most a part of one."""

    def take(self, piece: str) -> str:
        """Return what is certainly no part of a fence; what may become one is held back."""
        whole = (self._held + piece).replace(self._fence, "")
        self._only_dashes = self._only_dashes and not whole.strip(_OF_RULES)
        if self._only_dashes:
            self._held = whole
            return ""
        held = next(n for n in range(len(self._fence), -1, -1) if whole.endswith(self._fence[:n]))
        said, self._held = whole[: len(whole) - held], whole[len(whole) - held :]
        return said.replace(self._mark, "")

    def rest(self) -> str:
        """Return what was held back, at the end of the answer; the beginning of a rule is none."""
        return "" if self._only_dashes else self._held.replace(self._mark, "")
