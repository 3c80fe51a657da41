"""Numbers as a person reads them. Spaces inside a figure never break a line."""

GAP = "\u00a0"
"""Between thousands, and between a number and its unit."""


def count(number: int) -> str:
    """``6848`` as ``6 848``."""
    return f"{number:,}".replace(",", GAP)


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 file``, ``274 files``; ``plural`` where it is not the noun with an s."""
    return f"{count(number)} {noun if number == 1 else plural or noun + 's'}"


def milliseconds(number: float) -> str:
    """``14 ms``; from a second on ``1.2 s``."""
    return seconds(number / 1000) if number >= 1000 else f"{number:.0f}{GAP}ms"


def seconds(number: float) -> str:
    """``0.21 s``, ``4.2 s``, ``48 s``, ``3 min``, ``1 h 5 min``."""
    if number < 1:
        return f"{number:.2f}{GAP}s"
    if number < 10:
        return f"{number:.1f}{GAP}s"
    if number < 90:
        return f"{number:.0f}{GAP}s"
    minutes = round(number / 60)
    if minutes < 60:
        return f"{minutes}{GAP}min"
    return f"{minutes // 60}{GAP}h{GAP}{minutes % 60}{GAP}min"


def about_seconds(number: float) -> str:
    """``6 s`` for what is only estimated; at least ``1 s``."""
    return f"{max(round(number), 1)}{GAP}s" if number < 90 else seconds(number)


def size(number: int) -> str:
    """``2.8 MB``, in powers of 1000."""
    amount = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f}{GAP}{unit}" if amount >= 10 else f"{amount:.2g}{GAP}{unit}"
        amount /= 1000
    return f"{amount:.1f}{GAP}TB"
