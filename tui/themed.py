"""The program's colours: the themes there are, the chosen one, and one that is being edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work
from textual.app import App

from tui import themes
from tui.messages import ThemesRead
from tui.parsed_once import ParsedOnce

if TYPE_CHECKING:
    from textual.theme import Theme

LOOK_EVERY = 1.0
"""Seconds between two looks at a person's own themes."""


class ThemedApp(App[None]):
    """An app with themes of its own; a person's are read again when their files change."""

    def __init__(self) -> None:
        super().__init__()
        self._theme_setting = ""
        self.theme_names: list[str] = []
        """Names of the themes that can be chosen."""
        self._files: themes.Files | None = None
        """A person's own themes as they were read last; None before that."""

    def begin_with(self, theme: Theme) -> None:
        """Use ``theme`` from the first frame on."""
        self.register_theme(theme)
        # Textual 8.2.8 parses every style twice when a theme is set by assignment before the start.
        self.set_reactive(App.theme, theme.name)
        self.stylesheet = ParsedOnce(variables=self.get_css_variables())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The variables of hoverkite's own styles, for themes that leave some out."""
        return themes.OWN_VARIABLES

    def keep_themes(self) -> None:
        """Load all themes, and from now on those of a person that change."""
        self._files = themes.own_files()
        self._show_themes(*themes.load_all())
        self.set_interval(LOOK_EVERY, self._look_at_own)

    @work(thread=True, exclusive=True, group="themes", exit_on_error=False)
    def _look_at_own(self) -> None:
        files = themes.own_files()
        if files != self._files:
            self._files = files
            self.post_message(ThemesRead(*themes.load_all()))

    @on(ThemesRead)
    def _take_themes(self, message: ThemesRead) -> None:
        self._show_themes(message.found, message.faults)

    def _show_themes(self, found: list[Theme], faults: list[str]) -> None:
        before = self.current_theme
        for theme in found:
            self.register_theme(theme)
        self.theme_names = sorted(theme.name for theme in found)
        if self.current_theme != before:
            self.mutate_reactive(App.theme)
        if faults:
            self.notify("\n".join(faults), title="Some themes can't be used", severity="warning")

    def use_theme(self, name: str) -> None:
        """Switch to a theme and keep it for the next start."""
        self.theme = name
        try:
            themes.keep_choice(name)
        except OSError as error:
            reason = f"It can't be kept for the next start: {error.strerror}"
            self.notify(reason, title=f"Theme {name}", severity="warning")
            return
        if self._theme_setting:
            self.notify(
                f"The next start has the setting theme = {self._theme_setting} again",
                title=f"Theme {name}",
            )

    def take_theme_setting(self, wanted: str) -> None:
        """Use the theme that the settings name; empty where they name none."""
        if wanted == self._theme_setting:
            return  # a theme chosen since then in the palette stays
        self._theme_setting = wanted
        if wanted in self.available_themes:
            self.theme = wanted
        elif wanted:
            self.notify(
                f"There is no theme {wanted}. There are: {', '.join(self.theme_names)}",
                title="Theme not found",
                severity="warning",
            )
