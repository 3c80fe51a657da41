"""The pages that open over the panes: the folder, a whole file, the answer model, problems …"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, cast

from textual import on, work

from engine.errors import HoverkiteError
from tui import messages
from tui.conversing import Conversing

if TYPE_CHECKING:
    from textual.message import Message

    from tui.app import HoverkiteApp
    from tui.folder_page import FolderPage
    from tui.session import Session
    from tui.whole_page import WholePage


class Pages(Conversing):
    """Opens pages, and gathers what they tell of this session."""

    _following: FolderPage | WholePage | None = None
    """The page that follows the index, while it is open."""

    @property
    def _session(self) -> Session:
        return cast("HoverkiteApp", self.app).session

    @property
    def _is_folder_shown(self) -> bool:
        """Whether no other folder is shown: a page that took a while opens over its own only."""
        return self.app.screen_stack[0] is self

    @on(messages.EngineFailed)
    @on(messages.EngineLost)
    @on(messages.AnswerBroke)
    @on(messages.AnswerAdvanced)
    @on(messages.StatusArrived)
    def _remember(self, message: Message) -> None:
        self._session.hear(message, self._link.name)

    @on(messages.StatusArrived)
    def _tell_page(self, message: messages.StatusArrived) -> None:
        if self._following is not None:
            self._following.take_status(message.status)

    def _push_following(self, page: FolderPage | WholePage) -> None:
        def forget(_: None) -> None:
            self._following = None

        self._following = page
        self.app.push_screen(page, forget)

    def action_report(self) -> None:
        """Show what is in the index, what is not, and every file of the folder."""
        if self._status is None:
            return
        from tui.folder_page import FolderPage

        self._push_following(FolderPage(self._status, self._link))

    def action_whole(self) -> None:
        """Show the whole file of the shown hit, from the hit on."""
        hit = self.preview.hit or self.results.selected
        if hit is None:
            self.notify("Select a hit first: its file is shown", markup=False)
            return
        from tui.whole_page import WholePage

        revision = 0 if self._status is None else self._status.revision
        self._push_following(WholePage(hit, self._shown_query, self._link, revision))

    def action_problems(self) -> None:
        """Show what went wrong since the start."""
        from tui.problems_page import problems_page

        self.app.push_screen(problems_page(self._session, self._status))

    @work(exclusive=True, group="model", exit_on_error=False)
    async def action_model(self) -> None:
        """Show everything about the answer model."""
        try:
            engine, _ = await self._link.ready()
            llm = await engine.llm()
        except HoverkiteError as error:
            self.notify(f"{error.title}: {error}", severity="warning", markup=False)
            return
        if not self._is_folder_shown:
            return
        from tui.model_page import ModelPage

        speeds = list(cast("HoverkiteApp", self.app).session.speeds)
        self.app.push_screen(ModelPage(llm, speeds))

    @on(messages.ConversationDeleted)
    def _forget_its_questions(self) -> None:
        self._look_up_questions()

    @work(exclusive=True, group="questions", exit_on_error=False)
    async def _look_up_questions(self) -> None:
        """Have the questions of earlier sessions at hand in the query."""
        with suppress(HoverkiteError):  # without them, those of this session are
            engine, folder = await self._link.ready()
            self.query_pane.input.remember((await engine.earlier_questions(folder)).questions)

    def action_earlier(self) -> None:
        """List the questions asked earlier, to take one into the query."""
        if not (questions := self.query_pane.input.earlier):
            self.notify("No question was asked of this folder yet", markup=False)
            return
        from tui.earlier import earlier_page

        self.app.push_screen(earlier_page(questions), self._take_question)

    def _take_question(self, question: str | None) -> None:
        if question is not None:
            self._end_editing()
            self.query_pane.input.take(question)
            self.go_to("query")
