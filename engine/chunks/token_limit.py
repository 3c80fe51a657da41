"""Whether a model takes a whole text: what is longer than its limit, it cuts without a word."""

from tokenizers import Tokenizer

SPECIAL = 8
"""More tokens than any model puts around a text."""


class TokenLimit:
    """The most tokens of one model. May be asked from several threads at once."""

    def __init__(self, tokenizer: Tokenizer | None, most: int, prompt: str = "") -> None:
        """Keep to ``most`` tokens, 0 for any number; ``tokenizer`` cuts there.

        ``prompt`` is what the model is told before each text.
        """
        self._tokenizer, self._most, self._prompt = tokenizer, most, prompt

    def takes(self, text: str) -> bool:
        """Whether nothing of ``text`` is cut away; where no tokenizer tells, better no than yes."""
        whole = (self._prompt + text).encode("utf-8", "replace")
        if not self._most or len(whole) + SPECIAL <= self._most:  # a token has a byte or more
            return True
        if self._tokenizer is None:
            return False
        return not self._tokenizer.encode(whole.decode()).overflowing
