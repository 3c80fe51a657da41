"""Colour themes: one TOML file each, shipped with hoverkite or put into the config folder."""

from __future__ import annotations

import contextlib
import os
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.theme import Theme

from engine import paths, toml_file
from engine.errors import ConfigError
from tui import early_config

if TYPE_CHECKING:
    from collections.abc import Mapping

FALLBACK = "kite"

LONGEST_NAME = 100
"""Characters of a theme's name."""

OWN_VARIABLES = {
    "quiet": "#8f9bab",
    "line": "#2c343f",
    "focus-line": "#6ba6d6",
    "bar": "#5d9bd0",
    "track": "#2c343f",
    "distance": "#d8dee6",
    "gutter": "#6f7b8b",
    "heading": "#8fbbe0",
    "match": "bold #f2c07e",
    "cite": "#f0a86e",
    "page": "#12161c",
    "selected": "#233040",
    "selected-blurred": "#1c2430",
}
"""The theme variables that only hoverkite's styles use, with the values of the first theme."""


def shipped_folder() -> Path:
    """Where the themes that come with hoverkite are: inside the wheel, or beside a checkout."""
    inside = Path(__file__).parent / "themes"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "themes"


def user_folder() -> Path:
    """Where a person's own themes are."""
    return paths.config_dir() / "themes"


def keep_choice(name: str) -> None:
    """Remember the theme chosen on the screen; one in the settings wins over it.

    Raises:
        OSError: it can't be written.
    """
    file = _choice_file()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_suffix(f".{os.getpid()}")
    new.touch(mode=0o600)
    new.write_text(f"{name}\n", "utf-8")
    new.replace(file)


def _kept_choice() -> str:
    try:
        with _choice_file().open(encoding="utf-8") as file:
            return file.readline(LONGEST_NAME).strip()
    except (OSError, ValueError):
        return ""


def _choice_file() -> Path:
    return paths.state_dir() / "theme"


def early_choice(flags: Mapping[str, Any]) -> str:
    """The chosen theme's name, found without loading the settings, which would delay the screen.

    The setting, in the settings' own order, then the choice kept from the screen, then the
    fallback. A fault in the config file is left for the settings to explain.
    """
    return early_config.setting("theme", flags) or _kept_choice() or FALLBACK


def load_named(name: str) -> Theme:
    """Return the theme of that name, or the fallback when it is missing or faulty."""
    for read_one, folder in ((checked, user_folder()), (read, shipped_folder())):
        if Path(name).name == name:
            try:
                theme = read_one(folder / f"{name}.toml")
            except ConfigError:
                continue
            if theme.name == name:
                return theme
    return read(shipped_folder() / f"{FALLBACK}.toml")


def load_all() -> tuple[list[Theme], list[str]]:
    """Return every usable theme, a person's own winning by name, and the faults of the others."""
    found: dict[str, Theme] = {}
    faults: list[str] = []
    for read_one, folder in ((read, shipped_folder()), (checked, user_folder())):
        for file in sorted(folder.glob("*.toml")):
            try:
                theme = read_one(file)
                found[theme.name] = theme
            except ConfigError as fault:
                faults.append(str(fault))
    return list(found.values()), faults


Files = list[tuple[str, int, int]]
"""Names, sizes and times of change."""


def own_files() -> Files:
    """Return what tells a person's own themes from what they were; none that can't be seen."""
    found = []
    for file in sorted(user_folder().glob("*.toml")):
        with contextlib.suppress(OSError):
            status = file.stat()
            found.append((file.name, status.st_size, status.st_mtime_ns))
    return found


def checked(file: Path) -> Theme:
    """Read a person's own theme, and try it out in the ways in which styles use themes.

    Raises:
        ConfigError: naming the file and what is wrong in it.
    """
    from tui.theme_check import fault_of

    theme = read(file)
    fault = fault_of(theme)
    if fault:
        raise ConfigError(f"{file.name}: {fault}")
    return theme


def read(file: Path) -> Theme:
    """Read one theme; whether its values can be used is not looked at.

    Raises:
        ConfigError: naming the file and what is wrong in it.
    """
    try:
        values = toml_file.read(file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file.name}: {error}") from error
    known = {field.name for field in fields(Theme)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(f"{file.name}: unknown key {', '.join(unknown)}")
    if not isinstance(values.get("name"), str) or not isinstance(values.get("primary"), str):
        raise ConfigError(f"{file.name}: name and primary must be given")
    return Theme(**values)
