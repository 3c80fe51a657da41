"""Opening a hit in the person's editor, at its line."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from engine.errors import FileGoneError, FolderError, UsageError
from engine.safe_text import clean_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.wire.api_search import Place

LAST_RESORT = "vi"
BEGINNING = 8192
"""Bytes of a file of unknown kind that tell whether it is text."""

_GO_TO = {
    *("code", "code-insiders", "code-oss", "codium", "vscodium", "cursor", "windsurf"),
}
"""Windows that take ``--goto PATH:LINE``."""
_WINDOW_COLON_LINE = {"subl", "sublime_text", "zed", "zeditor", "lapce"}
"""Windows that take ``PATH:LINE``."""
_LINE_OPTION = {
    *("kate", "kwrite", "mousepad", "mate"),
    *("idea", "pycharm", "goland", "webstorm", "clion", "rubymine", "phpstorm", "rustrover"),
}
"""Windows that take ``--line LINE PATH``."""
_WINDOW_PLUS_LINE = {"gedit", "gvim", "mvim", "xed", "pluma", "geany"}
"""Windows that take ``+LINE PATH``, as most editors in a terminal do."""
_PATH_COLON_LINE = {"hx", "helix"}
_PLUS_LINE = {
    *("vi", "vim", "nvim", "view", "ex", "nano", "pico", "emacs", "emacsclient", "micro"),
    *("kak", "kakoune", "joe", "jed", "mg", "ne", "less", "nvi", "elvis", "vis", "amp"),
}
_WINDOWS = _GO_TO | _WINDOW_COLON_LINE | _LINE_OPTION | _WINDOW_PLUS_LINE
_IN_TERMINAL = {"-v", "-e", "-E"}
"""Options with which gvim is the vim of the terminal."""


def chosen_editor(setting: str, environment: Mapping[str, str]) -> str:
    """The editor's command line: the setting, ``$VISUAL``, ``$EDITOR``, ``vi``."""
    for choice in (setting, environment.get("VISUAL", ""), environment.get("EDITOR", "")):
        if choice.strip():
            return choice
    return LAST_RESORT


def command_for(editor: str, path: str, line: int) -> list[str]:
    """The command that opens ``path``, an absolute path, at ``line``.

    Raises:
        UsageError: the editor's command line cannot be split into words.
    """
    try:
        words = shlex.split(editor)
    except ValueError as error:
        raise UsageError(
            f"The editor's command is not complete: {clean_line(editor)} ({error})",
            "Correct the setting editor, $VISUAL or $EDITOR",
        ) from error
    name = _name(words)
    if name in _GO_TO:
        return [*words, "--goto", f"{path}:{line}"]
    if name in _WINDOW_COLON_LINE | _PATH_COLON_LINE:
        return [*words, f"{path}:{line}"]
    if name in _LINE_OPTION:
        return [*words, "--line", str(line), path]
    if name in _PLUS_LINE | _WINDOW_PLUS_LINE:
        return [*words, f"+{line}", path]
    return [*words, path]


def has_window(command: list[str]) -> bool:
    """Whether an editor opens a window of its own, and needs no terminal.

    Emacs does or does not, as it was built and as the desktop is: it is given the terminal.
    """
    return _name(command) in _WINDOWS and not (
        _name(command) == "gvim" and _IN_TERMINAL.intersection(command)
    )


def _name(words: list[str]) -> str:
    return Path(words[0]).name.removesuffix(".exe").removesuffix(".sh")


def edits(path: Path) -> bool:
    """Whether an editor shows the text of a file: not that of a PDF or a Word file.

    Files of other kinds, which a command of one's own reads, show it by their beginning.
    """
    from engine.files.kinds import RICH, FileKind, kind_of

    found = kind_of(path.name)
    if isinstance(found, FileKind):
        return found.kind not in RICH
    try:
        with path.open("rb") as file:
            return b"\0" not in file.read(BEGINNING)
    except OSError:
        return True  # the editor tells what is wrong with it


def place_of(path: str, quoted_path: str | None, line: int = 1) -> Place:
    """The place of a line in a file."""
    from engine.wire.api_search import Place

    return Place(
        path=path,
        quoted_path=quoted_path,
        start_line=line,
        end_line=line,
    )


def file_of(folder: Path, hit: Place) -> Path:
    """The file ``hit`` stands in, also when its name is not valid UTF-8.

    Raises:
        FileGoneError: the file is no longer there.
        FolderError: nor is the whole folder.
    """
    name = hit.path if hit.quoted_path is None else os.fsdecode(unquote_to_bytes(hit.quoted_path))
    path = folder / name
    if not os.path.isfile(path):  # noqa: PTH113  pathlib's raises for a folder that is closed
        if _holds_nothing(folder):
            raise FolderError(
                f"{clean_line(str(folder))} is gone, empty or closed to you",
                "Its hits can be opened once their files are back",
            )
        raise FileGoneError(f"{clean_line(hit.path)} is not there any more")
    return path


def _holds_nothing(folder: Path) -> bool:
    try:
        with os.scandir(folder) as listing:
            return next(listing, None) is None
    except OSError:
        return True


def run(command: list[str]) -> int:
    """Run the editor on this terminal, wait for it and return its exit status.

    The keys that interrupt, ctrl+c and ctrl+\\, reach the editor alone meanwhile.

    Raises:
        UsageError: the editor can't be started.
    """
    try:
        with _interrupts_left_alone():
            return subprocess.run(command, check=False).returncode
    except OSError as error:
        raise not_started(command, error) from error


def not_started(command: list[str], error: OSError) -> UsageError:
    """That an editor can't be started, and what to do about it."""
    return UsageError(
        f"{clean_line(command[0])} can't be started: {error.strerror}",
        'Set the setting editor, or $EDITOR, to a command such as "nvim" or "code"',
    )


def ending(command: list[str], status: int) -> str:
    """How an editor that did not end well ended, in words."""
    how = f"with status {status}" if status > 0 else f"by {signal.Signals(-status).name}"
    return f"{clean_line(command[0])} ended {how}"


@contextmanager
def _interrupts_left_alone() -> Iterator[None]:
    """Let this process, unlike what it starts, take no notice of the keys that interrupt."""
    # A function, not SIG_IGN: what is ignored stays ignored in the programs that are started.
    before = {
        number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGQUIT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
