"""What may be typed about conversations, and what is refused."""

from argparse import Namespace
from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.front import arguments
from engine.front.commands_conversations import _export
from engine.wire.api_conversations import Conversation


@pytest.mark.parametrize(
    ("words", "conversation", "question"),
    [
        (("--continue", "And why?"), "latest", "And why?"),
        (("--continue", "add it"), "latest", "add it"),
        (("--continue", "dead", "end?"), "latest", "dead end?"),
        (("--continue", "3", "why?"), "3", "why?"),
        (("--continue", "3f9a", "why?"), "3f9a", "why?"),
        (("why?", "--continue"), "latest", "why?"),
        (("why?", "--continue", "latest"), "latest", "why?"),
        (("why?", "--continue", "--json"), "latest", "why?"),
        (("why?",), "", "why?"),
    ],
)
def test_a_question_goes_on_with_the_latest_conversation_or_with_one_that_is_named(
    words: tuple[str, ...], conversation: str, question: str
) -> None:
    options = arguments.parse(["ask", "notes", *words])
    assert (options.conversation, options.query) == (conversation, question)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("conversations", "notes", "show"), "name the conversation to show"),
        (("conversations", "notes", "list", "3"), "3 is one too many"),
        (("conversations", "notes", "--to", "x.md"), "only export writes to a file"),
        (("conversations", "notes", "open", "3"), "invalid choice: 'open'"),
        (("conversations",), "required: DOCS"),
        (("ask", "notes", "--continue"), "required: QUESTION"),
        (("search", "notes", "q", "--continue"), "no option --continue here"),
    ],
)
def test_what_does_not_go_together_is_refused(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        arguments.parse(list(words))


def test_an_export_beside_an_unknown_user_is_told_in_plain_words() -> None:
    options = Namespace(json=False, to="~nobody-of-this-name/there.md", yes=False)
    asked = Conversation(id="ab", title="q", began="", last="", turns=[])
    with pytest.raises(UsageError, match="can't be written: No such file"):
        _export(asked, Path("/docs"), options)
