"""Writing single settings into the config file a person wrote: all else in it stays as it is."""

import contextlib
import json
import os
import re
import tempfile
import textwrap
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import config, paths, toml_file
from engine.errors import ConfigError


def write(changes: Mapping[str, str]) -> Path:
    """Put text settings into the config file; an empty one is taken out. Return the file.

    Comments, order and all other settings stay. The file is replaced in one step.

    Raises:
        ConfigError: the file can't be read, written, or changed without touching anything else.
    """
    path = Path(os.path.realpath(config.config_file()))  # the file of a person's dotfiles, often
    before = _text(path)
    after = before
    for key, value in changes.items():
        after = _with(after, key, value)
    if not _says(after, _parsed(before), changes):
        lines = " and ".join(f"{key} = {_quoted(value)}" for key, value in changes.items())
        raise ConfigError(
            f"{path} is written in a way that can't be changed safely",
            f"Change it yourself: {lines}",
        )
    if after != before:
        _replace(path, after)
    return path


def prepared() -> Path:
    """Return where the config file is, for an editor that opens it; its folder is made.

    Raises:
        ConfigError: the folder can't be made.
    """
    path = config.config_file()
    try:
        if not path.parent.exists():
            paths.make_private(path.parent)
    except OSError as error:
        raise ConfigError(
            f"{path.parent} can't be made: {error.strerror or error}", "Mend its permissions"
        ) from error
    return path


def offer(name: str, value: str, about: str) -> None:
    """Write a setting into the config file as a comment, if it stands there in no way yet.

    Raises:
        ConfigError: the file can't be read or written.
    """
    path = Path(os.path.realpath(prepared()))
    before = _text(path)
    if setting_line(before, name) is not None:
        return
    words = textwrap.wrap(about, 90, initial_indent="# ", subsequent_indent="# ")
    _replace(path, _added(before, "\n".join([*words, f"# {name} = {value}"])))


def setting_line(text: str, name: str) -> int | None:
    """Return the line that sets ``name``, from 1, else one where a comment does; None for none."""
    sets = rf"""["']?{re.escape(name)}["']?\s*="""
    lines = text.splitlines()
    for wanted in (re.compile(rf"\s*{sets}"), re.compile(rf"\s*#\s*{sets}")):
        for number, line in enumerate(lines, 1):
            if wanted.match(line):
                return number
    return None


def text_of(path: Path) -> str:
    """Return what stands in the file, however wrong; nothing where it can't be read."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        toml_file.read(path)
        return path.read_bytes().decode().removeprefix(toml_file.BYTE_ORDER_MARK)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} can't be read: {error}", f"Correct {path}") from error


def _with(text: str, key: str, value: str) -> str:
    """Return ``text`` with the setting's line replaced, removed, or added behind the others."""
    line = re.compile(
        rf"""^([ \t]*(?:{key}|"{key}"|'{key}')[ \t]*=[ \t]*)("[^"\\\r\n]*"|'[^'\r\n]*')"""
        r"([ \t]*(?:#[^\r\n]*)?)(\r?\n|\Z)",
        re.MULTILINE,
    )
    if not value:
        return line.sub("", text, count=1)
    if line.search(text):
        return line.sub(lambda found: f"{found[1]}{_quoted(value)}{found[3]}{found[4]}", text, 1)
    return _added(text, f"{key} = {_quoted(value)}")


def _added(text: str, lines: str) -> str:
    """Return ``text`` with lines behind its settings: what stands below a table belongs to that."""
    table = re.search(r"^[ \t]*\[", text, re.MULTILINE)
    settings, tables = (text[: table.start()], text[table.start() :]) if table else (text, "")
    ended = "" if not settings or settings.endswith("\n") else "\n"
    return f"{settings}{ended}{lines}\n{tables}"


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _says(text: str, before: dict[str, Any] | None, changes: Mapping[str, str]) -> bool:
    """Whether ``text`` says what was said before and the changes, and nothing else."""
    wanted = {**(before or {}), **changes}
    return _parsed(text) == {k: v for k, v in wanted.items() if v or k not in changes}


def _replace(path: Path, text: str) -> None:
    try:
        if not path.parent.exists():
            paths.make_private(path.parent)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as written:
                written.write(text.encode())
                written.flush()
                os.fsync(written.fileno())
            Path(name).chmod(mode)
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise ConfigError(
            f"{path} can't be written: {error.strerror or error}",
            "Free some disk space or mend the permissions, or change it yourself",
        ) from error
