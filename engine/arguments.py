"""What may be typed after ``hoverkite``: commands, options, their help, and what a fault is called.

Imports little: the screen's first frame waits for this file.
"""

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import Any, NoReturn

from engine import __version__
from engine.errors import UsageError

EPILOG = """\
commands:
  hoverkite [DOCS]                open the screen on a folder (default: this one)
  hoverkite search DOCS QUERY     print the chunks nearest to QUERY, best first
  hoverkite ask DOCS QUESTION     print extracts, the model's answer and its sources
  hoverkite index DOCS            bring the index up to date, once
  hoverkite eval DOCS QUESTIONS   measure how well the search finds what you know is right
  hoverkite status [DOCS]         show what is indexed and what runs
  hoverkite doctor [DOCS]         look for what is wrong; --repair puts it right
  hoverkite forget DOCS           remove everything kept about a folder
  hoverkite stop                  stop the engine and the answer model

examples:
  hoverkite ~/notes
  hoverkite ask ~/notes "How often is the generator tested?"

settings that stay, such as a better answer model, are lines of the config file,
usually ~/.config/hoverkite/config.toml:
  llm_model = "Qwen/Qwen2.5-1.5B-Instruct"

Every command takes the options above; hoverkite COMMAND --help tells its own.
A folder that is named like a command is opened with: hoverkite ./search
Exit status: 0 done, 1 nothing found or failed, 2 used wrongly.
"""

EXAMPLES = {
    "search": (
        "standby generator",
        "--hits 20 'standby generator'",
        "'standby generator' --json | jq -r '.hits[0].path'",
        "\"'ERR_TIMEOUT\" --path 'guide/**' --files",
        '"\'ERR_TIMEOUT" --context 3',
    ),
    "ask": ("'How often is the generator tested?'", "--set llm_max_tokens=100 'What is M?'"),
    "index": ("", "--yes"),
    "eval": ("questions.jsonl", "questions.jsonl --modes hybrid,bm25 --json"),
    "status": ("", "--json"),
    "doctor": ("", "--repair"),
    "forget": ("", "--yes"),
}
"""What may follow ``hoverkite COMMAND ~/notes``."""

UNUSED = {
    "stop": ("--set", "--llm-url", "--profile", "--yes"),
    "doctor": ("--yes",),
    "search": ("--llm-url",),
    "eval": ("--llm-url",),
    "status": ("--yes",),
    "forget": ("--llm-url", "--profile"),
}
"""Common options that a command takes and has no use for; its help does not list them."""
WITHOUT_DOCS = {
    "open": "the folder; without one: the current folder",
    "status": "the folder; without one: the engine, and all folders that are indexed",
    "doctor": "the folder; without one: this machine, and briefly every index",
}
"""What the folder means to commands that need none."""

QUERY = "in quotes, or as plain words; may hold filters, as path:guide/** tag:work after:7d -word"
COMMANDS = ("search", "ask", "index", "eval", "status", "doctor", "forget", "stop")
EVALUATED = "DOCS [QUESTIONS] "
MODES = ("hybrid", "dense", "bm25")
OPEN = "open"
"""The command that nobody has to type."""
HELP = ("-h", "--help")
TAKE_A_WORD = (
    *("--set", "--llm-url", "--profile", "-n", "--hits", "--modes", "--limit", "--path"),
    *("--not-path", "--type", "--tag", "--after", "--before", "--mode", "--per-file"),
    *("-C", "--context"),
)
"""Options whose value may be the next word."""


def parse(argv: list[str]) -> argparse.Namespace:
    """Return what ``argv`` says; the words of a query may stand on both sides of options.

    Raises:
        UsageError: it can't be understood.
    """
    options, beyond = _parser().parse_known_args(_command_first(argv))
    unknown = [word for word in beyond if word.startswith("-") and word != "--"]
    command = "" if options.command == OPEN else f"{options.command} "
    if unknown:
        raise UsageError(f"there is no option {unknown[0]} here", f"See: hoverkite {command}--help")
    if options.docs == "":
        raise UsageError("name a folder; . is the current one", f"See: hoverkite {command}--help")
    if hasattr(options, "query"):
        options.query = " ".join([*options.query, *beyond])
        if not options.query.strip():
            raise UsageError("the query is empty", "Say what to look for")
    elif beyond:
        raise UsageError(f"{beyond[0]} is one too many", f"See: hoverkite {command}--help")
    return options


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


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
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


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="hoverkite",
        description="Ask your documents in the terminal.",
        epilog=EPILOG,
        usage="hoverkite [DOCS | COMMAND ...] [options]",
    )
    _add_common(parser)
    parser.add_argument(
        "--version",
        action="version",
        version=f"hoverkite {__version__}",
        help="print the version",
    )
    commands = parser.add_subparsers(
        dest="command", metavar="", help=argparse.SUPPRESS, prog="hoverkite"
    )

    def command(name: str, about: str, usage: str = "") -> argparse.ArgumentParser:
        examples = [
            f"  hoverkite {name} ~/notes {rest}".rstrip() for rest in EXAMPLES.get(name, ())
        ]
        added = commands.add_parser(
            name,
            description=about,
            usage=f"hoverkite {name} {usage}[options]",
            epilog="\n".join(["examples:", *examples]) if examples else None,
        )
        _add_common(added, unused=UNUSED.get(name, ()))
        if usage:
            optional = "?" if usage.startswith("[") else None
            about = WITHOUT_DOCS.get(name, "the folder")
            added.add_argument("docs", metavar="DOCS", nargs=optional, help=about)
        return added

    command(OPEN, "Open the screen on a folder.", "[DOCS] ").set_defaults(json=False)
    for name, word, about in (
        ("search", "QUERY", "Print the chunks nearest to QUERY as path:line: text, best first."),
        ("ask", "QUESTION", "Print the sentences that answer QUESTION, then the model's answer."),
    ):
        added = command(name, about, f"DOCS {word} ")
        added.add_argument("query", metavar=word, nargs="+", help=QUERY)
        _add_json(added)
        added.add_argument(
            "-n",
            "--hits",
            metavar="NUMBER",
            type=_positive,
            help="how many hits, 1 to 100 (default: the setting hits, which is 8)",
        )
        _add_filters(added)
        if name == "search":
            _add_forms(added)
    _add_json(command("index", "Bring the folder's index up to date, once.", "DOCS "))
    _add_eval(command("eval", "Measure how well each mode of the search finds.", EVALUATED))
    _add_json(command("status", "Show what is indexed and what runs.", "[DOCS] "))
    about = "Compare folder, manifest and Milvus, and look for what is wrong on this machine."
    added = command("doctor", about, "[DOCS] ")
    _add_json(added)
    added.add_argument("--repair", action="store_true", help="put right what is wrong")
    about = "Remove everything kept about a folder, which may be gone; its documents stay."
    _add_json(command("forget", about, "DOCS "))
    command("stop", "Stop the engine and the answer model.").set_defaults(json=False, docs=None)
    return parser


def _add_common(parser: argparse.ArgumentParser, unused: Collection[str] = ()) -> None:
    """Add the options that every command takes; the help does not list those that are unused."""

    def add(name: str, about: str, **described: Any) -> None:
        about = argparse.SUPPRESS if name in unused else about
        parser.add_argument(name, help=about, **described)

    parser.add_argument("-h", "--help", action="help", help="print this help")
    add(
        "--set",
        "a setting for this run, as often as needed; docs/configuration.md lists them",
        metavar="NAME=VALUE",
        action="append",
        default=[],
    )
    add("--llm-url", "let this OpenAI-compatible server write the answers", metavar="URL")
    add(
        "--profile",
        "a named set of defaults: default or reference",
        metavar="NAME",
        choices=("default", "reference"),
    )
    add("--yes", "do it without asking", action="store_true")


def _add_eval(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "questions",
        metavar="QUESTIONS",
        nargs="?",
        help='a file of lines like {"question": "…", "path": "…", "answer_text": "…"}, where path '
        "or answer_text may be left out; without it, DOCS is a collection in BEIR's format",
    )
    _add_json(parser)
    parser.add_argument(
        "--modes",
        metavar="NAMES",
        type=_modes,
        default=MODES,
        help=f"which modes are compared (default: {','.join(MODES)})",
    )
    parser.add_argument(
        "--limit", metavar="NUMBER", type=_count, help="ask only so many queries, from the first on"
    )


def _add_filters(parser: argparse.ArgumentParser) -> None:
    """Add what narrows a search down; the same can be typed in the query."""
    for name, word, about in (
        ("--path", "GLOB", "only files there, such as 'guide/**' or notes; may be repeated"),
        ("--not-path", "GLOB", "no files there; may be repeated"),
        ("--type", "md", "only files with this ending; may be repeated"),
        ("--tag", "TAG", "only files with this tag; may be repeated"),
    ):
        parser.add_argument(name, metavar=word, action="append", default=[], help=about)
    parser.add_argument("--after", metavar="DAY", help="modified then or later: 2026-01-31, 7d, 3m")
    parser.add_argument("--before", metavar="DAY", help="modified before that day")
    parser.add_argument(
        "--mode",
        choices=("hybrid", "dense", "bm25"),
        help="search by meaning and words, or by one of them (default: the setting search_mode)",
    )


def _add_forms(parser: argparse.ArgumentParser) -> None:
    """Add what a search alone takes."""
    parser.add_argument(
        "--per-file",
        metavar="NUMBER",
        type=_from_zero,
        help="at most so many hits of one file; 0 for no limit",
    )
    parser.add_argument(
        "--explain", action="store_true", help="tell where each hit came from, and what was cut"
    )
    parser.add_argument(
        "-C",
        "--context",
        metavar="NUMBER",
        type=_lines,
        default=0,
        help="print each hit's own lines with so many above and below them, as grep -C does",
    )
    parser.add_argument(
        "--files", action="store_true", help="print only the names of the files, each once"
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


class _Parser(argparse.ArgumentParser):
    """A parser whose faults are told like every other error."""

    def __init__(self, **described: Any) -> None:
        super().__init__(
            **described,
            add_help=False,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    def error(self, message: str) -> NoReturn:
        """Raise ``message`` as a UsageError that names the command's help."""
        command = self.prog.removeprefix("hoverkite").strip()
        step = f"See: {self.prog.removesuffix(f' {OPEN}')} --help"
        if "DOCS" in message and Path(command).is_dir():
            step += f"; to open the folder {command}: hoverkite ./{command}"
        raise UsageError(message.removeprefix("argument "), step)


def _modes(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    if not set(names) <= set(MODES):
        raise argparse.ArgumentTypeError(f"names of {', '.join(MODES)}, with commas, are wanted")
    return names


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:9]) >= 1):
        raise argparse.ArgumentTypeError("a number from 1 on is wanted")
    return int(text[:9])


def _from_zero(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 1000):
        raise argparse.ArgumentTypeError("a number from 0 to 1000 is wanted")
    return int(text)


def _lines(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= 200):
        raise argparse.ArgumentTypeError("a number from 0 to 200 is wanted")
    return int(text[:9])


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError("a number from 1 to 100 is wanted")
    return int(text)
