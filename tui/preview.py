"""The preview pane: the text of the selected hit with its line numbers."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from engine.safe_text import clean, clean_line
from tui import hit_row, typed_query
from tui.hanging import hang
from tui.messages import SurroundingsWanted
from tui.text_view import TextView

if TYPE_CHECKING:
    from engine.wire.api_around import AroundReply
    from engine.wire.api_search import Hit, SearchReply

SCROLL_KEYS: list[BindingType] = [
    Binding("j", "scroll_down", "Down", id="pane.down", tooltip="Scroll down", show=False),
    Binding("k", "scroll_up", "Up", id="pane.up", tooltip="Scroll up", show=False),
    Binding("g", "scroll_home", "Top", id="pane.top", tooltip="Scroll to the top", show=False),
    Binding("G", "scroll_end", "End", id="pane.end", tooltip="Scroll to the end", show=False),
    Binding("space", "page_down", "Page", id="pane.page", tooltip="Scroll a page", show=False),
]
"""Keys of every pane that scrolls."""


SHARE_ABOVE = 0.25
"""Share of the pane above the hit when it is first shown in its surroundings."""


class PreviewPane(TextView):
    """Shows one chunk, word for word, alone or in its surroundings, or why it is there."""

    BORDER_TITLE = "preview"
    BINDINGS: ClassVar[list[BindingType]] = SCROLL_KEYS

    def __init__(self) -> None:
        super().__init__()
        self.hit: Hit | None = None
        self._reply: SearchReply | None = None
        self.explains = False
        """Whether it is shown why a hit is there, in place of its text."""
        self.widened = False
        """Whether a hit is shown in its surroundings."""
        self._around: AroundReply | None = None
        """What was found around the hit; None until that is known."""
        self._begin = 0
        """The row of the text where the hit begins."""
        self._fault = ""
        self._query = ""
        self._note = ""

    def on_mount(self) -> None:
        """Say what will be here."""
        self.show_nothing()

    def show_hit(self, hit: Hit, query: str, note: str = "") -> None:
        """Show the chunk of ``hit``; words of ``query`` stand out, ``note`` goes below it."""
        if (hit, query, note) == (self.hit, self._query, self._note):
            return
        moved, is_same_text = hit != self.hit, _is_same_text(hit, self.hit)
        self.hit, self._query, self._note = hit, query, note
        if not is_same_text:
            self._look_around()
        self._lay_out()
        if moved and not (is_same_text and self.widened):
            self.scroll_home(animate=False)

    def take_reply(self, reply: SearchReply) -> None:
        """Know the search whose hits the results show from now on."""
        self._reply = reply
        if self.hit is not None and self.explains:
            self._lay_out()
        elif self.hit is not None and self.widened:
            self.post_message(SurroundingsWanted(self.hit))  # they may have changed

    def toggle_explanation(self) -> None:
        """Show why the hit is there, or its text again."""
        self.explains = not self.explains
        if self.hit is not None:
            self._lay_out()
            self.scroll_home(animate=False)

    def toggle_surroundings(self) -> None:
        """Show the hit in its surroundings, or alone again."""
        self.widened, self.explains = not self.widened or self.explains, False
        if self.hit is not None:
            self._look_around()
            self._lay_out()
            self.scroll_home(animate=False)

    def _look_around(self) -> None:
        self._around, self._fault = None, ""
        if self.widened and self.hit is not None:
            self.post_message(SurroundingsWanted(self.hit))

    def take_surroundings(self, hit: Hit, found: AroundReply, fault: str = "") -> None:
        """Show what was found around ``hit``, or why nothing was, if that hit is in view."""
        if not self.widened or self.hit is None or not _is_same_text(hit, self.hit):
            return
        is_new = self._around is None
        self._around, self._fault = found, fault
        if not self.explains:
            begin = self._lay_out()
            if is_new:
                above = int(self.scrollable_content_region.height * SHARE_ABOVE)
                self.scroll_to(y=max(begin - above, 0), animate=False)

    def show_nothing(self) -> None:
        """Empty the pane."""
        self.hit = None
        self.border_title, self.border_subtitle = Content("preview"), None
        self.show(Content.styled("The text of the selected hit appears here.", "$quiet"))

    def fit(self) -> None:
        """Lay the text out for the width there is now; the hit stays as far from the view's top."""
        if self.hit is None:
            super().fit()
            return
        above, rows = self.scroll_offset.y - self._begin, max(self.virtual_size.height, 1)
        begin = self._lay_out()
        y = begin + above * self.virtual_size.height / rows
        self.scroll_to(y=max(round(y), 0), animate=False, force=True)

    def _lay_out(self) -> int:
        """Show what there is to show; return the row where the hit begins."""
        assert self.hit is not None
        width = max(self.scrollable_content_region.width, 20)
        title = hit_row.elide_path(hit_row.location(self.hit), max(width - 14, 8))
        note = " · ".join(words for words in (self._note, self._missing) if words)
        is_around = self._around is not None and bool(self._around.lines)
        what = "why" if self.explains else "around" if is_around else "preview"
        self.border_title = Content.assemble(what, (f" · {title}", "not bold $quiet"))
        self.border_subtitle = Content.styled(note, "$quiet") if note else None
        content, self._begin = self._content(width)
        self.show(content)
        return self._begin

    @property
    def _missing(self) -> str:
        """Why the hit is not shown in its surroundings though it should be."""
        if self.explains or self._around is None or self._around.lines:
            return ""
        return self._fault or "its file has changed"

    def _content(self, width: int) -> tuple[Content, int]:
        assert self.hit is not None
        if self.explains:
            return self._explanation(width), 0
        if self._around is not None and self._around.lines:
            from tui.surroundings import in_surroundings

            return in_surroundings(self.hit, self._around, self._query, width)
        return numbered_text(self.hit, self._query, width), 0

    def _explanation(self, width: int) -> Content:
        from tui.why import explanation

        assert self.hit is not None
        return explanation(self.hit, self._reply, width)


def _is_same_text(hit: Hit, other: Hit | None) -> bool:
    """Whether both are the same text at the same place, however they were found."""
    if other is None:
        return False
    places = [(each.path, each.quoted_path, each.part, each.start_line) for each in (hit, other)]
    return places[0] == places[1] and hit.text == other.text


def is_numbered(hit: Hit) -> bool:
    """Whether the lines of its text are lines, or rows, of its file: not in PDF and HTML."""
    from engine.files.kinds import RICH, FileKind, kind_of

    if hit.part is not None:
        return hit.part.unit in ("sheet", "cell")
    found = kind_of(PurePath(hit.path).name)
    return not (isinstance(found, FileKind) and found.kind in RICH | {"html"})


def heading_of(hit: Hit, width: int) -> list[Content]:
    """The rows above a hit's text that tell its heading."""
    if not hit.heading:
        return []
    heading = hit_row.elide_middle(clean_line(hit.heading.replace(" > ", " › ")), width)
    return [Content.styled(heading, "$heading"), Content("")]


def coloured(text: str, hit: Hit) -> Content:
    """The ``text`` of ``hit`` in the colours of its language, where it is code."""
    from tui import code_colours

    return Content(text, spans=list(code_colours.spans(text, hit.path)))


def numbered_text(hit: Hit, query: str, width: int) -> Content:
    """The chunk of ``hit`` wrapped to ``width``: heading path, then lines with their numbers.

    Without numbers where those of the file are not known: in PDF and HTML.
    """
    whole = clean(hit.text).rstrip("\n")
    content = coloured(whole, hit)
    for start, end in typed_query.spans(whole, query):
        content = content.stylize("$match", start, end)
    numbered = is_numbered(hit)
    gutter = len(str(hit.start_line + whole.count("\n"))) + 2 if numbered else 0
    shown = heading_of(hit, width)
    for number, line in enumerate(content.split("\n", allow_blank=True), hit.start_line):
        label = f"{number}  " if numbered else ""
        shown.append(hang(Content.styled(f"{label:>{gutter}}", "$gutter"), line, width))
    return Content("\n").join(shown)
