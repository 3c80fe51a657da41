"""The pages that open over the panes: the folder, a whole file, the answer model, problems …"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, cast

from textual import on, work

from engine.errors import HoverkiteError
from tui import errand, messages
from tui.conversing import Conversing

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.message import Message

    from engine.wire.api_conversations import Conversation, ConversationSummary
    from engine.wire.api_links import Link
    from engine.wire.api_search import Hit
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
    def _pressed(self) -> int:
        return cast("HoverkiteApp", self.app).pressed

    def _open_if_meant(self, pressed: int, open_page: Callable[[], object]) -> None:
        """Open a page that was waited for since ``pressed``, unless something was done meanwhile.

        Whoever types on, or looks at something else by now, would type into a page unawares.
        """
        if self.is_active and self._pressed == pressed:
            open_page()

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
            errand.tell_not_open(self, self._link)
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

    def action_model(self) -> None:
        """Show everything about the answer model."""
        self._show_model(self._pressed)

    @work(exclusive=True, group="model", exit_on_error=False)
    async def _show_model(self, pressed: int) -> None:
        llm = await errand.reply(self, self._link, lambda engine, _: engine.llm())
        if llm is None:
            return
        from tui.model_page import ModelPage

        page = ModelPage(llm, list(self._session.speeds))
        self._open_if_meant(pressed, lambda: self.app.push_screen(page))

    def action_follow(self) -> None:
        """List the links of the shown hit."""
        hit = self.preview.hit or self.results.selected
        if hit is None:
            self.notify("Select a hit first: its links are listed", markup=False)
        else:
            self._list_links(hit, self._pressed)

    @work(exclusive=True, group="links", exit_on_error=False)
    async def _list_links(self, hit: Hit, pressed: int) -> None:
        from engine.wire.api_links import LinksRequest

        lines = LinksRequest(
            path=hit.path,
            quoted_path=hit.quoted_path,
            start_line=hit.start_line,
            end_line=hit.end_line,
        )
        links = await errand.reply(
            self, self._link, lambda engine, folder: engine.links(folder, lines)
        )
        if links == []:
            self.notify("This hit links to no other file of the folder")
        elif links is not None:
            from tui.links_page import LinksPage

            page = LinksPage(links)
            self._open_if_meant(pressed, lambda: self.app.push_screen(page, self._follow_link))

    def _follow_link(self, link: Link | None) -> None:
        if link is not None:
            from tui.editor import place_of

            place = place_of(link.path, link.quoted_path, link.line)
            self.post_message(messages.HitOpened(place))

    # --- conversations and questions ---------------------------------------------------------

    def action_conversations(self) -> None:
        """List the kept conversations of the folder."""
        self._list_conversations(self._pressed)

    @work(exclusive=True, group="conversations", exit_on_error=False)
    async def _list_conversations(self, pressed: int) -> None:
        found = await errand.reply(
            self, self._link, lambda engine, folder: engine.conversations(folder)
        )
        if found is None:
            return
        if not (kept := found.conversations):
            self.notify("No conversation of this folder is kept yet", markup=False)
            return
        from tui.conversations_page import ConversationsPage

        page = ConversationsPage(kept, self.dialogue.id)
        self._open_if_meant(pressed, lambda: self.app.push_screen(page, self._take_choice))

    def _take_choice(self, choice: tuple[str, ConversationSummary] | None) -> None:
        if choice is None:
            return
        verb, kept = choice
        if verb == "open":
            self._open_conversation(kept.id)
        elif verb == "export":
            self._export_conversation(kept.id)
        else:
            from tui.confirm import deletion_question

            def decided(agreed: bool | None) -> None:
                if agreed:
                    self._delete_conversation(kept.id, self._pressed)

            self.app.push_screen(deletion_question(kept), decided)

    @work(exclusive=True, group="conversations", exit_on_error=False)
    async def _open_conversation(self, name: str) -> None:
        kept = await self._conversation(name)
        if kept is not None:
            self.post_message(messages.ConversationOpened(kept))

    @work(exclusive=True, group="conversations", exit_on_error=False)
    async def _export_conversation(self, name: str) -> None:
        kept = await self._conversation(name)
        if kept is None:
            return
        from tui.export import export

        try:
            path = export(kept, "" if self._status is None else self._status.docs)
        except HoverkiteError as error:
            errand.tell_error(self, error)
            return
        self.app.copy_to_clipboard(str(path))
        self.notify(f"{path}\nThe path is on the clipboard", title="Exported")

    async def _conversation(self, name: str) -> Conversation | None:
        return await errand.reply(
            self, self._link, lambda engine, folder: engine.conversation(folder, name)
        )

    @work(exclusive=True, group="conversations", exit_on_error=False)
    async def _delete_conversation(self, name: str, pressed: int) -> None:
        deleted = await errand.reply(
            self, self._link, lambda engine, folder: engine.delete_conversation(folder, name)
        )
        if deleted is not None:
            self.post_message(messages.ConversationDeleted(name))
            self.notify("The conversation is deleted", markup=False)
            self._list_conversations(pressed)

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
