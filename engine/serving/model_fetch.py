"""Fetching a model from the hub into its cache, at a person's word."""

import contextlib
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.encoding import hub
from engine.errors import ModelError

WANTED = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "LICENSE*", "NOTICE*"]
UNWANTED = ["original/*", "consolidated*", "onnx/*", "openvino/*"]
"""The same weights once more, in other forms."""

LONGEST_REASON = 300

ROOM_BYTES = 1_000_000_000
"""What is left free on the disk."""


@dataclass(frozen=True)
class Fetch:
    """What fetching a model takes."""

    name: str
    total: int
    """Bytes of the whole model …"""
    missing: int
    """… and those that are not here yet."""
    weights: int


def plan(name: str) -> Fetch:
    """Ask the hub what there is to fetch; nothing is fetched yet.

    Raises:
        ModelError: the name is none, or the hub can't be reached, refuses, or has no weights.
    """
    if not hub.NAME.fullmatch(name):
        raise ModelError(f"{name!r} is no name of the model hub", "A name is like owner/model")
    from huggingface_hub import snapshot_download

    with _explained(name), _bars(shown=False):
        files = snapshot_download(
            name, allow_patterns=WANTED, ignore_patterns=UNWANTED, dry_run=True
        )
    sizes = {file.filename: file.file_size or 0 for file in files}
    weights = [size for file, size in sizes.items() if file.endswith(".safetensors")]
    if not weights:
        raise ModelError(
            f"{name} has no safetensors weights, the kind that vLLM serves",
            "Choose another model; hoverkite models names some",
        )
    return Fetch(
        name,
        total=sum(sizes.values()),
        missing=sum(sizes[file.filename] for file in files if file.will_download),
        weights=sum(weights),
    )


def fetch(wanted: Fetch, *, progress: bool) -> Path:
    """Fetch a model, with a progress display on standard error; return its folder.

    What is interrupted goes on from there the next time.

    Raises:
        ModelError: there is no room, or the hub can't be reached or refuses.
    """
    from huggingface_hub import constants, snapshot_download

    _check_room(wanted, Path(constants.HF_HUB_CACHE))
    with _explained(wanted.name), _bars(shown=progress):
        return Path(snapshot_download(wanted.name, allow_patterns=WANTED, ignore_patterns=UNWANTED))


def _check_room(wanted: Fetch, cache: Path) -> None:
    there = next(place for place in (cache, *cache.parents) if place.exists())
    free = shutil.disk_usage(there).free
    if free < wanted.missing + ROOM_BYTES:
        raise ModelError(
            f"{wanted.name} needs {wanted.missing / 1e9:.1f} GB on the disk of {there}, "
            f"{free / 1e9:.1f} GB are free",
            "Free some disk space, or set HF_HOME to a folder on another disk",
        )


@contextlib.contextmanager
def _bars(*, shown: bool) -> Iterator[None]:
    """Let the hub's client show progress bars, or not; what the environment says wins."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    if shown or are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """Tell the hub's refusals in a person's words."""
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    try:
        yield
    except Exception as error:  # its client lets through what its HTTP library raises
        raise _in_words(name, error) from error


def _in_words(name: str, error: BaseException) -> ModelError:
    from huggingface_hub import errors

    match error:
        case errors.GatedRepoError():
            return _gated(name)
        case errors.RepositoryNotFoundError():
            return ModelError(
                f"The hub knows no {name}, or shows it only to those it was opened to",
                "Correct the name; for a private model, log in first: hf auth login",
            )
        case errors.OfflineModeIsEnabled():
            return ModelError(
                "The model hub is switched off: HF_HUB_OFFLINE is set", "Unset it and try again"
            )
        case errors.HfHubHTTPError():
            return _refused(name, error.response.status_code)
        case errors.DryRunError() | errors.LocalEntryNotFoundError() if error.__cause__:
            return _in_words(name, error.__cause__)  # what the client met before
    return _unreachable() if _is_of_network(error) else _failed(name, error)


def _is_of_network(error: BaseException) -> bool:
    """Whether no answer came: of whatever HTTP library, its error is so called."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return bool(kinds & {"TransportError", "LocalEntryNotFoundError", "DryRunError"})


def _unreachable() -> ModelError:
    return ModelError(
        "The model hub can't be reached",
        "Connect to the network and try again; a model copied here as a folder will do too",
    )


def _failed(name: str, error: BaseException) -> ModelError:
    said = f"{type(error).__name__}: {error}"[:LONGEST_REASON]
    return ModelError(f"{name} could not be fetched: {said}", "Try again")


def _gated(name: str) -> ModelError:
    return ModelError(
        f"{name} is gated: its makers let only those have it who accepted their licence",
        f"Accept it at https://huggingface.co/{name}, then log in with: hf auth login "
        "(the hub's own program keeps the token; hoverkite never does)",
    )


def _refused(name: str, status: int) -> ModelError:
    if status in (401, 403):
        return ModelError(
            f"The hub refuses {name} (HTTP {status}): the token is wrong, or may not read it",
            "Log in again: hf auth login",
        )
    return ModelError(f"The model hub failed (HTTP {status})", "Try again later")
