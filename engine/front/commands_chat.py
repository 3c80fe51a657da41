"""``hoverkite chat``: questions read one by one, answered as text that any terminal can show.

It is made for screen readers, dumb terminals and pipes as well: everything comes line by line, and
nothing is ever drawn over. The input is read outside the event loop, where ctrl+c means the input;
while an answer is written, it means the answer.
"""

import argparse
import asyncio
import contextlib
import io
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from engine import config
from engine.errors import HoverkiteError, UsageError
from engine.front.client import connect
from engine.front.commands import filters_of
from engine.front.connection import EngineClient
from engine.front.conversation_names import continued
from engine.front.opening import open_docs, what_is_missing
from engine.front.printed_answer import AnswerPrinter, place
from engine.front.printing import FOUND, NOT_FOUND, narrate, plain_line, width, wrapped
from engine.safe_text import clean, clean_line
from engine.wire import api_answer, api_search

PROMPT = "> "
COMMANDS = {
    "/sources": "the passages that the last answer was made from; /sources 2 prints the second",
    "/anyway": "have the model answer the last question although nothing near was found",
    "/new": "begin a new conversation",
    "/help": "these commands",
    "/quit": "end, as ctrl+d does",
}
"""What may be typed in place of a question."""


def run(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    """Answer questions until the input ends.

    Returns:
        0, or 1 where the input is no terminal and a question could not be answered.

    Raises:
        HoverkiteError: the folder can't be opened.
        KeyboardInterrupt: ctrl+c, where the input is no terminal.
    """
    is_person = sys.stdin is not None and sys.stdin.isatty()
    if is_person:  # also where ctrl+c was ignored by who started this
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # no byte that is typed ends the loop
    is_shown = sys.stdout.isatty()
    edits = is_person and is_shown and not is_plain(options)
    with asyncio.Runner() as runner:
        chat = Chat(options, flags, whole_lines=not edits, wraps=is_shown and not edits)
        runner.run(chat.begin())
        if is_person:
            narrate("Type a question, or /help; ctrl+d ends.")
        failed = _loop(chat, runner, _editor(chat.earlier) if edits else _line, is_person)
    return NOT_FOUND if failed and not is_person else FOUND


def is_plain(options: argparse.Namespace) -> bool:
    """Whether lines are all that may be printed: as asked for, or the terminal knows no more."""
    return options.plain or os.environ.get("TERM", "") in ("", "dumb")


def _loop(chat: "Chat", runner: asyncio.Runner, read: Callable[[], str], is_person: bool) -> bool:
    """Answer what ``read`` returns until it raises EOFError; return whether anything failed."""
    failed, answering = False, False
    while True:
        try:
            answering = False
            typed = read().strip()
            answering = True
            if typed == "/quit":
                return failed
            if typed and not is_person:
                # The output can then be read by itself.
                print(plain_line(f"{PROMPT}{typed}"), end="\n\n")
            if typed:
                runner.run(chat.take(typed))
        except EOFError:
            if is_person:
                print()
            return failed
        except KeyboardInterrupt:
            if not is_person:
                raise
            print()
            narrate("Stopped." if answering else "ctrl+d ends.")
        except HoverkiteError as error:
            failed = True
            narrate(f"{error.title}: {error}. {error.next_step}")
        sys.stdout.flush()


def _editor(earlier: Sequence[str]) -> Callable[[], str]:
    """Return what reads a line that can be edited, with earlier ones at hand; latest first."""
    with contextlib.suppress(ImportError):
        import readline  # input() uses it from then on

        for question in reversed(earlier):
            readline.add_history(clean_line(" ".join(question.split())))
    return lambda: input(PROMPT)


def _line() -> str:
    """Return the next line of the input.

    Raises:
        EOFError: there is none.
    """
    if sys.stdin is None:  # it was closed, as in ``<&-``
        raise EOFError
    if sys.stdin.isatty():
        print(PROMPT, end="", file=sys.stderr, flush=True)
    if line := sys.stdin.readline():
        return line
    raise EOFError


class Chat:
    """One conversation after the other with a folder."""

    def __init__(
        self,
        options: argparse.Namespace,
        flags: dict[str, Any],
        *,
        whole_lines: bool = False,
        wraps: bool = False,
    ) -> None:
        """``whole_lines``: an answer is printed a line at a time, not as its words come.

        ``wraps``: lines are made to fit the terminal.
        """
        self._options = options
        self._wraps = wraps
        self._flags = flags
        self._whole_lines = whole_lines
        self._settings = config.load(flags)
        self._engine = 0
        """Process id of the engine that has read the folder."""
        self._note = self._model = ""
        self._conversation = ""
        self._last = _Asked("")
        self.earlier: list[str] = []
        """Questions that are kept, the latest first."""

    async def begin(self) -> None:
        """Open the folder, and find the conversation that is gone on with.

        Raises:
            HoverkiteError: the folder can't be opened, or there is no such conversation.
        """
        async with self._opened() as (client, folder):
            self._conversation = await continued(client, folder, self._options.conversation)
            with contextlib.suppress(HoverkiteError):  # without them, there is no history
                self.earlier = (await client.earlier_questions(folder)).questions

    async def take(self, typed: str) -> None:
        """Do what was typed: a command, else a question.

        Raises:
            HoverkiteError: it could not be done; the next may well be.
        """
        word, _, rest = typed.partition(" ")
        if word.startswith("/") and typed.count("/") == 1:  # two of them: a regular expression
            await self._obey(word, rest.strip())
        else:
            await self._ask(_Asked(typed))

    async def _obey(self, word: str, rest: str) -> None:
        match word:
            case "/sources":
                self._sources(rest)
            case "/new":
                self._conversation, self._last = "", _Asked("")
                narrate("A new conversation.")
            case "/anyway":
                if not self._last.question:
                    raise UsageError("nothing was asked yet", "Ask a question first")
                last = self._last
                await self._ask(_Asked(last.question, anyway=True, instead_of=last.turn))
            case "/help":
                for name, about in COMMANDS.items():
                    self._say(f"{name}: {about}")
            case _:
                raise UsageError(f"there is no command {word}", f"There is {', '.join(COMMANDS)}")

    @property
    def _width(self) -> int:
        return width() if self._wraps else 0

    def _say(self, text: str) -> None:
        print(wrapped(text, self._width))

    # --- questions ---------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[EngineClient, str]]:
        """Give a client and the folder's id; an engine that left meanwhile is started again.

        A new engine brings the folder up to date first; one that is known watches it.
        """
        client = await connect(self._settings, self._flags)
        try:
            if client.note != self._note:
                self._note = client.note
                if client.note:
                    narrate(client.note)
            folder = await open_docs(client, self._options)
            pid = (await client.hello()).pid
            if pid != self._engine:
                bar = not is_plain(self._options)
                if missing := await what_is_missing(client, folder, bar=bar):
                    narrate(missing)
                self._engine = pid
            yield client, folder
        finally:
            await client.close()

    async def _ask(self, asked: "_Asked") -> None:
        self._last = asked
        printer = AnswerPrinter(
            self._options.docs,
            whole_lines=self._whole_lines,
            width=self._width,
            anyway="/anyway has it answer",
        )
        printer.state = self._model
        try:
            async with (
                self._opened() as (client, folder),
                contextlib.aclosing(client.ask(folder, self._request(asked))) as events,
            ):
                async for event in events:
                    asked.note(event)
                    printer.show(event)
        finally:
            printer.end()
            self._model = printer.state
            self._conversation = asked.conversation or self._conversation

    def _request(self, asked: "_Asked") -> api_answer.AskRequest:
        return api_answer.AskRequest(
            question=asked.question,
            hits=self._options.hits,
            mode=self._options.mode,
            filters=filters_of(self._options),
            conversation=self._conversation,
            instead_of=asked.instead_of or None,
            anyway=asked.anyway or self._options.anyway,
            bulk=not sys.stdin.isatty(),  # a program asks, and persons go first
        )

    # --- sources -----------------------------------------------------------------------------

    def _sources(self, number: str) -> None:
        """Print the passages of the last answer, or the text of one."""
        hits = self._last.sources()
        if not number:
            for hit in hits:
                self._say(self._source(hit))
            if not hits:
                narrate("There are no sources yet.")
            return
        chosen = next((hit for hit in hits if str(hit.rank) == number.strip("[]")), None)
        if not chosen:
            raise UsageError(f"there is no source {number}", "/sources lists them")
        self._say(self._source(chosen))
        self._say(clean(chosen.text))

    def _source(self, hit: api_search.Hit) -> str:
        where = place(self._options.docs, hit)
        return plain_line(f"[{hit.rank}] {where} {hit.heading}").rstrip()


class _Asked:
    """A question, and what came back that later commands need."""

    def __init__(self, question: str, *, anyway: bool = False, instead_of: int = 0) -> None:
        self.question = question
        self.anyway = anyway
        self.instead_of = instead_of
        """The turn whose place it takes; 0 for none."""
        self.turn = instead_of
        self.conversation = ""
        """Where it is kept, once that is known."""
        self._hits: list[api_search.Hit] = []
        self._shown: list[int] = []

    def note(self, event: api_answer.AskEvent) -> None:
        """Remember what ``event`` tells."""
        match event:
            case api_answer.HitsFound():
                self._hits = event.hits
            case api_answer.PromptMade():
                self._shown = event.hits
            case api_answer.TurnBegun():
                self.conversation, self.turn = event.conversation, event.turn
            case api_answer.AnswerFinished() | api_answer.AnswerFailed() if event.turn:
                self.conversation, self.turn = event.conversation, event.turn
            case _:
                pass

    def sources(self) -> list[api_search.Hit]:
        """Return the hits that the model was shown, best first; all of them where none was."""
        if not self._shown:
            return self._hits
        return [hit for hit in self._hits if hit.rank in self._shown]
