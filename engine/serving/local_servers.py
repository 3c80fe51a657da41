"""OpenAI-compatible servers that run on this machine; looked for only when somebody asks."""

import asyncio
from dataclasses import dataclass

from engine.errors import ModelError
from engine.serving.endpoint import Endpoint, offered

WELL_KNOWN = {11434: "Ollama", 1234: "LM Studio", 8080: "llama.cpp", 8000: "vLLM", 1337: "Jan"}
"""Ports on which programs listen by default. Nothing is sent there but a request for the list of
models."""

LOOK_S = 0.3
"""Longest wait for all of them."""


@dataclass(frozen=True)
class LocalServer:
    """A server on this machine."""

    url: str
    """As in ``llm_url``."""
    program: str
    """The program that usually listens on its port."""
    models: tuple[str, ...]


async def local_servers(ports: dict[int, str] | None = None) -> list[LocalServer]:
    """Return the servers that answer on the loopback interface within ``LOOK_S``."""
    wanted = WELL_KNOWN if ports is None else ports
    found = await asyncio.gather(*(_look(port, program) for port, program in wanted.items()))
    return [server for server in found if server]


async def _look(port: int, program: str) -> LocalServer | None:
    url = f"http://127.0.0.1:{port}/v1"
    try:
        async with asyncio.timeout(LOOK_S):
            names = await offered(Endpoint("", 0, url), LOOK_S)
    except (ModelError, TimeoutError):
        return None
    able = tuple(name for name in names if "embed" not in name.lower())
    return LocalServer(url, program, able) if able else None
