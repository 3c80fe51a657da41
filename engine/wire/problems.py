"""Errors on their way over the wire and back."""

import logging

from engine import errors
from engine.errors import HoverkiteError
from engine.wire.api import Problem

log = logging.getLogger(__name__)


def problem_of(error: HoverkiteError) -> Problem:
    """Return ``error`` as a message."""
    return Problem(
        kind=type(error).__name__,
        title=error.title,
        detail=str(error),
        next_step=error.next_step,
    )


def as_known(error: Exception) -> HoverkiteError:
    """Return ``error`` in a person's words; what nobody foresaw goes whole into the log."""
    if isinstance(error, HoverkiteError):
        return error
    log.error("unforeseen", exc_info=error)
    return errors.EngineError(f"{type(error).__name__}: {error}", "The engine's log tells more")


def error_of(problem: Problem) -> HoverkiteError:
    """Return the error that ``problem`` describes, of its original class."""
    kind = getattr(errors, problem.kind, HoverkiteError)
    if not (isinstance(kind, type) and issubclass(kind, HoverkiteError)):
        kind = HoverkiteError
    return kind(problem.detail, problem.next_step)
