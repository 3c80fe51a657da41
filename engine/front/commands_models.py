"""``hoverkite models``: which answer models there are, what fits, choosing and fetching one."""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from typing import Any

from engine import config
from engine.config import Settings
from engine.encoding import hub
from engine.errors import EngineError, HoverkiteError, ModelError, UsageError
from engine.figures import size
from engine.front.client import attach
from engine.front.printing import (
    FOUND,
    NOT_FOUND,
    can_be_asked,
    narrate,
    plain_line,
    print_json,
    says_yes,
)
from engine.server import model_choice
from engine.server.model_choice import is_pleasant
from engine.serving import models
from engine.serving.endpoint import offered
from engine.serving.local_models import Fit, LocalModel, Machine, local_models
from engine.serving.local_servers import LocalServer, local_servers
from engine.serving.model_weights import RUNTIME_BYTES, gib
from engine.serving.recommended import AS_OF, RECOMMENDED, SOURCE, Recommended
from engine.serving.vllm_server import remote_endpoint
from engine.wire import api
from engine.wire.api_models import ModelChosen, UseModel

LISTING_S = 3.0
"""Longest wait for the models of the server that ``llm_url`` names."""


async def run(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    """Run the command and return the exit status.

    Raises:
        HoverkiteError: why it could not be done.
    """
    if options.action and not options.name and not (options.action == "use" and options.llm_url):
        raise UsageError(f"name the model to {options.action}", "See: hoverkite models --help")
    if options.action == "fetch":
        return await asyncio.to_thread(_fetch, options, flags)
    if options.action == "use":
        return await _use(options, flags)
    return await _list(options, config.load(flags))


# --- listing -----------------------------------------------------------------------------------


async def _list(options: argparse.Namespace, settings: Settings) -> int:
    machine = await asyncio.to_thread(Machine.here)
    found = await asyncio.to_thread(local_models, settings, machine)
    named, problem = await _named_server(settings)
    servers = [*named, *(s for s in await local_servers() if s.url not in {n.url for n in named})]
    if options.json:
        print_json(_told(settings, machine, found, servers, problem))
        return FOUND
    for line in _lines(settings, machine, found, servers, problem):
        print(plain_line(line).rstrip())
    return FOUND


async def _named_server(settings: Settings) -> tuple[list[LocalServer], str]:
    """Return the server of ``llm_url`` with its models, and what is wrong with it."""
    if not settings.llm_url:
        return [], ""
    endpoint = remote_endpoint(settings)
    try:
        names = tuple(await offered(endpoint, LISTING_S))
    except HoverkiteError as error:
        return [LocalServer(endpoint.url, "llm_url", ())], f"{error}. {error.next_step}"
    wrong = settings.llm_model and settings.llm_model not in names
    problem = f"{settings.llm_model} is none of its models: correct llm_model" if wrong else ""
    return [LocalServer(endpoint.url, "llm_url", names)], problem


def _is_used(model: LocalModel, settings: Settings) -> bool:
    embedded = models.is_demonstration(settings) and model.place == "embedded"
    return embedded or (not settings.llm_url and model.name == settings.llm_model)


def _lines(
    settings: Settings,
    machine: Machine,
    found: list[LocalModel],
    servers: list[LocalServer],
    problem: str,
) -> Iterator[str]:
    yield _what_there_is(machine, settings)
    yield "on this machine (* answers now)"
    for model in found:
        yield _line(_is_used(model, settings), model.name, _about(model, machine))
    for server in servers:
        ours = server.program == "llm_url"
        yield f"server {server.url} ({'llm_url' if ours else f'by its port {server.program}'})"
        for name in server.models:
            yield _line(ours and name == (settings.llm_model or server.models[0]), name, "")
        if ours and problem:
            yield f"    {problem}"
    yield "to fetch, with: hoverkite models fetch NAME"
    here = {model.name for model in found}
    for other in RECOMMENDED:
        if other.name not in here:
            yield _line(False, other.name, _about_fetching(other, settings, machine))
    yield f"sizes as of {AS_OF}: {SOURCE}"


def _line(used: bool, name: str, about: str) -> str:
    return f"{'*' if used else ' '} {name:<34} {about}"


def _what_there_is(machine: Machine, settings: Settings) -> str:
    if machine.package is None:
        return "vLLM is not installed here: answers come from the server that llm_url names"
    if machine.gpu:
        share = settings.llm_gpu_memory
        return f"vLLM may take {share:.0%} of the GPU's {gib(machine.gpu.total)} (llm_gpu_memory)"
    cache = f"{settings.llm_kv_cache_gb:g} GiB its key-value cache (llm_kv_cache_gb)"
    own = gib(RUNTIME_BYTES)
    return f"{gib(machine.available)} of memory are free; vLLM itself takes {own}, {cache}"


def _about(model: LocalModel, machine: Machine) -> str:
    silent = "; has no chat template, so that it can't be asked" if not model.answers else ""
    demonstration = ", a demonstration" if model.place == "embedded" else ""
    return f"{model.place}{demonstration}; {_verdict(model.fit, model.weights, machine)}{silent}"


def _about_fetching(model: Recommended, settings: Settings, machine: Machine) -> str:
    verdict = _verdict(machine.fit(model.bytes, settings), model.bytes, machine)
    gated = "; gated, see its page" if model.gated else ""
    return f"{size(model.bytes)}, {model.licence}; {verdict}{gated}"


def _verdict(fit: Fit, weights: int, machine: Machine) -> str:
    if not fit.fits:
        return f"does not fit: {fit.why}"
    slow = "" if is_pleasant(weights, machine) else ", but is slow without a GPU"
    return f"fits, needs {gib(fit.needs)}{slow}"


def _told(
    settings: Settings,
    machine: Machine,
    found: list[LocalModel],
    servers: list[LocalServer],
    problem: str,
) -> dict[str, Any]:
    return {
        "in_use": {"name": models.model_name(settings), "url": settings.llm_url},
        "memory_bytes": machine.gpu.total if machine.gpu else machine.available,
        "gpu": machine.on_gpu,
        "local": [
            {
                "name": model.name,
                "place": model.place,
                "folder": str(model.folder) if model.folder else None,
                "weights_bytes": model.weights,
                "in_use": _is_used(model, settings),
                "can_be_asked": model.answers,
                **_fit_told(model.fit),
            }
            for model in found
        ],
        "servers": [
            {
                "url": server.url,
                "program": server.program,
                "models": list(server.models),
                "problem": problem if server.program == "llm_url" else "",
            }
            for server in servers
        ],
        "to_fetch": [
            {
                "name": model.name,
                "download_bytes": model.bytes,
                "licence": model.licence,
                "gated": model.gated,
                "page": model.page,
                **_fit_told(machine.fit(model.bytes, settings)),
            }
            for model in RECOMMENDED
        ],
        "sizes": {"as_of": AS_OF, "source": SOURCE},
    }


def _fit_told(fit: Fit) -> dict[str, Any]:
    return {"fits": fit.fits, "needs_bytes": fit.needs, "why": fit.why}


# --- choosing ----------------------------------------------------------------------------------


async def _use(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    flags = {name: value for name, value in flags.items() if name != "llm_url"}
    request = UseModel(name=options.name or "", url=options.llm_url or "")
    settings = model_choice.chosen(config.load(flags), request)
    await _check_server(settings)
    reply = await _told_to_engine(request)
    if reply is None:
        written, note = model_choice.write(settings)
        llm = api.LlmState(state="off", model=models.model_name(settings))
        reply = ModelChosen(llm=llm, written=str(written or ""), note=note)
    if options.json:
        print_json(reply.model_dump(mode="json"))
    else:
        print(plain_line(f"{reply.llm.model or settings.llm_url} answers from now on"))
        narrate(
            f"written into {reply.written}" if reply.written else "the config file is as it was"
        )
        if reply.note:
            narrate(reply.note)
    return FOUND if reply.written else NOT_FOUND


async def _check_server(settings: Settings) -> None:
    """Raise ModelError unless the server that ``settings`` name is there and has the model."""
    if not settings.llm_url:
        return
    names = await offered(remote_endpoint(settings), LISTING_S)
    if settings.llm_model and settings.llm_model not in names:
        raise ModelError(
            f"{settings.llm_url} has no model {settings.llm_model}",
            f"It has {', '.join(list(names)[:10])}",
        )


async def _told_to_engine(request: UseModel) -> ModelChosen | None:
    """Let the engine that runs change its model; None where none of this version runs."""
    try:
        client = await attach()
    except EngineError:
        return None
    try:
        if (await client.hello()).protocol != api.PROTOCOL_VERSION:
            return None
        return await client.use_model(request)
    finally:
        await client.close()


# --- fetching ----------------------------------------------------------------------------------


def _fetch(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    from engine.serving import model_fetch

    settings, machine = config.load(flags), Machine.here()
    wanted = model_fetch.plan(options.name)
    fit = machine.fit(wanted.weights, settings)
    if wanted.missing:
        narrate(f"{wanted.name}: {size(wanted.missing)} of {size(wanted.total)} are to be fetched")
    if not fit.fits:
        _agree(f"it does not fit this machine: {fit.why}", options)
    folder = model_fetch.fetch(wanted, progress=sys.stderr.isatty())
    if not hub.is_complete(folder):
        raise ModelError(f"{wanted.name} came without all of its weights", "Fetch it again")
    if options.json:
        told = {"name": wanted.name, "folder": str(folder), "fetched_bytes": wanted.missing}
        print_json(told | _fit_told(fit))
    else:
        print(plain_line(f"{wanted.name} is in {folder}"))
        narrate(f"To let it answer: hoverkite models use {wanted.name}")
    return FOUND


def _agree(concern: str, options: argparse.Namespace) -> None:
    """Let a person decide about what is likely no use.

    Raises:
        UsageError: nobody agreed.
    """
    if options.yes:
        return
    narrate(concern)
    if not can_be_asked() or not says_yes("Fetch it all the same?"):
        raise UsageError("it was not fetched", "Add --yes to fetch it all the same")
