"""What a worker can be asked to do. Nothing is imported before it is asked for."""

from collections.abc import Callable
from importlib import import_module

from engine.documents.parts import Parts

WORK = {
    "pdf": "engine.documents.formats.pdf_pages:read",
    "html": "engine.documents.formats.web_page:read",
    "word": "engine.documents.formats.word:read",
    "slides": "engine.documents.formats.slides:read",
    "sheet": "engine.documents.formats.sheets:read",
    "ebook": "engine.documents.formats.ebook:read",
    "mail": "engine.documents.formats.mail:read",
    "notebook": "engine.documents.formats.notebook:read",
}
"""The loader of each kind of work, as ``module:function``: ``(raw, name) -> Parts``.

It runs in a worker: without a network, without files to write, with limits of memory and time. It
raises ValueError with the reason a file can't be read, in a person's words.
"""


def loader(work: str) -> Callable[[bytes, str], Parts]:
    """Return the function that does ``work``, imported now."""
    module, _, function = WORK[work].partition(":")
    found: Callable[[bytes, str], Parts] = getattr(import_module(module), function)
    return found
