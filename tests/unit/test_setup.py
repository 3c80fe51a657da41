"""The set-up: pip's settings for uv, causes of failures, and the link on the PATH."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import link, machine, setup

ROOT = Path(__file__).resolve().parents[2]


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


def test_a_failed_command_names_its_step() -> None:
    with pytest.raises(machine.SetupError) as caught:
        setup.run("installing hoverkite", [sys.executable, "-c", "raise SystemExit(3)"])
    assert "Set-up stopped at: installing hoverkite" in str(caught.value)


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
