"""The keys that a person wrote into the config file, checked before any of them is used."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from textual.binding import Binding
from textual.keys import Keys
from textual.widgets import Input, TextArea

from engine.safe_text import clean_line
from tui.key_names import character_of, display, is_text, usual_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HELP = "screen.help"
"""The id of the one key that works on each page too."""

ESSENTIAL = ("app.quit", HELP, "screen.back", "query.ask")
"""Ids of what has to be within reach, in the query too."""

PASSING = ("results.unfilter", "query.take", "query.close")
"""Ids of what leaves its key to others where there is nothing for it to do."""

HERE = (
    *(("query", "screen"), ("results", "screen"), ("answer", "pane", "screen"), ("filter",)),
    *(("folder", "files"), ("whole", "text"), ("pick", "folders")),
    *((page, "list") for page in ("tray", "conversations", "links", "code")),
    *(("page", "prompt"), ("question", "indexing")),
)
"""What ids begin with whose bindings work at the same time; those of the program always do."""

TYPED_INTO = ("query", "filter", "pick", "folders", "app")
"""What the ids of bindings begin with that work while something is typed."""

OWN_KEYS_FIRST = ("pick", "folders")
"""Those of pages whose field comes before them, with keys of its own."""

MODIFIERS = {"ctrl", "alt", "shift", "meta", "super", "hyper"}

RARE_MODIFIERS = {"meta", "super", "hyper"}
"""Those that common terminals keep for themselves, or don't know."""

SENT_WITH_CTRL = set("abcdefghijklmnopqrstuvwxyz@[\\]^_ ")
"""Signs that every terminal can send with ctrl."""

SPELLINGS = {
    **{"↑": "up", "↓": "down", "←": "left", "→": "right"},
    "esc": "escape",
    "return": "enter",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "del": "delete",
    "ins": "insert",
}

ONE_AND_THE_SAME = {
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+left_square_bracket": "escape",
    "ctrl+h": "backspace",
}
"""What a terminal sends for these, so that they can't be told apart."""

MOVING = ("up", "down", "left", "right", "home", "end", "pageup", "pagedown")
"""Keys of the lists and texts themselves, which come first there."""

LONGEST = 60
"""Characters of what a person wrote that a message repeats."""


def checked(table: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Return the keys that can be used, by binding id, and in words why others can't.

    Keys are as Textual calls them, separated by commas. Where one key of several is at fault, the
    others are used; where all are, the binding keeps its usual ones.
    """
    wanted: dict[str, list[str]] = {}
    faults: list[str] = []
    for name, value in _entries(table):
        if name not in usual_keys():
            faults.append(f"{_shown(name)}: there is no such action{_hint(name)}")
            continue
        keys = []
        for written in _written(value):
            key, fault = _understood(written)
            fault = fault or _unfit(name, key)
            if fault:
                faults.append(f"{name}: {fault}")
            elif key not in keys:
                keys.append(key)
        if keys:
            wanted[name] = keys
    while fault := _settle(wanted):
        faults.append(fault)
    return {name: ",".join(keys) for name, keys in wanted.items()}, faults


def _entries(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the table says; TOML reads a dotted name without quotes as tables in one another."""
    left = [(str(name), value) for name, value in table.items()]
    while left:
        name, value = left.pop(0)
        if isinstance(value, dict):
            left[:0] = [(f"{name}.{key}", inner) for key, inner in value.items()]
        else:
            yield name, value


def _written(value: Any) -> list[Any]:
    if isinstance(value, str):
        return value.split(",")
    return value if isinstance(value, list) and value else [value]


def _understood(written: Any) -> tuple[str, str]:
    """A key as Textual calls it, or what is wrong with it."""
    if isinstance(written, int) and not isinstance(written, bool):
        written = str(written)
    if not isinstance(written, str):
        return "", "a key is wanted, in quotes"
    *modifiers, last = [part.strip() for part in written.strip().split("+")]
    if not last:
        return "", 'a key is wanted; the signs themselves are called "plus" and "comma"'
    modifiers = [modifier.lower() for modifier in modifiers]
    if len(last) > 1 or last in SPELLINGS:
        last = SPELLINGS.get(last.lower(), last.lower())
    elif modifiers == ["shift"] and last.isalpha():
        modifiers, last = [], last.upper()
    elif modifiers:
        last = last.lower()
    last = next(iter(Binding.make_bindings([Binding(last, "")]))).key
    key = "+".join([*modifiers, last])
    is_known = character_of(last) is not None or last in _named_keys()
    if not is_known or not MODIFIERS.issuperset(modifiers):
        return "", f"{_shown(written)} is no key"
    is_foreign = "ctrl" in modifiers and not (character_of(last) or "").isascii()
    if is_foreign or RARE_MODIFIERS.intersection(modifiers):
        return "", f"common terminals don't send {_shown(display(key))}"
    if same := ONE_AND_THE_SAME.get(key):
        return "", f"terminals send {display(same)} for {display(key)}"
    return key, ""


def _field_keys() -> set[str]:
    return {part.key for part in Binding.make_bindings(Input.BINDINGS)}


def _named_keys() -> set[str]:
    return {key.value.split("+")[-1] for key in Keys if not key.value.startswith("<")}


def _unfit(name: str, key: str) -> str:
    """Why a key can't be that of a binding, whatever other keys there are; empty if it can."""
    if is_text(key) and kind_of(name) in TYPED_INTO:
        place = "query" if kind_of(name) in ("query", "app") else "field above the list"
        return f"{display(key)} is a letter in the {place}"
    if kind_of(name) in OWN_KEYS_FIRST and key in _field_keys() - {*usual_keys()[name]}:
        return f"{display(key)} is a key of the field above the list"
    if key in MOVING and key not in usual_keys()[name]:
        return f"{display(key)} moves the cursor"
    return ""


def _settle(wanted: dict[str, list[str]]) -> str:
    """Take one thing out of ``wanted`` that can't be, and return why; empty if all can be."""
    for name in ESSENTIAL:
        if name in wanted and not any(_is_within_reach(name, key) for key in wanted[name]):
            del wanted[name]
            return f"{name}: it needs a key that works in the query, too, in every terminal"
    for context in _contexts():
        holders: dict[str, list[str]] = {}
        for name in context:
            for key in wanted.get(name) or usual_keys()[name]:
                holders.setdefault(key, []).append(name)
        for key, names in holders.items():
            if fault := _part(wanted, key, names):
                return fault
    return ""


def _part(wanted: dict[str, list[str]], key: str, names: list[str]) -> str:
    """Of the bindings that have one key take it from the one that a person gave it to last."""
    later = [name for name in wanted if name in names]
    if len(names) < 2 or not later:
        return ""
    loser = later[-1]
    other = next(name for name in names if name != loser)
    wanted[loser].remove(key)
    if not wanted[loser]:
        del wanted[loser]
    return f"{loser}: {display(key)} is the key of {other}"


def _contexts() -> list[list[str]]:
    """The ids of the bindings that work at the same time, for each place of the cursor."""
    kinds: dict[str, list[str]] = {}
    for name in usual_keys():
        if name not in PASSING:
            kinds.setdefault(kind_of(name), []).append(name)
    found = ([name for kind in (*kinds_here, "app") for name in kinds[kind]] for kinds_here in HERE)
    return [names if HELP in names else [*names, HELP] for names in found]


def kind_of(name: str) -> str:
    """Where the binding of that id works: what stands before the dot."""
    return name.partition(".")[0]


def _is_within_reach(name: str, key: str) -> bool:
    """Whether a key does something in the query, where letters and some others are text.

    It must be one that every terminal sends, too.
    """
    own = {part.key for part in Binding.make_bindings(TextArea.BINDINGS)}
    is_free = key not in own or not name.startswith("screen.")
    *modifiers, last = key.split("+")
    sign = character_of(last)
    is_sent = sign is None or not sign.isprintable() or sign in SENT_WITH_CTRL or not modifiers
    if modifiers == ["alt"]:
        is_sent = sign is None or sign.isascii()
    return not is_text(key) and is_free and is_sent


def _hint(name: str) -> str:
    near = difflib.get_close_matches(name[:LONGEST], usual_keys(), 1)
    return f". Did you mean {near[0]}?" if near else ""


def _shown(written: str) -> str:
    shown = clean_line(written[: LONGEST + 1])
    return f"{shown[:LONGEST]}…" if len(shown) > LONGEST else shown
