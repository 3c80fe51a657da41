"""Choosing another answer model: what is on offer, and what the settings become."""

import asyncio
import os
from pathlib import Path

from engine import config_file, web_address
from engine.config import ENV_PREFIX, Settings
from engine.encoding import hub
from engine.errors import ConfigError, UsageError
from engine.figures import size
from engine.serving import models
from engine.serving.local_models import LocalModel, Machine, local_models
from engine.serving.local_servers import LocalServer, local_servers
from engine.serving.recommended import RECOMMENDED, Recommended
from engine.wire.api_models import ModelOffer, OfferedModel, UseModel

PLEASANT_BYTES = 4_000_000_000
"""Weights of the largest model that is offered without a GPU: a larger one writes too slowly."""

EMBEDDED_NAMES = {models.EMBEDDED_MODEL.lower(), "embedded"}
"""What a person may call the embedded model."""


async def offer(settings: Settings) -> ModelOffer:
    """Return the best model within reach in place of the demonstration model."""
    if not models.is_demonstration(settings):
        return ModelOffer()
    machine = await asyncio.to_thread(Machine.here)
    here = _best_here(await asyncio.to_thread(local_models, settings, machine), machine)
    if here:
        return ModelOffer(model=here)
    servers = await local_servers()
    if servers:
        return ModelOffer(model=_at(servers[0]))
    return ModelOffer(model=_to_fetch(settings, machine))


def _best_here(found: list[LocalModel], machine: Machine) -> OfferedModel | None:
    able = [
        model
        for model in found
        if model.place != "embedded"
        and model.fit.fits
        and model.answers
        and is_pleasant(model.weights, machine)
    ]
    best = max(able, key=lambda model: model.weights, default=None)
    if best is None:
        return None
    where = "in its folder" if best.place == "folder" else "in the hub's cache"
    return OfferedModel(
        name=best.name, place="here", detail=f"on this machine, {where}; {best.fit.why}"
    )


def is_pleasant(weights: int, machine: Machine) -> bool:
    """Tell whether a model with so many bytes of weights writes as fast as one reads, or nearly."""
    return machine.on_gpu or weights <= PLEASANT_BYTES


def _at(server: LocalServer) -> OfferedModel:
    detail = f"from the server at {server.url} on this machine, by its port {server.program}"
    return OfferedModel(name=server.models[0], url=server.url, place="server", detail=detail)


def _to_fetch(settings: Settings, machine: Machine) -> OfferedModel | None:
    if not settings.fetch_models:
        return None
    able = [model for model in RECOMMENDED if _may_be_fetched(model, settings, machine)]
    if not able:
        return None
    best = able[-1]
    fit = machine.fit(best.bytes, settings)
    return OfferedModel(
        name=best.name,
        place="hub",
        detail=f"{size(best.bytes)} from the model hub; {fit.why}",
        download_bytes=best.bytes,
    )


def _may_be_fetched(model: Recommended, settings: Settings, machine: Machine) -> bool:
    fits = machine.fit(model.bytes, settings).fits
    return fits and not model.gated and is_pleasant(model.bytes, machine)


def chosen(settings: Settings, request: UseModel) -> Settings:
    """Return ``settings`` with the model of ``request``.

    Raises:
        UsageError, ModelError: there is no such model, or it has to be fetched first.
    """
    name = "" if request.name.lower() in EMBEDDED_NAMES and not request.url else request.name
    if request.url:
        if fault := web_address.fault_of(request.url):
            raise UsageError(f"That is not where a model can be: {fault}")
    elif name and hub.find(name, "llm_model") is None and not settings.fetch_models:
        raise hub.not_on_this_machine(name)
    return settings.model_copy(update={"llm_model": name, "llm_url": request.url})


def write(settings: Settings) -> tuple[Path | None, str]:
    """Write the model of ``settings`` into the config file; return the file and what to know."""
    choice = {"llm_model": settings.llm_model, "llm_url": settings.llm_url}
    try:
        path = config_file.write(choice)
    except ConfigError as error:
        return None, f"{error}. {error.next_step}"
    names = [f"{ENV_PREFIX}{key.upper()}" for key in choice]
    stronger = [name for name in names if os.environ.get(name)]
    notes = [f"{' and '.join(stronger)} in the environment win over the file"] if stronger else []
    if settings.llm_start == "never":
        notes.append('llm_start = "never" keeps answers off')
    return path, "; ".join(notes)
