"""Files of one JSON object a line, as people and programs write them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.errors import UsageError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of ``path`` that are not blank, each with its number from 1.

    Only newlines part lines: JSON may hold every other separator raw.

    Raises:
        UsageError: it can't be read, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                try:
                    line = (raw.removeprefix(BYTE_ORDER_MARK) if number == 1 else raw).decode()
                except UnicodeDecodeError:
                    raise fault(path, number, "is not UTF-8") from None
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except OSError as error:
        raise UsageError(
            f"{path} can't be read: {error.strerror}", "Check its name and permissions"
        ) from error


def objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the JSON objects in ``path``, each with the number of its line.

    Raises:
        UsageError: it can't be read, or a line is no JSON object; the line is named.
    """
    for number, line in lines(path):
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise fault(path, number, f"is not JSON: {error}") from None
        if not isinstance(found, dict):
            raise fault(path, number, "is no JSON object")
        yield number, found


def text_in(found: dict[str, Any], name: str, place: tuple[Path, int]) -> str:
    """Return the text called ``name``; empty where there is none.

    Raises:
        UsageError: it is no text.
    """
    value = found.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise fault(*place, f'has a "{name}" that is no text')
    return value


def fault(path: Path, number: int, what: str) -> UsageError:
    """Return the error of one line."""
    return UsageError(f"line {number} of {path} {what}", "Correct the file, then try again")
