"""Work in steps, done at once."""

from typing import Any, TypeVar

from engine.syncing.writer import Steps

_T = TypeVar("_T")


def one_by_one(steps: Steps[_T]) -> Steps[_T]:
    """Do what the steps yield, and pause after each."""
    result: Any = None
    while True:
        try:
            work = steps.send(result)
        except StopIteration as end:
            value: _T = end.value
            return value
        result = work() if work else None
        yield None


def finish(steps: Steps[_T]) -> _T:
    """Take all steps and return the result."""
    bulk = one_by_one(steps)
    while True:
        try:
            next(bulk)
        except StopIteration as end:
            value: _T = end.value
            return value
