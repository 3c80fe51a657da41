"""What is wrong with settings, in a person's words, and how it is corrected where it stands."""

import json
from collections.abc import Collection
from dataclasses import dataclass

from pydantic import ValidationError

from engine.errors import ConfigError

LONGEST_VALUE = 40
"""Characters of a wrong value that are told."""


@dataclass(frozen=True)
class Source:
    """Where a value came from, and how a person corrects it there."""

    name: str
    remedy: str
    is_text: bool = False
    """Whether values are written there as they are, without quotes."""

    def correction(self, key: str) -> str:
        """Return what corrects the setting ``key``."""
        return self.remedy.replace("{key}", key).replace("{KEY}", key.upper())


_WORDS = {
    "int": "a whole number is wanted",
    "float": "a number is wanted",
    "finite": "a number is wanted",
    "bool": "true or false is wanted",
    "string": "text is wanted",
    "dict": "a table is wanted",
    "literal": "{expected} is wanted",
    "greater_than_equal": "at least {ge:.10g} is wanted",
    "greater_than": "more than {gt:.10g} is wanted",
    "less_than_equal": "at most {le:.10g} is wanted",
    "extra": "no such setting",
    "value": "{error}",
}
"""What pydantic's kinds of fault (their names, or the names' first words) say to a person."""


def explain(
    error: ValidationError, sources: dict[str, Source], told: Collection[str]
) -> ConfigError:
    """Return what is wrong with which setting; of those ``told`` with the value it has."""
    faults, wrong = [], []
    for fault in error.errors(include_url=False):
        key = str(fault["loc"][0]) if fault["loc"] else "?"
        words = _WORDS.get(fault["type"]) or _WORDS.get(fault["type"].partition("_")[0])
        reason = words.format(**fault.get("ctx", {})) if words else fault["msg"]
        source = sources.get(key)
        is_text = source is not None and source.is_text
        value = f" = {_written(fault['input'], is_text)}" if key in told else ""
        faults.append(f"{key}{value} (from {source.name if source else 'the defaults'}): {reason}")
        if source:
            wrong.append((key, source))
    return ConfigError("; ".join(faults), next_step(wrong))


def _written(value: object, is_text: bool) -> str:
    """Return a value as it stands where it was found, or the beginning of a long one."""
    written = json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, str) and is_text:
        written = written[1:-1]
    return written if len(written) <= LONGEST_VALUE else f"{written[:LONGEST_VALUE]}…"


def next_step(wrong: list[tuple[str, Source]]) -> str:
    """Return how to correct the values of ``wrong``, each where it came from."""
    corrections = dict.fromkeys(source.correction(key) for key, source in wrong)
    return "; ".join([*corrections, "docs/configuration.md lists every setting"])
