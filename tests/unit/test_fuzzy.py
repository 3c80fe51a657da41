"""Finding a line by some of its letters."""

import pytest

from tui.fuzzy import LONGEST, match

LINES = [
    "How often is the generator tested?",
    "Where is the standby generator?",
    "Wie oft wird geübt?",
    "What does regenerate do?",
]


def best(typed: str) -> list[str]:
    """Return the lines that match, best first, equals in their order."""
    found = [(hit.score, line) for line in LINES if (hit := match(typed, line))]
    return [line for _, line in sorted(found, key=lambda each: -each[0])]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", LINES),
        ("  ", LINES),
        ("GENERAT", [LINES[0], LINES[1], LINES[3]]),  # inside a word comes last
        ("gen stand", [LINES[1]]),
        ("tested often", [LINES[0]]),
        ("gnrtr", [LINES[0], LINES[1], LINES[3]][:2]),
        ("GEÜBT", [LINES[2]]),
        ("xyz", []),
        ("generator xyz", []),
    ],
)
def test_lines_are_found_by_parts_of_words_and_by_letters(typed: str, expected: list[str]) -> None:
    assert best(typed) == expected


def test_what_was_meant_is_marked() -> None:
    hit = match("gnr the", "the generator")
    assert hit
    assert hit.spans == ((0, 3), (4, 5), (6, 7), (8, 9))


def test_letters_are_taken_where_they_stand_closest_before_their_end() -> None:
    hit = match("ab", "a.... a.b")
    assert hit
    assert hit.spans == ((6, 7), (8, 9))


def test_many_equal_letters_are_no_burden_and_no_long_line_is() -> None:
    assert match("e" * 300, "e " * 10_000) is None, "nothing beyond the first characters counts"
    assert match("e" * 200, "e " * 10_000)
    assert match("z", " " * LONGEST + "z") is None
    assert match("\u0130", "\u0130stanbul"), "its small letter is two characters"
