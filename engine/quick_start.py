"""Spares a start what it does not need: unused imports, looking for garbage."""

import gc
import os
import sys


def spare_imports() -> None:
    """Call before httpx and pydantic are imported; saves 0.2 s of each command's start.

    httpx loads its own command line (click, rich and pygments) when those packages are present,
    and pydantic reads the metadata of every installed package to find plugins.
    """
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # import then fails
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def hold_garbage_collection() -> None:
    """Call before the bulk of the code is loaded; saves a sixth of the time to the first frame.

    What is made until then stays for the life of the program, so there is nothing to collect.
    """
    gc.disable()


def resume_garbage_collection() -> None:
    """Call once all is up. Collections pass over everything that was made until then.

    A full one takes 25 ms with what the screen is made of, in which no key would show.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
