"""What a person typed → the words to search by and filters, or an exact search.

>>> asked = parse('path:guide/** -draft how does "hot standby" work')
>>> asked.text
'how does hot standby work'
>>> asked.filters.paths, asked.filters.without, asked.filters.phrases
(['guide/**'], ['draft'], ['hot standby'])
>>> parse("type:md 'ERR_FOO").exact
Exact(pattern='ERR_FOO', is_regex=False)

What looks like a filter and is none stays text, word for word.
"""

import re
from dataclasses import dataclass
from datetime import date

from engine.errors import UsageError
from engine.wire.api_search import Filters, SearchRequest
from engine.wire.days import days_of

_PART = re.compile(
    r"""(?<!\S)(?:
      (?P<no>-)?(?P<key>path|type|tag|after|before|modified):
          (?:"(?P<quoted>[^"\n]+)"|(?P<value>(?![:"])\S+))(?!\S)
    | (?P<without>-)?(?:"(?P<phrase>[^"\n]+)"|“(?P<curved>[^“”\n]+)”)(?=[\s.,;:!?)]|$)
    | -(?P<excluded>(?![a-zA-Z](?!\S))[^\W\d][\w.'’/+#@-]*)(?!\S)
    )""",
    re.VERBOSE,
)
"""A filter, a phrase, or a word to be without; ``-5`` is a number, ``-x`` and ``--x`` options."""
_OPERATOR = re.compile(r"([<>]=?)?(.*)", re.DOTALL)
_BLANKS = re.compile(r"[^\S\n]+")
_ESCAPED_END = re.compile(r"(?<!\\)(?:\\\\)*\\/$")


@dataclass(frozen=True, slots=True)
class Exact:
    """A text to be found as it is, or a regular expression."""

    pattern: str
    is_regex: bool


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for."""

    text: str
    """What is searched by meaning and by words; empty where only filters were given, or in an
    exact search."""
    filters: Filters
    exact: Exact | None = None

    @property
    def is_listing(self) -> bool:
        """Whether there are filters, and nothing to rank by."""
        return not self.exact and not self.text.strip() and self.filters != Filters()


def parse(typed: str, given: Filters | None = None, *, today: date | None = None) -> Query:
    """Return what ``typed`` asks for, together with the filters ``given`` beside it.

    A phrase is a filter, and its words are part of the text too. Filters of an exact search stand
    before it. Days become ISO 8601, from ``today`` on where they are relative.

    Raises:
        UsageError: a filter's day is none, or an exact search is for nothing.
    """
    gathered = _Gathered(today or date.today(), given or Filters())
    exact = _exact(typed, gathered)
    text = "" if exact else _PART.sub(gathered.take, typed)
    if text != typed:  # what filters left behind
        text = _BLANKS.sub(" ", text).strip()
    return Query(text, gathered.filters(), exact)


def _exact(typed: str, gathered: "_Gathered") -> Exact | None:
    """Return the exact search that ``typed`` is, after its filters; None if it is none."""
    begin = _after_blanks(typed, 0)
    parts = []
    while part := _PART.match(typed, begin):
        parts.append(part)
        begin = _after_blanks(typed, part.end())
    if not typed.startswith(("'", "/"), begin):
        return None
    for part in parts:
        gathered.take(part)
    return _closed(typed[begin], typed[begin + 1 :])


def _after_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _closed(mark: str, rest: str) -> Exact:
    """Return the search of what follows ``mark``, which may close it too: blanks count then."""
    pattern = rest.rstrip()
    if pattern.endswith(mark) and not (mark == "/" and _ESCAPED_END.search(pattern)):
        pattern = pattern[:-1]
    if not pattern:
        raise UsageError(
            f"nothing to look for is typed after the {mark}",
            "Type a text after ', or a regular expression after /",
        )
    return Exact(pattern, mark == "/")


def of_request(request: SearchRequest) -> Query:
    """Return what ``request`` asks for, as :func:`parse` does; its words alone where it is plain.

    Raises:
        UsageError: as :func:`parse`.
    """
    if request.plain:
        return Query(request.query, parse("", request.filters).filters)
    return parse(request.query, request.filters)


class _Gathered:
    """The filters found so far, after those that were given beside the query."""

    def __init__(self, today: date, given: Filters) -> None:
        self._today = today
        self._found = given.model_dump()
        for name in ("after", "before"):
            if (day := self._found[name]) is not None:
                self._found[name] = days_of(day, today).first.isoformat()

    def filters(self) -> Filters:
        """Return them all, each once."""
        return Filters(
            **{
                name: [*dict.fromkeys(found)] if isinstance(found, list) else found
                for name, found in self._found.items()
            }
        )

    def take(self, part: re.Match[str]) -> str:
        """Add the filter that ``part`` is; return what stands for it in the text."""
        if key := part["key"]:
            value = part["quoted"] or part["value"]
            return "" if self._add(key, value, is_not=bool(part["no"])) else part[0]
        phrase = part["phrase"] or part["curved"] or part["excluded"]
        if phrase.isspace():
            return part[0]
        if part["without"] or part["excluded"]:
            self._found["without"].append(phrase)
            return ""
        self._found["phrases"].append(phrase)
        return phrase

    def _add(self, key: str, value: str, *, is_not: bool) -> bool:
        """Add a filter; False where there is none such."""
        match key:
            case "path" | "tag":
                self._found[f"not_{key}s" if is_not else f"{key}s"].append(value)
            case "type":
                endings = [ending.strip().lstrip(".") for ending in value.split(",")]
                if not any(endings):
                    return False
                self._found["not_types" if is_not else "types"] += filter(None, endings)
            case _ if is_not:
                return False
            case "modified":
                self._modified(value)
            case _:
                self._bound(key, days_of(value, self._today).first)
        return True

    def _bound(self, name: str, day: date) -> None:
        """Let only files of that ``day`` or later in, or only earlier ones: the stricter counts."""
        known = self._found[name]
        stricter = max if name == "after" else min
        self._found[name] = stricter(known, day.isoformat()) if known else day.isoformat()

    def _modified(self, value: str) -> None:
        operator, day = _OPERATOR.fullmatch(value).groups()  # type: ignore[union-attr]
        days = days_of(day, self._today)
        if operator in (">=", None):
            self._bound("after", days.first)
        if operator == ">":
            self._bound("after", days.after)
        if operator == "<":
            self._bound("before", days.first)
        if operator == "<=" or (operator is None and not days.is_ago):
            self._bound("before", days.after)
