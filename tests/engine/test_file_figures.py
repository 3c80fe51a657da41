"""What is kept of how each file was read: by what, how long its text is, how long that took."""

import contextlib
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.chunks.chunk import Chunk
from engine.files.scan import Entry
from engine.searching import file_pages
from engine.storage.manifest import FileUpdate, Manifest
from engine.syncing.batch import FIRST_BATCH_CHUNKS
from engine.wire.api import Progress
from engine.wire.api_files import FilesReply, FilesRequest, ListedFile
from tests.engine.tiny_encoder import TinyEncoder
from tests.in_process import client_of
from tests.opened import opening, status, write_notes
from tests.schemas import TO_SCHEMA_4

RUSSIAN = "Поисковая программа находит в документах абзацы, которые ближе всего к вопросу."


def figures(file: ListedFile) -> tuple[str, int | None]:
    return file.loader, file.characters


@pytest.mark.real
async def test_every_file_tells_what_read_it_or_tried_to(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    root.mkdir()
    (root / "a.md").write_text("fine")
    (root / "cut.txt").write_bytes("Jürgen hat fünf Äpfel, süße Träume".encode()[:-4])
    (root / "double.txt").write_text("Café crème".encode().decode("latin-1"), encoding="utf-8")
    (root / "empty.md").touch()
    (root / "koi.txt").write_bytes(RUSSIAN.encode("koi8-r"))
    (root / "odd.pdf").write_bytes(b"no pdf")
    async with opening(root, TinyEncoder()) as folder:
        client = client_of(folder)
        reply: FilesReply = await client.files("any", FilesRequest())
        await client.close()
    assert {file.path: figures(file) for file in reply.files} == {
        "a.md": ("markdown", 4),
        "cut.txt": ("text (UTF-8, damaged in 1 place)", 31),
        "double.txt": ("text (repaired: UTF-8 read as Latin-1)", 10),
        "empty.md": ("markdown", 0),
        "koi.txt": ("text (KOI8-R, 99 % sure)", len(RUSSIAN)),
        "odd.pdf": ("pdf", None),
    }
    assert all(file.seconds is not None and file.seconds >= 0 for file in reply.files)


def test_an_index_of_the_version_before_is_listed_without_what_it_does_not_tell(
    tmp_path: Path,
) -> None:
    manifest = Manifest(tmp_path / "manifest.sqlite")
    chunk = Chunk(0, 4, "text", 1, 1, None, "")
    told: Any = {"loader": "markdown", "characters": 4, "seconds": 0.1}
    manifest.save([FileUpdate(1, Entry(b"a.md", 4, 0, 1), "", "", [chunk], **told)])
    manifest.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "manifest.sqlite")) as connection:
        connection.executescript(TO_SCHEMA_4)
        request = FilesRequest()
        (file,) = file_pages.page(request, {}, connection).files
        assert (file.chunks, file.characters, file.loader, file.seconds) == (1, None, "", None)
    opened = Manifest(tmp_path / "manifest.sqlite")
    (file,) = opened.read(partial(file_pages.page, FilesRequest(), {})).files
    assert (file.chunks, file.characters, file.loader, file.seconds) == (1, None, "", None)
    opened.close()


@pytest.mark.real
async def test_skipped_files_are_counted_alike_while_the_others_are_read(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    write_notes(root, FIRST_BATCH_CHUNKS + 2)
    (root / "a.md").write_bytes(b"\0\1\2")
    (root / "link.md").symlink_to(root / "nothing")
    seen: list[tuple[int, int]] = []
    async with opening(root, TinyEncoder(), sync=False) as folder:
        before = folder._shown.advance

        def remember(progress: Progress, counts: tuple[int, int]) -> None:
            before(progress, counts)
            if progress.files_done:
                seen.append((progress.files_done, status(folder).skipped_total))

        folder._shown.advance = remember  # type: ignore[method-assign]
        await folder.synced()
        assert status(folder).skipped_total == 2
    assert seen[0][0] < FIRST_BATCH_CHUNKS + 3, "others are still to be read"
    assert seen[0][1] == 2
