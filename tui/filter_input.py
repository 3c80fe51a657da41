"""A text field that offers the values of the filter that is being typed in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import TextArea
from textual.widgets.text_area import Document

from tui.messages import FilterTyped

if TYPE_CHECKING:
    from textual.events import Key
    from textual.widgets.text_area import Edit, EditResult

    from engine.wire.api_complete import FilterValue
    from engine.wire.unfinished import Unfinished
    from tui.completions import Completions

VALUE_KEYS: list[BindingType] = [
    Binding(
        "tab",
        "take",
        "Take the value",
        id="query.take",
        tooltip="Take the chosen value of a filter, or the first",
        show=False,
    ),
    Binding(
        "escape",
        "close",
        "Close the values",
        id="query.close",
        tooltip="Offer no more values for this filter",
        show=False,
    ),
]


class FilterInput(TextArea):
    """Knows which filter is typed, and puts a value into its place."""

    def __init__(self, completions: Completions, **options: Any) -> None:
        super().__init__(**options)
        self._completions = completions
        self._was_typed = False
        """Whether the latest change of the text was typed: only then values are offered."""
        self._closed_for: int | None = None
        """Where the filter begins for which a person wants no values offered."""
        self._takes_next = False
        """Whether the first of the values that are looked up now is to be taken."""

    @property
    def is_being_typed(self) -> bool:
        """Whether the text may still become another one."""
        return True

    def edit(self, edit: Edit) -> EditResult:
        """Change the text as a person typed it; what is shown without one passes by here."""
        self._was_typed = True
        return super().edit(edit)

    @on(TextArea.Changed)
    def _follow_text(self) -> None:
        self._look_for_filter(is_new=self._was_typed)
        self._was_typed = False

    @on(TextArea.SelectionChanged)
    def _follow_cursor(self) -> None:
        if not self._was_typed:  # else the change of the text is told of in a moment
            self._look_for_filter(is_new=False)

    async def on_key(self, event: Key) -> None:
        """Step over the closing quote of a value instead of adding to what stands before it.

        A quote does so; a blank does behind a list that was closed, and is typed there.
        """
        found = self._filter if event.character in ('"', " ") else None
        if found is None or not self.selection.is_empty or not self._is_at_quote(found):
            return
        if event.character == '"':
            event.stop()
            event.prevent_default()
            self.move_cursor_relative(columns=1)
        elif self._closed_for == found.begin:
            self.move_cursor_relative(columns=1)

    def _is_at_quote(self, found: Unfinished) -> bool:
        """Whether all that is left of the filter's value is its closing quote."""
        rest = self.text[self._index : found.end]
        return rest == '"' and self.text[found.begin] == '"'

    @property
    def _index(self) -> int:
        return self._document.get_index_from_location(self.cursor_location)

    @property
    def _document(self) -> Document:
        assert isinstance(self.document, Document)
        return self.document

    @property
    def _filter(self) -> Unfinished | None:
        """The filter at the cursor, while it is being typed."""
        if ":" not in self.text or not (self.is_being_typed and self.has_focus):
            return None
        from tui.typed_query import filter_at

        return filter_at(self.text, self._index)

    @property
    def without_begun(self) -> str:
        """The text without the filter at the cursor while nothing of its value is typed."""
        found = self._filter
        if found is None or found.start or found.before:
            return self.text
        before = self.text[: found.begin]
        name = before.split()[-1]
        return before.removesuffix(name) + self.text[found.end :]

    def _look_for_filter(self, *, is_new: bool) -> None:
        """Have values looked up for what is typed; close those that are no longer meant."""
        found = self._filter
        if found is None or found.begin != self._closed_for:
            self._closed_for = None
        if is_new and found:
            self._completions.highlighted = None  # the values may be others in a moment
            self._takes_next = False
        elif self._completions.filter not in (None, found):
            self._completions.close()
        if is_new:
            self.post_message(FilterTyped(found if self._closed_for is None else None))

    def offer(self, typed: Unfinished, values: Sequence[FilterValue]) -> None:
        """Offer values for a filter, if that is what is still typed."""
        if typed == self._filter and self._closed_for is None:
            self._completions.offer(typed, values)
            if self._takes_next:
                self.action_take()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave Tab and Esc to the screen where nothing is offered."""
        return self._completions.filter is not None if action in ("take", "close") else True

    def action_take(self) -> None:
        """Put an offered value into the query; in a folder, offer what is in it."""
        if self._completions.filter != self._filter:
            self._takes_next = True
            return
        self._takes_next = False
        taken = self._completions.taken()
        if taken is None:
            return
        found, value = taken
        is_folder, written = value.endswith("/"), found.written(value)
        after = "" if is_folder or self.text[found.end : found.end + 1].isspace() else " "
        place = self._document.get_location_from_index
        self.replace(written + after, place(found.begin), place(found.end))
        end = found.begin + len(written + after)
        # Within the quotes, what is in the folder can be typed on.
        self.move_cursor(place(end - (is_folder and written.endswith('"'))))

    def action_close(self) -> None:
        """Offer no more values for this filter."""
        found = self._completions.filter
        self._closed_for = None if found is None else found.begin
        self._completions.close()
        self.post_message(FilterTyped(None))

    def on_blur(self) -> None:
        """Offer nothing while the cursor is elsewhere."""
        self._completions.close()
