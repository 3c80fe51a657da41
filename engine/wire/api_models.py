"""The messages about answer models: what this one does, a better one on offer, and changing it."""

from typing import Literal

from pydantic import Field

from engine.wire.api import LlmState
from engine.wire.api_message import Message, Text

LLM = "/v1/llm"
"""GET: the ``LlmState`` with what its server counts."""
OFFER = "/v1/models/offer"
"""GET: a ``ModelOffer``."""
USE = "/v1/models/use"
"""POST: a ``UseModel``; the reply is a ``ModelChosen``."""


class OfferedModel(Message):
    """An answer model that is within reach."""

    name: str
    """What ``llm_model`` becomes."""
    url: str = ""
    """What ``llm_url`` becomes: the server that has it. Empty: vLLM run by hoverkite serves it."""
    place: Literal["here", "server", "hub"]
    """On this machine; offered by a server on this machine; on the model hub, to be fetched."""
    detail: str
    """Where it lies and why it fits, in plain words: what a person is shown beside the name."""
    download_bytes: int = 0
    """What would be fetched; 0 where nothing has to be."""


class ModelOffer(Message):
    """The best answer model within reach that is better than the demonstration model.

    Models of the hub are offered only where ``fetch_models`` allows fetching; nothing but
    servers on this very machine is asked for it.
    """

    model: OfferedModel | None = None
    """None where there is none, or where the demonstration model is not in use."""


class UseModel(Message):
    """Let another model answer from now on; answers under way are written to their end."""

    name: Text = ""
    """As in ``llm_model``: a hub name or a folder; empty for the embedded model, or with ``url``
    for the server's first."""
    url: Text = Field("", max_length=2000)
    """As in ``llm_url``; empty for vLLM run by hoverkite."""
    keep: bool = True
    """Whether it is written into the config file, so that it stays."""


class ModelChosen(Message):
    """The model that answers from now on; the event stream tells how its start goes on."""

    llm: LlmState
    written: str = ""
    """The config file that says so now; empty where it was left as it was …"""
    note: str = ""
    """… and why, or what a person should know: that the environment says otherwise."""
