"""What all benchmarks share: their options, percentiles, targets, and how figures are printed."""

import argparse
import json
import os
import platform
import random
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Figures = Mapping[str, Any]
"""Numbers and words by name, or groups of them; a name's last part may be a unit: ``p50_ms``."""

UNITS = {"ms": "ms", "s": "s", "mb": "MB"}


def options(description: str) -> argparse.ArgumentParser:
    """Return a parser of the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="figures as one line of JSON")
    parser.add_argument("--quick", action="store_true", help="small sizes only, fewer rounds")
    return parser


def p50_p95(seconds: Sequence[float]) -> dict[str, float]:
    """Return median and 95th percentile in milliseconds."""
    return {"p50_ms": statistics.median(seconds) * 1000, "p95_ms": p95(seconds) * 1000}


def p95(values: Sequence[float]) -> float:
    """Return the smallest of ``values`` that at least 95 % of them do not exceed."""
    ordered = sorted(values)
    return ordered[-(-95 * len(ordered) // 100) - 1]


def interval(ratios: Sequence[float], samples: int = 2000) -> tuple[float, float]:
    """Return where the median of ``ratios`` lies in 95 % of bootstrap samples of a fixed seed."""
    draw = random.Random(4)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(samples))
    return medians[samples * 25 // 1000], medians[samples * 975 // 1000]


def at_most(figure: float, target: float) -> dict[str, float | bool]:
    """Return a figure beside its target, and whether that is met."""
    return {"is": figure, "at_most": target, "met": figure <= target}


def at_least(figure: float, target: float) -> dict[str, float | bool]:
    """The same where more is better."""
    return {"is": figure, "at_least": target, "met": figure >= target}


def machine() -> Figures:
    """Return where and when: ratios hold elsewhere, the figures themselves only here and now."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "bf16": has_bf16(),
        "python": platform.python_version(),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "load_1min": round(os.getloadavg()[0], 2),
    }


def has_bf16() -> bool:
    """Whether the processor multiplies bf16, which the encoder then uses."""
    return any(flag in _cpu_info() for flag in ("avx512_bf16", "amx_bf16"))


def _cpu_info() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def _processor() -> str:
    names = [line.partition(": ")[2] for line in _cpu_info().splitlines() if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


def show(result: Figures, *, as_json: bool) -> None:
    """Print what was measured, with the machine and how busy it was at the end."""
    whole = {**result, "machine": machine()}
    if as_json:
        print(json.dumps(whole, default=float))
        return
    print("\n".join(lines_of(whole)))


def lines_of(figures: Figures, indent: str = "") -> list[str]:
    """Return figures as lines to read: plain ones of a group side by side, groups below."""
    plain = {name: value for name, value in figures.items() if not isinstance(value, Mapping)}
    lines = []
    if plain:
        lines.append(indent + ", ".join(_words(name, value) for name, value in plain.items()))
    for name, value in figures.items():
        if not isinstance(value, Mapping):
            continue
        below = lines_of(value, indent + "  ")
        if len(below) == 1:
            lines.append(f"{indent}{name.replace('_', ' ')}: {below[0].strip()}")
        else:
            lines += [f"{indent}{name.replace('_', ' ')}:", *below]
    return lines


def _words(name: str, value: object) -> str:
    if isinstance(value, bool):
        return name.replace("_", " ") if value else f"NOT {name.replace('_', ' ')}"
    first, _, last = name.rpartition("_")
    unit = UNITS.get(last, "") if first and not first.endswith("_per") else ""
    what = (first if unit else name).replace("_", " ")
    return f"{what} {_number(value)} {unit}".rstrip()


def _number(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"
