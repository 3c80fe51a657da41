"""What the panes say while they have nothing to show: each teaches what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine import figures
from engine.front.survey_text import survey_facts
from engine.safe_text import clean, clean_line
from tui import hit_row, outcome, status_bar
from tui.key_names import key_of

if TYPE_CHECKING:
    from engine.errors import HoverkiteError
    from engine.wire.api import FolderStatus, FolderSurvey
    from engine.wire.api_search import SearchReply

LONGEST_WORDS = 40
"""Cells of what was typed into the filter that are repeated."""

WORTH_TELLING = 60.0
"""Seconds: a first indexing that takes longer has its cost told beforehand."""

_KEYS = (
    ("query.ask", "ask"),
    ("query.new_line", "begin a new line"),
    ("screen.next", "go to the next pane"),
    ("1 … 9", "show the hit of that number"),
    ("screen.edit", "open the hit in your editor"),
    ("results.pin", "pin a hit: the model is shown it"),
    ("screen.new", "begin a new conversation"),
    ("'text", "find lines; /…/ a pattern"),
    ("path:a/b/", "ask those files only"),
    ("screen.help", "all keys, and the filters"),
)
"""Ids of bindings, or what to type, and what that does."""


def answer_note() -> Content:
    """How asking works."""
    note = Content.assemble(
        ("Ask a question about your documents.\n\n", "bold"),
        ("Extracts come first: sentences quoted word for word, each with the ", "$quiet"),
        ("number of its hit. The model's text streams below them.\n\n", "$quiet"),
    )
    for name, words in _KEYS:
        key = key_of(name, in_query=True) or name
        note += Content.assemble((f"{key:<11}", "bold $cite"), (f"{words}\n", "$quiet"))
    return note


def starting_note() -> Content:
    """What to do while the engine starts."""
    return Content.assemble(
        ("The engine is starting.\n\n", "bold"),
        ("Type already: your question is asked as soon as the engine is up.", "$quiet"),
    )


def agreement_note(*, given: bool) -> Content:
    """That nothing happens before a person agrees, or that the folder is being opened then."""
    if not given:
        return Content.assemble(
            ("The folder waits for your yes.\n\n", "bold"),
            ("Nothing of it is read before.", "$quiet"),
        )
    return Content.assemble(
        ("The folder is being opened.\n\n", "bold"),
        ("Type already: your question is asked as soon as it is open.", "$quiet"),
    )


def results_note(status: FolderStatus | None, survey: FolderSurvey | None = None) -> Content:
    """What the results will be, or how far indexing has come and what it takes."""
    if status is not None and status_bar.is_paused(status):
        return Content.assemble(
            ("Indexing is paused.\n\n", "bold"),
            (f"What was read is found. {key_of('screen.pause')} lets it go on.", "$quiet"),
        )
    if status is not None and status.state in ("indexing", "loading"):
        done, total = status.progress.files_done, status.progress.files_total
        progress = f"{figures.count(done)} of {figures.count(total)} files are read.\n\n"
        return Content.assemble(
            ("The folder is being indexed.\n", "bold"),
            (progress if total else "\n", "$quiet"),
            ("You can ask already: what is read is found.", "$quiet"),
            (_cost(survey) if survey and survey.seconds >= WORTH_TELLING else "", "$quiet"),
        )
    if status is not None and status.state in ("failed", "missing"):
        return Content.assemble(
            (f"The folder is {status.state}.\n\n", "bold $text-warning"),
            (f"{clean(status.detail)}\n" if status.detail else "", "$quiet"),
            (
                f"→ {key_of('screen.again')} tries again; {key_of('screen.problems')} tells",
                "$quiet",
            ),
            (" what can be done.", "$quiet"),
        )
    if status is not None and not status.files:
        return Content.assemble(
            ("There is nothing to read in this folder.\n\n", "bold"),
            (
                "Markdown, text, HTML, PDF and source files are found as soon as they appear.",
                "$quiet",
            ),
        )
    return Content.assemble(
        ("Hits appear here, best first.\n\n", "bold"),
        ("rank  a bar  the distance  where it stands\n", "$quiet"),
        ("For these distances larger is closer.\n", "$quiet"),
        ("~ found by its meaning  = by its words", "$quiet"),
    )


def nothing_found_note(reply: SearchReply) -> Content:
    """That there are no hits, and what the search has to say to it."""
    advice = "\n".join(map(clean, reply.notices)) or "Try other words."
    return Content(f"Nothing was found.\n\n{advice}")


def none_left_note(words: str, *, of: str, key: str) -> Content:
    """That the filter leaves none of the rows, which are ``of`` a kind, and what ends it."""
    shown = hit_row.elide_end(clean_line(words.strip()), LONGEST_WORDS)
    return Content.assemble(
        (f"no {of} here holds “{shown}” · ", "$quiet"),
        (key, "bold $cite"),
        (" shows all", "$quiet"),
    )


def fault_note(error: HoverkiteError) -> Content:
    """Why what is typed can't be searched yet."""
    return Content.styled(f"{clean(str(error))}\n→ {clean(error.next_step)}", "$quiet")


def lines_note() -> Content:
    """What stands in place of an answer beside the lines of an exact search."""
    return Content.assemble(
        ("Lines that match, in the results.\n\n", "bold"),
        ("An exact search, 'text or /pattern/, asks no model. ", "$quiet"),
        ("Leave the first sign out to ask a question.", "$quiet"),
    )


def _cost(survey: FolderSurvey) -> str:
    """What a first indexing takes, and that it need not be all at once."""
    facts = survey_facts(survey)
    facts.pop("left out", None)
    cost = "\n".join(f"{label:<9} {fact}" for label, fact in facts.items())
    return f"\n\n{cost}\n\n{key_of('screen.pause')} pauses it; what is done is kept."


def searching_note(status: FolderStatus | None, *, engine_up: bool) -> Content:
    """What happens after Enter, until there are hits."""
    if engine_up and status is not None and status.state == "indexing" and not status.chunks:
        return Content.assemble(
            ("Reading your documents.\n\n", "bold"),
            ("The first hits come as soon as there is something to search.", "$quiet"),
        )
    if engine_up:
        return Content.styled("searching …", "$quiet")
    return Content.assemble(
        ("The engine is still starting.\n\n", "bold"),
        ("Your question is asked as soon as it is up.", "$quiet"),
    )


def failure_note(error: HoverkiteError) -> Content:
    """Why the engine can't be used, and the way out."""
    note = outcome.trouble(clean(error.title), clean(str(error)), clean(error.next_step))
    return note + Content.assemble(
        "\n\n", (key_of("screen.again"), "bold $cite"), (" tries again", "$quiet")
    )
