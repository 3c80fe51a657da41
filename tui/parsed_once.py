"""Styles that are parsed once, and not once for each step of the start."""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class ParsedOnce(Stylesheet):
    """Keeps what it has parsed for as long as the variables stay what they are.

    Textual 8.2.8 sets the variables again for the first screen, to the values they had, and parses
    everything anew without keeping it: three times until the first frame, 13 ms each.
    """

    def set_variables(self, variables: dict[str, str]) -> None:
        """Set the values of variables; what was parsed with others is forgotten."""
        if variables != self._variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse the sources that were not parsed yet with these variables.

        Raises:
            StylesheetParseError: A source is faulty; the rules are what they were.
        """
        self.parse()
