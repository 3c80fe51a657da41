"""Failures to read a file that pass by themselves."""

from engine.errors import LoadError


class Changing(LoadError):  # noqa: N818  a state, not a fault
    """The file changed or vanished while it was read: passing, to be looked at again."""

    default_next_step = "It is read again in a moment"


class Unreadable(LoadError):  # noqa: N818  a state, not a fault
    """The system does not let us read the file now; the file itself may stay as it is."""

    default_next_step = "It is read as soon as that is possible"
