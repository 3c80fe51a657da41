"""Errors on their way over the wire and back."""

from engine import errors
from engine.api import Problem
from engine.errors import HoverkiteError


def problem_of(error: HoverkiteError) -> Problem:
    """Return ``error`` as a message."""
    return Problem(
        kind=type(error).__name__,
        title=error.title,
        detail=str(error),
        next_step=error.next_step,
    )


def error_of(problem: Problem) -> HoverkiteError:
    """Return the error that ``problem`` describes, of its original class."""
    kind = getattr(errors, problem.kind, HoverkiteError)
    if not (isinstance(kind, type) and issubclass(kind, HoverkiteError)):
        kind = HoverkiteError
    return kind(problem.detail, problem.next_step)
