import errno
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.config import Settings
from engine.files import scan
from tests.unit.conftest import Tree

HOSTILE_NAMES = [
    b'it\'s "quoted".md',
    b"back\\slash.md",
    b"new\nline.md",
    b"\x1b]52;c;aGk=\x07.md",
    "\u202egpj.md".encode(),
    b"{braces} 100% $HOME.md",
    b"caf\xe9 not utf-8.md",
    b"[b] [@click=app.quit].md",
    b"x" * 252 + b".md",
]
ELSEWHERE = Path("/nowhere/hoverkite")


def found(root: Path, settings: Settings | None = None) -> list[str]:
    settings = settings or Settings()
    entries = scan.scan(root, settings, index_root=ELSEWHERE).entries
    names = [os.fsdecode(entry.path) for entry in entries]
    look = scan.Look(root, settings, index_root=ELSEWHERE)
    looked_at = [look.at(os.fsencode(path)) for path in all_paths(root)]
    assert sorted(entry.path for entry in looked_at if entry) == [e.path for e in entries]
    assert {entry for entry in looked_at if entry} == set(entries)
    return names


def look(root: Path, *, index_root: Path = ELSEWHERE) -> scan.Look:
    return scan.Look(root, Settings(), index_root=index_root)


def all_paths(root: Path) -> Iterator[str]:
    """Every path below ``root``, also those that lead through a link, but not round in a ring."""
    for folder, folders, files in os.walk(root, followlinks=True):
        inside = os.path.relpath(folder, root)
        if inside.count("/") > 3:
            folders.clear()
        for name in (*folders, *files):
            yield os.path.normpath(f"{inside}/{name}")


def refused(root: Path, name: str, settings: Settings | None = None) -> bool:
    """Whether the scan leaves out ``name``, which is there."""
    assert os.path.lexists(root / name)
    return name not in found(root, settings)


def reasons(root: Path, settings: Settings | None = None) -> dict[str, str]:
    result = scan.scan(root, settings or Settings(), index_root=ELSEWHERE)
    return {os.fsdecode(path): reason for path, reason in result.skipped}


def test_documents_of_every_read_kind_are_found_in_order(tree: Tree) -> None:
    names = ["README", "a.md", "b.rst", "c.html", "d.pdf", "e.txt", "src/f.py", "src/g.toml"]
    assert found(tree(*reversed(names))) == sorted(names)


def test_an_entry_tells_size_time_and_inode(tree: Tree) -> None:
    root = tree("a.md=12345")
    status = (root / "a.md").stat()
    entry = scan.scan(root, Settings(), index_root=ELSEWHERE).entries[0]
    assert (entry.path, entry.size) == (b"a.md", 5)
    assert (entry.mtime_ns, entry.inode) == (status.st_mtime_ns, status.st_ino)


@pytest.mark.parametrize(
    ("number", "wrapped"),
    [(2**63 - 1, 2**63 - 1), (2**63, -(2**63)), (2**64 - 1, -1), (-(2**63) - 1, 2**63 - 1)],
)
def test_a_time_or_inode_too_large_for_sqlite_is_wrapped(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, number: int, wrapped: int
) -> None:
    root = tree("a.md")
    whole = os.lstat

    class Far:
        """A file's status with an extreme time and inode."""

        def __init__(self, path: str) -> None:
            self._status = whole(path)
            self.st_mtime_ns = self.st_ino = number

        def __getattr__(self, name: str) -> object:
            return getattr(self._status, name)

    looking = look(root)
    monkeypatch.setattr(os, "lstat", Far)
    entry = looking.at(b"a.md")
    assert entry and (entry.mtime_ns, entry.inode) == (wrapped, wrapped)


def test_kinds_not_read_yet_are_counted_by_name(tree: Tree) -> None:
    root = tree("a.pages", "b.PAGES", "c.numbers", "d.png", "e.zip", "f.db", "g.unknown", "h.md")
    result = scan.scan(root, Settings(), index_root=ELSEWHERE)
    assert result.unread == {
        "Pages": 2,
        "Numbers": 1,
        "image": 1,
        "archive": 1,
        "data": 1,
        "other": 1,
    }
    assert found(root) == ["h.md"]


@pytest.mark.parametrize(
    "name",
    [
        ".git/notes.md",
        "node_modules/pkg/README.md",
        "venv/lib/x.py",
        "lib/python3/site-packages/x.py",
        "__pycache__/x.py",
        "pkg.egg-info/top.txt",
        "uv.lock",
        "web/app.min.js",
        "draft.md~",
        "#draft.md#",
        "~$letter.txt",
        ".hidden.md",
        ".hidden/a.md",
    ],
)
def test_what_tools_made_and_what_is_hidden_is_left_out(tree: Tree, name: str) -> None:
    root = tree(name, "keep.md")
    assert refused(root, name)
    assert found(root) == ["keep.md"]
    assert scan.scan(root, Settings(), index_root=ELSEWHERE).ignored == 1


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        "prod.env",
        ".env.local",
        "server.pem",
        "tls.key",
        "id_rsa",
        "id_ed25519.txt",
        ".netrc",
        ".ssh/config.txt",
        "credentials",
        "credentials.txt",
        "db_credentials.yml",
        "secrets.yaml",
        "passwords.txt",
        "prod.tfvars",
        ".git/description.txt",
    ],
)
def test_secrets_are_never_read_even_with_hidden_files(tree: Tree, name: str) -> None:
    assert refused(tree(name), name, Settings(include_hidden=True))


@pytest.mark.parametrize("name", ["secrets.md", "secrets.py", "keys.md", "environment.txt"])
def test_prose_and_code_about_secrets_is_read(tree: Tree, name: str) -> None:
    assert found(tree(name)) == [name]


def test_hidden_files_are_read_when_asked_for(tree: Tree) -> None:
    root = tree(".hidden.md", ".notes/a.md", ".git/b.md")
    assert found(root, Settings(include_hidden=True)) == [".hidden.md", ".notes/a.md"]


@pytest.mark.parametrize(
    ("marker", "folder"),
    [
        ("Cargo.toml", "target"),
        ("package.json", "dist"),
        ("pyproject.toml", "build"),
        ("go.mod", "vendor"),
        ("conf.py", "_build"),
        ("mkdocs.yml", "site"),
    ],
)
def test_a_build_folder_is_left_out_only_beside_its_tool(
    tree: Tree, marker: str, folder: str
) -> None:
    name = f"{folder}/manual.md"
    root = tree(name)
    assert not refused(root, name)
    tree(marker)
    assert refused(root, name)


@pytest.mark.parametrize("mark", ["CACHEDIR.TAG", "pyvenv.cfg"])
def test_folders_that_say_they_were_generated_are_left_out(tree: Tree, mark: str) -> None:
    assert refused(tree("made/a.md", f"made/{mark}"), "made/a.md")


def test_ignore_files_are_honoured_nested_and_the_deepest_decides(tree: Tree) -> None:
    root = tree(
        ".gitignore=*.txt\n/top.md\nlogs/\n",
        ".ignore=drafts\n",
        "a.txt",
        "top.md",
        "sub/top.md",
        "sub/logs/x.md",
        "sub/drafts/x.md",
        "sub/.gitignore=!keep.txt\nlocal.md\n",
        "sub/keep.txt",
        "sub/local.md",
        "local.md",
    )
    assert found(root) == ["local.md", "sub/keep.txt", "sub/top.md"]
    for name in ("a.txt", "top.md", "sub/logs/x.md", "sub/drafts/x.md", "sub/local.md"):
        assert refused(root, name)


def test_nothing_in_an_ignored_folder_is_taken_back(tree: Tree) -> None:
    root = tree(".gitignore=logs/\n!logs/keep.md\n", "logs/keep.md", "logs/other.md")
    assert refused(root, "logs/keep.md")
    assert scan.scan(root, Settings(), index_root=ELSEWHERE).ignored == 2


def test_a_changed_ignore_file_counts_at_once(tree: Tree) -> None:
    root = tree("a.md", ".gitignore=b.md\n")
    assert found(root) == ["a.md"]
    (root / ".gitignore").write_text("a.md\n")
    assert refused(root, "a.md")


@pytest.mark.parametrize("line", ["!", "a\\", "[", "\x00", "**", "\\", "/"])
def test_a_line_that_is_no_pattern_does_not_stop_the_others(tree: Tree, line: str) -> None:
    root = tree(f".gitignore={line}\nleft-out.md\n", "left-out.md")
    assert refused(root, "left-out.md")


def test_an_ignore_file_that_is_a_pipe_does_not_hang(tree: Tree) -> None:
    root = tree("a.md")
    os.mkfifo(root / ".gitignore")
    assert found(root) == ["a.md"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_found_unchanged(tree: Tree, name: bytes) -> None:
    root = tree("plain.md", ".gitignore=*.tmp\n")
    (root / os.fsdecode(name)).write_text("text")
    assert os.fsdecode(name) in found(root)
    entry = look(root).at(name)
    assert entry is not None and entry.path == name


def test_a_path_that_is_not_utf8_is_decoded_for_the_screen() -> None:
    assert scan.decode(b"caf\xe9.md") == "caf\ufffd.md"


def test_links_are_never_followed(tree: Tree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("outside")
    root = tree("real.md", "sub/x.md")
    (root / "out.md").symlink_to(outside / "secret.md")
    (root / "out").symlink_to(outside)
    (root / "loop").symlink_to(root)
    (root / "self.md").symlink_to("self.md")
    (root / "gone.md").symlink_to("no-such-file.md")
    (root / "sub/again.md").symlink_to("../real.md")
    assert found(root) == ["real.md", "sub/x.md"]
    why = reasons(root)
    assert why["out.md"] == why["out"] == "a link that leads out of the folder"
    assert why["loop"] == "a link that leads back to a folder it stands in"
    assert why["gone.md"] == "a link to nothing"
    assert "can't be followed" in why["self.md"]
    assert "its own place" in why["sub/again.md"]
    for name in (b"out.md", b"out/secret.md", b"loop/real.md", b"self.md", b"gone.md"):
        assert look(root).at(name) is None


@pytest.fixture
def short_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hk"))
    yield folder
    shutil.rmtree(folder)


def test_pipes_sockets_and_large_files_are_skipped_with_a_reason(short_folder: Path) -> None:
    os.mkfifo(short_folder / "pipe.md")
    with (short_folder / "huge.txt").open("wb") as sparse:
        sparse.truncate(1_000_000_000)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(short_folder / "s.md"))
        why = reasons(short_folder)
    assert why == {
        "pipe.md": "not a file but a pipe",
        "s.md": "not a file but a socket",
        "huge.txt": "larger than 10 MB",
    }
    for name in (b"pipe.md", b"s.md", b"huge.txt"):
        assert look(short_folder).at(name) is None


def test_the_size_limit_is_a_setting(tree: Tree) -> None:
    root = tree("a.md=" + "x" * 2000)
    assert reasons(root, Settings(max_file_mb=0.001)) == {"a.md": "larger than 0.001 MB"}


def test_an_unreadable_folder_is_skipped_with_a_reason(short_folder: Path) -> None:
    short_folder.chmod(0o755)
    closed = short_folder / "closed"
    closed.mkdir(mode=0o700)
    (closed / "a.md").write_text("text")
    (short_folder / "b.md").write_text("text")
    if os.geteuid():
        closed.chmod(0)
        why, names = reasons(short_folder), found(short_folder)
        closed.chmod(0o700)
    else:
        os.seteuid(65534)
        try:
            why, names = reasons(short_folder), found(short_folder)
        finally:
            os.seteuid(0)
    assert why == {"closed": "no permission to read this folder"}
    assert names == ["b.md"]


def test_our_own_data_folder_is_never_read(tree: Tree) -> None:
    root = tree("a.md", "data/hoverkite/b.md")
    own = root / "data" / "hoverkite"
    result = scan.scan(root, Settings(), index_root=own)
    assert [entry.path for entry in result.entries] == [b"a.md"]
    assert look(root, index_root=own).at(b"data/hoverkite/b.md") is None
    assert scan.scan(own, Settings(), index_root=own).entries == []
    assert look(own, index_root=own).at(b"b.md") is None


@pytest.mark.parametrize(
    "path", [b"../a.md", b"/etc/README", b"", b"a//b.md", b"./a.md", b"a\0.md", b"a\0/b.md"]
)
def test_a_path_that_is_none_in_the_folder_does_not_belong(tree: Tree, path: bytes) -> None:
    root = tree("a.md", "a/b.md")
    assert look(root).at(path) is None


def test_a_folder_that_cannot_be_listed_just_now_is_named(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree("a.md", "disk/b.md", "closed/c.md")
    listing = os.scandir
    errors = {"disk": OSError(errno.EIO, "I/O error"), "closed": PermissionError()}

    def fail(path: str) -> "os._ScandirIterator[str]":
        if error := errors.get(Path(path).name):
            raise error
        return listing(path)

    with monkeypatch.context() as failing:
        failing.setattr(os, "scandir", fail)
        result = scan.scan(root, Settings(), index_root=ELSEWHERE)
        assert result.unlisted == [b"disk/"]
        assert sorted(path for path, _ in result.skipped) == [b"closed", b"disk"]
        errors[root.name] = PermissionError()
        assert scan.scan(root, Settings(), index_root=ELSEWHERE).unlisted == [b""]
