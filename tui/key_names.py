"""Which keys do what now, and how they are called: those of the bindings, or a person's own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.keys import REPLACED_KEYS, format_key, key_to_character

if TYPE_CHECKING:
    from collections.abc import Mapping

_changed: dict[str, list[str]] = {}
"""The keys that a person changed, by the ids of their bindings. A process has one screen."""


def use(changed: Mapping[str, str]) -> None:
    """From now on the bindings of these ids have these keys, separated by commas."""
    _changed.clear()
    _changed.update((name, keys.split(",")) for name, keys in changed.items())


@cache
def catalogue() -> list[tuple[str, list[Binding]]]:
    """Every binding by where it works, in the order of the help."""
    from tui import page_keys
    from tui.filter_line import FilterLine
    from tui.hit_list import HitList
    from tui.keys import APP_KEYS, SCREEN_KEYS
    from tui.preview import SCROLL_KEYS
    from tui.query import QueryInput
    from tui.streamed import CITATION_KEYS

    declared = {
        "In the query": QueryInput.BINDINGS,
        "In the results": HitList.BINDINGS,
        "In the filter of hits or files": FilterLine.BINDINGS,
        "In the answer": CITATION_KEYS,
        "In the preview and the answer": SCROLL_KEYS,
        "In every pane": SCREEN_KEYS,
        "At any time": APP_KEYS,
        "The folder and its files": [*page_keys.FILES_KEYS, *page_keys.FOLDER_KEYS],
        "The whole file of a hit": [*page_keys.TEXT_KEYS, *page_keys.WHOLE_KEYS],
        "The tray": page_keys.TRAY_KEYS,
        "The kept conversations": page_keys.CONVERSATIONS_KEYS,
        "The links of a hit": page_keys.LINKS_KEYS,
        "The code blocks of an answer": page_keys.CODE_KEYS,
        "In each of these lists": page_keys.LIST_KEYS,
        "The folders": page_keys.FOLDERS_KEYS,
        "The folders and the earlier questions": page_keys.PICK_KEYS,
        "The prompt": page_keys.PROMPT_KEYS,
        "The prompt, the model, problems and keys": page_keys.PAGE_KEYS,
        "Before a folder is indexed": page_keys.INDEXING_KEYS,
        "Where you are asked": page_keys.QUESTION_KEYS,
    }
    return [(title, _bindings(bindings)) for title, bindings in declared.items()]


def _bindings(declared: list[BindingType]) -> list[Binding]:
    return [binding for binding in declared if isinstance(binding, Binding)]


@cache
def usual_keys() -> dict[str, list[str]]:
    """The keys of every binding as they are declared, by its id."""
    found: dict[str, list[str]] = {}
    for _, bindings in catalogue():
        for part in Binding.make_bindings(bindings):
            found.setdefault(part.id or "", []).append(part.key)
    return found


def keys_of(name: str) -> list[str]:
    """The keys of the binding of that id, as Textual calls them; none for an unknown id."""
    return _changed.get(name) or usual_keys().get(name, [])


def key_of(name: str, *, in_query: bool = False) -> str:
    """What the first key of the binding of that id is called; empty for none.

    With ``in_query`` the first that is no letter there, if there is one.
    """
    keys = keys_of(name)
    if in_query:
        keys = [key for key in keys if not is_text(key)] or keys
    return display(keys[0]) if keys else ""


def told_keys(words: Mapping[str, str], room: int) -> str:
    """What keys do, as in ``enter opens · esc closes``, as much as ``room`` cells hold.

    The words stand by the ids of bindings, one or several, the most useful first; what is last is
    told in any case.
    """
    told = [
        f"{' '.join(key_of(name) for name in names.split())} {does}"
        for names, does in words.items()
    ]
    while len(told) > 1 and cell_len(" · ".join(told)) > room:
        del told[-2]
    return " · ".join(told)


def all_keys_of(binding: Binding) -> str:
    """What all keys of a binding are called."""
    if binding.key_display and binding.id not in _changed:
        return binding.key_display
    return ", ".join(display(key) for key in keys_of(binding.id or ""))


def is_text(key: str) -> bool:
    """Whether a key types something in the query."""
    # Escape and Tab are characters, too.
    return (character_of(key) or "\0").isprintable()


def character_of(key: str) -> str | None:
    """The character of a key, control characters too; None for one that has none."""
    return key_to_character(REPLACED_KEYS.get(key, key))


def display(key: str) -> str:
    """What a key is called, as in the manual: not every font has the sign for Enter."""
    *modifiers, last = key.split("+")
    return "+".join([*modifiers, format_key(last).replace("⏎", "enter")])
