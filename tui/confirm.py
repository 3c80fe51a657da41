"""The questions a person is asked: before a large folder is indexed, before a link opens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast
from urllib.parse import urlsplit

from textual.binding import BindingType
from textual.content import Content

from engine import figures, paths
from engine.front.survey_text import left_out, survey_facts
from engine.safe_text import clean_line
from tui.dialog import Page, Question, named_keys
from tui.hanging import Line
from tui.page_keys import INDEXING_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.config import Settings
    from engine.wire.api import FolderOpened, FolderSurvey
    from engine.wire.api_conversations import ConversationSummary
    from engine.wire.api_models import OfferedModel
    from tui.app import HoverkiteApp

WHERE_IT_GOES = "Nothing is written into the folder, and nothing of it leaves this machine."
WITH_A_SERVER = (
    "Nothing is written into the folder. What is found goes to the server of the answers."
)


def indexing_question(opened: FolderOpened, settings: Settings | None) -> IndexingQuestion:
    """Ask whether the folder may be indexed, with what that would take and what would do it."""
    survey = opened.survey
    assert survey is not None
    rows = {"folder": clean_line(paths.from_home(opened.path))} | survey_facts(survey)
    size = f"about {figures.size(survey.kept_bytes)} in " if survey.kept_bytes else ""
    place = clean_line(paths.from_home(str(paths.index_dir(Path(opened.path)))))
    rows["index"] = f"{size}{place}"
    where_it_goes = WHERE_IT_GOES
    if settings is not None:
        rows["encoder"] = clean_line(settings.embedding_model)
        rows["answers"] = _who_answers(settings)
        where_it_goes = WITH_A_SERVER if settings.llm_url else WHERE_IT_GOES
    reason = (clean_line(survey.reason or "it is new here"), "bold $text-warning")
    lines: list[Line] = [
        ("", Content.assemble("You are asked first because ", reason, ".")),
        ("", ""),
    ]
    lines += [(Content.styled(f"{name:<10}", "$quiet"), fact) for name, fact in rows.items()]
    lines += [("", ""), ("", Content.styled(where_it_goes, "$quiet"))]
    return IndexingQuestion(lines, survey)


class IndexingQuestion(Question):
    """Asks before a folder is indexed; what is left out of it can be looked at."""

    BINDINGS: ClassVar[list[BindingType]] = INDEXING_KEYS

    def __init__(self, lines: Sequence[Line], survey: FolderSurvey) -> None:
        super().__init__("Index this folder?", lines, "yes, index it", "no", unasked=True)
        self._survey = survey
        keys = {"indexing.yes": "index it", "question.no": "no"}
        keys |= {"indexing.left_out": "left out"} if survey.left_out else {}
        self._keys = named_keys(keys, in_query=True)

    def on_mount(self) -> None:
        """Take no letter for an answer while a question is being typed."""
        typed = cast("HoverkiteApp", self.app).main.query_pane.input.text
        self.is_typed_over = bool(typed.strip())

    def action_left_out(self) -> None:
        """Show what is not read, and why."""
        if self._survey.left_out:
            self.app.push_screen(left_out_page(self._survey))


def left_out_page(survey: FolderSurvey) -> Page:
    """A page with what of a folder is not read: every path that the survey names, and why."""
    every = left_out(survey.ignored, survey.unread)
    lines: list[Line] = [("", Content.styled(every, "bold")), ("", "")] if every else []
    for skipped in survey.left_out:
        reason = Content.styled(f"  {clean_line(skipped.reason)}", "$quiet")
        lines.append(("", Content.assemble(clean_line(skipped.path), reason)))
    return Page("left out", lines)


def _who_answers(settings: Settings) -> str:
    if settings.llm_url:
        model = f"{settings.llm_model} at " if settings.llm_model else ""
        return clean_line(f"{model}{settings.llm_url}")
    return clean_line(settings.llm_model) or "the embedded model, a demonstration"


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


def dropping_question(later: int) -> Question:
    """Ask whether a turn may be asked again, though that ends the conversation after it."""
    turns = "The turn after it is" if later == 1 else f"The {later} turns after it are"
    lines: list[Line] = [("", f"{turns} dropped: the conversation goes on from here.")]
    return Question("Ask this one again?", lines, "ask it again", "leave it")


def deletion_question(kept: ConversationSummary) -> Question:
    """Ask whether a kept conversation may be deleted."""
    lines: list[Line] = [
        ("", Content.styled(clean_line(kept.title), "bold")),
        (
            "",
            Content.styled(
                f"{figures.counted(kept.turns, 'turn')}, last {kept.last[:10]}", "$quiet"
            ),
        ),
        ("", ""),
        ("", "It can't be brought back."),
    ]
    return Question("Delete this conversation?", lines, "delete it", "keep it")


def model_question(model: OfferedModel) -> Question:
    """Ask whether a better model shall answer from now on, with what that takes."""
    takes = figures.size(model.download_bytes) if model.download_bytes else "nothing"
    lines: list[Line] = [
        ("", Content.styled(clean_line(model.name), "bold $cite")),
        ("", Content.styled(clean_line(model.detail), "$quiet")),
        ("", ""),
        (Content.styled("to fetch  ", "$quiet"), takes),
        (Content.styled("kept      ", "$quiet"), "in your config file, until you change it there"),
    ]
    return Question("Let this model answer from now on?", lines, "use it", "leave it")


def may_be_opened(url: str) -> bool:
    """Whether ``url`` is a plain web address without hidden characters."""
    try:
        parts = urlsplit(url)
        hostname = parts.hostname
    except ValueError:
        return False
    plain = clean_line(url) == url and not any(character.isspace() for character in url)
    return plain and parts.scheme in ("http", "https") and bool(hostname)
