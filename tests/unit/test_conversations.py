"""The file of a folder's conversations: what is kept, for how long, and what survives."""

import asyncio
import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConversationsError, NoConversationError, UsageError
from engine.front.conversation_names import named
from engine.storage.conversation_file import ConversationFile, Entry, Exchange
from engine.storage.conversations import DAY, FILE, FolderConversations
from engine.wire.api_answer import NOT_FOUND, TURNED_OFF
from engine.wire.api_conversations import ConversationSummary, Turn
from tests.hits import hit

HOSTILE = "\x1b]52;c;aGFja2Vk\x07\u202e'\"; DROP TABLE turns; -- \ud800 {} %s \0 [@click=app.quit]"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder."""
    made = tmp_path / "index"
    made.mkdir(mode=0o700)
    return made


def entry(key: str, conversation: str = "one", **values: Any) -> Entry:
    told = {"number": 1, "asked": "", "question": f"question {key}", "hits": [hit(1)]}
    about = {"asked": values.pop("at", 1000.0), "instead_of": values.pop("instead_of", None)}
    return Entry(key, conversation, turn=Turn.model_validate(told | values), **about)


@asynccontextmanager
async def kept(
    place: Path, days: float = 90, now: Callable[[], float] = lambda: 1000.0
) -> AsyncIterator[FolderConversations]:
    opened = FolderConversations(place, days, now=now)
    try:
        yield opened
    finally:
        await opened.close()


async def test_turns_are_numbered_and_come_back_whole(place: Path) -> None:
    async with kept(place) as conversations:
        first = await conversations.keep(entry("a"))
        second = await conversations.keep(entry("b", at=2000.0, answer="x", finish_reason="stop"))
        assert (first.turn, second.turn, first.why_not) == (1, 2, "")
    async with kept(place) as conversations:
        found = await conversations.one("one")
        (summary,) = (await conversations.all()).conversations
    assert found.turns[0] == entry("a").turn.model_copy(update={"asked": found.began})
    assert [turn.number for turn in found.turns] == [1, 2]
    assert (summary.title, summary.turns) == ("question a", 2)
    assert summary.began < summary.last


async def test_a_turn_that_is_kept_again_takes_its_own_place(place: Path) -> None:
    async with kept(place) as conversations:
        for key in "ab":
            await conversations.keep(entry(key))
        again = await conversations.keep(entry("a", answer="an answer"))
        assert again.turn == 1
        assert [t.answer for t in (await conversations.one("one")).turns] == ["an answer", ""]


async def test_what_follows_a_replaced_turn_is_dropped(place: Path) -> None:
    async with kept(place) as conversations:
        for key in "abc":
            await conversations.keep(entry(key))
        replaced = await conversations.keep(entry("d", instead_of=1))
        late = await conversations.keep(entry("c", answer="late"))
        assert (replaced.turn, late.turn) == (1, 0)
        found = await conversations.one("one")
    assert (found.title, [turn.question for turn in found.turns]) == ("question d", ["question d"])


@pytest.mark.parametrize(
    ("there", "again", "stays"),
    [("stop", "", "old"), ("stop", "length", "new"), ("", "", "new"), ("length", "", "old")],
)
async def test_an_answer_that_was_cut_off_replaces_no_whole_one(
    place: Path, there: str, again: str, stays: str
) -> None:
    async with kept(place) as conversations:
        await conversations.keep(entry("a", answer="old", finish_reason=there))
        await conversations.keep(entry("b"))
        await conversations.keep(entry("c", answer="new", finish_reason=again, instead_of=1))
        turns = (await conversations.one("one")).turns
    assert (turns[0].answer, len(turns)) == (stays, 2 if stays == "old" else 1)


@pytest.mark.parametrize("reason", [NOT_FOUND, TURNED_OFF, "stop"])
async def test_where_there_was_no_answer_even_one_that_was_cut_off_is_kept(
    place: Path, reason: str
) -> None:
    async with kept(place) as conversations:
        await conversations.keep(entry("a", answer="", finish_reason=reason))
        again = await conversations.keep(entry("b", answer="new", instead_of=1))
        assert again.turn == 1
        assert [turn.answer for turn in (await conversations.one("one")).turns] == ["new"]


async def test_an_answer_made_again_brings_no_deleted_conversation_back(place: Path) -> None:
    async with kept(place) as conversations:
        await conversations.keep(entry("a"))
        await conversations.delete("one")
        assert (await conversations.keep(entry("b", instead_of=1))).turn == 0
        assert not (await conversations.all()).conversations


async def test_a_follow_up_is_told_the_last_turns_before_it(place: Path) -> None:
    async with kept(place) as conversations:
        for key in "abcdefgh":
            await conversations.keep(entry(key, answer=key, finish_reason="stop"))
        told = await conversations.exchanges("one", before=8)
    assert told[-1] == Exchange("question g", "", "g", is_whole=True)
    assert [each.answer for each in told] == list("bcdefg")


@pytest.mark.parametrize("field", ["question", "rewritten", "answer", "model"])
async def test_outside_text_changes_nothing_but_itself(place: Path, field: str) -> None:
    turn = entry("a").turn.model_copy(update={field: HOSTILE})
    async with kept(place) as conversations:
        kept_turn = await conversations.keep(Entry("a", "one", 1.0, turn))
        assert kept_turn.turn == 1
        (found,) = (await conversations.one("one")).turns
        assert getattr(found, field) == HOSTILE.replace("\ud800", "?")
        for name in ("'; DROP TABLE turns; --", "%", "*", ""):
            with pytest.raises(NoConversationError):
                await conversations.one(name)


async def test_nobody_else_can_read_the_file(place: Path) -> None:
    (place / FILE).touch(0o644)
    async with kept(place) as conversations:
        await conversations.keep(entry("a"))
        parts = [*place.glob(f"{FILE}*")]
        assert len(parts) == 2
        assert {stat.S_IMODE(part.stat().st_mode) for part in parts} == {0o600}


async def test_nothing_is_made_for_somebody_who_only_looks(place: Path) -> None:
    async with kept(place) as conversations:
        assert not (await conversations.all()).conversations
        for look in (conversations.one, conversations.delete, conversations.exchanges):
            with pytest.raises(NoConversationError):
                await look("one")
    assert not [*place.iterdir()]


async def test_what_is_deleted_is_gone_from_the_disk(place: Path) -> None:
    async with kept(place) as conversations:
        for key, secret in (("a", "the secret"), ("b", "nothing")):
            for times in (1, 2000):
                await conversations.keep(entry(f"{key}{times}", key, answer=secret * times))
        deleted = await conversations.delete("a")
        assert (deleted.title, deleted.turns) == ("question a1", 2)
        for part in place.iterdir():
            assert b"the secret" not in part.read_bytes()
        assert [each.id for each in (await conversations.all()).conversations] == ["b"]


# --- for how long --------------------------------------------------------------------------------


async def tended(conversations: FolderConversations) -> None:
    """Let what is too old be deleted, as when a folder is opened."""
    tending = asyncio.create_task(conversations.tend())
    await asyncio.sleep(0)
    await conversations.all()  # done after it
    tending.cancel()


async def test_conversations_are_deleted_when_their_days_are_over(place: Path) -> None:
    async with kept(place) as conversations:
        await conversations.keep(entry("a", "old", at=0.0))
        await conversations.keep(entry("b", "goes on", at=0.0))
        await conversations.keep(entry("c", "goes on", at=20 * DAY))
    async with kept(place, 30, now=lambda: 31 * DAY) as conversations:
        await tended(conversations)
        assert [each.id for each in (await conversations.all()).conversations] == ["goes on"]
        assert len((await conversations.one("goes on")).turns) == 2


async def test_with_no_days_what_was_kept_is_removed_and_nothing_is_written(place: Path) -> None:
    async with kept(place) as conversations:
        await conversations.keep(entry("a"))
    (place / "manifest.sqlite").touch()
    async with kept(place, 0) as conversations:
        await tended(conversations)
        await conversations.keep(entry("b"))
        assert [turn.question for turn in (await conversations.one("one")).turns] == ["question b"]
        assert [part.name for part in place.iterdir()] == ["manifest.sqlite"]


# --- what goes wrong -----------------------------------------------------------------------------


def torn(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)


def of_others(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE turns (something)")
    connection.close()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").touch()


def a_link_to_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "nowhere")


@pytest.mark.parametrize(
    "damage",
    [
        a_link_to_nowhere,
        torn,
        of_others,
        a_folder,
        lambda path: path.write_bytes(b"\0" * 5000),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
    ],
)
async def test_a_damaged_file_is_set_aside_and_said(
    place: Path, damage: Callable[[Path], object]
) -> None:
    async with kept(place) as conversations:
        for number in range(20):
            await conversations.keep(entry(f"a{number}", f"c{number}", answer="text " * 500))
    damage(place / FILE)
    async with kept(place) as conversations:
        await tended(conversations)
        assert os.path.lexists(place / f"damaged-{FILE}")
        assert (await conversations.keep(entry("b"))).turn == 1
        assert [each.id for each in (await conversations.all()).conversations] == ["one"]
    assert os.path.lexists(place / f"damaged-{FILE}")
    assert not (place / "nowhere").exists()


async def test_a_damaged_file_is_named_once(place: Path) -> None:
    (place / FILE).write_bytes(b"no database" * 100)
    async with kept(place) as conversations:
        notices = [(await conversations.all()).notice for _ in range(2)]
    assert f"damaged-{FILE}" in notices[0]
    assert notices[1] == ""


async def test_what_was_set_aside_before_stays(place: Path) -> None:
    for number, name in enumerate((f"damaged-{FILE}", f"damaged-2-{FILE}", f"damaged-3-{FILE}")):
        (place / FILE).write_bytes(b"no database %d" % number)
        async with kept(place) as conversations:
            assert name in (await conversations.all()).notice
        assert (place / name).read_bytes() == b"no database %d" % number
    assert (place / f"damaged-{FILE}").read_bytes() == b"no database 0"


async def test_a_file_of_a_later_version_is_left_alone(place: Path) -> None:
    with sqlite3.connect(place / FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = (place / FILE).read_bytes()
    async with kept(place) as conversations:
        assert "another version" in (await conversations.keep(entry("a"))).why_not
        with pytest.raises(ConversationsError, match="another version"):
            await conversations.all()
    assert (place / FILE).read_bytes() == before


async def test_a_turn_that_cannot_be_read_hides_no_other(place: Path) -> None:
    async with kept(place) as conversations:
        for key in "abc":
            await conversations.keep(entry(key))
    file = ConversationFile(place / FILE)
    for key, told in (("a", "[" * 100_000), ("b", '{"question": 5}')):
        file._connection.execute("UPDATE turns SET told = ? WHERE key = ?", (told, key))
    file.close()
    async with kept(place) as conversations:
        assert [turn.number for turn in (await conversations.one("one")).turns] == [3]
        assert len(await conversations.exchanges("one")) == 2


@pytest.mark.parametrize("value", ["1e300", "x'ff'", "'soon'"])
async def test_a_value_that_is_none_of_ours_is_said(place: Path, value: str) -> None:
    async with kept(place) as conversations:
        await conversations.keep(entry("a"))
    file = ConversationFile(place / FILE)
    file._connection.execute(f"UPDATE conversations SET last = {value}")
    file.close()
    async with kept(place) as conversations:
        for asked in (conversations.all(), conversations.exchanges("one")):
            with pytest.raises(ConversationsError, match="does not write"):
                await asked
        assert (await conversations.keep(entry("b", "two"))).turn == 1


async def test_after_it_was_closed_nothing_is_kept_and_nobody_hangs(place: Path) -> None:
    async with kept(place) as conversations:
        keeping = conversations.keep(entry("a"))
    assert (await keeping).turn == 1
    assert "closed" in (await conversations.keep(entry("b"))).why_not
    with pytest.raises(ConversationsError, match="closed"):
        await conversations.all()


# --- names ---------------------------------------------------------------------------------------


def summary(name: str) -> ConversationSummary:
    return ConversationSummary(id=name, title="", turns=1, began="", last="")


KEPT = [summary("12ab34cd56ef7890"), summary("99ab34cd56ef7890"), summary("99cd34cd56ef7890")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("1", 0), ("2", 1), ("latest", 0), ("12ab", 0), ("99AB", 1), ("99cd34cd56ef7890", 2)],
)
def test_a_conversation_is_named_by_its_number_or_the_beginning_of_its_id(
    name: str, expected: int
) -> None:
    assert named(name, KEPT) is KEPT[expected]


@pytest.mark.parametrize("name", ["0", "4", "ff", "", "-1", "²", "1 2"])
def test_a_name_of_no_conversation_is_refused(name: str) -> None:
    with pytest.raises(NoConversationError):
        named(name, KEPT)


def test_a_name_of_several_conversations_is_refused() -> None:
    with pytest.raises(UsageError, match="2 conversations"):
        named("99999", [summary("99999a"), summary("99999b")])


async def test_the_latest_questions_are_told_once_each_the_latest_first(place: Path) -> None:
    hostile = HOSTILE.replace("\0", "").encode("utf-8", "replace").decode()
    async with kept(place) as conversations:
        for moment, (key, question) in enumerate(
            [("a", "rye?"), ("b", " wheat? "), ("c", "rye?"), ("d", hostile), ("e", " ")]
        ):
            await conversations.keep(entry(key, f"of {key}", at=moment, question=question))
        found = (await conversations.questions()).questions
        assert found == [hostile, "rye?", "wheat?"]
        await conversations.delete("of d")
        assert (await conversations.questions()).questions == ["rye?", "wheat?"]
        assert conversations._file
        run = conversations._file._connection.execute
        run("UPDATE turns SET told = '{' WHERE key = 'b'")
        run("UPDATE turns SET told = '{\"question\": 3}' WHERE key = 'c'")
        assert (await conversations.questions()).questions == ["rye?"]


async def test_looking_for_questions_makes_no_file(place: Path) -> None:
    for days in (0, 90):
        async with kept(place, days) as conversations:
            assert (await conversations.questions()).questions == []
        assert not [*place.iterdir()]
