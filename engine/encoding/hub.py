"""A model by its name: a folder on this machine, or a model of the hub that was fetched before.

Nothing here asks the network.
"""

import json
import os
import re
from pathlib import Path

from engine.errors import ModelError

NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
"""What the hub calls a model, with or without its owner."""

WEIGHTS = ("safetensors", "bin")
"""Endings of files with weights; where a model has both kinds, the first counts."""


def find(name: str, setting: str, otherwise: str = "") -> Path | None:
    """Return the folder of the model ``name``; None for a hub name that is not here whole.

    ``otherwise`` is what a person may do about a wrong name, where no embedded model is in
    its place.

    Raises:
        ModelError: the name, which stands in ``setting``, can't be one, its folder holds no model,
            or the model's list of modules can't be read.
    """
    step = otherwise or (
        f"Set {setting} to a hub name or a folder's whole path, beginning with / or ~, "
        "or leave it out: then the embedded model is used"
    )
    if is_folder(name):
        folder = Path(os.path.expanduser(name)).resolve()  # noqa: PTH111  never raises
        if not is_complete(folder):
            raise ModelError(f"{folder} holds no model (config.json and all weights)", step)
        return folder
    if not NAME.fullmatch(name):
        raise ModelError(f"{setting} {name!r} is neither a hub name nor an absolute folder", step)
    return _in_cache(name)


def is_folder(name: str) -> bool:
    """Tell whether ``name`` means a folder, whether it is there or not."""
    return name.startswith(("/", "~"))


def _in_cache(name: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(name, "config.json")
    if not isinstance(config, str) or not is_complete(Path(config).parent):
        return None
    return Path(config).parent


def cached_names() -> list[str]:
    """Return the hub's names of the models in its cache on this machine, whole or not."""
    from huggingface_hub import constants

    kept = Path(constants.HF_HUB_CACHE).glob("models--*")
    names = (path.name.removeprefix("models--").replace("--", "/") for path in kept)
    return sorted(name for name in names if NAME.fullmatch(name))


def is_complete(folder: Path) -> bool:
    """Tell whether a download or copy came to its end: its configuration and all weights.

    Raises:
        ModelError: the model's list of modules can't be read.
    """
    places = module_folders(folder)
    try:
        found = [path for place in places for path in weights(place)]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return False
    whole = bool(found) and all(path.is_file() for path in found)
    return whole and (folder / "config.json").is_file()


def module_folders(folder: Path) -> list[Path]:
    """Return ``folder`` and those of the modules that a sentence-transformers model lists.

    Raises:
        ModelError: the list can't be read.
    """
    listed = folder / "modules.json"
    try:
        named = {str(module["path"]) for module in json.loads(listed.read_bytes())}
    except (FileNotFoundError, NotADirectoryError):
        named = set()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{listed} can't be read: {error}", "Fetch or copy it again") from error
    return [folder / path for path in sorted(named | {""}) if (folder / path).is_dir()]


def weights(place: Path) -> list[Path]:
    """Return the files with weights: those that lie there, or all that a list of parts names.

    Raises:
        OSError, ValueError, TypeError, KeyError, AttributeError: the list can't be read.
    """
    for kind in WEIGHTS:
        for index in place.glob(f"*.{kind}.index.json"):
            parts = json.loads(index.read_bytes())["weight_map"].values()
            return [place / part for part in set(parts)]
        if lying := list(place.glob(f"*.{kind}")):
            return lying
    return []


def not_on_this_machine(name: str) -> ModelError:
    """Return the error for a model of the hub that nobody allowed to be fetched."""
    return ModelError(
        f"{name} is not on this machine, and nothing is fetched unasked",
        f"To fetch it: hoverkite models fetch {name}, or add --set fetch_models=true once",
    )
