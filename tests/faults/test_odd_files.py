"""What stands in a folder and is no ordinary document: read right, or skipped with its reason."""

import codecs
import os
import socket
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import paths
from engine.server.folder import Folder
from tests.engine.tiny_encoder import TinyEncoder
from tests.hits import wanted
from tests.opened import embedded, indexed, opening, status, until, until_it

pytestmark = pytest.mark.real


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder with a path short enough for a socket in it."""
    with tempfile.TemporaryDirectory(prefix="hk-") as place:
        (Path(place) / "docs").mkdir()
        (Path(place) / "docs/plain.md").write_text("plain")
        yield Path(place) / "docs"


def make_special_files(root: Path) -> dict[str, str]:
    """Make what is no file to be read; return how each one's reason begins."""
    os.mkfifo(root / "pipe.md")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket.md"))
    (root.parent / "outside.md").write_text("outside")
    (root / "out.md").symlink_to(root.parent / "outside.md")
    (root / "loop").symlink_to(root)
    (root / "itself.md").symlink_to("itself.md")
    with (root / "sparse.md").open("wb") as sparse:
        sparse.truncate(1_000_000_000)
    reasons = {
        "pipe.md": "not a file but a pipe",
        "socket.md": "not a file but a socket",
        "out.md": "a link that leads out of the folder",
        "loop": "a link that leads back",
        "itself.md": "a link that can't be followed",
        "sparse.md": "larger than 10 MB",
    }
    if os.getuid() == 0:
        os.mknod(root / "device.md", 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero, without end
        reasons["device.md"] = "not a file but a device"
    else:
        (root / "closed.md").write_text("closed")
        (root / "closed.md").chmod(0)
        reasons["closed.md"] = "no permission"
    return reasons


async def test_what_is_no_document_is_skipped_with_a_reason_and_holds_nothing_up(
    root: Path, encoder: TinyEncoder
) -> None:
    async with opening(root, encoder) as opened:
        await until(lambda: status(opened).state == "watching")
        reasons = make_special_files(root)
        (root / "after.md").write_text("after")
        await until_it(lambda: found(opened, {"plain.md", "after.md"}))
        await opened.synced()
        told = {skip.path: skip.reason for skip in status(opened).skipped}
    assert told.keys() == reasons.keys()
    assert {path for path in told if not told[path].startswith(reasons[path])} == set()


TEXT = "Größe und Maß — naïve café"
ODD: dict[str, tuple[bytes, str | None]] = {
    "bom.md": (codecs.BOM_UTF8 + TEXT.encode(), TEXT),
    "utf-16-le.md": (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), TEXT),
    "utf-16-be.txt": (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), TEXT),
    "cp1252.txt": (TEXT.encode("cp1252"), TEXT),
    "shift-jis.txt": (
        "索引はグラフ構造を使います。今日は天気がいいです。".encode("shift_jis"),
        "索引はグラフ構造を使います。今日は天気がいいです。",
    ),
    "binary.md": (b"\x7fELF\x02\x01\x01\x00\x00\x00" * 20, None),
    "empty.md": (b"", ""),
    "encrypted.pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\ntrailer<</Encrypt 1 0 R>>", None),
    "cut.pdf": (b"%PDF-1.4\n1 0 obj<</Type/Catalog", None),
    "deep.html": (b"<div>" * 10_000 + b"needle", None),
}
"""A file's bytes, and its text; None where it is skipped."""


async def test_odd_encodings_are_read_and_broken_formats_are_skipped(
    root: Path, encoder: TinyEncoder
) -> None:
    for name, (raw, _) in ODD.items():
        (root / name).write_bytes(raw)
    with zipfile.ZipFile(root / "bomb.docx", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("word/document.xml", bytes(50_000_000))
    async with opening(root, encoder) as opened:
        texts = await indexed(opened)
        told = {skip.path: skip.reason for skip in status(opened).skipped}
    expected = {name: {text} for name, (_, text) in ODD.items() if text}
    assert texts == {"plain.md": {"plain"}} | expected
    assert told.keys() == {name for name, (_, text) in ODD.items() if text is None} | {"bomb.docx"}
    assert all(told.values())


@pytest.mark.timeout(240)
async def test_five_megabytes_on_one_line_are_read_to_their_end(
    root: Path, encoder: TinyEncoder
) -> None:
    words = " ".join(f"word{number}" for number in range(480_000))
    assert len(words) > 5_000_000
    (root / "long.md").write_text(words)
    async with opening(root, encoder) as opened:
        assert status(opened).skipped == []
        (last,) = (await opened.search(wanted(encoder.in_turn[-1], 1))).hits
    assert (last.path, last.start_line, last.end_line) == ("long.md", 1, 1)


SECRET = "the secret that nobody may find"


async def test_secrets_are_in_no_file_of_ours_and_what_becomes_ignored_leaves(
    root: Path, encoder: TinyEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(root / "data"))
    secrets = [
        root / ".env", root / "server.pem", root / ".git/config", root / ".git/notes.md",
        root / "id_rsa", root / "node_modules/x/readme.md",
    ]  # fmt: skip
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "b3BlbnNzaC1rZXktdjE" * 20
    (root / "pasted.md").write_text(f"{SECRET}\n{key}\n-----END OPENSSH PRIVATE KEY-----\n")
    for path in secrets:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SECRET)
    (root / "draft.md").write_text("a draft")
    paths.make_private(paths.data_dir()).joinpath("own.md").write_text("our own")
    async with opening(root, encoder) as opened:
        await until(lambda: status(opened).state == "watching")
        assert (await indexed(opened)).keys() == {"plain.md", "draft.md"}
        (root / ".gitignore").write_text("draft.md\n")
        await until_it(lambda: found(opened, {"plain.md"}))
        (root / ".gitignore").unlink()
        await until_it(lambda: found(opened, {"plain.md", "draft.md"}))
    written = [path for path in paths.data_dir().rglob("*") if path.is_file()]
    assert "manifest.sqlite" in {path.name for path in written}
    assert [path for path in written if SECRET.encode() in path.read_bytes()] == []
    assert not any(SECRET in text for text in embedded(encoder))


async def found(opened: Folder, names: set[str]) -> bool:
    return (await indexed(opened)).keys() == names
