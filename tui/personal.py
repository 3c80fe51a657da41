"""The part of the program that a person made theirs: keys, layout, and signs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui import key_names
from tui.themed import ThemedApp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.binding import Binding
    from textual.filter import LineFilter

    from tui.layout import Layout

MOST_FAULTS = 5
"""Faults of a person's keys that are told at once."""


class Personal(ThemedApp):
    """Uses the keys of the config file, as far as they can be used, and tells of the others."""

    def __init__(self) -> None:
        super().__init__()
        self._keys_table: Mapping[str, Any] = {}
        self._key_faults: list[str] = []
        key_names.use({})
        self.plain_signs: LineFilter | None = None
        """Makes signs plain for a terminal that has no others; set before the start."""
        self.kept_layout: Layout | None = None
        """How the panes share a screen from its first frame on; set before the start."""

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every line goes through before the terminal has it."""
        filters = super().get_line_filters()
        return filters if self.plain_signs is None else [*filters, self.plain_signs]

    def take_keys(self, table: Mapping[str, Any]) -> None:
        """Use the keys of the config file's table ``keys``."""
        if table == self._keys_table:
            return
        from tui.keymap import checked

        self._keys_table = table
        changed, self._key_faults = checked(table)
        key_names.use(changed)
        self.set_keymap(changed)

    def tell_key_faults(self) -> None:
        """Say which keys of the config file can't be used, and why."""
        if self._key_faults:
            from engine.config import config_file

            said = "\n".join(self._key_faults[:MOST_FAULTS])
            self.notify(
                f"{said}\n→ Correct {config_file()}; docs/keys.md lists every action",
                title="Some keys can't be used",
                severity="warning",
                markup=False,
            )

    def get_key_display(self, binding: Binding) -> str:
        """Keys by their names, as the manual has them."""
        return binding.key_display or key_names.display(binding.key)

    def key_of(self, binding_id: str) -> str:
        """The first key of the binding of that id, as it is called; empty for none."""
        return key_names.key_of(binding_id)
