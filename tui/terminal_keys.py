"""What a terminal sends for a key, where Textual takes it for another."""

from typing import cast

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.keys import Keys


def teach_alt_enter() -> None:
    """Make alt+enter begin a new line in terminals without the Kitty keyboard protocol.

    They send ESC CR, which Textual 8.2.8 reads as a plain enter; there is no public way to say
    more. ctrl+j is the other key for a new line.
    """
    known = cast("dict[str, tuple[Keys, ...]]", ANSI_SEQUENCES_KEYS)
    known["\x1b\r"] = (Keys.ControlJ,)
