"""A folder's kept conversations, off the event loop: one thread has their file.

They are a person's own, not something that can be made again: so they lie beside the manifest in a
file of their own, which outlives every rebuilding of the index, and goes when the folder is
forgotten. Whatever happens to the file, questions are answered.
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from engine.errors import ConversationsError, HoverkiteError, NoConversationError
from engine.storage.conversation_file import ConversationFile, DamagedError, Entry, Exchange
from engine.storage.manifest_file import set_aside
from engine.wire.api_conversations import (
    Conversation,
    Conversations,
    ConversationSummary,
    Questions,
)

log = logging.getLogger(__name__)

_T = TypeVar("_T")

FILE = "conversations.sqlite"
DAY = 86_400.0
"""Seconds; conversations that are too old are deleted as often."""
MOST_EXCHANGES = 6
"""Turns that a follow-up may build on."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a turn that was to be kept."""

    turn: int = 0
    """Its number; 0 where it is not kept."""
    why_not: str = ""
    """What went wrong; empty as well where somebody deleted the conversation meanwhile."""


class FolderConversations:
    """The conversations of one folder. Its methods run on the event loop, none blocks it."""

    def __init__(self, place: Path, days: float, *, now: Callable[[], float] = time.time) -> None:
        """``place`` is the folder's own; with 0 ``days`` nothing is written there.

        Then a conversation lasts, in memory, for as long as the folder is open.
        """
        self.path = place / FILE
        """Where they are kept."""
        self._days = days
        self._now = now
        self._file: ConversationFile | None = None
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "conversations")
        self._notice = ""
        self._begun: set[str] = set()
        """Keys of the turns that are kept already."""

    async def tend(self) -> None:
        """Delete what is too old, now and every day; runs until it is cancelled."""
        while True:
            try:
                await self._done(self._clear_out)
            except Exception as error:  # what is kept of a folder must not stop its watch
                log.warning("old conversations were not deleted: %s", error)
            await asyncio.sleep(DAY)

    async def close(self) -> None:
        """Write down what is to be kept, and close the file; again, it does nothing."""
        with contextlib.suppress(RuntimeError):  # it was closed
            self._thread.submit(self._close)
        await asyncio.to_thread(self._thread.shutdown)

    # --- a conversation goes on --------------------------------------------------------------

    async def exchanges(self, conversation: str, before: int | None = None) -> list[Exchange]:
        """Return the last turns of a conversation, oldest first, less ``before`` and later ones.

        Raises:
            NoConversationError: there is none.
            ConversationsError: the file can't be read.
        """
        return await self._done(
            lambda: self._existing().exchanges(conversation, before, MOST_EXCHANGES)
        )

    def keep(self, entry: Entry) -> "asyncio.Future[Kept]":
        """Begin to keep a turn; kept once more, it takes its own place.

        A turn that was deleted meanwhile stays so. The keeping goes on whether anybody waits for it
        or not, before whatever is asked for later. What goes wrong is told by the result.
        """
        try:
            doing = self._thread.submit(self._keep, entry)
        except RuntimeError:  # the folder was closed
            done = asyncio.get_running_loop().create_future()
            done.set_result(Kept(why_not="the folder was closed meanwhile"))
            return done
        return asyncio.wrap_future(doing)

    def take_notice(self) -> str:
        """Return what a person should know and was not told yet."""
        notice, self._notice = self._notice, ""
        return notice

    # --- what a person asks for --------------------------------------------------------------

    async def all(self) -> Conversations:
        """Return every conversation, latest first.

        Raises:
            ConversationsError: the file can't be read.
        """
        found = await self._done(lambda: self._opened().all() if self._is_there() else [])
        return Conversations(conversations=found, notice=self.take_notice())

    async def questions(self) -> Questions:
        """Return the latest questions.

        Raises:
            ConversationsError: the file can't be read.
        """
        found = await self._done(lambda: self._opened().questions() if self._is_there() else [])
        return Questions(questions=found)

    async def one(self, conversation: str) -> Conversation:
        """Return a conversation, whole.

        Raises:
            NoConversationError: there is none.
            ConversationsError: the file can't be read.
        """
        return await self._done(lambda: self._existing().conversation(conversation))

    async def delete(self, conversation: str) -> ConversationSummary:
        """Delete a conversation, and return what it was.

        Raises:
            NoConversationError: there is none.
            ConversationsError: the file can't be written.
        """
        return await self._done(lambda: self._existing().delete(conversation))

    # --- in the thread -----------------------------------------------------------------------

    async def _done(self, work: Callable[[], _T]) -> _T:
        try:
            doing = self._thread.submit(self._mended, work)
        except RuntimeError:
            raise ConversationsError("the folder was closed meanwhile", "Open it again") from None
        return await asyncio.wrap_future(doing)

    def _mended(self, work: Callable[[], _T]) -> _T:
        """Do ``work``, with a new file in the place of a damaged one."""
        try:
            return work()
        except DamagedError as error:
            self._set_aside(error)
        try:
            return work()
        except DamagedError as error:
            raise ConversationsError(f"{self.path} can't be used: {error}") from error

    def _set_aside(self, error: DamagedError) -> None:
        self._close()
        self._begun.clear()
        number = 1
        while os.path.lexists(aside := self._aside(number)):  # it can't be made again: keep all
            number += 1
        try:
            set_aside(self.path, aside.name.removesuffix(f"-{FILE}"))
        except OSError as fault:
            raise ConversationsError(
                f"{self.path} is damaged and can't be set aside: {fault.strerror}"
            ) from error
        self._notice = f"The kept conversations were damaged: they are set aside as {aside}"
        log.warning("%s was damaged (%s) and is set aside", self.path, error)

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"damaged{'' if number == 1 else f'-{number}'}-{FILE}")

    def _keep(self, entry: Entry) -> Kept:
        def keep() -> int:
            file = self._opened()
            if entry.key not in self._begun:
                number = file.add(entry)
                self._begun.add(entry.key)
                return number
            return file.update(entry)

        try:
            return Kept(self._mended(keep))
        except HoverkiteError as error:
            log.warning("a turn is not kept: %s", error)
            return Kept(why_not=f"this is not kept: {error}")
        except Exception as error:  # an answer must not end with the fault of its keeping
            log.error("a turn is not kept", exc_info=error)
            return Kept(why_not=f"this is not kept: {type(error).__name__}")

    def _opened(self) -> ConversationFile:
        if self._file is None:
            self._file = ConversationFile(self.path if self._days else None)
        return self._file

    def _existing(self) -> ConversationFile:
        """Return the file, which is not made for somebody who only looks."""
        if not self._is_there():
            raise NoConversationError("no conversation of this folder is kept")
        return self._opened()

    def _is_there(self) -> bool:
        return self._file is not None or (bool(self._days) and os.path.lexists(self.path))

    def _clear_out(self) -> None:
        """Delete what is too old; what is in memory alone is gone after a day."""
        if not self._days:
            _remove(self.path)
        if self._is_there():
            before = self._now() - (self._days or 1.0) * DAY
            if deleted := self._opened().expire(before):
                log.info("%d conversations were deleted after their time", deleted)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file:
            file.close()


def _remove(path: Path) -> None:
    """Remove the file and those that SQLite keeps beside it."""
    try:
        for part in path.parent.glob(f"{path.name}*"):
            part.unlink()
    except OSError as error:
        raise ConversationsError(f"{path} can't be removed: {error.strerror}") from error
