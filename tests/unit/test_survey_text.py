"""What a person reads before a folder is indexed."""

import pytest

from engine.front.survey_text import left_out, survey_facts
from engine.wire import api


def survey(**changes: object) -> api.FolderSurvey:
    values: dict[str, object] = {
        "files": 12_345,
        "bytes": 2_800_000_000,
        "seconds": 1500.0,
        "chunks": 6_800_000,
        "ignored": 300,
    }
    values |= {"unread": {"Word": 12, "Excel": 1}, "reason": ""} | changes
    return api.FolderSurvey.model_validate(values)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_a_survey_tells_what_is_read_how_long_it_takes_and_what_is_left_out() -> None:
    assert {name: plain(fact) for name, fact in survey_facts(survey()).items()} == {
        "to read": "12 345 files, 2.8 GB",
        "to embed": "about 6 800 000 chunks",
        "time": "about 25 min to 2 h 5 min",
        "left out": "300 ignored, 1 Excel file not read yet, 12 Word files not read yet",
    }


def test_what_there_is_none_of_is_not_mentioned() -> None:
    nothing = survey_facts(survey(files=1, bytes=0, chunks=0, seconds=0.0, ignored=0, unread={}))
    assert [plain(fact) for fact in nothing.values()] == ["1 file, 0 bytes", "a few seconds"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(1.9, "a few seconds"), (2.0, "about 2 s to 10 s"), (60.0, "about 60 s to 5 min")],
)
def test_the_time_is_told_as_a_range_since_machines_differ(seconds: float, told: str) -> None:
    assert plain(survey_facts(survey(seconds=seconds))["time"]) == told


@pytest.mark.parametrize("kind", ["\x1b]0;owned\x07", "a\nb", "\u202e"])
def test_no_kind_of_file_brings_a_sequence_along(kind: str) -> None:
    words = left_out(0, {kind: 1})
    assert not set(words) & {"\x1b", "\x07", "\n", "\u202e"}
