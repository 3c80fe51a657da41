"""``hoverkite conversations``: listing, printing, deleting and exporting what was asked."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine import config
from engine.errors import NoIndexError, NotAgreedError, UsageError
from engine.figures import counted
from engine.front.client import connect
from engine.front.commands_status import date
from engine.front.connection import EngineClient
from engine.front.conversation_markdown import markdown
from engine.front.conversation_names import SHOWN, named
from engine.front.printing import (
    FOUND,
    NOT_FOUND,
    can_be_asked,
    narrate,
    plain_line,
    print_json,
    says_yes,
    what_is_no_terminal,
)
from engine.part import short
from engine.safe_text import clean
from engine.server import kept
from engine.server.folders import resolve
from engine.wire.api_conversations import Conversation, ConversationSummary, Turn


async def run(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    """Run the command and return the exit status.

    Raises:
        HoverkiteError: why it could not be done.
    """
    root = resolve(options.docs)
    if kept.look(kept.place_of(options.docs), options.docs).state == "new":
        raise NoIndexError(f"nothing is kept of {options.docs}")
    client = await connect(config.load(flags), flags)
    try:
        if client.note:
            narrate(client.note)
        folder = (await client.open_folder(str(root))).folder
        found = await client.conversations(folder)
        if found.notice:
            narrate(found.notice)
        if options.action == "list":
            return _list(found.conversations, options)
        chosen = named(options.name, found.conversations)
        if options.action == "delete":
            return await _delete(client, folder, chosen, options)
        conversation = await client.conversation(folder, chosen.id)
        return (_export if options.action == "export" else _show)(conversation, root, options)
    finally:
        await client.close()


def _list(conversations: list[ConversationSummary], options: argparse.Namespace) -> int:
    if options.json:
        told = [each.model_dump(mode="json") for each in conversations]
        print_json({"conversations": told})
    else:
        for number, each in enumerate(conversations, 1):
            turns = counted(each.turns, "question")
            line = f"{number:3}  {each.id[:SHOWN]}  {date(each.last)}  {turns:12}  {each.title}"
            print(plain_line(line))
        if not conversations:
            narrate("No conversation is kept.")
    return FOUND if conversations else NOT_FOUND


async def _delete(
    client: EngineClient,
    folder: str,
    chosen: ConversationSummary,
    options: argparse.Namespace,
) -> int:
    about = f"{chosen.title} ({counted(chosen.turns, 'question')}, {date(chosen.last)})"
    if not options.yes:
        if not can_be_asked():
            raise NotAgreedError(
                f"the conversation was not deleted: {what_is_no_terminal()} is not a terminal, so "
                "that nobody could be asked",
                "Run the command again with --yes to delete it",
            )
        narrate(about)
        if not says_yes("Delete it?"):
            raise NotAgreedError("it was not deleted", "To delete it, answer y, or say --yes")
    deleted = await client.delete_conversation(folder, chosen.id)
    if options.json:
        print_json({"deleted": deleted.model_dump(mode="json")})
    else:
        print(plain_line(f"deleted {about}"))
    return FOUND


# --- one conversation ----------------------------------------------------------------------------


def _show(conversation: Conversation, _: Path, options: argparse.Namespace) -> int:
    if options.json:
        print_json(conversation.model_dump(mode="json"))
        return FOUND
    for turn in conversation.turns:
        for line in _lines(turn):
            print(line)
    return FOUND


def _lines(turn: Turn) -> Iterator[str]:
    yield plain_line(f"> {turn.question}")
    if turn.rewritten:
        yield plain_line(f"  searched for: {turn.rewritten}")
    by_rank = {hit.rank: hit for hit in turn.hits}
    for extract in turn.extracts:
        if hit := by_rank.get(extract.hit):
            quoted = " ".join(clean(extract.text).split())
            place = hit.path + short(hit.part, hit.start_line, hit.start_line)
            yield f"“{quoted}” [{extract.hit}] {plain_line(place)}"
    if turn.answer:
        yield ""
        yield plain_line(f"— {turn.model} —")
        yield clean(turn.answer)
    if not turn.finish_reason:
        yield "[the answer was cut off here]"
    yield ""


def _export(conversation: Conversation, root: Path, options: argparse.Namespace) -> int:
    if options.json:
        return _show(conversation, root, options)
    text = markdown(conversation, str(root))
    if not options.to:
        sys.stdout.write(text)
        return FOUND
    path = Path(os.path.expanduser(options.to))  # noqa: PTH111  Path's fails for an unknown user
    replace = os.O_TRUNC if options.yes else os.O_EXCL
    try:
        # What a person asked is nobody else's business.
        file = os.open(path, os.O_WRONLY | os.O_CREAT | replace, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already", "Name another, or say --yes") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path} can't be written: {reason}", "Name another file") from error
    narrate(f"exported to {path}")
    return FOUND
