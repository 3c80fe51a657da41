"""What may be typed about conversations: ``conversations DOCS …`` and ``ask --continue``."""

import argparse
import re

from engine.errors import UsageError

USAGE = "DOCS [show|delete|export ID] "
ABOUT = "List the kept conversations of a folder; print, delete or export one."
CONTINUE = "--continue"
LATEST = "latest"
_NAME = re.compile(r"\d{1,3}|(?=[a-f]*\d)[0-9a-f]{4,16}")
"""A number of the list, or the beginning of an id: no word that a question may begin with."""


def add_conversations(parser: argparse.ArgumentParser) -> None:
    """Add what ``conversations`` takes behind the folder."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "show", "delete", "export"),
        default="list",
        help="what to do (default: list)",
    )
    parser.add_argument(
        "name",
        metavar="ID",
        nargs="?",
        help="a conversation: its number in the list, the beginning of its id, or latest",
    )
    parser.add_argument("--to", metavar="FILE", help="the file that export writes (default: print)")


def add_continue(parser: argparse.ArgumentParser) -> None:
    """Add what has ``ask`` go on with a conversation."""
    parser.add_argument(
        CONTINUE,
        metavar="[ID]",
        dest="conversation",
        default="",
        help="go on with the latest conversation, or with another: its number in the list of "
        "hoverkite conversations DOCS, or the beginning of its id",
    )


def with_names(words: list[str]) -> list[str]:
    """Return ``words`` with ``--continue`` joined to its conversation, which may be left out."""
    if not {"ask", "chat"}.intersection(words):
        return words
    joined: list[str] = []
    rest = iter(words)
    for word in rest:
        if word != CONTINUE or "--" in joined:
            joined.append(word)
            continue
        following = next(rest, None)
        is_name = following is not None and (following == LATEST or _NAME.fullmatch(following))
        joined.append(f"{CONTINUE}={following if is_name else LATEST}")
        if following is not None and not is_name:
            joined += [following, *rest]
    return joined


def check(options: argparse.Namespace) -> None:
    """See that the words of ``conversations`` go together.

    Raises:
        UsageError: they don't.
    """
    step = "See: hoverkite conversations --help"
    if options.action != "list" and not options.name:
        raise UsageError(f"name the conversation to {options.action}", step)
    if options.action == "list" and options.name:
        raise UsageError(f"{options.name} is one too many", step)
    if options.to and options.action != "export":
        raise UsageError("only export writes to a file", step)
