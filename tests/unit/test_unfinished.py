"""Which filter is being typed, and how a value is written into the query."""

import pytest

from engine.wire.query import parse
from engine.wire.unfinished import unfinished


@pytest.mark.parametrize(
    ("typed", "name", "start"),
    [
        ("path:|", "path", ""),
        ("-path:old/|", "path", "old/"),
        ("how does path:docs/a|rch work", "path", "docs/a"),
        ('path:"my no|', "path", "my no"),
        ('path:"my no|tes/" kite', "path", "my no"),
        ("kite\n tag:pro|", "tag", "pro"),
        ("type:md,p|", "type", "p"),
    ],
)
def test_the_filter_at_the_cursor(typed: str, name: str, start: str) -> None:
    found = unfinished(typed.replace("|", ""), typed.index("|"))
    assert found is not None
    assert (found.filter, found.start) == (name, start)


@pytest.mark.parametrize(
    "typed",
    [
        *("|", "kite|", "pat|h:x", "xpath:a|", "path:a |", "after:7|", "path::a|"),
        *('path:"a"b|', "'path:a|", "path:a\n|", "Path:a|", "https://path:a|"),
    ],
)
def test_no_filter_at_the_cursor(typed: str) -> None:
    assert unfinished(typed.replace("|", ""), typed.index("|")) is None


@pytest.mark.parametrize(
    ("typed", "value", "after"),
    [
        ("path:do|", "docs/", "path:docs/"),
        ("-path:do|c kite", "docs/", "-path:docs/ kite"),
        ("path:m|", "my notes/", 'path:"my notes/"'),
        ('path:"my notes/a|"', "my notes/all.md", 'path:"my notes/all.md"'),
        ('path:"my| kite flies', "my notes/", 'path:"my notes/" kite flies'),
        ('path:"do|', "docs/", "path:docs/"),
        ("path:|", ":odd", 'path:":odd"'),
        ("type:md,p| kite", "pdf", "type:md,pdf kite"),
    ],
)
def test_a_value_takes_the_place_of_what_was_typed(typed: str, value: str, after: str) -> None:
    text = typed.replace("|", "")
    found = unfinished(text, typed.index("|"))
    assert found is not None
    whole = text[: found.begin] + found.written(value) + text[found.end :]
    assert whole == after
    assert found.before + value in [
        *parse(whole).filters.paths, *parse(whole).filters.not_paths,
        ",".join(parse(whole).filters.types),
    ]  # fmt: skip
