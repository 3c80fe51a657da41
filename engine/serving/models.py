"""Which answer model is served, and from where.

A model of the hub is served from the hub's cache. One that is not there is fetched only where the
settings allow it. The embedded model is converted once into our own cache, by ``model_maker``.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from engine import own_process, paths
from engine.config import Settings
from engine.encoding import hub
from engine.errors import ModelError

EMBEDDED_MODEL = "SmolLM2-135M-Instruct"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SERVABLE = ("config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja")
"""The files that a converted model must hold."""


@dataclass(frozen=True)
class ServedModel:
    """A model that vLLM can be started with."""

    name: str
    """What a person and the API call it."""
    source: str
    """A folder, or a name on the model hub."""

    @property
    def is_local(self) -> bool:
        """True when nothing has to be fetched from a hub."""
        return Path(self.source).is_absolute()


def model_name(settings: Settings) -> str:
    """What the answer model of ``settings`` is called; needs no disk and no server."""
    if settings.llm_model:
        named = settings.llm_model
        return Path(named).name if hub.is_folder(named) else named
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
    name = settings.llm_model
    if not name:
        if not is_converted():
            await _convert_in_a_child()
        return ServedModel(EMBEDDED_MODEL, str(converted_dir()))
    folder = await asyncio.to_thread(hub.find, name, "llm_model")
    if folder:
        return ServedModel(folder.name if hub.is_folder(name) else name, str(folder))
    if not settings.fetch_models:
        raise hub.not_on_this_machine(name)
    return ServedModel(name, name)


def converted_dir() -> Path:
    """Where the embedded model lies for vLLM."""
    return paths.cache_dir() / "models" / f"{EMBEDDED_MODEL}-{GGUF_SHA256[:12]}"


def is_converted() -> bool:
    """True when the embedded model is ready to be served."""
    return all((converted_dir() / name).is_file() for name in SERVABLE)


async def _convert_in_a_child() -> None:
    child = await asyncio.create_subprocess_exec(
        *own_process.command("engine.serving.model_maker"),
        env=own_process.environment(),
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
