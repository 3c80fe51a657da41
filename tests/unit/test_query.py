"""What people type, and what it asks for."""

import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import UsageError
from engine.wire.api_search import Filters, SearchRequest
from engine.wire.query import Exact, Query, of_request, parse

TODAY = date(2026, 3, 31)


def asked(typed: str, given: Filters | None = None) -> Query:
    return parse(typed, given, today=TODAY)


@pytest.mark.parametrize(
    ("typed", "text", "filters"),
    [
        ("path:guide/** ef", "ef", {"paths": ["guide/**"]}),
        ("ef -path:old/ path:a path:b", "ef", {"paths": ["a", "b"], "not_paths": ["old/"]}),
        ('path:"my notes/" ef', "ef", {"paths": ["my notes/"]}),
        ("type:md,.PDF x", "x", {"types": ["md", "PDF"]}),
        ("-type:pdf,.MD x", "x", {"not_types": ["pdf", "MD"]}),
        ("tag:a tag:b/c -tag:d x", "x", {"tags": ["a", "b/c"], "not_tags": ["d"]}),
        ("x after:2026-01-31", "x", {"after": "2026-01-31"}),
        ("x before:2026-02", "x", {"before": "2026-02-01"}),
        ("x after:2025 after:2024", "x", {"after": "2025-01-01"}),
        ("x after:7d", "x", {"after": "2026-03-24"}),
        ("x after:2w", "x", {"after": "2026-03-17"}),
        ("x after:1m", "x", {"after": "2026-02-28"}),
        ("x after:1y", "x", {"after": "2025-03-31"}),
        ("x after:today before:yesterday", "x", {"after": "2026-03-31", "before": "2026-03-30"}),
        ("modified:>2026-01-01 x", "x", {"after": "2026-01-02"}),
        ("modified:>=2026-01 x", "x", {"after": "2026-01-01"}),
        ("modified:<2026-01 x", "x", {"before": "2026-01-01"}),
        ("modified:<=2026-01 x", "x", {"before": "2026-02-01"}),
        ("modified:2026-12 x", "x", {"after": "2026-12-01", "before": "2027-01-01"}),
        ("modified:7d x", "x", {"after": "2026-03-24"}),
        (
            'how does "hot  standby" work?',
            "how does hot standby work?",
            {"phrases": ["hot  standby"]},
        ),
        ('what is "M"?', "what is M?", {"phrases": ["M"]}),
        ("“curved quotes” x", "curved quotes x", {"phrases": ["curved quotes"]}),
        ("kite -owl", "kite", {"without": ["owl"]}),
        (
            'kite -"barn owl" -state-of-the-art',
            "kite",
            {"without": ["barn owl", "state-of-the-art"]},
        ),
        ("-сова -猫 kite", "kite", {"without": ["сова", "猫"]}),
        ("type:md", "", {"types": ["md"]}),
        ("  type:md  -draft ", "", {"types": ["md"], "without": ["draft"]}),
    ],
)
def test_filters_leave_the_text(typed: str, text: str, filters: dict[str, object]) -> None:
    found = asked(typed)
    assert found == Query(text, Filters(**filters))
    assert found.is_listing == (text == "")


@pytest.mark.parametrize(
    "typed",
    [
        "what's  up",
        '"unclosed quote',
        'path:"unclosed quote',
        '""',
        '"   " x',
        'print("a b") or "c"d',
        "foo:bar",
        "path:",
        "path: x",
        "after: the war",
        "type::Md",
        "-",
        "-5",
        "-5.1 -3x",
        "- item",
        "-- x",
        "--flag -x -r",
        "-after:2026",
        "-->",
        "a -> b",
        "x-y",
        "http://x/-y?path:z",
        "std::vector<int>",
        "mypath:guide",
        "type:,",
        "",
        "  ",
        "\n",
        "it's /not/ 'exact'",
        "\0 \ud800",
        "a" * 10_000,
    ],
)
def test_what_is_no_filter_stays_text(typed: str) -> None:
    assert asked(typed) == Query(typed, Filters())


@pytest.mark.parametrize(
    ("typed", "pattern", "is_regex", "filters"),
    [
        ("'literal", "literal", False, {}),
        ("  'two  words ", "two  words", False, {}),
        ("'don't", "don't", False, {}),
        ("'kept blank '", "kept blank ", False, {}),
        ('\'path:x -y "z"', 'path:x -y "z"', False, {}),
        ("/reg.x/", "reg.x", True, {}),
        ("/reg.x", "reg.x", True, {}),
        ("/etc/hosts", "etc/hosts", True, {}),
        (r"/a\//", r"a\/", True, {}),
        (r"/a\/", r"a\/", True, {}),
        (r"/a\\/", r"a\\", True, {}),
        ("path:guide/** type:md 'x", "x", False, {"paths": ["guide/**"], "types": ["md"]}),
        ("-draft /x/", "x", True, {"without": ["draft"]}),
    ],
)
def test_exact_searches_may_follow_filters(
    typed: str, pattern: str, is_regex: bool, filters: dict[str, object]
) -> None:
    expected = Filters(**filters)
    assert asked(typed) == Query("", expected, Exact(pattern, is_regex))
    assert not asked(typed).is_listing


@pytest.mark.parametrize("typed", ["'", "''", "/", "//", "path:x '", " ' "])
def test_an_exact_search_for_nothing_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="nothing to look for"):
        asked(typed)


@pytest.mark.parametrize(
    "day",
    [
        "soon",
        "2026-13",
        "2026-02-30",
        "0000",
        "99999y",
        "99999999d",
        "7x",
        "9999-12-31",
        "9999",
        "٧d",
    ],
)
def test_a_bad_day_is_refused_with_a_next_step(day: str) -> None:
    with pytest.raises(UsageError, match="is no day") as refused:
        asked(f"after:{day} x")
    assert "2026-01-31" in refused.value.next_step
    with pytest.raises(UsageError, match="is no day"):
        asked("x", Filters(before=day))
    with pytest.raises(UsageError, match="is no day"):
        of_request(SearchRequest(query="x", plain=True, filters=Filters(before=day)))


def test_a_filter_that_is_typed_again_counts_once() -> None:
    filters = parse('tag:x -old "a b" tag:y tag:x -old "a b"', Filters(tags=["y"])).filters
    assert filters == Filters(tags=["y", "x"], without=["old"], phrases=["a b"])


def test_filters_given_beside_the_query_count_too() -> None:
    given = Filters(paths=["a"], after="7d", before="2026-03-30", without=["w"])
    found = asked("path:b after:2026-01-01 before:2026-03 -vw x", given)
    assert found.filters == Filters(
        paths=["a", "b"], after="2026-03-24", before="2026-03-01", without=["w", "vw"]
    )
    assert asked("x", Filters(paths=["a"])).text == "x"


PIECES = st.sampled_from(
    [
        *"'\"/\\-:<>., \n“”",
        "path:",
        "after:",
        "7d",
        "type:md",
        "-",
        "word",
        "é",
        "猫",
        "\ud800",
        "\0",
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join))
@example('-"')
def test_any_text_is_understood_and_nothing_but_filters_is_taken_from_it(typed: str) -> None:
    try:
        found = asked(typed)
    except UsageError:
        assert re.search(r"after:|modified:|before:|^\s*\S*['/]", typed)
        return
    if found.filters == Filters() and not found.exact:
        assert found.text == typed
    words = re.findall(r"\w+", found.text)
    assert [word for word in words if word not in typed] == []
    # What is left over holds no further filter.
    if not found.exact and found.text and not found.filters.phrases:
        with_them = asked(found.text)
        assert with_them.exact or with_them.filters == Filters()


@given(st.lists(st.from_regex(r"[a-z]{1,8}|[0-9]{1,3}|[?!]", fullmatch=True), max_size=8))
def test_plain_questions_stay_as_they_are(words: list[str]) -> None:
    assert asked(" ".join(words)) == Query(" ".join(words), Filters())
