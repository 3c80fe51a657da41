"""How a hit is opened in the editor or a viewer, and how text reaches the clipboard."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from engine.errors import FileGoneError, FolderError, UsageError
from tests.hits import hit
from tests.tui.driver import driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource, whole_answer
from tui import clipboard, editor, viewer
from tui.app import HoverkiteApp
from tui.outside import EDITOR_REST


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
        ("code", ["code", "--goto", "/a b.md:7"]),
        ("codium -r", ["codium", "-r", "--goto", "/a b.md:7"]),
        ("cursor", ["cursor", "--goto", "/a b.md:7"]),
        ("nvim", ["nvim", "+7", "/a b.md"]),
        ("emacsclient -t", ["emacsclient", "-t", "+7", "/a b.md"]),
        ("gedit", ["gedit", "+7", "/a b.md"]),
        ("gvim", ["gvim", "+7", "/a b.md"]),
        ("kate", ["kate", "--line", "7", "/a b.md"]),
        ("zed", ["zed", "/a b.md:7"]),
        ("/snap/bin/idea.sh", ["/snap/bin/idea.sh", "--line", "7", "/a b.md"]),
        ("less", ["less", "+7", "/a b.md"]),
        ("code --wait", ["code", "--wait", "--goto", "/a b.md:7"]),
        ("subl", ["subl", "/a b.md:7"]),
        ("subl -w", ["subl", "-w", "/a b.md:7"]),
        ("'/opt/my editor/ed'", ["/opt/my editor/ed", "/a b.md"]),
    ],
)
def test_every_editor_gets_its_own_syntax(command: str, wanted: list[str]) -> None:
    assert editor.command_for(command, "/a b.md", 7) == wanted


@pytest.mark.parametrize(
    ("command", "window"),
    [
        *((name, True) for name in ("code --wait", "codium", "/opt/cursor", "subl", "zed", "kate")),
        *((name, True) for name in ("gedit", "idea", "gvim", "mvim")),
        *(
            (name, False)
            for name in ("vi", "vim", "nvim", "nano", "emacs", "emacsclient -c", "kak")
        ),
        *((name, False) for name in ("hx", "micro", "gvim -v", "less", "my-code", "code-wrapper")),
    ],
)
def test_only_editors_in_a_terminal_are_given_the_terminal(command: str, window: bool) -> None:
    assert editor.has_window(editor.command_for(command, "/a -v.md", 7)) is window


async def test_an_editor_with_a_window_leaves_the_screen_alone(tmp_path: Path) -> None:
    started: list[list[str]] = []

    def start(command: list[str], tell_failure: Callable[[int], object]) -> None:
        started.append(command)
        if len(started) == 2:
            tell_failure(3)
        if len(started) == 3:
            raise FileNotFoundError(2, "No such file or directory")

    (tmp_path / "a.md").write_text("x")
    engine = ScriptedEngine()
    engine.answer = whole_answer([hit(1, path="a.md", start_line=12)], "x", [])
    source = ScriptedSource(engine, editor="code --wait")
    async with driving(source=source, folder=tmp_path) as driver:
        driver.app.start_window = start
        await driver.ask_to_the_end("q")
        await driver.press("tab", "e")
        assert started == [["code", "--wait", "--goto", f"{tmp_path}/a.md:12"]]
        assert [toast.message for toast in driver.toasts] == ["a.md opens in code"]
        await driver.press("e")
        await driver.until(
            lambda: "ended with status 3" in driver.toasts[-1].message, "the failure"
        )
        await driver.press("e")
        await driver.until(lambda: "can't be started" in driver.toasts[-1].message, "the fault")


async def test_what_has_a_window_is_started_beside_the_screen(tmp_path: Path) -> None:
    statuses: list[int] = []
    ended = threading.Event()

    def tell_failure(status: int) -> None:
        statuses.append(status)
        ended.set()

    viewer.start(["/bin/sh", "-c", f"echo x; echo $0 > {tmp_path}/it; exit 4"], tell_failure)
    await asyncio.to_thread(ended.wait, 8)
    assert statuses == [4] and (tmp_path / "it").exists()
    with pytest.raises(OSError, match="No such file"):
        viewer.start(["/no/such/editor"], statuses.append)


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
    with pytest.raises(FileGoneError, match="not there any more"):
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
        assert "the results follow" not in raised.value.next_step
    (docs / "other.md").write_text("x")
    with pytest.raises(FileGoneError, match="not there any more") as gone:
        editor.file_of(docs, hit(1, path=name))
    assert gone.value.title == "That file can't be opened"


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


async def test_keys_typed_ahead_into_an_editor_open_no_second_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HoverkiteApp, "suspend", lambda _: nullcontext())
    (tmp_path / "a.md").write_text("x")
    engine = ScriptedEngine()
    engine.answer = whole_answer([hit(1, path="a.md")], "x", [])
    source = ScriptedSource(engine, editor="vi")
    commands: list[list[str]] = []
    clock = [100.0]

    def run(command: list[str]) -> int:
        commands.append(command)
        clock[0] += 60
        return 0

    async with driving(
        source=source, folder=tmp_path, run_editor=run, now=lambda: clock[0]
    ) as driver:
        await driver.ask_to_the_end("q")
        await driver.press("tab", "e")
        assert len(commands) == 1
        clock[0] += EDITOR_REST / 2
        await driver.press("e", "enter")
        assert len(commands) == 1, "they were meant for the editor"
        clock[0] += EDITOR_REST
        await driver.press("e")
        assert len(commands) == 2


@pytest.mark.parametrize(
    ("name", "content", "edited"),
    [
        ("a.md", b"kites", True),
        ("a.pdf", b"kites", False),
        ("a.docx", b"kites", False),
        ("a.djvu", b"AT&TFORM\0\0\1\0", False),
        ("a.ledger", b"kites", True),
        ("a.txt", "kites".encode("utf-16"), True),
        ("a.gone", None, True),
    ],
)
def test_an_editor_is_given_text_alone(
    name: str, content: bytes | None, edited: bool, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert editor.edits(tmp_path / name) is edited
