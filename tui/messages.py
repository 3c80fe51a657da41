"""What widgets and workers tell each other: always something that has happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tui.exchange import USUAL, Manner

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    from engine.wire.api_search import Hit, Mode, Place, SearchReply
    from engine.wire.unfinished import Unfinished
    from tui.exchange import Exchange
    from tui.search import Search


@dataclass
class QueryAsked(Message):
    """A person asked a question."""

    question: str
    manner: Manner = USUAL


@dataclass
class QueryTyped(Message):
    """The text of the query changed; it was not asked."""

    text: str

    def can_replace(self, message: Message) -> bool:
        """Only the latest text matters."""
        return isinstance(message, QueryTyped)


@dataclass
class FilterTyped(Message):
    """The value of a filter is being typed; None where it no longer is."""

    filter: Unfinished | None

    def can_replace(self, message: Message) -> bool:
        """Only what was typed last matters."""
        return isinstance(message, FilterTyped)


@dataclass
class ValuesFound(Message):
    """The values that go with what is typed of a filter are known."""

    filter: Unfinished
    values: Sequence[FilterValue]


@dataclass
class ValueChosen(Message):
    """A person clicked on the value of a filter, which is under the cursor of its list now."""


@dataclass
class QueryLeft(Message):
    """The cursor was moved down, out of the query."""


@dataclass
class BackAsked(Message):
    """A person wants the answer stopped, or without one the query cleared."""

    query: str = ""
    """What stood in the query then: text typed since is not meant."""


@dataclass
class AgainAsked(Message):
    """A person wants the shown question asked again, after a failure a new try."""


@dataclass
class TurnWanted(Message):
    """A person wants to see another turn of the conversation."""

    step: int
    """-1 for the one before, 1 for the next."""


@dataclass
class NewConversationWanted(Message):
    """A person wants the next question to begin a conversation."""


@dataclass
class ConversationOpened(Message):
    """A kept conversation was opened, to be gone on with."""

    conversation: Conversation


@dataclass
class ConversationDeleted(Message):
    """A kept conversation was deleted."""

    name: str
    """Its id."""


@dataclass
class RewritingWanted(Message):
    """A person wants to edit what was searched for in place of their question."""


@dataclass
class WordsEdited(Message):
    """A person wrote what is to be searched for in place of their question."""

    words: str


@dataclass
class AsTypedWanted(Message):
    """A person wants follow-ups searched for as they are typed, or no longer."""


@dataclass
class HitPinned(Message):
    """A person wants a hit shown to the model, or no longer."""

    hit: Hit


@dataclass
class HitDropped(Message):
    """A person wants a hit never shown to the model, or no longer."""

    hit: Hit


@dataclass
class ExactlyAsked(Message):
    """A person wants an answer from exactly the pinned hits."""


@dataclass
class OfferTaken(Message):
    """A person wants what the answer offers."""


@dataclass
class ModelOffered(Message):
    """A better answer model than the demonstration model is within reach."""

    model: OfferedModel


@dataclass
class EvidenceChanged(Message):
    """The index changed: what an answer stands on may have, too."""


@dataclass
class EvidenceFound(Message):
    """What became of the hits that an answer stands on is known."""

    exchange: Exchange
    evidence: list[tuple[Hit, Evidence]]


@dataclass
class HitHighlighted(Message):
    """The cursor in the results stands on another hit; None when there is none."""

    hit: Hit | None

    def can_replace(self, message: Message) -> bool:
        """Only the latest highlight matters."""
        return isinstance(message, HitHighlighted)


@dataclass
class HitStepped(Message):
    """A person wants to see another hit, and to stay where they are."""

    step: int
    """-1 for the one above, 1 for the one below."""


@dataclass
class OrderWanted(Message):
    """A person wants the results in another order."""


@dataclass
class FilterLeft(Message):
    """The cursor is to go back from the filter of the results to what it leaves."""


@dataclass
class HitOpened(Message):
    """A person chose a hit, or what it links to, to read in their editor."""

    hit: Place
    root: Path | None = None
    """The folder it is in; the main screen, which a message goes through, fills in its own."""


@dataclass
class HitCited(Message):
    """The number of a hit was clicked in the answer."""

    rank: int


@dataclass
class CitationChosen(Message):
    """The cursor in the answer moved to a citation."""

    rank: int
    sentence: str
    """What the citation stands behind; empty where that is not known."""


@dataclass
class CitationOpened(Message):
    """A person wants to read the passage of a citation."""

    rank: int
    sentence: str


@dataclass
class LinkChosen(Message):
    """A link in the answer was clicked; nothing was opened."""

    url: str


@dataclass
class ViewerFailed(Message):
    """The desktop could not show what it was given."""

    reason: str


@dataclass
class ThemesRead(Message):
    """A person's own themes have changed, and were read again."""

    found: list[Theme]
    faults: list[str]


@dataclass
class SettingsLoaded(Message):
    """The settings are known, after the first frame."""

    settings: Settings


@dataclass
class AgreementNeeded(Message):
    """The folder is large or unusual; a person has to agree before it is indexed."""

    opened: FolderOpened


@dataclass
class AgreementGiven(Message):
    """A person has agreed to that; the folder is being opened."""


@dataclass
class FolderReady(Message):
    """The engine has opened the folder and answers."""

    note: str = ""
    """What a person should know about this engine, such as that its settings differ."""
    survey: FolderSurvey | None = None
    """What indexing takes, where the folder is seen for the first time."""


@dataclass
class EngineLost(Message):
    """The connection broke and is being mended."""

    attempt: int


@dataclass
class EngineFailed(Message):
    """The engine can't be used until a person does something."""

    error: HoverkiteError


@dataclass
class StatusArrived(Message):
    """The folder's status changed."""

    status: FolderStatus

    def can_replace(self, message: Message) -> bool:
        """Each status tells everything, so only the latest matters."""
        return isinstance(message, StatusArrived)


@dataclass
class AnswerAdvanced(Message):
    """The next event of the answer to question ``number`` came."""

    number: int
    event: AskEvent


@dataclass
class AnswerBroke(Message):
    """The stream of the answer to question ``number`` ended with an error."""

    number: int
    error: HoverkiteError


@dataclass
class HitsArrived(Message):
    """A search other than an answer's own has its hits."""

    search: Search
    reply: SearchReply


@dataclass
class SearchFailed(Message):
    """A search other than an answer's own has failed."""

    search: Search
    error: HoverkiteError


@dataclass
class HitsRefreshed(Message):
    """The index changed and the shown hits were searched again."""

    search: Search
    reply: SearchReply


@dataclass
class ModeChosen(Message):
    """A person wants another mode of search; None for the next one."""

    mode: Mode | None = None


@dataclass
class WhyAsked(Message):
    """A person wants to know why a hit is there, or its text again."""


@dataclass
class AroundAsked(Message):
    """A person wants the hit shown in its surroundings, or alone again."""


@dataclass
class SurroundingsWanted(Message):
    """A hit is to be shown in its surroundings, which are not known yet, or may have changed."""

    hit: Hit

    def can_replace(self, message: Message) -> bool:
        """Only the latest hit matters."""
        return isinstance(message, SurroundingsWanted)


@dataclass
class SurroundingsFound(Message):
    """What stands around a hit is known."""

    hit: Hit
    found: AroundReply
    fault: str = ""
    """Why it could not be found out, in a few words."""
