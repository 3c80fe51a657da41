"""How a hit is opened in the editor or a viewer, and how text reaches the clipboard."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from engine.errors import FolderError, UsageError
from tests.hits import hit
from tui import clipboard, editor, viewer


@pytest.mark.parametrize(
    ("environment", "platform", "wanted"),
    [
        ({"DISPLAY": ":0"}, "linux", "xdg-open"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", "xdg-open"),
        ({}, "linux", None),
        ({}, "darwin", "open"),
    ],
)
def test_only_a_desktop_has_an_opener(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    platform: str,
    wanted: str | None,
) -> None:
    monkeypatch.setenv("PATH", str(command_in(tmp_path, "xdg-open", "")))
    assert viewer.opener_for(environment, platform) == wanted
    monkeypatch.setenv("PATH", "/nowhere")
    assert viewer.opener_for({"DISPLAY": ":0"}, "linux") is None


@pytest.mark.parametrize(("status", "told"), [(0, []), (3, ["xdg-open ended with status 3"])])
def test_a_viewer_that_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, told: list[str]
) -> None:
    folder = command_in(
        tmp_path, "xdg-open", f'echo noise; echo "$@" > {tmp_path}/got; exit {status}'
    )
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    reasons: list[str] = []
    running = set(threading.enumerate())
    viewer.show("/x/a b.pdf", {"DISPLAY": ":0"}, reasons.append)
    for waiting in set(threading.enumerate()) - running:
        waiting.join(20)
    assert (tmp_path / "got").read_text() == "/x/a b.pdf\n"
    assert [reason.partition(":")[0] for reason in reasons] == told


def test_without_a_desktop_the_way_out_is_told() -> None:
    with pytest.raises(UsageError, match="no desktop") as raised:
        viewer.show("/x/a.pdf", {}, print)
    assert "/x/a.pdf" in raised.value.next_step


def command_in(folder: Path, name: str, does: str) -> Path:
    """Put a command into ``folder``; return the folder."""
    command = folder / name
    command.write_text(f"#!/bin/sh\n{does}\n")
    command.chmod(0o700)
    return folder


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("vim", ["vim", "+7", "/a b.md"]),
        ("nvim -p", ["nvim", "-p", "+7", "/a b.md"]),
        ("/usr/bin/nano", ["/usr/bin/nano", "+7", "/a b.md"]),
        ("emacs -nw", ["emacs", "-nw", "+7", "/a b.md"]),
        ("kak", ["kak", "+7", "/a b.md"]),
        ("micro", ["micro", "+7", "/a b.md"]),
        ("vi", ["vi", "+7", "/a b.md"]),
        ("hx", ["hx", "/a b.md:7"]),
        ("helix", ["helix", "/a b.md:7"]),
        ("code", ["code", "--wait", "--goto", "/a b.md:7"]),
        ("code --wait", ["code", "--wait", "--goto", "/a b.md:7"]),
        ("subl", ["subl", "--wait", "/a b.md:7"]),
        ("subl -w", ["subl", "-w", "/a b.md:7"]),
        ("'/opt/my editor/ed'", ["/opt/my editor/ed", "/a b.md"]),
    ],
)
def test_every_editor_gets_its_own_syntax(command: str, wanted: list[str]) -> None:
    assert editor.command_for(command, "/a b.md", 7) == wanted


def test_the_editor_is_the_setting_then_visual_then_editor_then_vi() -> None:
    everything = {"VISUAL": "visual", "EDITOR": "editor"}
    assert editor.chosen_editor("setting", everything) == "setting"
    assert editor.chosen_editor("", everything) == "visual"
    assert editor.chosen_editor(" ", {"VISUAL": "", "EDITOR": "editor"}) == "editor"
    assert editor.chosen_editor("", {}) == "vi"


def test_a_broken_editor_command_is_explained() -> None:
    with pytest.raises(UsageError, match="not complete"):
        editor.command_for("vim 'x", "/a", 1)


def test_an_editor_that_cannot_be_started_is_explained() -> None:
    with pytest.raises(UsageError, match="No such file") as raised:
        editor.run(["/no/such/editor"])
    assert "$EDITOR" in raised.value.next_step


@pytest.mark.parametrize(("command", "status"), [("true", 0), ("false", 1)])
def test_the_exit_status_of_the_editor_is_returned(command: str, status: int) -> None:
    assert editor.run([command]) == status


def test_a_name_that_is_not_utf8_is_found_by_its_bytes(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.md"
    Path(os.fsdecode(raw)).write_text("x")
    found = editor.file_of(tmp_path, hit(1, path="caf\ufffd.md", quoted_path="caf%E9.md"))
    assert os.fsencode(found) == raw
    with pytest.raises(FolderError, match="not there any more"):
        editor.file_of(tmp_path, hit(1, path="caf\ufffd.md"))


@pytest.mark.parametrize("name", ["gone.md", "x" * 5000])
def test_a_file_that_is_gone_is_told_apart_from_a_folder_that_is_gone(
    tmp_path: Path, name: str
) -> None:
    docs = tmp_path / "docs"
    for exists in (False, True):
        if exists:
            docs.mkdir()
        with pytest.raises(FolderError, match="docs is gone, empty or closed") as raised:
            editor.file_of(docs, hit(1, path=name))
        assert "caught up" not in raised.value.next_step
    (docs / "other.md").write_text("x")
    with pytest.raises(FolderError, match="not there any more") as raised:
        editor.file_of(docs, hit(1, path=name))
    assert "caught up" in raised.value.next_step


def test_tmux_is_given_the_text_and_only_inside_tmux(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    got = tmp_path / "got"
    fake = tmp_path / "tmux"
    fake.write_text(f'#!/bin/sh\necho "$@" > {got}.args\ncat > {got}\n')
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert not clipboard.hand_to_tmux("words", {})
    assert not got.exists()
    assert clipboard.hand_to_tmux("words é", {"TMUX": "/tmp/x,1,0"})
    assert got.read_text("utf-8") == "words é"
    assert Path(f"{got}.args").read_text().split() == ["load-buffer", "-w", "-"]


def test_without_a_tmux_to_run_copying_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert not clipboard.hand_to_tmux("words", {"TMUX": "/tmp/x,1,0"})
