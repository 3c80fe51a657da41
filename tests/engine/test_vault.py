"""Vaults and manuals in an open folder: front matter, tags, links and template text."""

import asyncio
import contextlib
import json
import sqlite3
import threading
from functools import partial
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest

from engine import config, paths
from engine.errors import LoadError, UsageError
from engine.searching import follow, template_text
from engine.server.folder import Folder
from engine.server.shared_encoder import SharedEncoder
from engine.wire.api_links import Link, LinksRequest
from engine.wire.api_search import Hit, SearchRequest
from tests.engine.tiny_encoder import TinyEncoder, TinyShared
from tests.in_process import client_of
from tests.opened import opening

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

LICENCE = (
    "Licensed under the Apache License, Version 2.0 (the License); you may not use this file "
    "except in compliance with the License. You may obtain a copy of the License from us.\n"
    "Unless required by applicable law or agreed to in writing, software distributed under the "
    "License is distributed without warranties or conditions of any kind, either express or "
    "implied. See the License for the language governing permissions under the License.\n\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "vault"
    (place / "birds").mkdir(parents=True)
    return place


@pytest.fixture
async def tiny() -> TinyShared:
    return TinyShared(TinyEncoder())


async def hits(folder: Folder, query: str, count: int = 50) -> list[Hit]:
    return (await folder.search(SearchRequest(query=query, hits=count))).hits


async def links(folder: Folder, request: LinksRequest) -> list[Link]:
    look = partial(follow.links, request, folder.root, config.load())
    return (await folder.looked_up(look)).links


def kept(root: Path, query: str) -> list[tuple[str, ...]]:
    with contextlib.closing(sqlite3.connect(paths.index_dir(root) / "manifest.sqlite")) as opened:
        return opened.execute(query).fetchall()


TAGS = "SELECT CAST(path AS TEXT), tag FROM tags JOIN files ON files.id = file ORDER BY 1, 2"


@pytest.mark.parametrize("query", ["Wattled crane", "sleepwalker", "wetland"])
async def test_a_file_of_front_matter_alone_is_found_by_what_it_says(
    root: Path, tiny: TinyShared, query: str
) -> None:
    text = "---\ntitle: Wattled crane\naliases: [Sleepwalker]\ntags: [wetland]\n---\n"
    (root / "birds/a.md").write_text(text)
    (root / "birds/b.md").write_text("# Another\n\nThis one says nothing of the kind.\n")
    async with opening(root, tiny) as folder:
        found = (await folder.search(SearchRequest(query=query, hits=1, mode="bm25"))).hits
    assert [(hit.path, hit.start_line, hit.end_line) for hit in found] == [("birds/a.md", 1, 5)]


async def test_raw_front_matter_is_in_no_hit_and_lines_are_those_of_the_file(
    root: Path, tiny: TinyShared
) -> None:
    (root / "a.md").write_text("---\ntitle: Kites\nlayout: post\n---\n\n# Feathers\n\nRed ones.\n")
    async with opening(root, tiny) as folder:
        (hit,) = await hits(folder, "kites")
    assert (hit.text, hit.start_line, hit.heading) == ("# Feathers\n\nRed ones.", 6, "Feathers")


async def test_tags_follow_an_edit_of_nothing_else(root: Path, tiny: TinyShared) -> None:
    note, other = root / "a.md", root / "b.md"
    note.write_text("---\ntags: [Bird, wood/Work]\ndraft: yes\n---\nThe same words. #Inline\n")
    other.write_text("No tags, `#code`, #1.\n")
    async with opening(root, tiny) as folder:
        assert kept(root, TAGS) == [("a.md", "bird"), ("a.md", "inline"), ("a.md", "wood/work")]
        note.write_text("---\ntags: []\ndraft: yes\n---\nThe same words. #Inline\n")
        await folder.synced()
        assert kept(root, TAGS) == [("a.md", "inline")]
        other.write_text("---\ntags: x\n---\nNo tags, `#code`, #1.\n")
        note.unlink()
        await folder.synced()
        assert kept(root, TAGS) == [("b.md", "x")]
        assert kept(root, "SELECT * FROM aliases") == []
        other.rename(root / "c.md")
        await folder.synced()
        assert kept(root, TAGS) == [("c.md", "x")]


async def test_an_edit_of_tags_that_changes_no_chunk_is_kept(root: Path, tiny: TinyShared) -> None:
    note = root / "a.md"
    text = (
        f"---\ntitle: {'word ' * 100}\naliases: ['{'other ' * 100}']\ntags: [TAGS]\n---\n\nwords\n"
    )
    note.write_text(text.replace("TAGS", "one"))
    async with opening(root, tiny) as folder:
        before = kept(root, "SELECT hex(text_hash) FROM chunks")
        note.write_text(text.replace("TAGS", "one, two"))
        await folder.synced()
        assert kept(root, "SELECT hex(text_hash) FROM chunks") == before
        assert kept(root, TAGS) == [("a.md", "one"), ("a.md", "two")]


async def test_links_lead_to_files_and_lines(root: Path, tiny: TinyShared) -> None:
    (root / "birds/Kite.md").write_text(
        "---\naliases: [Milan]\n---\n# Kite\n\n## Tail\n\nForked.\n"
    )
    (root / "a.md").write_text(
        "# All\n\nSee [the *tail*](birds/Kite.md#tail), [[Milan]] and [[kite#Tail|again]].\n\n"
        "`[[Kite]]` [out](../../etc/passwd) [web](https://example.org) [gone](no.md) [up](#all)\n"
    )
    async with opening(root, tiny) as folder:
        found = await links(folder, LinksRequest(path="a.md"))
        assert [(x.label, x.path, x.line, x.line_in_source) for x in found] == [
            ("the *tail*", "birds/Kite.md", 6, 3), ("Milan", "birds/Kite.md", 1, 3),
            ("again", "birds/Kite.md", 6, 3), ("up", "a.md", 1, 5),
        ]  # fmt: skip
        some = await links(folder, LinksRequest(path="a.md", start_line=4, end_line=99))
        assert [link.label for link in some] == ["up"]
        assert await links(folder, LinksRequest(path="a.md", start_line=50)) == []
        given = await links(folder, LinksRequest(path="birds/Kite.md", text="[x](../a.md)"))
        assert [(link.path, link.line) for link in given] == [("a.md", 1)]


@pytest.mark.parametrize(
    "path", ["../outside.md", "/etc/passwd", "none.md", "", "birds", "linked/secret.md", "a\0.md"]
)
async def test_links_of_what_is_not_in_the_index_are_refused(
    root: Path, tiny: TinyShared, path: str
) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("[x](y.md)")
    (root.parent / "outside.md").write_text("[x](y.md)")
    (root / "linked").symlink_to(outside)
    async with opening(root, tiny) as folder:
        with pytest.raises(UsageError):
            await links(folder, LinksRequest(path=path))


async def test_a_file_replaced_by_a_link_is_not_read_through_it(
    root: Path, tiny: TinyShared
) -> None:
    secret = root.parent / "secret.md"
    secret.write_text("# Secret\n\n## Key\n\n[x](a.md)")
    (root / "a.md").write_text("[x](b.md#key)")
    (root / "b.md").write_text("# B\n\n[x](a.md)\n\n## Key\n")
    async with opening(root, tiny) as folder:
        folder.pause(paused=True)
        (root / "b.md").unlink()
        (root / "b.md").symlink_to(secret)
        folder.pause(paused=False)
        with pytest.raises((LoadError, UsageError)):
            await links(folder, LinksRequest(path="b.md"))


async def test_links_wait_for_no_writer(root: Path, tiny: TinyShared) -> None:
    (root / "a.md").write_text("[all](a.md)")
    async with opening(root, tiny) as folder:
        client = client_of(folder)
        go_on = threading.Event()
        busy = asyncio.ensure_future(folder._writer.do(go_on.wait))
        try:
            async with asyncio.timeout(5):
                (link,) = await client.links("id", LinksRequest(path="a.md"))
        finally:
            go_on.set()
            await busy
            await client.close()
        assert link.path == "a.md"


async def test_names_that_are_not_utf8_are_followed(root: Path, tiny: TinyShared) -> None:
    odd = b"caf\xe9.md"
    (Path(str(root)) / odd.decode("utf-8", "surrogateescape")).write_text("[a](a.md)")
    (root / "a.md").write_text("[odd](caf%E9.md)\n")
    async with opening(root, tiny) as folder:
        (link,) = await links(folder, LinksRequest(path="a.md"))
        assert link.quoted_path == quote_from_bytes(odd)
        request = LinksRequest(path=link.path, quoted_path=link.quoted_path)
        assert [back.path for back in await links(folder, request)] == ["a.md"]
        json.loads(link.model_dump_json())


@pytest.mark.parametrize("penalty", [template_text.PENALTY, 0.0])
async def test_a_licence_header_does_not_beat_the_file_about_licences(
    root: Path, encoder_cache: Path, monkeypatch: pytest.MonkeyPatch, penalty: float
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(encoder_cache.parent))
    monkeypatch.setattr(template_text, "PENALTY", penalty)
    for n in range(30):
        body = f"The {['red', 'black', 'white'][n % 3]} bird number {n} eats what it finds.\n"
        (root / f"birds/{n}.md").write_text(f"{LICENCE}# Bird {n}\n\n{body * 4}")
    (root / "terms.md").write_text(
        "# What the licence means\n\nUnder these terms you may copy and sell all we made, without "
        "asking. Name the authors, keep the notices, and say what you changed.\n"
    )
    encoder = SharedEncoder(config.load())
    try:
        async with opening(root, encoder) as folder:
            found = await hits(folder, "What does the License permit under its conditions?", 5)
            assert (found[0].path == "terms.md") == (penalty > 0)
    finally:
        await encoder.close()


async def test_a_client_asks_for_links_over_http(root: Path, tiny: TinyShared) -> None:
    (root / "a.md").write_text("[x](b.md)")
    (root / "b.md").write_text("words")
    async with opening(root, tiny) as folder:
        client = client_of(folder)
        assert [x.path for x in await client.links("id", LinksRequest(path="a.md"))] == ["b.md"]
        with pytest.raises(UsageError, match="not in the index"):
            await client.links("id", LinksRequest(path="../a.md"))
        await client.close()
