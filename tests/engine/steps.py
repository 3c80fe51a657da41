"""Work in steps, done at once."""

from typing import TypeVar

from engine.writer import Steps

_T = TypeVar("_T")


def finish(steps: Steps[_T]) -> _T:
    """Take all steps and return the result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: _T = end.value
            return result
