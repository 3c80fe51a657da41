"""The questions a person is asked: before a large folder is indexed, before a link opens."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from textual.content import Content

from engine.safe_text import clean_line
from engine.survey_text import survey_facts
from tui.dialog import Question
from tui.hanging import Line

if TYPE_CHECKING:
    from engine.api import FolderOpened

WHERE_IT_GOES = "Nothing is written into the folder: the index is in your data folder."


def indexing_question(opened: FolderOpened) -> Question:
    """Ask whether the folder may be indexed, with what that would take."""
    survey = opened.survey
    assert survey is not None
    rows = {"folder": clean_line(opened.path)} | survey_facts(survey)
    reason = (clean_line(survey.reason or "it is new here"), "bold $text-warning")
    lines: list[Line] = [
        ("", Content.assemble("You are asked first because ", reason, ".")),
        ("", ""),
    ]
    lines += [(Content.styled(f"{name:<10}", "$quiet"), fact) for name, fact in rows.items()]
    lines += [("", ""), ("", Content.styled(WHERE_IT_GOES, "$quiet"))]
    return Question("Index this folder?", lines, "yes, index it", "no, quit", unasked=True)


def link_question(url: str) -> Question:
    """Ask whether a link from the model's text may be opened, showing all of it."""
    host = urlsplit(url).hostname or ""
    # A host in other letters is shown by their codes: look-alikes are an old trick.
    shown_host = Content.styled(host if host.isascii() else ascii(host), "bold")
    lines: list[Line] = [
        ("", "The model wrote this link. Nothing has checked it."),
        ("", ""),
        ("", Content.styled(clean_line(url), "$cite")),
        ("", ""),
        (Content.styled("host  ", "$quiet"), shown_host),
    ]
    return Question("Open this link in your browser?", lines, "open it", "leave it")


def may_be_opened(url: str) -> bool:
    """Whether ``url`` is a plain web address without hidden characters."""
    try:
        parts = urlsplit(url)
        hostname = parts.hostname
    except ValueError:
        return False
    plain = clean_line(url) == url and not any(character.isspace() for character in url)
    return plain and parts.scheme in ("http", "https") and bool(hostname)
