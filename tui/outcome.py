"""The lines around the model's text: what it is doing, and how its answer went."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textual.content import Content

from engine import figures
from engine.safe_text import clean, clean_line
from tui import hit_row
from tui.key_names import key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.errors import HoverkiteError
    from engine.wire import api, api_answer
    from engine.wire.api_conversations import Evidence
    from engine.wire.api_models import OfferedModel
    from engine.wire.api_search import Hit

DEMONSTRATION = "demonstration model · see hoverkite models"


def again() -> str:
    """Which key asks again, in words."""
    return f"{key_of('screen.again')} asks again"


def demonstration(llm: api.LlmState) -> Content:
    """What to expect of the embedded model; empty for any other."""
    return Content.styled(DEMONSTRATION, "italic $quiet") if llm.demonstration else Content()


def waiting(llm: api.LlmState, *, has_extracts: bool) -> Content:
    """What the model is doing before its first token."""
    if llm.on_purpose:
        return Content.styled(f"no model answers: {clean_line(llm.detail)}", "$quiet")
    if llm.state == "unavailable":
        return unavailable(llm)
    detail = clean_line(llm.detail)
    doing = {
        "off": "vLLM starts with this question",
        "starting": "vLLM is starting" + (f": {detail}" if detail else ""),
        "ready": "the model reads the hits …",
        "answering": "the model reads the hits …",
    }[llm.state]
    if has_extracts and llm.state in ("off", "starting"):
        doing += " · the extracts above need no model"
    return Content.styled(doing, "$quiet")


def unavailable(llm: api.LlmState) -> Content:
    """Why there is no answer from the model, and what to do about it."""
    return trouble("No answer model", clean(llm.detail), _with_key(clean(llm.next_step)))


def reading(prompt: api_answer.PromptMade) -> Content:
    """What the model was given."""
    shown = figures.counted(len(prompt.hits), "hit")
    return Content.styled(f"the model reads {shown} …", "$quiet")


def rewritten(words: str, by: str) -> Content:
    """What was searched for in place of the question."""
    why = {"words": " with the words of the question before", "person": " as you wrote it"}
    return Content.assemble(
        ("searched for ", "$quiet"),
        (f"“{clean_line(words)}”", "$foreground"),
        (why.get(by, ""), "$quiet"),
        (f"  {key_of('screen.rewrite')}", "bold $cite"),
        (" edits", "$quiet"),
    )


def not_found(searched: str, *, can_go_on: bool) -> Content:
    """That no passage is near enough to hold an answer, and the way on."""
    note = Content.styled("▲ Not found in your documents", "bold $text-warning")
    if searched:
        note += Content.styled(f"\nsearched: {clean_line(searched)}", "$quiet")
    if can_go_on:
        note += "\n" + offer("has the model answer anyway")
    return note


def offer(words: str) -> Content:
    """What one key does now."""
    return Content.assemble((key_of("screen.offer"), "bold $cite"), (f" {words}", "$quiet"))


def better_model(model: OfferedModel) -> str:
    """What one key offers while the demonstration model answers."""
    return f"takes a better model: {clean_line(model.name)}"


def without_documents() -> Content:
    """What an answer is worth that no document was read for."""
    words = "▲ without documents: nothing below comes from your folder, or was checked"
    return Content.styled(words, "$text-warning")


def stale(changed: Sequence[tuple[Hit, Evidence]], *, room: int) -> Content:
    """That what an answer stands on is no longer what it was; empty where it is."""
    if not changed:
        return Content()
    hit, evidence = changed[0]
    more = f" +{len(changed) - 1}" if len(changed) > 1 else ""
    gone = " gone" if more else " is gone"
    end = more + (gone if evidence.state == "gone" else "")
    left = (
        room - len("▲ stale:  · ") - len(end) - len(STALE_OFFER) - len(key_of("screen.offer")) - 1
    )
    name = clean_line(hit.path).rpartition("/")[2]
    name = hit_row.elide_middle(name, max(left, 6))
    return Content.assemble(
        (f"▲ stale: {name}{end}", "$text-warning"),
        (" · ", "$quiet"),
        offer(STALE_OFFER),
    )


STALE_OFFER = "asks again"


def title_facts(finished: api_answer.AnswerFinished) -> list[str]:
    """The pace of the answer, for the pane's title."""
    if not finished.completion_tokens:
        return []
    facts = [f"{finished.ttft_ms / 1000:.1f}{figures.GAP}s to first token"]
    if finished.tokens_per_s:
        facts.append(f"{finished.tokens_per_s:.0f}{figures.GAP}t/s")
    return facts


def finished(event: api_answer.AnswerFinished) -> Content:
    """The last lines of an answer that the model ended; its pace is in the pane's title."""
    tokens = figures.counted(event.completion_tokens, "token")
    if event.finish_reason == "length":
        end = Content.styled(
            "▲ cut off at its length limit (finish reason: length)", "$text-warning"
        )
    else:
        end = Content.styled(f"finished: {clean_line(event.finish_reason)}", "$quiet")
    lines = []
    if any(not citation.supported for citation in event.citations):
        lines.append(unsupported())
    has_run = event.completion_tokens or event.finish_reason == "stop"  # a kept one has no count
    if has_run and not event.answer.strip():
        lines.append(Content.styled("▲ the model wrote nothing", "$text-warning"))
    if event.completion_tokens or event.finish_reason == "length":
        lines.append(Content.styled(f"{tokens} · ", "$quiet") + end)
    if event.sources:
        sources = "  ".join(clean_line(source) for source in event.sources)
        lines.append(Content.assemble(("shown to the model  ", "$quiet"), (sources, "$cite")))
    return Content("\n").join(lines)


def unsupported() -> Content:
    """What the mark of a sentence means that no passage supports."""
    return Content.assemble(("[?]", "$text-warning"), (" not found in the passages", "$quiet"))


def is_partly_read(status: api.FolderStatus) -> bool:
    """Whether the folder is being read for the first time."""
    return status.state == "indexing" and status.files < status.progress.files_total


def partly_read(status: api.FolderStatus) -> Content:
    """How much of the folder can be found while it is read for the first time; else empty."""
    if not is_partly_read(status):
        return Content()
    left = status.progress.files_total - status.progress.files_done
    read, files = figures.count(status.files), figures.count(status.files + left)
    return Content.styled(f"from {read} of {files} files · {again()}", "$quiet")


def stopped(*, has_text: bool) -> Content:
    """The last line of an answer that a person stopped."""
    where = " here by you" if has_text else " by you before the first token"
    return Content.assemble(("■ stopped", "bold $text-warning"), (where, "$quiet"))


def interrupted(problem: api.Problem | HoverkiteError, *, has_text: bool) -> Content:
    """The last lines of an answer that broke off, or of one that never began."""
    detail = problem.detail if hasattr(problem, "detail") else str(problem)
    title = clean_line(problem.title)
    title = f"Interrupted: {title}" if has_text else title
    return trouble(title, clean(detail), _with_key(clean(problem.next_step)))


def broken_off(failed: api_answer.AnswerFailed | api_answer.AnswerFinished | None) -> Content:
    """The last lines of an answer from before that has no end."""
    if failed is not None and failed.type == "failed":
        return interrupted(failed.problem, has_text=bool(failed.answer))
    return Content.assemble(("■ interrupted", "bold $text-warning"), (" · " + again(), "$quiet"))


def _with_key(next_step: str) -> str:
    """``next_step`` with the key that asks again, where it says to ask or try again."""
    named = re.sub(r"^(Ask|Try) again\b", lambda _: again(), next_step)
    if named == next_step and re.search(r"\b(ask|try) again\b", next_step):
        named += f" · {again()}"
    return named


def trouble(title: str, detail: str, next_step: str) -> Content:
    """A fault in three parts: what it is, what happened, what to do next."""
    lines = [Content.styled(f"✕ {title}", "bold $text-error")]
    if detail:
        lines.append(Content.styled(detail, "$foreground"))
    if next_step:
        lines.append(Content.assemble(("→ ", "$cite"), (next_step, "$quiet")))
    return Content("\n").join(lines)
