"""Imports pymilvus and milvus-lite without what they never need here: 0.4 s and 45 MB less.

pymilvus imports pandas, to take data frames; milvus-lite pkg_resources, to know its own version.
"""

import importlib
import importlib.metadata
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

_one = threading.Lock()


def load() -> None:
    """Import both, unless that was done.

    Must not run beside another import of pandas: see that it ran before whatever may do that.
    """
    with _one:
        if "pymilvus" in sys.modules:
            return
        before = set(sys.modules)
        stand_ins = {one.__name__: one for one in _stand_ins() if one.__name__ not in before}
        sys.modules.update(stand_ins)
        try:
            importlib.import_module("pymilvus")
            importlib.import_module("milvus_lite.server_manager")
        except ImportError:  # other versions, that want more: they get the real ones, later
            for name in sys.modules.keys() - before:
                if name.partition(".")[0] in ("pymilvus", "milvus_lite"):
                    del sys.modules[name]
        finally:
            for name in stand_ins:
                del sys.modules[name]


def _stand_ins() -> list[ModuleType]:
    """Return what is imported instead; whatever is called after all comes from the real package."""
    pandas, api, types = map(ModuleType, ("pandas", "pandas.api", "pandas.api.types"))
    vars(pandas).update(DataFrame=type("DataFrame", (), {}), api=api, __path__=[])
    vars(api).update(types=types, __path__=[])
    for name in ("infer_dtype", "is_array_like", "is_float", "is_list_like", "is_scalar"):
        vars(types)[name] = _later("pandas.api.types", name)
    resources = ModuleType("pkg_resources")
    vars(resources).update(
        get_distribution=importlib.metadata.distribution,
        DistributionNotFound=importlib.metadata.PackageNotFoundError,
    )
    return [pandas, api, types, resources]


def _later(module: str, name: str) -> Callable[..., Any]:
    def call(*given: Any, **named: Any) -> Any:
        return getattr(importlib.import_module(module), name)(*given, **named)

    return call
