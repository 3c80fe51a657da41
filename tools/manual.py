"""``make manual``: docs/configuration.md, written from the settings themselves."""

import sys
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from engine.config import ENV_PREFIX, REFERENCE_PROFILE, Settings
from tools.machine import ROOT

PAGE = ROOT / "docs" / "configuration.md"

SECTIONS = {
    "Reading and splitting": (
        "chunk", "max_file_mb", "include_hidden", "confirm_files",
    ),
    "Embedding and search": ("embedding", "index", "hits", "search", "rerank", "milvus"),
    "Answers": ("llm", "prompt", "when_not", "rewrite", "conversation"),
    "The engine and the screen": ("profile", "fetch", "engine", "search_as", "theme", "editor"),
}  # fmt: skip
"""Headings of the page, and the beginnings of the settings' names that stand below each."""
OTHER = "Other"

INTRODUCTION = f"""\
# Configuration

<!-- Made by `make manual` from engine/config.py; do not edit. -->

Nothing has to be configured. What you set is looked for in this order; the later wins:

1. the defaults below;
2. the config file, `~/.config/hoverkite/config.toml` (on macOS
   `~/Library/Application Support/hoverkite/config.toml`), or the file named by `HOVERKITE_CONFIG`;
3. the environment: `{ENV_PREFIX}` and the setting's name in capitals, such as
   `{ENV_PREFIX}LLM_URL=http://127.0.0.1:8000/v1`;
4. the command line: `--set NAME=VALUE`, which may be given several times.

A config file is TOML, one setting a line:

```toml
embedding_model = "BAAI/bge-large-en-v1.5"
llm_url = "http://127.0.0.1:8000/v1"
hits = 12
```

An unknown name or a value of the wrong kind is an error that says where it stands. Secrets never
live in the file or on the command line: set `{ENV_PREFIX}LLM_API_KEY` in the environment.
"""

PROFILE = """\
## The reference profile

`profile = "reference"` (or `--profile reference`) changes these defaults; whatever else you set
still wins.
"""


def page() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION]
    left = dict(Settings.model_fields)
    for heading, beginnings in SECTIONS.items():
        rows = {name: field for name, field in left.items() if name.startswith(beginnings)}
        parts.append(_section(heading, rows))
        left = {name: field for name, field in left.items() if name not in rows}
    if left:
        parts.append(_section(OTHER, left))
    values = "".join(f"{name} = {_toml(value)}\n" for name, value in REFERENCE_PROFILE.items())
    parts.append(f"{PROFILE}\n```toml\n{values}```\n")
    return "\n".join(parts)


def _section(heading: str, rows: dict[str, FieldInfo]) -> str:
    entries = [
        f"- **`{name}`**: {field.description}\n"
        f"  ({_kind(field)}; default {_default(field.default)})\n"
        for name, field in rows.items()
    ]
    return f"## {heading}\n\n" + "\n".join(entries)


def _kind(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(field.annotation))
    kinds: dict[Any, str] = {
        int: "whole number",
        float: "number",
        str: "text",
        bool: "true or false",
        SecretStr: "secret",
    }
    return kinds[field.annotation] + _limits(field)


def _limits(field: FieldInfo) -> str:
    words = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}
    found = [
        f"{word} {getattr(limit, key):g}"
        for limit in field.metadata
        for key, word in words.items()
        if hasattr(limit, key)
    ]
    return " " + " ".join(found) if found else ""


def _default(value: object) -> str:
    if value in ("", SecretStr("")):
        return "empty"
    return f"`{_toml(value)}`"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
