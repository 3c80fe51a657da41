"""What an engine and its worker say to each other: a head in JSON and a body, each with its length.

A request is ``{"work", "name", "seconds"}`` and the file's bytes; a reply is ``{"unit", "names",
"lengths"}``, of the parts, and their texts in UTF-8 behind each other, or ``{"error"}`` and
nothing.
"""

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

LENGTHS = struct.Struct("!II")
"""Bytes of the head, bytes of the body."""
MOST = 2**32 - 1

Receive = Callable[[int], bytes]
"""Returns exactly so many bytes; raises EOFError where the other side is gone."""


def pack(head: Mapping[str, object], body: bytes = b"") -> bytes:
    """Return what stands before ``body`` on the way."""
    told = json.dumps(head).encode("ascii")
    return LENGTHS.pack(len(told), len(body)) + told


def receive_head(receive: Receive, most: int = MOST) -> tuple[dict[str, Any], int]:
    """Return the next head, and how many bytes its body has.

    Raises:
        EOFError: the other side is gone.
        ValueError: head or body is longer than ``most``, or the head is no JSON object.
    """
    size, body = LENGTHS.unpack(receive(LENGTHS.size))
    if size > most or body > most:
        raise ValueError("too long")
    head = json.loads(receive(size))
    if not isinstance(head, dict):
        raise ValueError("no object")
    return head, body
