"""The values that filters can have in a folder, and that each finds its files."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.documents.document import Document
from engine.files.scan import Entry
from engine.searching.complete import complete
from engine.storage.manifest import FileUpdate, Manifest
from engine.storage.texts import ReadText
from engine.wire.api_complete import CompleteRequest, FilterName
from engine.wire.query import parse
from engine.wire.unfinished import unfinished
from tests.engine.tiny_encoder import TinyEncoder
from tests.in_process import client_of
from tests.opened import opening

PATHS = [
    b"docs/guide/setup.md", b"docs/guide/use.md", b"docs/Index.md", b"Docker/a.py",
    b"a docs.txt", b"notes/old.MD", b"README",
]  # fmt: skip
HOSTILE = [
    b"\x1b]52;c;AA==\x07.md", "\u202eevil.md".encode(), b"[/]", b"[@click=app.quit]x",
    b"\xff\xfe.md", b'say "so".md', b" both ends ", b"two\nlines/a\ttab.md", b":colon", b"!no",
    b"#tag", b"back\\slash", b"*star?", "Ä b/ö.md".encode(), b"{x,y}", b"'quote", b"path:x",
]  # fmt: skip


@pytest.fixture
def manifest(tmp_path: Path) -> Iterator[Manifest]:
    opened = Manifest(tmp_path / "manifest.sqlite")
    yield opened
    opened.close()


def update(manifest: Manifest, path: bytes, **more: object) -> FileUpdate:
    entry = Entry(path, 1, 1, 1, 1)
    return FileUpdate(manifest.new_id(), entry, "c", "r", **more)  # type: ignore[arg-type]


def keep(manifest: Manifest, *paths: bytes, tags: tuple[str, ...] = ()) -> None:
    manifest.save([update(manifest, path, tags=tags) for path in paths])


def offered(manifest: Manifest, name: FilterName, start: str = "", limit: int = 100) -> list[str]:
    request = CompleteRequest(filter=name, start=start, limit=limit)
    return [f"{each.value} {each.files}" for each in complete(request, manifest).values]


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("", ["Docker/ 1", "docs/ 3", "notes/ 1", "a docs.txt 1", "README 1"]),
        ("do", ["Docker/ 1", "docs/ 3", "a docs.txt 1"]),
        ("DOCS", ["docs/ 3", "a docs.txt 1"]),
        ("docs/", ["docs/guide/ 2", "docs/Index.md 1"]),
        ("Docs/i", ["docs/Index.md 1", "docs/guide/ 2"]),
        ("/docs/guide/s", ["/docs/guide/setup.md 1", "/docs/guide/use.md 1"]),
        ("./notes/", ["./notes/old.MD 1"]),
        ("docs/guide/setup.md", ["docs/guide/setup.md 1"]),
        ("docs/none/", []),
        ("zz", []),
        ("docs/guide/../", []),
    ],
)
def test_paths_are_told_step_by_step(manifest: Manifest, start: str, found: list[str]) -> None:
    keep(manifest, *PATHS)
    assert offered(manifest, "path", start) == found
    assert offered(manifest, "path", start, 2) == found[:2]


def test_types_and_tags_with_most_files_come_first(manifest: Manifest) -> None:
    keep(manifest, *PATHS, b"archive.tar.gz", b"x.two words", b"y.\x1b[m", b'z."')
    keep(manifest, b"n1.md", tags=("project", "project/kite"))
    keep(manifest, b"n2.md", tags=("project/kite", "old project"))
    keep(manifest, b"n3.md", tags=('evil"', "\x1b]0;x\x07"))
    assert offered(manifest, "type") == ["md 7", "gz 1", "py 1", "txt 1"]
    assert offered(manifest, "type", ".T") == ["txt 1"]
    assert offered(manifest, "tag") == ["project/kite 2", "old project 1", "project 1"]
    assert offered(manifest, "tag", "#PROJ") == ["project/kite 2", "project 1", "old project 1"]


def test_files_that_are_not_embedded_yet_count_and_unread_ones_do_not(manifest: Manifest) -> None:
    manifest.texts.save([(manifest.new_id(), b"new/a.md", ReadText.of(Document("x", "text")))])
    manifest.save([update(manifest, b"broken/a.pdf", reason="it is damaged")])
    assert offered(manifest, "path") == ["new/ 1"]
    assert offered(manifest, "type") == ["md 1"]


def test_each_value_can_be_shown_and_finds_its_files(manifest: Manifest) -> None:
    """Whatever a name holds: taken into a query, its value lets in what it stands for."""
    keep(manifest, *HOSTILE)
    files = {record.id: path for path, record in manifest.files().items()}
    found: set[bytes] = set()
    starts = [""]
    while starts:
        start = starts.pop()
        for each in complete(
            CompleteRequest(filter="path", start=start, limit=100), manifest
        ).values:
            assert each.value.isprintable() and '"' not in each.value
            if each.value.endswith("/"):
                starts.append(each.value)
            typed = unfinished("path:", 5)
            assert typed is not None
            query = parse(f"kite path:{typed.written(each.value)}")
            assert query.text == "kite"
            let_in, _ = manifest.narrowing.files(query.filters)
            assert let_in, each.value
            found.update(files[file] for file in let_in)
    assert found == set(HOSTILE)


def test_a_hundred_thousand_files(manifest: Manifest) -> None:
    keep(manifest, *(f"d{n % 50:02}/e{n % 7}/note {n}.md".encode() for n in range(100_000)))
    assert len(offered(manifest, "path", limit=7)) == 7
    assert offered(manifest, "path", "d07/e1/note 5", limit=1)[0].startswith("d07/e1/note 5")
    assert offered(manifest, "type") == ["md 100000"]


async def test_the_route(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a.md").write_text("---\ntags: [kite]\n---\nText.\n")
    Path(os.fsdecode(os.fsencode(root) + b"/\xff.md")).write_text("other")
    async with opening(root, TinyEncoder()) as folder:
        client = client_of(folder)

        async def values(name: FilterName, start: str = "") -> list[str]:
            request = CompleteRequest(filter=name, start=start)
            return [each.value for each in await client.complete("f", request)]

        assert await values("path") == ["sub/", "?.md"]
        assert await values("path", "SUB/") == ["sub/a.md"]
        assert await values("tag") == ["kite"]
        assert await values("type") == ["md"]
        await client.close()
