"""Keys that a person changed: what is taken, what is refused and why, and where they show."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine import paths
from tests.tui import content
from tests.tui.driver import driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource, status, whole_answer
from tui import early_config, key_names
from tui.hints import HintLine
from tui.keymap import HERE, _contexts, checked, kind_of
from tui.messages import HitPinned, ModeChosen


def source(**keys: Any) -> ScriptedSource:
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, content.ANSWER, content.EXTRACTS)
    return ScriptedSource(engine, keys=keys)


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ("u", "u"),
        ("u, b", "u,b"),
        (["u", "f5"], "u,f5"),
        (" Ctrl+E ", "ctrl+e"),
        ("F5", "f5"),
        ("$", "dollar_sign"),
        ("shift+u", "U"),
        ("alt+PgUp", "alt+pageup"),
        ("shift+tab,tab", None),
        ("comma", "comma"),
        ("plus", "plus"),
        ("alt+↑", "alt+up"),
        ("u,u", "u"),
    ],
)
def test_a_key_is_understood_however_it_is_written(value: Any, keys: str | None) -> None:
    taken, faults = checked({"screen.report": value})
    assert taken == ({} if keys is None else {"screen.report": keys})
    assert (faults == []) == (keys is not None)


@pytest.mark.parametrize(
    "key", ["ctrl+backslash", "alt+h", "f9", "ctrl+underscore", "alt+f2", "shift+f1"]
)
def test_what_has_to_be_within_reach_takes_keys_that_every_terminal_sends(key: str) -> None:
    assert checked({"screen.help": key}) == ({"screen.help": key}, [])


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"screen.cpy": "u"}, "screen.cpy: there is no such action. Did you mean screen.copy?"),
        ({"page.clos": "u"}, "page.clos: there is no such action. Did you mean page.close?"),
        ({"folder.copy": "s"}, "folder.copy: s is the key of folder.states"),
        ({"folder.copy": "j"}, "folder.copy: j is the key of files.next"),
        ({"whole.edit": "h"}, "whole.edit: h is the key of text.hit"),
        ({"tray.out": "enter"}, "tray.out: enter is the key of list.choose"),
        ({"list.choose": "d"}, "list.choose: d is the key of tray.out"),
        ({"question.yes": "n"}, "question.yes: n is the key of question.no"),
        ({"indexing.left_out": "y"}, "indexing.left_out: y is the key of question.yes"),
        ({"prompt.copy": "question_mark"}, "prompt.copy: ? is the key of screen.help"),
        ({"pick.close": "u"}, "pick.close: u is a letter in the field above the list"),
        ({"pick.close": "ctrl+a"}, "pick.close: ctrl+a is a key of the field above the list"),
        ({"folders.complete": "enter"}, "enter is a key of the field above the list"),
        ({"links.close": "down"}, "links.close: ↓ moves the cursor"),
        ({"screen.copy": "ctrl+foo"}, "screen.copy: ctrl+foo is no key"),
        ({"screen.copy": "hyper+alt+nothing"}, "is no key"),
        ({"screen.copy": "cmd+u"}, "cmd+u is no key"),
        ({"screen.copy": ""}, "screen.copy: a key is wanted"),
        ({"screen.copy": "+"}, 'called "plus"'),
        ({"screen.copy": True}, "a key is wanted, in quotes"),
        ({"screen.copy": 1.5}, "a key is wanted, in quotes"),
        ({"screen.copy": []}, "a key is wanted, in quotes"),
        ({"screen.copy": 0}, "screen.copy: 0 is the key of screen.sizes_back"),
        ({"screen.copy": "ctrl+i"}, "terminals send tab for ctrl+i"),
        ({"screen.copy": "down"}, "screen.copy: ↓ moves the cursor"),
        ({"screen.copy": "e"}, "screen.copy: e is the key of screen.edit"),
        ({"results.pin": "y"}, "results.pin: y is the key of screen.copy"),
        ({"screen.copy": "d"}, "screen.copy: d is the key of results.drop"),
        ({"screen.copy": "n"}, "screen.copy: n is the key of answer.next"),
        ({"screen.copy": "W", "screen.edit": "W"}, "screen.edit: W is the key of screen.copy"),
        ({"app.palette": "escape"}, "app.palette: esc is the key of screen.back"),
        ({"app.quit": "enter"}, "app.quit: enter is the key of query.ask"),
        ({"app.quit": "u"}, "app.quit: u is a letter in the query"),
        ({"query.ask": "u"}, "query.ask: u is a letter in the query"),
        ({"screen.back": "u"}, "screen.back: it needs a key that works in the query, too"),
        ({"screen.help": "hyper+ﷺ"}, "screen.help: common terminals don't send hyper+"),
        ({"screen.help": "alt+ﷺ"}, "screen.help: it needs a key that works in the query"),
        ({"app.quit": "ctrl+1"}, "app.quit: it needs a key that works in the query, too, in every"),
        ({"app.quit": "super+q"}, "app.quit: common terminals don't send super+q"),
        ({"screen.copy": "meta+u"}, "screen.copy: common terminals don't send meta+u"),
        ({"screen.copy": "ctrl+é"}, "screen.copy: common terminals don't send ctrl+é"),
        ({"screen.help": "ctrl+a"}, "screen.help: it needs a key that works in the query"),
        ({"\x1b]52;c;AA==\x07[/]\u202eevil": "u"}, "[/]evil: there is no such action"),
        ({"screen.copy": "[@click=app.quit]x"}, "[@click=app.quit]x is no key"),
        ({"screen.copy": "x" * 100_000}, "x…"),
    ],
)
def test_what_can_not_be_is_told_and_left_out(table: dict[str, Any], said: str) -> None:
    taken, faults = checked(table)
    assert len(faults) == 1 and said in faults[0], faults
    assert len(faults[0]) < 200 and faults[0].isprintable()
    assert len(taken) == len(table) - 1


@pytest.mark.parametrize("key", ["u", "W", "slash", "plus", "minus", "space", "comma", "0"])
def test_what_types_something_is_text(key: str) -> None:
    assert key_names.is_text(key)


@pytest.mark.parametrize("key", ["escape", "tab", "enter", "f1", "ctrl+a", "alt+a", "up", "delete"])
def test_what_types_nothing_is_no_text(key: str) -> None:
    assert not key_names.is_text(key)


def test_the_rest_is_used() -> None:
    taken, faults = checked({"results.pin": "y,space", "screen.copy": "f9", "nothing": "u"})
    assert taken == {"screen.copy": "f9", "results.pin": "y,space"}, "y is free now"
    assert len(faults) == 1
    taken, faults = checked({"results.pin": "e,space"})
    assert taken == {"results.pin": "space"} and len(faults) == 1


def test_keys_may_be_exchanged() -> None:
    wanted = {"screen.copy": "e", "screen.edit": "y"}
    assert checked(wanted) == (wanted, [])


def test_a_key_that_is_given_back_displaces_who_took_it() -> None:
    taken, faults = checked({"screen.edit": "y", "screen.copy": "zz,e", "screen.why": "u"})
    assert taken == {"screen.edit": "y", "screen.copy": "e", "screen.why": "u"}
    assert faults == ["screen.copy: zz is no key"]
    taken, faults = checked({"screen.edit": "y", "screen.copy": "zz"})
    assert taken == {} and len(faults) == 2


def test_a_name_without_quotes_means_the_same() -> None:
    assert checked({"screen": {"copy": "u", "turn_before": "b"}, "results": {"pin": "p"}}) == (
        {"screen.copy": "u", "screen.turn_before": "b"},
        ["results.pin: p is the key of screen.pause"],
    )
    deep: dict[str, Any] = {"x": "u"}
    for _ in range(3000):
        deep = {"x": deep}
    assert len(checked(deep)[1]) == 1


def test_the_usual_keys_are_each_the_key_of_one_action() -> None:
    for context in _contexts():
        keys = [key for name in context for key in key_names.usual_keys()[name]]
        assert len(keys) == len(set(keys))


def test_each_key_is_compared_with_those_that_work_beside_it() -> None:
    known = {kind for kinds in HERE for kind in kinds} | {"app"}
    assert {kind_of(name) for name in key_names.usual_keys()} == known


def test_pages_need_not_care_for_each_other() -> None:
    wanted = {"whole.edit": "u", "folder.open": "u", "tray.out": "u", "question.yes": "u"}
    assert checked(wanted) == (wanted, [])


async def test_changed_keys_work_and_are_shown() -> None:
    changed = source(**{"screen.copy": "u", "results.pin": "f5", "screen.mode": "f9"})
    async with driving(source=changed) as driver:
        await driver.until(lambda: driver.app.key_of("screen.copy") == "u", "the keys")
        await driver.ask_to_the_end("How do I rest it?")
        await driver.press("f9")
        assert driver.seen(ModeChosen) == 1
        await driver.press("u")
        assert driver.main.query_pane.input.text.endswith("u"), "in the query it is a letter"
        await driver.press("tab", "y", "space")
        assert not driver.app.clipboard and not driver.seen(HitPinned)
        await driver.press("u", "f5")
        assert driver.app.clipboard == content.HITS[0].text and driver.seen(HitPinned) == 1
        hints = driver.main.query_one(HintLine)
        await driver.until(lambda: "f5 pin" in str(hints.content), "the hint")
        await driver.press("question_mark")
        assert "\n  u                 Copy the hit" in driver.page()
        assert "f5                Pin the hit" in driver.page()
        assert not driver.toasts[1:], "that the text was copied is all that was told"


async def test_a_key_of_a_letter_may_get_one_for_the_query() -> None:
    async with driving(source=source(**{"screen.why": "f13"})) as driver:
        await driver.until(lambda: driver.app.key_of("screen.why") == "f13", "the keys")
        await driver.ask_to_the_end("How do I rest it?")
        await driver.press("f13")
        await driver.until(lambda: driver.title("preview").startswith("why"), "the explanation")


async def test_texts_name_the_changed_keys() -> None:
    keys = {"screen.again": "f9", "screen.pause": "u", "query.new_line": "f11", "query.ask": "f10"}
    keys |= {"screen.report": "U"}
    changed = source(**keys)
    async with driving(source=changed, ready=False) as driver:
        driver.app.take_keys(keys)
        paused = status(state="paused", watch="paused", pending=3)
        changed.engine.statuses.put_nowait(paused)
        await driver.until(lambda: "u lets it go on" in driver.said("results-note"), "the note")
        assert "u goes on" in driver.status_line
        changed.engine.statuses.put_nowait(status(state="missing"))
        await driver.until(lambda: "U tells more" in driver.status_line, "the missing folder")
        await driver.press(*"one", "f11", *"two", "f10")
        await driver.until(lambda: driver.main.question == "one\ntwo", "asking")
        assert driver.main.query_pane.input.text == "one\ntwo"


async def test_the_key_that_stops_an_answer_is_named_as_it_is_now() -> None:
    changed = source(**{"screen.back": "alt+x"})
    changed.engine.answer = [asyncio.Event()]
    async with driving(source=changed) as driver:
        await driver.until(lambda: driver.app.key_of("screen.back") == "alt+x", "the keys")
        await driver.ask("q")
        await driver.until(lambda: driver.main.answering, "asking")
        await driver.press("ctrl+up")
        await driver.until(lambda: driver.toasts, "telling")
        assert driver.toasts[-1].message == "alt+x stops the answer first"


async def test_faults_are_told_with_the_file_and_the_rest_works() -> None:
    wrong = {f"screen.nothing{number}": "u" for number in range(9)}
    async with driving(source=source(**wrong, **{"screen.copy": "u"})) as driver:
        await driver.until(lambda: driver.toasts, "the toast")
        toast = driver.toasts[0]
        assert toast.severity == "warning" and "keys can't be used" in toast.title
        assert "screen.nothing0: there is no such action" in toast.message
        assert "config.toml" in toast.message and "docs/keys.md" in toast.message
        assert driver.app.key_of("screen.copy") == "u"


def test_the_table_is_read_before_the_first_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    assert early_config.read() == {}
    file = paths.config_dir() / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('theme = "moor"\n[keys]\n"screen.copy" = "u"\n')
    assert early_config.read()["keys"] == {"screen.copy": "u"}
    file.write_text("[keys\n")
    assert early_config.read() == {}
    other = Path.home() / "other.toml"
    other.write_text('[keys]\n"screen.copy" = "b"\n')
    monkeypatch.setenv("HOVERKITE_CONFIG", "~/other.toml")
    assert early_config.read()["keys"] == {"screen.copy": "b"}
