"""A collection's corpus as a folder of documents, one file each, as a person would keep them."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine import paths
from engine.documents import front_matter
from engine.errors import HoverkiteError
from engine.evaluating import beir
from engine.evaluating.beir import Record
from engine.server import kept

FORM = 1
"""Grows whenever the same record would be written in another way."""

_LOST = dict.fromkeys((*range(9), *range(14, 27), *range(28, 32), 127), "�")
"""Controls, for which a file would be taken for a binary one."""


@dataclass(frozen=True)
class Written:
    """A corpus on disk."""

    root: Path
    names: dict[str, str]
    """Ids by the paths of their files."""
    empty: int
    """Documents without a word."""


def collections_dir() -> Path:
    """Folder of the collections that were written out; each can be made again."""
    return paths.cache_dir() / kept.COLLECTIONS


def write_out(folder: Path, place: Path) -> Written:
    """Return the corpus of ``folder`` as a folder in ``place``, written unless it is there whole.

    Its name tells its content, so that its index is used again and nothing is embedded twice.

    Raises:
        UsageError: a line of the corpus is wrong.
        HoverkiteError: it can't be written.
    """
    root = paths.make_private(place) / f"{beir.digest(folder)}-{FORM}"
    sizes, names, empty = dict[str, int](), dict[str, str](), 0
    for record in beir.records(folder):
        sizes[record.file] = len(content(record))
        names[record.file] = record.id
        empty += not (record.title + record.text).strip()
    if not is_whole(root, sizes):
        try:
            _write_all(folder, root, sizes)
        except OSError as error:
            raise HoverkiteError(
                f"the collection can't be written to {place}: {error.strerror}",
                "Free some disk space or mend the permissions, then try again",
            ) from error
    return Written(root.resolve(), names, empty)


def content(record: Record) -> bytes:
    """Return the Markdown file of one document: its title as a heading, then its text."""
    title = " ".join(record.title.translate(_LOST).split())
    text = record.text.translate(_LOST).replace("\r\n", "\n")
    front = front_matter.read(text)
    above = text[: front.end] if front else ""
    body = text[len(above) :]
    if title and not (front and front.title.casefold() == title.casefold()):
        body = _titled(title, body)
    return f"{above}{body.rstrip()}\n".encode("utf-8", "replace")


def _titled(title: str, body: str) -> str:
    first, _, rest = body.lstrip().partition("\n")
    is_title = " ".join(first.lstrip("#").split()).casefold() == title.casefold()
    return f"# {title}\n\n{rest.lstrip() if is_title else body}"


def is_whole(root: Path, sizes: dict[str, int]) -> bool:
    """Whether ``root`` holds the files of these sizes, and nothing else."""
    return dict(_files(root)) == sizes


def _files(root: Path) -> Iterator[tuple[str, int]]:
    for file in root.rglob("*"):
        if not file.is_dir():
            yield str(file.relative_to(root)), file.lstat().st_size


def _write_all(folder: Path, root: Path, sizes: dict[str, int]) -> None:
    """Write beside ``root``, then rename: what is found there by its name is whole."""
    with tempfile.TemporaryDirectory(prefix="making-", dir=root.parent) as room:
        made = Path(room, "new")
        made.mkdir(mode=0o700)
        for record in beir.records(folder):
            file = made / record.file
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.touch(mode=0o600)
            file.write_bytes(content(record))
        with contextlib.suppress(FileNotFoundError):
            root.rename(Path(room, "old"))
        try:
            made.rename(root)
        except OSError:
            if not is_whole(root, sizes):  # else somebody else was faster
                raise
