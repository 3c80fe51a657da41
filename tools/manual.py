"""``make manual``: docs/configuration.md and docs/keys.md, written from settings and bindings."""

import sys
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from textual.binding import Binding

from engine.config import ENV_PREFIX, REFERENCE_PROFILE, Settings
from tools.machine import ROOT
from tui import key_names

PAGE = ROOT / "docs" / "configuration.md"
KEYS_PAGE = ROOT / "docs" / "keys.md"

SECTIONS = {
    "Reading and splitting": (
        "chunk", "max_file_mb", "readers", "include_hidden", "confirm_files", "ask_before",
    ),
    "Embedding and search": ("embedding", "index", "hits", "search", "rerank", "milvus"),
    "Answers": ("llm", "prompt", "when_not", "rewrite", "conversation"),
    "The engine and the screen": (
        "profile", "fetch", "engine", "search_as", "theme", "editor", "keys", "signs",
    ),
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


KEYS_INTRODUCTION = """\
# Keys

<!-- Made by `make manual` from the bindings themselves; do not edit. -->

Every key of the screen can be another one. Name the action by its id and give it its keys, in the
table `keys` of the [config file](configuration.md):

```toml
[keys]
"screen.why" = "u, f9"
"results.pin" = "P"
```

The keys given take the place of the usual ones. A sign stands for itself; keys with a name are
called as below and in `?`: `space`, `enter`, `f5`, `ctrl+e`, `alt+left`, `plus`, `comma`. Whatever
can't be is told when hoverkite starts, with the reason, and the rest is used:

- an id that is not below;
- a key that does not exist, that terminals send for another, as `ctrl+i` for Tab, or that common
  terminals do not send, as those with super, hyper and meta;
- a key that another action has at the same place: two actions may exchange theirs, and those of
  different pages may have the same;
- letters for what works while something is typed: `query.`, `filter.`, `pick.`, `folders.` and
  `app.`;
- keys that would put `query.ask`, `screen.back`, `screen.help` or `app.quit` out of reach.

In the query the keys of the text field come first, such as ctrl+a for the begin of the line. The
table goes below all other settings of the file, as TOML wants it. It can't be set in the
environment or on the command line.
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


def keys_page() -> str:
    """Return the whole page of keys."""
    parts = [KEYS_INTRODUCTION]
    for heading, bindings in key_names.catalogue():
        rows = "".join(
            f"| `{binding.id}` | {_keys(binding)} | {binding.tooltip} |\n" for binding in bindings
        )
        parts.append(f"## {heading}\n\n| id | keys | what it does |\n| --- | --- | --- |\n{rows}")
    return "\n".join(parts)


def _keys(binding: Binding) -> str:
    parts = Binding.make_bindings([binding])
    return ", ".join(f"`{key_names.display(part.key)}`" for part in parts)


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
        dict[str, Any]: "table",
        dict[str, str]: "table",
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
    if value in ("", SecretStr(""), {}):
        return "empty"
    return f"`{_toml(value)}`"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"


def main() -> int:
    """Write the pages."""
    PAGE.write_text(page(), "utf-8")
    KEYS_PAGE.write_text(keys_page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
