"""The commands. stdout is data, stderr is narration; status 0, 1 (nothing or failed), 2 (usage).

Nothing heavy is imported before a command needs it: the screen's first frame waits for this file.
"""

import argparse
import codecs
import errno
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.errors import HoverkiteError, UsageError
from engine.front import arguments
from engine.front.arguments import CHAT, OPEN
from engine.quick_start import spare_imports

OpenScreen = Callable[[Sequence[Path], dict[str, Any], bool], int]
"""Opens the screen on folders with settings given as flags and a yes given beforehand."""
WITHOUT_FOLDER = ("stop", "status", "doctor", "models")
"""Commands that may come without one; ``forget`` may name one that is gone."""
OUTPUT_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
"""What writing to a place that takes no more fails with; the error names no file then."""


def main(argv: Sequence[str], open_screen: OpenScreen) -> int:
    """Run the command line ``argv`` (without the program's name) and return the exit status."""
    spare_imports()
    # Logging prints what has no handler, and no library may write to this terminal. asyncio
    # speaks up when anyio 4 is cancelled in the turn in which its socket becomes readable.
    logging.getLogger().addHandler(logging.NullHandler())
    _escape_what_stdout_cannot_write()
    try:
        try:
            return _obey(argv, open_screen)
        finally:
            _flush_stdout()
    except UsageError as error:
        return _complain(error, 2)
    except HoverkiteError as error:
        return _complain(error, 1)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has enough, as in ``| head``.
        _give_up_stdout()
        return 0
    except OSError as error:
        if error.filename or error.errno not in OUTPUT_FAULTS:
            raise
        _give_up_stdout()
        print(f"hoverkite: the output could not be written: {error.strerror}", file=sys.stderr)
        return 1


def _obey(argv: Sequence[str], open_screen: OpenScreen) -> int:
    options = arguments.parse(list(argv))
    flags = arguments.settings_of(options)
    if options.command == OPEN:
        return _open(options, flags, open_screen)
    return _run(options, flags)


def _escape_what_stdout_cannot_write() -> None:
    """Let what is not in the encoding of stdout appear as in JSON, where it stays readable."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        codecs.register_error("json", _as_in_json)
        sys.stdout.reconfigure(errors="json")


def _as_in_json(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    import json

    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _flush_stdout() -> None:
    if sys.stdout:  # None where it was closed, as in ``>&-``
        sys.stdout.flush()


def _give_up_stdout() -> None:
    """Drop what is left of the output: Python would complain once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open(options: argparse.Namespace, flags: dict[str, Any], open_screen: OpenScreen) -> int:
    folders = dict.fromkeys(map(_existing_folder, [options.docs, *options.others]))
    if not has_terminal():
        raise UsageError(
            "the screen needs a terminal",
            "Without one: hoverkite search DOCS QUERY, or hoverkite ask DOCS QUESTION",
        )
    return open_screen([*folders], flags, options.yes)


def _run(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    import asyncio

    from engine.front import commands

    if options.command != "forget" and (options.command not in WITHOUT_FOLDER or options.docs):
        _existing_folder(options.docs)
    if options.command == CHAT:  # its input is read outside an event loop
        from engine.front import commands_chat

        return commands_chat.run(options, flags)
    return asyncio.run(commands.run(options, flags))


def _existing_folder(docs: str | None) -> Path:
    """Return the folder a command names, without asking the engine.

    Raises:
        FolderError: it does not exist, is a file, or can't be read.
    """
    from engine.server.folders import resolve

    return resolve(docs or ".")


def has_terminal() -> bool:
    """True where a screen could be seen and typed at; Textual draws on standard error."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _complain(error: HoverkiteError, status: int) -> int:
    from engine.safe_text import clean_line

    for line in (f"hoverkite: {error}", error.next_step):
        print(clean_line(line), file=sys.stderr)
    return status
