"""Every setting with its value and where that comes from, and where a person changes it."""

import json
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import SecretStr

from engine import config, config_file
from engine.config import ENV_PREFIX, REFERENCE_PROFILE, Settings
from engine.errors import ConfigError

IN_FILE, IN_ENVIRONMENT, IN_PROFILE, ON_COMMAND_LINE = (
    "config file",
    "environment",
    "profile",
    "command line",
)
WITHHELD = "(secret)"
_LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")
"""A link of the manual, of which the words are told alone."""


class Told(NamedTuple):
    """A setting."""

    name: str
    value: str
    """As it is written in the config file; a secret is not told."""
    default: str
    origin: str
    """Where the value comes from; empty for the default."""
    about: str
    """What it means."""


def told(settings: Settings) -> list[Told]:
    """Return all settings in force, in the order of the manual."""
    in_file = _in_file()
    return [
        Told(
            name,
            _written(getattr(settings, name)),
            _written(field.default),
            _origin(name, settings, in_file),
            _LINK.sub(r"\1", " ".join((field.description or "").split())),
        )
        for name, field in Settings.model_fields.items()
    ]


def line_of(name: str) -> int:
    """Return the line of the config file that sets ``name``, from 1; else its last line."""
    text = config_file.text_of(config.config_file())
    return config_file.setting_line(text, name) or max(len(text.splitlines()), 1)


def _in_file() -> Mapping[str, Any]:
    try:
        return config.read_file(config.config_file())
    except ConfigError:  # it was broken since: who loads it again says how
        return {}


def _origin(name: str, settings: Settings, in_file: Mapping[str, Any]) -> str:
    if name not in settings.model_fields_set:
        return ""
    if f"{ENV_PREFIX}{name.upper()}" in os.environ:
        return IN_ENVIRONMENT
    if name in in_file:
        return IN_FILE
    if settings.profile == "reference" and name in REFERENCE_PROFILE:
        return IN_PROFILE
    return ON_COMMAND_LINE


def _written(value: object) -> str:
    if isinstance(value, SecretStr):
        return WITHHELD if value.get_secret_value() else '""'
    return json.dumps(value, ensure_ascii=False, default=str)
