"""What may be typed after ``hoverkite``: commands, options, their help, and what a fault is called.

Imports little: the screen's first frame waits for this file.
"""

import argparse
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NoReturn

from engine import __version__
from engine.errors import UsageError
from engine.front import arguments_conversations
from engine.front.help_texts import (
    COMMANDS,
    EPILOG,
    EXAMPLES,
    MODELS_EXAMPLES,
    QUERY,
    UNUSED,
    WITHOUT_DOCS,
)

EVALUATED = "DOCS [QUESTIONS] "
MODES = ("hybrid", "dense", "bm25")
CHAT = "chat"
OPEN = "open"
"""The command that nobody has to type."""
FILE_STATES = ("all", "skipped", "waiting", "indexed", "stale", "reading")
"""What ``status --files`` can list; ``engine.wire.api_files`` tells what they mean."""
HELP = ("-h", "--help")
TAKE_A_WORD = (
    *("--set", "--llm-url", "--profile", "-n", "--hits", "--modes", "--limit", "--path"),
    *("--not-path", "--type", "--tag", "--after", "--before", "--mode", "--per-file"),
    *("-C", "--context", "--to", "--state"),
)
"""Options whose value may be the next word."""


def parse(argv: list[str]) -> argparse.Namespace:
    """Return what ``argv`` says; the words of a query may stand on both sides of options.

    Raises:
        UsageError: it can't be understood.
    """
    words = arguments_conversations.with_names(argv)
    options, beyond = _parser().parse_known_args(_command_first(words))
    unknown = [word for word in beyond if word.startswith("-") and word != "--"]
    command = "" if options.command == OPEN else f"{options.command} "
    if unknown:
        raise UsageError(f"there is no option {unknown[0]} here", f"See: hoverkite {command}--help")
    if "" in (options.docs, *getattr(options, "others", ())):
        raise UsageError("name a folder; . is the current one", f"See: hoverkite {command}--help")
    if hasattr(options, "query"):
        options.query = " ".join([*options.query, *beyond])
        if not options.query.strip():
            raise UsageError("the query is empty", "Say what to look for")
    elif beyond:
        raise UsageError(f"{beyond[0]} is one too many", f"See: hoverkite {command}--help")
    if options.command == "status":
        _check_status(options)
    if options.command == "conversations":
        arguments_conversations.check(options)
    return options


def _check_status(options: argparse.Namespace) -> None:
    """Take ``--state`` as asking for files, of a folder that must be named.

    Raises:
        UsageError: it is not.
    """
    options.files |= options.state is not None
    options.state = options.state or "all"
    if options.files and not options.docs:
        raise UsageError(
            "--files lists one folder's files", "Name it: hoverkite status DOCS --files"
        )


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
        from difflib import get_close_matches

        near = get_close_matches(rest[0], COMMANDS, n=1)
        meant = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"{rest[0]} is neither a folder nor a command",
            f"{meant}The commands are {', '.join(COMMANDS)}; see: hoverkite --help",
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
        usage="hoverkite [DOCS ... | COMMAND ...] [options]",
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

    added = command(OPEN, "Open the screen on a folder, or on several.", "[DOCS] ")
    added.add_argument("others", metavar="DOCS", nargs="*", help="more folders, one screen each")
    added.set_defaults(json=False)
    for name, word, about in (
        ("search", "QUERY", "Print the chunks nearest to QUERY as path:line: text, best first."),
        ("ask", "QUESTION", "Print the sentences that answer QUESTION, then the model's answer."),
    ):
        added = command(name, about, f"DOCS {word} ")
        added.add_argument("query", metavar=word, nargs="+", help=QUERY)
        _add_json(added)
        _add_filters(added)
        if name == "search":
            _add_forms(added)
        else:
            _add_answer(added)
    _add_chat(command(CHAT, "Answer questions, read one by one from the input.", "DOCS "))
    about = arguments_conversations.ABOUT
    added = command("conversations", about, arguments_conversations.USAGE)
    arguments_conversations.add_conversations(added)
    _add_json(added)
    _add_json(command("index", "Bring the folder's index up to date, once.", "DOCS "))
    _add_eval(command("eval", "Measure how well each mode of the search finds.", EVALUATED))
    _add_status(command("status", "Show what is indexed and what runs.", "[DOCS] "))
    _add_models(command("models", "List answer models; choose or fetch one."))
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
        "--limit",
        metavar="NUMBER",
        type=_number(1),
        help="ask only so many queries, from the first on",
    )


def _add_status(parser: argparse.ArgumentParser) -> None:
    _add_json(parser)
    about = "list every file of DOCS: its state, its path, and why it is not in the index"
    parser.add_argument("--files", action="store_true", help=about)
    parser.add_argument(
        "--state",
        choices=FILE_STATES,
        help=f"list only these files: {', '.join(FILE_STATES)}; waiting are all on their way",
    )


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.usage = "hoverkite models [use NAME | fetch NAME] [options]"
    parser.epilog = MODELS_EXAMPLES
    parser.set_defaults(docs=None)
    parser.add_argument("action", nargs="?", choices=("use", "fetch"), help=argparse.SUPPRESS)
    parser.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        help="a name of the model hub, a folder, or embedded; with --llm-url one of that server's",
    )
    _add_json(parser)


def _add_chat(parser: argparse.ArgumentParser) -> None:
    _add_filters(parser)
    _add_answer(parser)
    about = "print whole lines only, without line editing or progress, as for a screen reader"
    parser.add_argument("--plain", action="store_true", help=about)
    parser.set_defaults(json=False)


def _add_answer(parser: argparse.ArgumentParser) -> None:
    """Add what an answer alone takes."""
    arguments_conversations.add_continue(parser)
    about = "have the model answer also where no passage is near enough to hold an answer"
    parser.add_argument("--anyway", action="store_true", help=about)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    """Add how much is searched for, and what narrows it down, as can be typed in the query."""
    parser.add_argument(
        "-n",
        "--hits",
        metavar="NUMBER",
        type=_number(1, 100),
        help="how many hits, 1 to 100 (default: the setting hits, which is 8)",
    )
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
        type=_number(0, 1000),
        help="at most so many hits of one file; 0 for no limit",
    )
    parser.add_argument(
        "--explain", action="store_true", help="tell where each hit came from, and what was cut"
    )
    parser.add_argument(
        "-C",
        "--context",
        metavar="NUMBER",
        type=_number(0, 200),
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


def _number(first: int, last: int | None = None) -> Callable[[str], int]:
    """Return what reads a number from ``first`` to ``last``."""

    def read(text: str) -> int:
        number = int(text[:9]) if text.isascii() and text.isdigit() else -1
        if number < first or (last is not None and number > last):
            rest = "on" if last is None else f"to {last}"
            raise argparse.ArgumentTypeError(f"a number from {first} {rest} is wanted")
        return number

    return read
