"""The questions a person is asked: before a large folder is indexed, before a link opens."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from textual.content import Content

from engine.safe_text import clean_line
from tui import figures
from tui.dialog import Question

if TYPE_CHECKING:
    from engine.api import FolderOpened


def indexing_question(opened: FolderOpened) -> Question:
    """Ask whether the folder may be indexed, with what that would take."""
    survey = opened.survey
    assert survey is not None
    rows = [
        ("folder", clean_line(opened.path)),
        ("files", figures.count(survey.files)),
        ("size", figures.size(survey.bytes)),
        ("time", f"about {figures.seconds(survey.seconds)}"),
        ("left out", f"{figures.count(survey.ignored)} files by the ignore rules"),
    ]
    rows += [
        ("not read", figures.counted(number, f"{clean_line(kind)} file"))
        for kind, number in sorted(survey.unread.items())
    ]
    body = Content("Before hoverkite indexes this folder: ")
    body = body.append_text(clean_line(survey.reason or "it is new"), "bold $text-warning")
    body = body.append_text(".\n\n")
    for name, value in rows:
        body += Content.assemble((f"{name:<10}", "$quiet"), value, "\n")
    body = body.append_text(
        "\nNothing leaves this machine, and nothing is written into the folder.", "$quiet"
    )
    return Question("Index this folder?", body, "yes, index it", "no, quit")


def link_question(url: str) -> Question:
    """Ask whether a link from the model's text may be opened, showing all of it."""
    host = urlsplit(url).hostname or ""
    body = Content.assemble(
        "The model wrote this link. Nothing has checked it.\n\n",
        (clean_line(url), "$cite"),
        "\n\n",
        ("host  ", "$quiet"),
        # A host in other letters is shown by their codes: look-alikes are an old trick.
        (host if host.isascii() else ascii(host), "bold"),
    )
    return Question("Open this link in your browser?", body, "open it", "leave it")


def may_be_opened(url: str) -> bool:
    """Whether ``url`` is a plain web address without hidden characters."""
    try:
        parts = urlsplit(url)
        hostname = parts.hostname
    except ValueError:
        return False
    plain = clean_line(url) == url and not any(character.isspace() for character in url)
    return plain and parts.scheme in ("http", "https") and bool(hostname)
