"""Days as people type them: ``2026-01-31``, ``2026-01``, ``2026``, ``7d``, ``2w``, ``3m``."""

import re
from calendar import monthrange
from datetime import date, timedelta
from typing import NamedTuple

from engine.errors import UsageError

_CALENDAR = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?")
_AGO = re.compile(r"([0-9]{1,5})([dwmy])", re.IGNORECASE)
_NAMED = {"today": 0, "yesterday": 1}
NEXT_STEP = "Write it as 2026-01-31, 2026-01, 2026, today, yesterday, 7d, 2w, 3m or 1y"


class Days(NamedTuple):
    """A stretch of days: the first of them, and the first after them."""

    first: date
    after: date
    is_ago: bool = False
    """Whether it was told by how long ago it is."""


def days_of(text: str, today: date) -> Days:
    """Return the day, month or year that ``text`` names.

    Raises:
        UsageError: it names none.
    """
    try:
        if found := _CALENDAR.fullmatch(text):
            return _of_calendar(*(int(part) if part else None for part in found.groups()))
        if found := _AGO.fullmatch(text):
            first = _ago(int(found[1]), found[2].lower(), today)
        else:
            first = today - timedelta(_NAMED[text.casefold()])
        return Days(first, first + timedelta(1), found is not None)
    except (KeyError, ValueError, OverflowError):
        raise UsageError(f"{text} is no day", NEXT_STEP) from None


def _of_calendar(year: int | None, month: int | None, day: int | None) -> Days:
    assert year is not None
    if month is None:
        return Days(date(year, 1, 1), date(year + 1, 1, 1))
    if day is None:
        first = date(year, month, 1)
        return Days(first, first + timedelta(monthrange(year, month)[1]))
    return Days(date(year, month, day), date(year, month, day) + timedelta(1))


def _ago(number: int, unit: str, today: date) -> date:
    if unit in "dw":
        return today - timedelta(number * (7 if unit == "w" else 1))
    months = today.year * 12 + today.month - 1 - number * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))
