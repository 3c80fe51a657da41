"""The list of a folder's files: states, words, pages while files change, and reading again."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.chunks.chunk import Chunk
from engine.errors import UsageError
from engine.files.scan import Entry
from engine.files.what_to_do import NOTHING, what_to_do
from engine.front import commands_files
from engine.front.connection import EngineClient
from engine.searching import file_pages
from engine.searching.place import path_of
from engine.server.folder import Folder
from engine.storage.file_list import Aside
from engine.storage.manifest import FileUpdate, Manifest
from engine.syncing.batch import FIRST_BATCH_CHUNKS
from engine.wire.api_files import (
    FileChoice,
    FilesReply,
    FilesRequest,
    NamedFile,
    ReadAgainRequest,
)
from tests.engine.tiny_encoder import TinyEncoder
from tests.in_process import client_of
from tests.opened import opening, status, until, until_it, write_notes

HOSTILE = ["\x1b]52;c;AA==\x07.md", "\u202eevil.md", "[@click=app.quit]x.md", "two\nlines.md"]


@pytest.fixture
def manifest(tmp_path: Path) -> Iterator[Manifest]:
    opened = Manifest(tmp_path / "manifest.sqlite")
    yield opened
    opened.close()


def add(manifest: Manifest, *names: str | bytes, reason: str | None = None) -> None:
    manifest.save(
        [
            FileUpdate(
                manifest.new_id(),
                Entry(os.fsencode(name), 10, 1_000_000_000, number),
                "",
                "",
                [] if reason else [Chunk(0, 4, "text", 1, 1, None, "")],
                reason=reason,
                loader="text",
                characters=5,
                seconds=0.25,
            )
            for number, name in enumerate(names)
        ]
    )


def asked(manifest: Manifest, aside: dict[bytes, Aside] | None = None, **values: Any) -> FilesReply:
    return manifest.read(partial(file_pages.page, FilesRequest(**values), aside or {}))


def paths(reply: FilesReply) -> list[str]:
    return [file.path for file in reply.files]


def states(reply: FilesReply) -> dict[str, str]:
    return {file.path: file.state for file in reply.files}


# --- the list ----------------------------------------------------------------------------------


def test_a_file_tells_its_figures_and_what_read_it(manifest: Manifest) -> None:
    add(manifest, "a.md")
    (file,) = asked(manifest).files
    assert (file.chunks, file.characters, file.bytes) == (1, 5, 10)
    assert (file.loader, file.seconds) == ("text", 0.25)
    assert file.modified is not None
    assert file.modified.startswith(("1970-01-01T", "1969-12-31T"))


@pytest.mark.parametrize(
    ("choice", "listed"),
    [
        ("all", ["a.md", "b.md", "c.md", "d.md", "e.pdf", "f.md"]),
        ("waiting", ["b.md", "c.md", "d.md"]),
        ("indexed", ["a.md"]),
        ("stale", ["b.md"]),
        ("reading", ["d.md"]),
        ("skipped", ["e.pdf", "f.md"]),
    ],
)
def test_each_state_can_be_asked_for(manifest: Manifest, choice: str, listed: list[str]) -> None:
    add(manifest, "a.md", "b.md")
    add(manifest, "e.pdf", reason="a scanned PDF without text")
    aside = {
        b"b.md": Aside("waiting"),
        b"c.md": Aside("waiting"),
        b"d.md": Aside("reading"),
        b"f.md": Aside("skipped", "a link to nothing"),
    }
    reply = asked(manifest, aside, state=choice)
    assert paths(reply) == listed
    assert reply.total == len(listed)
    assert sum(reply.counts.values()) == 6
    assert reply.next is None


def test_a_file_that_was_skipped_and_waits_is_no_longer_told_as_skipped(manifest: Manifest) -> None:
    add(manifest, "a.md", reason="it holds a private key")
    reply = asked(manifest, {b"a.md": Aside("reading")})
    assert [(file.state, file.reason) for file in reply.files] == [("reading", "")]
    assert asked(manifest, {b"a.md": Aside("waiting")}, state="skipped").total == 0


@pytest.mark.parametrize(
    ("match", "listed"),
    [
        ("GUIDE", ["guide/Ärger.md"]),
        ("ärger", ["guide/Ärger.md"]),
        ("%", ["100%_sure.md"]),
        ("0%_s", ["100%_sure.md"]),
        ("md sure", ["100%_sure.md"]),
        ("private", ["key.txt"]),
        ("no such", []),
        ("' OR 1=1 --", []),
        ("", ["100%_sure.md", "guide/Ärger.md", "key.txt"]),
    ],
)
def test_words_are_looked_for_in_paths_and_reasons_without_case_and_as_they_are(
    manifest: Manifest, match: str, listed: list[str]
) -> None:
    add(manifest, "guide/Ärger.md", "100%_sure.md")
    add(manifest, "key.txt", reason="it holds a private key")
    reply = asked(manifest, match=match)
    assert (paths(reply), reply.total) == (listed, len(listed))


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_give_every_file_once_whatever_their_size(manifest: Manifest, limit: int) -> None:
    add(manifest, "b.md", "d.md", b"\xff.md", *HOSTILE)
    aside = {name: Aside("waiting") for name in (b"a.md", b"c.md", b"d.md", b"z.md")}
    seen: list[bytes] = []
    after: str | None = ""
    while after is not None:
        reply = asked(manifest, aside, after=after, limit=limit)
        assert reply.before == len(seen)
        seen += [path_of(file.path, file.quoted_path) for file in reply.files]
        after = reply.next
    known = {b"b.md", b"d.md", b"\xff.md", *(name.encode() for name in HOSTILE)}
    assert seen == sorted(known | aside.keys())
    far = asked(manifest, aside, skip=4, limit=2)
    assert (far.before, far.total) == (4, 10)
    assert paths(far) == paths(asked(manifest, aside))[4:6]
    beyond = asked(manifest, aside, skip=2**31)
    assert (beyond.before, beyond.total, beyond.files) == (10, 10, [])


@pytest.mark.parametrize("choice", ["all", "waiting", "indexed", "stale", "skipped"])
def test_pages_that_count_nothing_give_the_same_files_and_look_at_no_others(
    manifest: Manifest, choice: FileChoice
) -> None:
    add(manifest, *(f"{number:04}.md" for number in range(3000)))
    add(manifest, "0005.pdf", "2990.pdf", reason="it holds a private key")
    aside = {name: Aside("waiting") for name in (b"0007.md", b"0005.pdf", b"1.md", b"2.md")}
    whole = asked(manifest, aside, state=choice, limit=1000)
    steps: list[str] = []
    page = partial(file_pages.page, FilesRequest(state=choice, limit=5, counted=False), aside)

    def traced(connection: sqlite3.Connection) -> FilesReply:
        connection.set_trace_callback(steps.append)
        try:
            return page(connection)
        finally:
            connection.set_trace_callback(None)

    reply = manifest.read(traced)
    assert paths(reply) == paths(whole)[:5]
    assert states(reply).items() <= states(whole).items()
    assert (reply.before, reply.total, reply.counts) == (0, 0, {})
    assert "SELECT path, reason FROM files" not in steps
    assert not [step for step in steps if "documents" in step]


async def test_the_command_has_a_long_list_counted_once(manifest: Manifest) -> None:
    add(manifest, *(f"{number:04}.md" for number in range(2500)))
    requests: list[FilesRequest] = []

    class Client(EngineClient):
        def __init__(self) -> None:
            pass

        async def files(self, folder: str, request: FilesRequest) -> FilesReply:
            requests.append(request)
            return manifest.read(partial(file_pages.page, request, {}))

    found = await commands_files.from_engine(Client(), "any", "all")
    assert [request.counted for request in requests] == [True, False, False]
    assert paths(found) == [f"{number:04}.md" for number in range(2500)]
    assert found.counts == {"indexed": 2500}


def test_files_that_come_and_go_between_two_pages_show_none_twice(manifest: Manifest) -> None:
    add(manifest, "b.md", "c.md", "d.md", "e.md")
    first = asked(manifest, limit=2)
    add(manifest, "a.md", "f.md")
    manifest.save([], removed=[2])  # c.md, behind which the next page begins
    second = asked(manifest, after=first.next or "", limit=10)
    assert paths(first) + paths(second) == ["b.md", "c.md", "d.md", "e.md", "f.md"]
    assert (second.before, second.total) == (2, 5)


def test_a_name_that_is_no_utf_8_is_told_byte_for_byte(manifest: Manifest) -> None:
    add(manifest, b"\xff\n.md")
    (file,) = asked(manifest).files
    assert (file.path, file.quoted_path) == ("\ufffd\n.md", "%FF%0A.md")


def test_every_reason_has_a_next_step() -> None:
    assert (what_to_do(""), what_to_do("it holds a private key")) == ("", NOTHING)
    assert "max_file_mb" in what_to_do("larger than 20 MB")
    assert "read again" in what_to_do("something new")


# --- the routes --------------------------------------------------------------------------------


async def listed(folder: Folder, **values: Any) -> FilesReply:
    client = client_of(folder)
    try:
        return await client.files("any", FilesRequest(**values))
    finally:
        await client.close()


@pytest.mark.real
async def test_a_folder_tells_what_is_indexed_and_what_was_skipped(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    write_notes(root, 2)
    (root / "odd.md").write_bytes(b"\0\1\2")
    (root / "link.md").symlink_to(tmp_path)
    for name in HOSTILE:
        (root / name).write_text("fine")
    async with opening(root, TinyEncoder()) as folder:
        reply = await listed(folder)
        assert reply.counts == {"indexed": 6, "skipped": 2}
        told = states(reply)
        assert {"odd.md": "skipped", "link.md": "skipped"}.items() <= told.items()
        assert set(HOSTILE) <= told.keys()
        assert status(folder).skipped_total == reply.counts["skipped"]
        uncounted = await listed(folder, counted=False)
        assert (uncounted.files, uncounted.counts) == (reply.files, {})
        found = await listed(folder, match="odd binary", limit=1)
        assert [file.reason for file in found.files] == ["binary content under the name of a text"]
        assert "Rename it" in found.files[0].next_step
        assert paths(await listed(folder, match="two\nlines & more? #")) == []
        assert paths(await listed(folder, match="\u202eevil")) == ["\u202eevil.md"]


@pytest.mark.parametrize(
    "query",
    ["state=every", "limit=0", "limit=1001", "limit=x", "skip=-1", "match=" + "x" * 201, "more=1"],
)
@pytest.mark.real
async def test_a_request_that_is_wrong_says_which_part(tmp_path: Path, query: str) -> None:
    (tmp_path / "docs").mkdir()
    async with opening(tmp_path / "docs", TinyEncoder(), sync=False) as folder:
        client = client_of(folder)
        with pytest.raises(UsageError, match=f"the request's {query.partition('=')[0]} is wrong"):
            await client._send("GET", "/v1/folders/any/files", query=query)
        await client.close()


@pytest.mark.real
async def test_what_waits_in_a_pause_is_told_new_or_stale(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    write_notes(root, 2)
    async with opening(root, TinyEncoder()) as folder:
        folder.pause(paused=True)
        write_notes(root, 1, begin=7)
        (root / "note0.md").write_text("changed")

        async def told() -> bool:
            found = states(await listed(folder, state="waiting"))
            return found == {"note0.md": "stale", "note7.md": "waiting"}

        await until_it(told)
        folder.pause(paused=False)

        async def done() -> bool:
            return (await listed(folder)).counts == {"indexed": 3}

        await until_it(done)


class Held(TinyEncoder):
    """Embeds nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        self.go.wait(20)
        return super()._encode(texts)


@pytest.mark.real
async def test_while_the_folder_is_read_files_are_in_hand_or_wait(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    write_notes(root, FIRST_BATCH_CHUNKS + 2)
    encoder = Held()
    async with opening(root, encoder, sync=False) as folder:

        async def told() -> bool:
            found = await listed(folder)
            return found.counts == {"reading": FIRST_BATCH_CHUNKS, "waiting": 2}

        await until_it(told)
        assert all(file.bytes for file in (await listed(folder)).files)
        encoder.go.set()

        async def done() -> bool:
            return (await listed(folder)).counts == {"indexed": FIRST_BATCH_CHUNKS + 2}

        await until_it(done)


@pytest.mark.real
async def test_named_files_are_read_again_though_nothing_of_them_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "docs"
    write_notes(root, 3)
    (root / "odd.md").write_text("fine")
    read: list[str] = []
    async with opening(root, TinyEncoder()) as folder:
        assert folder._sync
        reader = folder._sync._reader
        before = reader.read

        def remember(file: int, entry: Entry) -> FileUpdate | None:
            read.append(entry.path.decode())
            return before(file, entry)

        monkeypatch.setattr(reader, "read", remember)
        client = client_of(folder)
        asked = ReadAgainRequest(files=[NamedFile(path="odd.md")])
        assert (await client.read_again("any", asked)).files == 1
        await until(lambda: read)
        await folder.synced()
        assert read == ["odd.md"]
        (root / "link.md").symlink_to(tmp_path)
        await folder.synced()
        names = ["note1.md", "../secret.md", "no\nsuch.md", "link.md"]
        beyond = ReadAgainRequest(files=[NamedFile(path=name) for name in names])
        reply = await client.read_again("any", beyond)
        assert reply.files == 2, "one that was left out is known"
        assert [file.path for file in reply.unknown] == ["../secret.md", "no\nsuch.md"]
        await folder.synced()
        assert read == ["odd.md", "note1.md"]
        await client.close()


@pytest.mark.real
async def test_all_that_failed_or_was_left_out_is_looked_at_again_at_once(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    write_notes(root, 1)
    (root / "odd.md").write_bytes(b"\0\1\2")
    (root / "link.md").symlink_to(root / "nothing")
    async with opening(root, TinyEncoder()) as folder:
        assert folder._sync
        record = folder._manifest.files_at([b"odd.md"])[b"odd.md"]
        # As if it was made so by an earlier version: nothing of the file tells of a change.
        (root / "odd.md").write_bytes(b"fin")
        status = (root / "odd.md").stat()
        numbers = (status.st_mtime_ns, status.st_ino, status.st_ctime_ns)
        await folder.synced()
        folder._manifest.save(
            [FileUpdate(record.id, Entry(b"odd.md", 3, *numbers), "", record.recipe, reason="odd")]
        )
        (root / "link.md").unlink()
        client = client_of(folder)
        await client.read_again("any", ReadAgainRequest(failed=True))
        await client.close()

        async def done() -> bool:
            return (await listed(folder)).counts == {"indexed": 2}

        await until_it(done)
