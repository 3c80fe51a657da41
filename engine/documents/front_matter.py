"""What the front matter of a Markdown file says: YAML between lines of ``---``, TOML of ``+++``.

Every value is taken as it is written, so that a date stays what the person typed and a number can
be a title. What can't be read safely is no front matter: the file is plain text then.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

LONGEST = 64_000
"""Characters above which it is no front matter."""
DEEPEST = 20
"""Lists and mappings inside each other."""
LONGEST_CARD = 400
"""Characters of a card: it is embedded together with a chunk, and no model takes in much."""
LONGEST_VALUE = 200
MOST_VALUES = 200
"""Values of one key that are kept, and characters of each."""
MOST_DOTS = 300
"""In one line of TOML: the parts of a key take time and memory in proportion to their square."""

_FENCE = re.compile(r"(---|\+\+\+)[ \t]*(?:\r\n?|\n)")
_ENDS = {
    "---": re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\r\n?|\n|\Z)", re.MULTILINE),
    "+++": re.compile(r"^\+\+\+[ \t]*(?:\r\n?|\n|\Z)", re.MULTILINE),
}
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
_DESCRIPTIONS = ("description", "summary", "abstract", "excerpt", "subtitle")
_SAID_AS_IT_IS = frozenset(
    {"author", "authors", "category", "categories", "keywords", "date", "created"}
)
_NAMES = frozenset({"title", "alias", "aliases", "tag", "tags", *_DESCRIPTIONS})

Values = Mapping[str, list[str]]
"""What each key, in lower case, holds."""


class FrontMatter(NamedTuple):
    """The front matter of one file."""

    end: int
    """Where the file's body begins."""
    title: str
    aliases: tuple[str, ...]
    tags: tuple[str, ...]
    """As they are written, without ``#``."""
    card: str
    """A readable line or few of what it says; empty where nothing in it is for readers."""


class _UnreadableError(ValueError):
    """Not front matter that can be read safely."""


def read(text: str) -> FrontMatter | None:
    """Return the front matter at the top of ``text``; None if there is none that can be read."""
    fence = _FENCE.match(text)
    if not fence:
        return None
    end = _ENDS[fence[1]].search(text, fence.end(), LONGEST)
    if not end or (end.end() == LONGEST < len(text)):
        return None
    source = text[fence.end() : end.start()]
    try:
        values = _yaml(source) if fence[1] == "---" else _toml(source)
    except _UnreadableError:
        return None
    return _understood(values, end.end())


def _yaml(source: str) -> Values:
    """Read a mapping, event by event: no alias is expanded, nothing deep is gone into."""
    import yaml  # only for folders with front matter

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    values: dict[str, list[str]] = {}
    try:
        events = iter(yaml.parse(source.replace("\r\n", "\n"), Loader=loader))
        while not isinstance(event := next(events), yaml.MappingStartEvent):
            if isinstance(event, yaml.NodeEvent | yaml.StreamEndEvent):
                raise _UnreadableError
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _UnreadableError
            values[event.value.casefold()] = [*_scalars(next(events), events, DEEPEST)]
    except (yaml.YAMLError, UnicodeError, StopIteration) as error:
        raise _UnreadableError from error
    return values


def _scalars(event: object, events: Iterator[object], depth: int) -> Iterator[str]:
    """Yield the values of a node, in a list or alone; those of mappings are left out."""
    import yaml

    if isinstance(event, yaml.ScalarEvent):
        yield from [] if event.implicit[0] and event.value in _NOTHING else [event.value]
    elif depth and isinstance(event, yaml.SequenceStartEvent):
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            yield from _scalars(event, events, depth - 1)
    elif depth and isinstance(event, yaml.MappingStartEvent):
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            for _ in _scalars(event, events, depth - 1):
                pass
    else:
        raise _UnreadableError  # an alias, or too deep


def _toml(source: str) -> Values:
    if any(line.count(".") > MOST_DOTS for line in source.split("\n")):
        raise _UnreadableError
    try:
        table = tomllib.loads(source.replace("\r\n", "\n"))
        taxonomies = table.get("taxonomies")
        table |= taxonomies if isinstance(taxonomies, dict) else {}
        return {
            key.casefold(): [str(one) for one in listed if not isinstance(one, dict | list)]
            for key, value in table.items()
            for listed in [value if isinstance(value, list) else [value]]
            if not isinstance(value, dict)
        }
    except (ValueError, RecursionError) as error:  # also of a number too long to be written out
        raise _UnreadableError from error


def _understood(values: Values, end: int) -> FrontMatter:
    kept = {key: [*_kept(listed)] for key, listed in values.items()}
    title = "".join(kept.get("title", [])[:1])
    aliases = tuple(
        dict.fromkeys(
            alias
            for key in ("aliases", "alias")
            for alias in _listed(values.get(key, []), kept.get(key, []), spaces=False)
        )
    )
    tags = tuple(
        dict.fromkeys(
            tag
            for key in ("tags", "tag")
            for written in _listed(values.get(key, []), kept.get(key, []), spaces=True)
            if (tag := written.lstrip("#").strip("/ "))
        )
    )
    lines = [title, ", ".join(aliases), " ".join(f"#{tag}" for tag in tags)]
    lines += [kept[key][0] for key in _DESCRIPTIONS if kept.get(key)]
    lines += [
        f"{key}: {', '.join(listed)}"
        for key, listed in kept.items()
        if key not in _NAMES and _is_for_readers(key, listed)
    ]
    return FrontMatter(end, title, aliases, tags, _card(lines))


def _kept(values: Iterable[str]) -> Iterator[str]:
    """Yield what is kept of a key's values, each on one line."""
    for value, _ in zip(values, range(MOST_VALUES), strict=False):
        if words := " ".join(value[: 2 * LONGEST_VALUE].split())[:LONGEST_VALUE].rstrip():
            yield words


def _listed(written: list[str], kept: list[str], *, spaces: bool) -> list[str]:
    """Return a list; one that is written as a string is parted at commas, or else at ``spaces``."""
    if len(written) != 1 or not kept:
        return kept
    whole = written[0][: LONGEST_VALUE * 20]
    if "," in whole:
        return [*_kept(whole.split(","))]
    return [*_kept(whole.split())] if spaces else kept


def _is_for_readers(key: str, values: list[str]) -> bool:
    """Whether a value is something a person reads, not a setting of the program that shows it."""
    return bool(values) and (
        key in _SAID_AS_IT_IS
        or all(" " in value and not re.search(r"[/\\{}<>]", value) for value in values)
    )


def _card(lines: Iterable[str]) -> str:
    """Join what is said, each thing once, in at most ``LONGEST_CARD`` characters."""
    whole = "\n".join(dict.fromkeys(line for line in lines if line))
    if len(whole) <= LONGEST_CARD:
        return whole
    cut = whole[:LONGEST_CARD]
    return cut[: max(cut.rfind(" "), cut.rfind("\n"), LONGEST_CARD // 2)].rstrip(" ,\n")
