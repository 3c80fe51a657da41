"""The commands. stdout is data, stderr is narration; status 0, 1 (nothing or failed), 2 (usage).

Nothing heavy is imported before a command needs it: the screen's first frame waits for this file.
"""

import argparse
import os
import shlex
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

hoverkite COMMAND --help tells more of a command. The options above go with every command.
A folder named like a command: ./search
"""

COMMANDS = ("search", "ask", "index", "status", "stop")
OPEN = "open"
"""The command that nobody has to type."""
HELP = ("-h", "--help")
TAKE_A_WORD = ("--set", "--llm-url", "--profile", "-n", "--hits")
"""Options whose value may be the next word."""


def main(argv: Sequence[str], open_screen: OpenScreen) -> int:
    """Run the command line ``argv`` (without the program's name) and return the exit status."""
    spare_imports()
    try:
        options = _parser().parse_args(_command_first(list(argv)))
        flags = _flags(options)
        if options.command == OPEN:
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


def _command_first(words: list[str]) -> list[str]:
    """Return ``words`` with the command moved before its options, or ``open`` added.

    Raises:
        UsageError: the first word that is no option is neither a folder nor a command.
    """
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        at += 2 if words[at] in TAKE_A_WORD else 1
    options, rest = words[:at], words[at:]
    if "--version" in options:
        return ["--version"]
    if rest and rest[0] in (*COMMANDS, OPEN):
        return [rest[0], *options, *rest[1:]]
    if any(word in HELP for word in words):
        return ["--help"]
    if rest and _is_plain_name(rest[0]) and not Path(rest[0]).exists():
        raise UsageError(
            f"{rest[0]} is neither a folder nor a command",
            f"The commands are {', '.join(COMMANDS)}; see: hoverkite --help",
        )
    return [OPEN, *options, *rest]


def _is_plain_name(word: str) -> bool:
    return "/" not in word and not word.startswith(("-", ".", "~"))


def _run(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    import asyncio

    from engine import commands

    if options.command not in ("stop", "status") or options.docs:
        _existing_folder(options.docs)
    if options.command in ("search", "ask"):
        options.query = _one_query(options)
    return asyncio.run(commands.run(options, flags))


def _one_query(options: argparse.Namespace) -> str:
    """Return the query.

    Raises:
        UsageError: it is empty, or several words.
    """
    query = " ".join(options.query)
    if not query.strip():
        raise UsageError("the query is empty", "Say what to look for")
    if len(options.query) > 1:
        raise UsageError(
            "the question has to be in quotes",
            f"Quote it: hoverkite {options.command} {shlex.join([options.docs, query])}",
        )
    return query


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
        parents=[common],
        usage="hoverkite [DOCS | COMMAND ...] [options]",
    )
    parser.add_argument("--version", action="version", version=f"hoverkite {__version__}")
    commands = parser.add_subparsers(
        dest="command", metavar="", help=argparse.SUPPRESS, prog="hoverkite"
    )

    def command(
        name: str, about: str, *, docs: str | None = None, word: str = ""
    ) -> argparse.ArgumentParser:
        place = {None: "", "?": " [DOCS]"}.get(docs, " DOCS")
        words = f" {word}" if word else ""
        added = commands.add_parser(
            name,
            parents=[common],
            description=about,
            usage=f"hoverkite {name}{place}{words} [options]",
        )
        if docs is not None:
            added.add_argument("docs", metavar="DOCS", nargs=docs or None, help="the folder")
        return added

    command(OPEN, "Open the screen on a folder.", docs="?").set_defaults(json=False)
    for name, word, about in (
        ("search", "QUERY", "Print the chunks nearest to QUERY, best first."),
        ("ask", "QUESTION", "Answer QUESTION from the folder's documents."),
    ):
        added = command(name, about, docs="", word=word)
        added.add_argument("query", metavar=word, nargs="+", help="in quotes")
        added.add_argument("-n", "--hits", type=_positive, help="how many hits (1 to 100)")
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
    from engine.safe_text import clean_line

    for line in (f"hoverkite: {error}", error.next_step):
        print(clean_line(line), file=sys.stderr)
    return status
