"""The commands. stdout is data, stderr is narration; status 0, 1 (nothing or failed), 2 (usage).

Nothing heavy is imported before a command needs it: the screen's first frame waits for this file.
"""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine import arguments
from engine.arguments import OPEN
from engine.errors import HoverkiteError, UsageError
from engine.quick_start import spare_imports

OpenScreen = Callable[[Path, dict[str, Any], bool], int]
"""Opens the screen on a folder with settings given as flags and a yes given beforehand."""


def main(argv: Sequence[str], open_screen: OpenScreen) -> int:
    """Run the command line ``argv`` (without the program's name) and return the exit status."""
    spare_imports()
    # Logging prints what has no handler, and no library may write to this terminal. asyncio
    # speaks up when anyio 4 is cancelled in the turn in which its socket becomes readable.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        options = arguments.parse(list(argv))
        flags = arguments.settings_of(options)
        if options.command == OPEN:
            return _open(options, flags, open_screen)
        return _run(options, flags)
    except UsageError as error:
        return _complain(error, 2)
    except HoverkiteError as error:
        return _complain(error, 1)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has enough, as in ``| head``. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _open(options: argparse.Namespace, flags: dict[str, Any], open_screen: OpenScreen) -> int:
    folder = _existing_folder(options.docs)
    if not has_terminal():
        raise UsageError(
            "the screen needs a terminal",
            "Without one: hoverkite search DOCS QUERY, or hoverkite ask DOCS QUESTION",
        )
    return open_screen(folder, flags, options.yes)


def _run(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    import asyncio

    from engine import commands

    if options.command not in ("stop", "status") or options.docs:
        _existing_folder(options.docs)
    return asyncio.run(commands.run(options, flags))


def _existing_folder(docs: str | None) -> Path:
    """Return the folder a command names, without asking the engine.

    Raises:
        FolderError: it does not exist, is a file, or can't be read.
    """
    from engine.folders import resolve

    return resolve(docs or ".")


def has_terminal() -> bool:
    """True where a screen could be seen and typed at; Textual draws on standard error."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _complain(error: HoverkiteError, status: int) -> int:
    from engine.safe_text import clean_line

    for line in (f"hoverkite: {error}", error.next_step):
        print(clean_line(line), file=sys.stderr)
    return status
