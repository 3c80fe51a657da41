"""vLLM's log: kept short, and read for why vLLM ended, in a person's words."""

import contextlib
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

from engine.errors import ModelError
from engine.safe_text import clean_line

TAIL_BYTES = 64 * 1024
LONGEST_REASON = 300
LOG_BYTES = 5_000_000
"""A larger log is cut down to its last part."""
LOGS_KEPT = 5
"""Each way of running vLLM has a log; those written longest ago are removed."""

LINES_TOLD = 5
"""How many of the log's last lines a person is shown."""
LONGEST_LINE = 160

_PREFIX = re.compile(r"^(\(\w+ pid=\d+\) )?((ERROR|INFO|WARNING) [\d-]+ [\d:]+ \[[^\]]*\] ?)?")
_LOGGED = re.compile(r"^(\(\w+ pid=\d+\) )?(ERROR|INFO|WARNING) [\d-]+ [\d:]+ \[")
_MAY_QUOTE = re.compile(r"prompt|message|content|token_ids|received request|body|input", re.I)
"""Lines that may repeat what was asked, and with it text of documents."""
_ADDRESS = re.compile(r"Route: |Available routes")
"""Lines that list the server's addresses: dozens at its start, which tell nothing."""
_EXCEPTION = re.compile(r"^(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Interrupt)\b: \S")
_SECONDARY = ("Engine core initialization failed", "WorkerProc initialization failed")
_NO_MEMORY = re.compile(r"out of memory|cannot allocate memory|MemoryError|Errno 12\b", re.I)


class EndedError(ModelError):
    """vLLM ended although it was wanted."""

    last_lines: Sequence[str] = ()
    """The log's last lines, without what may stand in documents."""


def reason_in(log: Path, status: int | None) -> EndedError:
    """Return why vLLM ended with ``status`` (negative: by that signal; None: not known)."""
    reason = _reason(log, status)
    reason.last_lines = last_lines(log)
    return reason


def last_lines(log: Path) -> list[str]:
    """Return the last lines that tell of vLLM itself; none that may repeat what was asked."""
    told = [
        clean_line(_PREFIX.sub("", line).strip())[:LONGEST_LINE]
        for line in _raw_lines(log)
        if _LOGGED.match(line) or _EXCEPTION.match(_PREFIX.sub("", line))
    ]
    told = [line for line in told if line and not _ADDRESS.match(line)]
    return [line for line in told if not _MAY_QUOTE.search(line)][-LINES_TOLD:]


def _reason(log: Path, status: int | None) -> EndedError:
    lines = _last_lines(log)
    if status == -signal.SIGKILL or any(_NO_MEMORY.search(line) for line in lines):
        return EndedError(
            "vLLM ended, most likely because the memory ran out",
            "Close other programs and ask again, choose a smaller llm_model, or set llm_url",
        )
    causes = [line for line in lines if _EXCEPTION.match(line)]
    if not causes and status in (None, 0, -signal.SIGTERM):
        return EndedError("vLLM was stopped from outside", "Ask again: it is started anew")
    causes = [line for line in causes if not any(known in line for known in _SECONDARY)] or causes
    harmless = [line for line in lines if not _MAY_QUOTE.search(line)]
    said = (causes or harmless or ["it said nothing"])[-1]
    return EndedError(f"vLLM ended: {said[:LONGEST_REASON]}", f"See {log}")


def _last_lines(log: Path) -> list[str]:
    lines = (_PREFIX.sub("", line).strip() for line in _raw_lines(log))
    return [clean_line(line) for line in lines if line]


def _raw_lines(log: Path) -> list[str]:
    try:
        with log.open("rb") as written:
            size = written.seek(0, 2)
            written.seek(max(0, size - TAIL_BYTES))
            text = written.read().decode("utf-8", "replace")
    except OSError:
        return []
    return text.splitlines()


def keep_short(log: Path, most: int = LOG_BYTES) -> None:
    """Cut ``log`` down to its last part if it is larger than ``most`` bytes.

    Whoever writes to it appends, and goes on after what is left; what is written in the very moment
    may be lost.
    """
    with contextlib.suppress(OSError), log.open("rb") as written:
        size = written.seek(0, os.SEEK_END)
        if size <= most:
            return
        written.seek(size - min(TAIL_BYTES, most // 2))
        written.readline()  # it begins in the middle
        tail = written.read()
        os.truncate(log, 0)
        with log.open("ab") as short:
            short.write(tail)


def drop_old(folder: Path, keep: int = LOGS_KEPT) -> None:
    """Remove the logs of vLLM in ``folder`` but those written last."""
    with contextlib.suppress(OSError):
        logs = sorted(folder.glob("vllm-*.log"), key=lambda log: log.lstat().st_mtime)
        for log in logs[:-keep]:
            log.unlink()
