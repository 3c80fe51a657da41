"""``hoverkite chat``: a loop of questions that nothing but its end ends, as plain lines."""

import io
import json
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.errors import EngineError, HoverkiteError
from engine.front import cli, commands_chat
from engine.front.connection import EngineClient
from engine.wire import api, api_answer, api_conversations
from tests.hits import hit

ATTACK = "\x1b]52;c;AA==\x07\u202eevil"
Step = api_answer.AskEvent | HoverkiteError | Callable[[], None]


def answer(text: str, **changes: Any) -> list[Step]:
    """What an engine sends of an answer that goes well."""
    values: dict[str, Any] = {"answer": text, "finish_reason": "stop", "model": "m", "ttft_ms": 1}
    values |= {"completion_tokens": 3, "tokens_per_s": 1, "sources": ["docs/page2.md:20"]}
    return [
        api_answer.HitsFound(query="q", took_ms=1, hits=[hit(1), hit(2, text=f"two {ATTACK}")]),
        api_answer.ExtractsFound(extracts=[api_answer.Extract(text=f"two {ATTACK}", hit=2)]),
        api_answer.TurnBegun(conversation="c1", turn=1),
        api.LlmState(state="ready", model="m"),
        api_answer.PromptMade(model="m", hits=[2]),
        *(api_answer.Token(text=piece) for piece in text),
        api_answer.AnswerFinished(**(values | changes)),
    ]


class Client(EngineClient):
    """An engine that answers as it was told to."""

    def __init__(self, answers: Sequence[Sequence[Step]] = ()) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[api_answer.AskRequest] = []
        self.synced = 0
        self.pid = 7

    async def hello(self) -> api.Hello:
        return api.Hello(protocol=1, version="", pid=self.pid, settings="", clients=0)

    async def open_folder(
        self, path: str, *, agreed: bool = False, start_llm: bool = False, can_ask: bool = False
    ) -> api.FolderOpened:
        return api.FolderOpened(folder="f", path=path)

    async def sync(self, folder: str) -> AsyncGenerator[api.SyncEvent, None]:
        self.synced += 1
        counts = dict.fromkeys(("files", "chunks", "added", "changed", "removed"), 0)
        yield api.SyncFinished(embedded=0, skipped=[], seconds=0, **counts)

    async def ask(
        self, folder: str, question: api_answer.AskRequest
    ) -> AsyncGenerator[api_answer.AskEvent, None]:
        self.asked.append(question)
        for step in self.answers.pop(0) if self.answers else answer("Fine. [2]"):
            if isinstance(step, HoverkiteError):
                raise step
            if callable(step):
                step()
            else:
                yield step

    async def earlier_questions(self, folder: str) -> api_conversations.Questions:
        raise EngineError("they can't be read")

    async def close(self) -> None:
        pass


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Client:
    made = Client()

    async def connect(*_: object) -> Client:
        return made

    monkeypatch.setattr(commands_chat, "connect", connect)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes").mkdir()
    return made


@pytest.fixture
def _ctrl_c() -> Iterator[None]:
    """Let ctrl+c mean what it means in a program of its own."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    """Do what a ctrl+c does now.

    No signal is sent: a library that tests of the encoder load leaves a stack for the handlers of
    signals on which the process would end.
    """
    handler = signal.getsignal(signal.SIGINT)
    assert callable(handler)
    handler(signal.SIGINT, None)


class Terminal(io.TextIOWrapper):
    """An input that a person types at, ctrl+c among it."""

    def __init__(self, typed: str) -> None:
        super().__init__(io.BytesIO(typed.encode()), "utf-8")

    def isatty(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        line = super().readline(-1)
        if line == "^C\n":
            raise KeyboardInterrupt
        return line


def chat(monkeypatch: pytest.MonkeyPatch, typed: str | bytes | Terminal, *words: str) -> int:
    data = typed.encode() if isinstance(typed, str) else typed
    stdin = data if isinstance(data, Terminal) else io.TextIOWrapper(io.BytesIO(data), "utf-8")
    monkeypatch.setattr(sys, "stdin", stdin)
    return cli.main(["chat", "notes", *words], lambda *_: 9)


def test_piped_questions_go_on_in_one_conversation_until_a_new_one_is_wanted(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = "first\n\n  second \n/new\nthird\n/quit\nnever"
    assert chat(monkeypatch, typed, "--mode", "bm25", "-n", "3") == 0
    asked = [(each.question, each.conversation) for each in client.asked]
    assert asked == [("first", ""), ("second", "c1"), ("third", "")]
    assert {(each.mode, each.hits, each.bulk) for each in client.asked} == {("bm25", 3, True)}
    out = capsys.readouterr().out
    for part in ("> first\n", "] notes/docs/page2.md:20\n", "\n— m —\nFine. [2]\n\nsource: notes/"):
        assert part in out
    assert client.synced == 1, "a folder that is watched is up to date"


def test_a_new_engine_brings_the_folder_up_to_date(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def another() -> None:
        client.pid += 1

    client.answers = [[*answer("Yes."), another]]
    assert chat(monkeypatch, "first\nsecond\nthird\n") == 0
    assert client.synced == 2


def test_nothing_that_comes_from_outside_reaches_the_terminal_raw(
    client: Client, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    client.answers = [answer(f"It {ATTACK} is.")]
    chat(monkeypatch, f"what {ATTACK}?\n/sources\n/sources 2\n/{ATTACK}\n")
    printed = capfd.readouterr()
    for stream in printed:
        assert {character for character in stream if not character.isprintable()} <= {"\n"}
        assert "\u202e" not in stream
    assert "[2] notes/docs/page2.md:20 Guide > Section 2\n" in printed.out
    assert "\ntwo \ufffd]52" in printed.out
    assert "[1]" not in printed.out, "the model was not shown it"


def test_faults_are_told_and_the_loop_goes_on(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client.answers = [[EngineError("it broke", "Try again")]]
    assert chat(monkeypatch, b"one\n/sources\n/sources 9\n/bogus\n\xff\xfe\n") == 1
    assert [each.question for each in client.asked] == ["one", "\ufffd\ufffd"]
    told = capsys.readouterr().err
    for part in ("it broke. Try again", "no sources yet", "no source 9", "no command /bogus"):
        assert part in told


def test_a_closed_input_is_an_empty_one(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert cli.main(["chat", "notes"], lambda *_: 9) == 0


def test_a_note_about_the_engine_is_told_once(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client.note = "other settings"
    chat(monkeypatch, "one\ntwo\n")
    assert capsys.readouterr().err.count("other settings") == 1


def test_a_regular_expression_is_no_command(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chat(monkeypatch, "/new/\n/a b/\n") == 0
    assert [each.question for each in client.asked] == ["/new/", "/a b/"]


def test_a_question_without_near_passages_is_answered_anyway_in_its_place(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = api_answer.NOT_FOUND
    client.answers = [answer("", finish_reason=ended, conversation="c1", turn=1)]
    assert chat(monkeypatch, "/anyway\nwho?\n/anyway\n") == 1
    told = [(each.question, each.anyway, each.instead_of) for each in client.asked]
    assert told == [("who?", False, None), ("who?", True, 1)]
    said = capsys.readouterr().err
    assert "nothing was asked yet" in said
    assert "/anyway has it answer" in said


@pytest.mark.usefixtures("_ctrl_c")
def test_ctrl_c_stops_the_answer_and_not_the_loop(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client.answers = [[*answer("Half an answer")[:-3], interrupt, *answer("")]]
    assert chat(monkeypatch, Terminal("one\n^C\ntwo\n")) == 0
    assert [(each.question, each.conversation) for each in client.asked] == [
        ("one", ""), ("two", "c1"),
    ]  # fmt: skip
    printed = capsys.readouterr()
    assert "— m —\nHalf an answ\n" in printed.out, "what came is not lost"
    assert "Stopped.\n" in printed.err
    assert "> ctrl+d ends.\n" in printed.err.replace("> \n", "> ")


@pytest.mark.usefixtures("_ctrl_c")
def test_ctrl_c_ends_a_run_that_reads_from_a_pipe(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.answers = [[interrupt, *answer("")]]
    assert chat(monkeypatch, "one\ntwo\n") == 130
    assert len(client.asked) == 1


@pytest.mark.parametrize(
    ("terminal", "words", "plain"),
    [("xterm", (), False), ("xterm", ("--plain",), True), ("dumb", (), True), ("", (), True)],
)
def test_a_dumb_terminal_and_a_screen_reader_get_whole_lines(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    terminal: str,
    words: Sequence[str],
    plain: bool,
) -> None:
    written: list[str] = []
    monkeypatch.setenv("TERM", terminal)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    typed = iter(["one"])

    def edited(prompt: str) -> str:
        written.append(prompt)
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    def noted() -> None:
        written.append(capsys.readouterr().out)

    monkeypatch.setattr("builtins.input", edited)
    client.answers = [[*answer("A line\nand an")[:-1], noted, answer("")[-1]]]
    assert chat(monkeypatch, Terminal("one\n"), *words) == 0
    assert (commands_chat.PROMPT in written) is not plain
    so_far = next(part for part in written if "— m —" in part)
    assert so_far.endswith("A line\n" if plain else "A line\nand an")


@pytest.mark.parametrize(
    ("words", "shown"), [(("--plain",), True), (("--plain",), False), ((), True)]
)
def test_lines_of_a_plain_terminal_end_between_words_and_elsewhere_stay_as_they_are(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: Sequence[str],
    shown: bool,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: shown)
    monkeypatch.setattr("builtins.input", lambda _: sys.stdin.readline() or "/quit")
    said = "  Word " + "by word " * 20
    code = "code " * 20
    client.answers = [answer(f"{said}\n```\n{code}\n```\n{said}{'x' * 60}")]
    assert chat(monkeypatch, Terminal("one\n/sources\n/help\n"), *words) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert code in lines
    if words and shown:
        assert [line for line in lines if len(line) >= 40] == [code, "  " + "x" * 60]
        assert "  word by word by word by word by word" in lines
    else:
        assert said in lines


def test_a_conversation_is_gone_on_with_by_its_name(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def continued(_: object, folder: str, name: str) -> str:
        asked.append(json.dumps([folder, name]))
        return "c9"

    monkeypatch.setattr(commands_chat, "continued", continued)
    assert chat(monkeypatch, "and?\n", "--continue") == 0
    assert (asked, client.asked[0].conversation) == (['["f", "latest"]'], "c9")
