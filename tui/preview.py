"""The preview pane: the text of the selected hit with its line numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine.safe_text import clean, clean_line
from tui import hit_row, typed_query
from tui.hanging import hang

if TYPE_CHECKING:
    from textual.events import Resize

    from engine.api_search import Hit, SearchReply

SCROLL_KEYS: list[BindingType] = [
    Binding("j", "scroll_down", "Down", id="pane.down", tooltip="Scroll down", show=False),
    Binding("k", "scroll_up", "Up", id="pane.up", tooltip="Scroll up", show=False),
    Binding("g", "scroll_home", "Top", id="pane.top", tooltip="Scroll to the top", show=False),
    Binding("G", "scroll_end", "End", id="pane.end", tooltip="Scroll to the end", show=False),
    Binding("space", "page_down", "Page", id="pane.page", tooltip="Scroll a page", show=False),
]
"""Keys of every pane that scrolls."""

CONVERTED = (".html", ".htm", ".xhtml")
"""Endings of files whose chunks are converted text: only the chunk's place in the file is known."""


class PreviewPane(VerticalScroll, can_focus=True):
    """Shows one chunk, word for word, or why it is there."""

    BORDER_TITLE = "preview"
    BINDINGS: ClassVar[list[BindingType]] = SCROLL_KEYS

    def __init__(self) -> None:
        super().__init__()
        self.hit: Hit | None = None
        self._reply: SearchReply | None = None
        self.explains = False
        """Whether it is shown why a hit is there, in place of its text."""
        self._query = ""
        self._note = ""

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        yield Static(id="preview-text", markup=False)

    def on_mount(self) -> None:
        """Say what will be here."""
        self.show_nothing()

    def show_hit(self, hit: Hit, query: str, note: str = "") -> None:
        """Show the chunk of ``hit``; words of ``query`` stand out, ``note`` goes into the title."""
        moved = hit != self.hit
        self.hit, self._query, self._note = hit, query, note
        self._lay_out()
        if moved:
            self.scroll_home(animate=False)

    def take_reply(self, reply: SearchReply) -> None:
        """Know the search whose hits the results show from now on."""
        self._reply = reply
        if not reply.hits:
            self.show_nothing()
        elif self.hit is not None and self.explains:
            self._lay_out()

    def toggle_explanation(self) -> None:
        """Show why the hit is there, or its text again."""
        self.explains = not self.explains
        if self.hit is not None:
            self._lay_out()
            self.scroll_home(animate=False)

    def show_nothing(self) -> None:
        """Empty the pane."""
        self.hit = None
        self.border_title = Content("preview")
        note = Content.styled("The text of the selected hit appears here.", "$quiet")
        self.query_one("#preview-text", Static).update(note)

    def on_resize(self, event: Resize) -> None:
        """Lay the text out for the new width."""
        if self.hit is not None:
            self._lay_out()

    def _lay_out(self) -> None:
        assert self.hit is not None
        width = max(self.scrollable_content_region.width, 20)
        title = hit_row.elide_path(hit_row.location(self.hit), max(width - 14, 8))
        note = f" · {self._note}" if self._note else ""
        what = "why" if self.explains else "preview"
        self.border_title = Content.assemble(what, (f" · {title}{note}", "not bold $quiet"))
        text = self.query_one("#preview-text", Static)
        text.update(self._explanation(width) if self.explains else self._text(width))

    def _text(self, width: int) -> Content:
        assert self.hit is not None
        return numbered_text(self.hit, self._query, width)

    def _explanation(self, width: int) -> Content:
        from tui.why import explanation

        assert self.hit is not None
        return explanation(self.hit, self._reply, width)


def numbered_text(hit: Hit, query: str, width: int) -> Content:
    """The chunk of ``hit`` wrapped to ``width``: heading path, then lines with their numbers.

    Without numbers where those of the file are not known: in PDF and HTML.
    """
    whole = clean(hit.text).rstrip("\n")
    content = Content(whole)
    for start, end in typed_query.spans(whole, query):
        content = content.stylize("$match", start, end)
    numbered = hit.page is None and not hit.path.lower().endswith(CONVERTED)
    gutter = len(str(hit.start_line + whole.count("\n"))) + 2 if numbered else 0
    shown: list[Content] = []
    if hit.heading:
        heading = hit_row.elide_middle(clean_line(hit.heading.replace(" > ", " › ")), width)
        shown += [Content.styled(heading, "$heading"), Content("")]
    for number, line in enumerate(content.split("\n", allow_blank=True), hit.start_line):
        label = f"{number}  " if numbered else ""
        shown.append(hang(Content.styled(f"{label:>{gutter}}", "$gutter"), line, width))
    return Content("\n").join(shown)
