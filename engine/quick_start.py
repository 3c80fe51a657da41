"""Keeps libraries from loading, at import, what no front end uses."""

import os
import sys


def spare_imports() -> None:
    """Call before httpx and pydantic are imported; saves 0.2 s of each command's start.

    httpx loads its own command line (click, rich and pygments) when those packages are present,
    and pydantic reads the metadata of every installed package to find plugins.
    """
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # import then fails
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
