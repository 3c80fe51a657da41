"""The report page: everything known about the folder, and what is not in the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine import figures
from engine.front.survey_text import left_out
from engine.safe_text import clean_line
from tui.dialog import Page
from tui.hanging import Line

if TYPE_CHECKING:
    from engine.wire.api import FolderStatus

NAME_CELLS = 14


def report_page(status: FolderStatus) -> Page:
    """A page that tells ``status`` in full."""
    rows = [*_folder_rows(status), *_model_rows(status)]
    lines: list[Line] = [
        (Content.styled(f"{name:<{NAME_CELLS}}", "$quiet"), value) for name, value in rows if value
    ]
    if status.skipped_total:
        lines += [("", ""), ("", Content.styled("Skipped files", "bold $heading"))]
        for skipped in status.skipped:
            reason = (f"  {clean_line(skipped.reason)}", "$quiet")
            lines.append(("", Content.assemble(clean_line(skipped.path), reason)))
        more = status.skipped_total - len(status.skipped)
        if more > 0:
            lines.append(("", Content.styled(f"and {figures.count(more)} more", "$quiet")))
    return Page("folder", lines)


def _folder_rows(status: FolderStatus) -> list[tuple[str, str]]:
    edit = (
        ""
        if status.last_edit_ms is None
        else f"searchable in {figures.seconds(status.last_edit_ms / 1000)}"
    )
    detail = f": {clean_line(status.detail)}" if status.detail else ""
    return [
        ("folder", clean_line(status.docs)),
        ("state", f"{status.state}{detail}"),
        ("files", figures.count(status.files)),
        ("chunks", figures.count(status.chunks)),
        ("on the way", figures.count(status.pending) if status.pending else ""),
        ("left out", left_out(status.ignored, status.unread)),
        ("last edit", edit),
    ]


def _model_rows(status: FolderStatus) -> list[tuple[str, str]]:
    encoder, llm = status.embedding, status.llm
    dimension = f", {encoder.dimension} dimensions" if encoder.dimension else ""
    pids = [
        f"{name} {pid}"
        for name, pid in (
            ("engine", status.pids.engine),
            ("Milvus", status.pids.milvus),
            ("vLLM", status.pids.vllm),
        )
        if pid is not None
    ]
    llm_detail = f": {clean_line(llm.detail)}" if llm.detail else ""
    return [
        ("encoder", f"{clean_line(encoder.model)} on {clean_line(encoder.device)}{dimension}"),
        ("answer model", f"{clean_line(llm.model)} ({llm.state}{llm_detail})"),
        ("what to do", clean_line(llm.next_step)),
        ("processes", ", ".join(pids)),
    ]
