"""The worker process: ``python -P -m engine.documents.workers.worker``, a socket as its input.

It reads one file after the other as it is asked to, and leaves when the other side is gone.
"""

import contextlib
import gc
import os
import resource
import socket
from typing import Any

from engine.documents.parts import LONGEST_TEXT, TOO_LONG, Parts
from engine.documents.workers import confine, frames
from engine.documents.workers.work import loader

MOST_FILES = 500
"""After which a worker leaves, so that what libraries lose does not add up."""
MOST_MEMORY = 300_000_000
"""Bytes; a worker that once took more leaves after its file."""
MOST_PARTS = 200_000
OWN_PACKAGES = {"engine"}
"""Whose ValueErrors are reasons in a person's words."""


def main() -> None:
    """Read files until told otherwise."""
    confine.die_with_parent()
    with socket.socket(fileno=0) as line, contextlib.suppress(EOFError, ConnectionError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        for printed in (1, 2):  # documents never reach a log
            os.dup2(nothing, printed)
        serve(line)


def serve(line: socket.socket) -> None:
    """Answer the requests that come over ``line``."""

    def receive(size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            piece = line.recv(min(size - len(found), 1 << 20))
            if not piece:
                raise EOFError
            found += piece
        return bytes(found)

    for count in range(1, MOST_FILES + 1):
        head, size = frames.receive_head(receive)
        if count == 1:  # before its first import, whose bytecode may be kept, it holds no file
            with contextlib.suppress(Exception):  # told with the file
                loader(head["work"])
            confine.confine()
        confine.allow_seconds(head["seconds"])
        reply, body = _answer(head["work"], receive(size), head["name"])
        leaves = count == MOST_FILES or _peak() > MOST_MEMORY
        line.sendall(frames.pack(reply | {"leaves": leaves}, body) + body)
        if leaves:
            return
        del body
        gc.collect()


def _answer(work: str, raw: bytes, name: str) -> tuple[dict[str, Any], bytes]:
    """Return the head and the body of the reply; whatever happens, there is one."""
    try:
        return _reply(loader(work)(raw, name))
    except MemoryError:
        return {"error": confine.TOO_MUCH_MEMORY}, b""
    except RecursionError:
        return {"error": "it is nested too deeply"}, b""
    except BaseException as error:  # libraries in Rust panic with one of these
        if isinstance(error, ValueError) and _is_in_words(error):
            return {"error": str(error)}, b""
        return {"error": f"it is damaged, or its reader has a fault ({type(error).__name__})"}, b""


def _is_in_words(error: ValueError) -> bool:
    """Whether a loader raised it, for a person: what libraries say of themselves is for nobody."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    module = str(place.tb_frame.f_globals.get("__name__")) if place else ""
    return type(error) is ValueError and module.partition(".")[0] in OWN_PACKAGES


def _reply(found: Parts) -> tuple[dict[str, Any], bytes]:
    texts = [part.text.encode("utf-8", "replace") for part in found.parts]
    names = [part.name for part in found.parts]
    characters = sum(len(part.text) + len(part.name) for part in found.parts)
    if characters > LONGEST_TEXT or len(texts) > MOST_PARTS:
        raise ValueError(TOO_LONG)
    head = {"unit": found.unit, "names": names, "lengths": [len(text) for text in texts]}
    return head, b"".join(texts)


def _peak() -> int:
    """Return the most bytes of memory this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * confine.PEAK_UNIT


if __name__ == "__main__":
    main()
