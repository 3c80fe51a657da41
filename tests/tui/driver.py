"""Drives the real screen with a scripted engine: presses keys and waits for what follows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.events import Key
from textual.message import Message
from textual.notifications import Notification, Notify
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.scripted import ScriptedEngine, ScriptedSource
from tui.app import HoverkiteApp
from tui.hints import HintLine
from tui.main_screen import MainScreen

BOUND = 8.0
"""Seconds within which anything a test waits for must happen."""

FOLDER = Path("/home/ada/notes")


class Driver:
    """A running screen."""

    def __init__(self, app: HoverkiteApp, pilot: Pilot[None], messages: list[Message]) -> None:
        self.app, self.pilot, self.messages = app, pilot, messages

    @property
    def main(self) -> MainScreen:
        return self.app.main

    async def until(self, happened: Callable[[], object], what: str = "it") -> None:
        for _ in range(int(BOUND / 0.01)):
            if happened():
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"{what} did not happen within {BOUND:.0f} s")

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def press_at(self, moment: float, key: str) -> None:
        """Press a key as if it were ``moment`` on the monotonic clock."""
        event = Key(key, key if len(key) == 1 else None)
        event.time = moment
        self.app.post_message(event)
        await self.pilot.pause()

    async def ask(self, question: str) -> None:
        """Type a question and press Enter."""
        self.main.query_pane.input.text = question
        self.main.go_to("query")
        await self.press("enter")

    async def ask_to_the_end(self, question: str) -> None:
        await self.ask(question)
        await self.until(lambda: not self.main.answering, "the end of the answer")
        await self.pilot.pause()

    def said(self, part: str) -> str:
        """The text of the part of the main screen with that id."""
        return str(self.main.query_one(f"#{part}", Static).content)

    @property
    def previewed(self) -> str:
        """The text of the preview."""
        return self.main.preview.content.plain

    @property
    def is_all_written(self) -> bool:
        """Whether everything that came of the model's text is laid out."""
        pane = self.main.answer.model
        return not (pane._pending or pane._writing.locked())

    def page(self) -> str:
        """All text of the dialog on top."""
        return "\n".join(str(part.content) for part in self.app.screen.query(Static))

    def title(self, pane: str) -> str:
        """The border title of a pane of the main screen, spaces made plain."""
        return (getattr(self.main, pane).border_title or "").replace("\u00a0", " ")

    @property
    def status_line(self) -> str:
        """The status bar's words, spaces made plain."""
        return str(self.main.status_bar.content).replace("\u00a0", " ")

    @property
    def hints(self) -> str:
        """The words of the hint line."""
        return str(self.main.query_one(HintLine).content)

    @property
    def toasts(self) -> list[Notification]:
        # A message passes the hook once for every widget it visits.
        found = {id(m.notification): m.notification for m in self.messages if isinstance(m, Notify)}
        return list(found.values())

    def seen(self, kind: type[Message]) -> int:
        """How many different messages of a kind there were."""
        return len({id(message) for message in self.messages if isinstance(message, kind)})


@asynccontextmanager
async def driving(
    engine: ScriptedEngine | None = None,
    *,
    source: ScriptedSource | None = None,
    size: tuple[int, int] = (100, 30),
    folder: Path = FOLDER,
    others: Sequence[Path] = (),
    ready: bool = True,
    **options: Any,
) -> AsyncIterator[Driver]:
    """Run the screen with a scripted engine; ``ready`` waits until the folder is open."""
    source = source or ScriptedSource(engine or ScriptedEngine())
    app = HoverkiteApp(folder, source, **({"pauses": (0.0, 0.0)} | options))
    app.also_open(others)
    messages: list[Message] = []
    async with app.run_test(size=size, message_hook=messages.append, notifications=True) as pilot:
        driver = Driver(app, pilot, messages)
        if ready:
            await driver.until(lambda: source.engine.opened, "opening the folder")
            await driver.until(lambda: app.link.is_open, "the link")
            await pilot.pause()
        yield driver
