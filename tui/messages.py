"""What widgets and workers tell each other: always something that has happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, dataclass_transform

from textual.message import Message

from tui.exchange import USUAL, Manner

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from pathlib import Path

    from textual.theme import Theme

    from engine.config import Settings
    from engine.errors import HoverkiteError
    from engine.wire.api import FolderOpened, FolderStatus, FolderSurvey
    from engine.wire.api_answer import AskEvent
    from engine.wire.api_around import AroundReply
    from engine.wire.api_complete import FilterValue
    from engine.wire.api_conversations import Conversation, Evidence
    from engine.wire.api_models import OfferedModel
    from engine.wire.api_search import Hit, Mode, Place
    from engine.wire.unfinished import Unfinished
    from tui.exchange import Exchange
    from tui.search import Found, Search


@dataclass_transform()
class Told(Message):
    """Something that has happened; what it carries are the annotated names, in their order.

    A dataclass would write and compile a constructor for each of them: 9 ms of the first frame.
    """

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__()
        self.__dict__.update(zip(self.__annotations__, values, strict=False), **named)


class QueryAsked(Told):
    """A person asked a question."""

    question: str
    manner: Manner = USUAL


class QueryTyped(Told):
    """The text of the query changed; it was not asked."""

    text: str
    words: str
    """What of it can be searched: all but a filter that has just been begun."""

    def can_replace(self, message: Message) -> bool:
        """Only the latest text matters."""
        return isinstance(message, QueryTyped)


class FilterTyped(Told):
    """The value of a filter is being typed; None where it no longer is."""

    filter: Unfinished | None

    def can_replace(self, message: Message) -> bool:
        """Only what was typed last matters."""
        return isinstance(message, FilterTyped)


class ValuesFound(Told):
    """The values that go with what is typed of a filter are known."""

    filter: Unfinished
    values: Sequence[FilterValue]


class ValueChosen(Told):
    """A person clicked on the value of a filter, which is under the cursor of its list now."""


class QueryLeft(Told):
    """The cursor was moved down, out of the query."""


class BackAsked(Told):
    """A person wants the answer stopped, or without one the query cleared."""

    query: str = ""
    """What stood in the query then: text typed since is not meant."""


class AgainAsked(Told):
    """A person wants the shown question asked again, after a failure a new try."""


class TurnWanted(Told):
    """A person wants to see another turn of the conversation."""

    step: int
    """-1 for the one before, 1 for the next."""


class NewConversationWanted(Told):
    """A person wants the next question to begin a conversation."""

    query: str
    """What stood in the query then and was not typed: all else begins that question."""


class ConversationOpened(Told):
    """A kept conversation was opened, to be gone on with."""

    conversation: Conversation


class ConversationDeleted(Told):
    """A kept conversation was deleted."""

    name: str
    """Its id."""


class RewritingWanted(Told):
    """A person wants to edit what was searched for in place of their question."""


class WordsEdited(Told):
    """A person wrote what is to be searched for in place of their question."""

    words: str


class AsTypedWanted(Told):
    """A person wants follow-ups searched for as they are typed, or no longer."""


class HitPinned(Told):
    """A person wants a hit shown to the model, or no longer."""

    hit: Hit


class HitDropped(Told):
    """A person wants a hit never shown to the model, or no longer."""

    hit: Hit


class ExactlyAsked(Told):
    """A person wants an answer from exactly the pinned hits."""


class OfferTaken(Told):
    """A person wants what the answer offers."""


class ModelTaken(Told):
    """A person took a better model, which answers in all folders from now on."""


class ModelOffered(Told):
    """A better answer model than the demonstration model is within reach."""

    model: OfferedModel


class EvidenceFound(Told):
    """What became of the hits that an answer stands on is known."""

    exchange: Exchange
    evidence: list[tuple[Hit, Evidence]]


class HitHighlighted(Told):
    """The cursor in the results stands on another hit; None when there is none."""

    hit: Hit | None

    def can_replace(self, message: Message) -> bool:
        """Only the latest highlight matters."""
        return isinstance(message, HitHighlighted)


class HitStepped(Told):
    """A person wants to see another hit, and to stay where they are."""

    step: int
    """-1 for the one above, 1 for the one below."""


class OrderWanted(Told):
    """A person wants the results in another order."""


class FoldWanted(Told):
    """These files are wanted in one row each, all hits of the others."""

    files: frozenset[Hashable]


class FilterLeft(Told):
    """The cursor is to go back from the filter of the results to what it leaves."""


class HitOpened(Told):
    """A person chose a hit, or what it links to, to read in their editor."""

    hit: Place
    root: Path | None = None
    """The folder it is in; the main screen, which a message goes through, fills in its own."""


class HitCited(Told):
    """The number of a hit was clicked in the answer."""

    rank: int


class CitationChosen(Told):
    """The cursor in the answer moved to a citation."""

    rank: int
    sentence: str
    """What the citation stands behind; empty where that is not known."""


class CitationOpened(Told):
    """A person wants to read the passage of a citation."""

    rank: int
    sentence: str


class LinkChosen(Told):
    """A link in the answer was clicked; nothing was opened."""

    url: str


class ViewerFailed(Told):
    """The desktop could not show what it was given."""

    reason: str


class ThemesRead(Told):
    """A person's own themes have changed, and were read again."""

    found: list[Theme]
    faults: list[str]


class SettingsLoaded(Told):
    """The settings are known, after the first frame."""

    settings: Settings


class AgreementNeeded(Told):
    """The folder is large or unusual; a person has to agree before it is indexed."""

    opened: FolderOpened


class AgreementGiven(Told):
    """A person has agreed to that; the folder is being opened."""


class FolderReady(Told):
    """The engine has opened the folder and answers."""

    note: str = ""
    """What a person should know about this engine, such as that its settings differ."""
    survey: FolderSurvey | None = None
    """What indexing takes, where the folder is seen for the first time."""


class EngineLost(Told):
    """The connection broke and is being mended."""

    attempt: int


class EngineFailed(Told):
    """The engine can't be used until a person does something."""

    error: HoverkiteError


class StatusArrived(Told):
    """The folder's status changed."""

    status: FolderStatus

    def can_replace(self, message: Message) -> bool:
        """Each status tells everything, so only the latest matters."""
        return isinstance(message, StatusArrived)


class AnswerAdvanced(Told):
    """The next event of the answer to question ``number`` came."""

    number: int
    event: AskEvent


class AnswerBroke(Told):
    """The stream of the answer to question ``number`` ended with an error."""

    number: int
    error: HoverkiteError


class HitsArrived(Told):
    """A search other than an answer's own has its hits."""

    search: Search
    found: Found


class SearchFailed(Told):
    """A search other than an answer's own has failed."""

    search: Search
    error: HoverkiteError


class HitsRefreshed(Told):
    """The index changed and the shown hits were searched again."""

    search: Search
    found: Found


class ModeChosen(Told):
    """A person wants another mode of search; None for the next one."""

    mode: Mode | None = None


class WhyAsked(Told):
    """A person wants to know why a hit is there, or its text again."""


class AroundAsked(Told):
    """A person wants the hit shown in its surroundings, or alone again."""


class SurroundingsWanted(Told):
    """A hit is to be shown in its surroundings, which are not known yet, or may have changed."""

    hit: Hit

    def can_replace(self, message: Message) -> bool:
        """Only the latest hit matters."""
        return isinstance(message, SurroundingsWanted)


class SurroundingsFound(Told):
    """What stands around a hit is known."""

    hit: Hit
    found: AroundReply
    fault: str = ""
    """Why it could not be found out, in a few words."""


class PaletteAsked(Told):
    """A person wants the palette, behind what the keys before it do."""
