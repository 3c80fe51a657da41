"""Which kept conversation a person means: by its number in the list, or the beginning of its id."""

from collections.abc import Sequence

from engine.errors import NoConversationError, UsageError
from engine.front.arguments_conversations import LATEST
from engine.front.connection import EngineClient
from engine.front.printing import narrate
from engine.wire.api_conversations import ConversationSummary

LONGEST_NUMBER = 3
"""Digits; more of them are the beginning of an id."""
SHOWN = 8
"""Characters of an id that a list shows."""


def named(name: str, kept: Sequence[ConversationSummary]) -> ConversationSummary:
    """Return the one of ``kept``, latest first, that is called ``name``.

    Raises:
        NoConversationError: none is.
        UsageError: several are.
    """
    wanted = name.casefold()
    if wanted == LATEST and kept:
        return kept[0]
    if wanted.isascii() and wanted.isdigit() and len(wanted) <= LONGEST_NUMBER:
        found = list(kept[int(wanted) - 1 : int(wanted)]) if int(wanted) else []
    else:
        found = [each for each in kept if wanted and each.id.startswith(wanted)]
    if not found:
        raise NoConversationError(f"there is no conversation {name}")
    if len(found) > 1:
        raise UsageError(
            f"{name} begins the id of {len(found)} conversations", "Name more of its characters"
        )
    return found[0]


async def continued(client: EngineClient, folder: str, name: str) -> str:
    """Return the id of the conversation that a question goes on with; empty for a new one.

    Raises:
        NoConversationError: there is none called ``name``.
    """
    if not name:
        return ""
    kept = (await client.conversations(folder)).conversations
    if name == LATEST and not kept:
        narrate("No conversation is kept yet: this begins one")
        return ""
    return named(name, kept).id
