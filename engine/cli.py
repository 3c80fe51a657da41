"""The commands. stdout is data, stderr is narration; status 0, 1 (nothing or failed), 2 (usage).

Nothing heavy is imported before a command needs it: the screen's first frame waits for this file.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from engine import __version__
from engine.errors import HoverkiteError, UsageError
from engine.quick_start import spare_imports

OpenScreen = Callable[[Path, dict[str, Any], bool], int]
"""Opens the screen on a folder with settings given as flags and a yes given beforehand."""

EPILOG = """\
commands:
  hoverkite [DOCS]                open the screen on a folder (default: this one)
  hoverkite search DOCS QUERY     print the chunks nearest to QUERY with their distances
  hoverkite ask DOCS QUESTION     print extracts, the model's answer and its sources
  hoverkite index DOCS            bring the index up to date, once
  hoverkite status [DOCS]         show what is indexed and what runs
  hoverkite stop                  stop the engine and the answer model

A folder named like a command: ./search
"""

COMMANDS = ("search", "ask", "index", "status", "stop", "open")


def main(argv: Sequence[str], open_screen: OpenScreen) -> int:
    """Run the command line ``argv`` (without the program's name) and return the exit status."""
    spare_imports()
    words = list(argv)
    if not words or (words[0] not in COMMANDS and words[0] not in ("-h", "--help", "--version")):
        words.insert(0, "open")
    options = _parser().parse_args(words)
    try:
        flags = _flags(options)
        if options.command == "open":
            folder = _existing_folder(options.docs)
            return open_screen(folder, flags, options.yes)
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


def _run(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    import asyncio

    from engine import commands

    if options.command not in ("stop", "status") or options.docs:
        _existing_folder(options.docs)
    return asyncio.run(commands.run(options, flags))


def _parser() -> argparse.ArgumentParser:
    common = _Parser(add_help=False)
    common.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a setting for this run; docs/configuration.md lists them",
    )
    common.add_argument(
        "--llm-url", metavar="URL", help="answers from this OpenAI-compatible server"
    )
    common.add_argument("--profile", choices=("default", "reference"), help="a set of defaults")
    common.add_argument(
        "--yes", action="store_true", help="index a large new folder without asking"
    )

    parser = _Parser(
        prog="hoverkite",
        description="Ask your documents in the terminal.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="hoverkite [DOCS | COMMAND ...] [options]",
    )
    parser.add_argument("--version", action="version", version=f"hoverkite {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="", help=argparse.SUPPRESS)

    def command(name: str, about: str, *, docs: str | None = None) -> argparse.ArgumentParser:
        added = commands.add_parser(name, parents=[common], description=about)
        if docs is not None:
            added.add_argument("docs", metavar="DOCS", nargs=docs or None, help="the folder")
        return added

    opened = command("open", "Open the screen on a folder.", docs="?")
    opened.prog = "hoverkite"
    opened.set_defaults(json=False)
    for name, word, about in (
        ("search", "query", "Print the chunks nearest to QUERY, best first."),
        ("ask", "question", "Answer QUESTION from the folder's documents."),
    ):
        added = command(name, about, docs="")
        added.add_argument("query", metavar=word.upper())
        added.add_argument("-n", "--hits", type=_positive, help="how many hits (default: 8)")
        added.add_argument("--json", action="store_true", help="print JSON")
    for name, about, docs in (
        ("index", "Bring the folder's index up to date, once.", ""),
        ("status", "Show what is indexed and what runs.", "?"),
    ):
        command(name, about, docs=docs).add_argument(
            "--json", action="store_true", help="print JSON"
        )
    command("stop", "Stop the engine and the answer model.").set_defaults(json=False, docs=None)
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"hoverkite: {message}\nTry: hoverkite --help\n")


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError("a number from 1 to 100 is wanted")
    return int(text)


def _flags(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings given on the command line."""
    flags: dict[str, Any] = {}
    for setting in options.set:
        name, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(f"--set {setting}: NAME=VALUE is wanted")
        if name == "llm_api_key":
            raise UsageError(
                "secrets are never flags: other users can see them",
                "Set HOVERKITE_LLM_API_KEY in the environment",
            )
        flags[name] = value
    for name in ("llm_url", "profile"):
        if getattr(options, name):
            flags[name] = getattr(options, name)
    return flags


def _existing_folder(docs: str | None) -> Path:
    """Return the folder a command names, without asking the engine.

    Raises:
        FolderError: it does not exist, is a file, or can't be read.
    """
    from engine.folders import resolve

    return resolve(docs or ".")


def _complain(error: HoverkiteError, status: int) -> int:
    from engine.safe_text import clean

    print(clean(f"hoverkite: {error}\n{error.next_step}"), file=sys.stderr)
    return status
