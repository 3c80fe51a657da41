"""``make setup``: the environment in .venv, the packages, hoverkite itself and its models.

Safe to repeat: a stamp says that nothing is to do, an interrupted set-up is begun again with what
was already downloaded. What the installers print goes into a log. Parses on Python 3.7 (see
:mod:`tools.machine`).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools import machine, narration
from tools.machine import ROOT, SetupError
from tools.narration import say

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
STAMP = VENV / "hoverkite-ready"
UNFINISHED = VENV / "hoverkite-unfinished"
LOCKS = ROOT / "requirements"
TORCH = "2.13.0"

PARTS = {
    "cpu": (
        ("torch, its CPU build", 0.19),
        ("vLLM, its CPU build, and what it needs", 0.35),
        ("the embedded models, all-MiniLM-L6-v2 and SmolLM2-135M", 0.18),
        ("Milvus Lite, OpenVINO, Textual, tools for the tests", 0.26),
    ),
    "plain": (
        ("torch", 0.2),
        ("the embedded model all-MiniLM-L6-v2", 0.09),
        ("Milvus Lite, Textual, tools for the tests", 0.2),
    ),
    "gpu": (
        ("torch with CUDA", 3.0),
        ("vLLM and what it needs", 1.6),
        ("the embedded models, all-MiniLM-L6-v2 and SmolLM2-135M", 0.18),
        ("Milvus Lite, OpenVINO, Textual, tools for the tests", 0.25),
    ),
}
"""What is downloaded for each kind of machine: parts, in GB."""
ON_DISK = {"cpu": 3.5, "plain": 1.2, "gpu": 11.0}
"""Size of the finished environment, in GB."""
MODEL_CACHE = 0.4
"""Size of the converted answer model, in GB."""


def main() -> int:
    """Set up what is missing; return the exit status."""
    try:
        machine.use_supported_python()
        with OneAtATime():
            kind = choose_kind()
            if sys.argv[1:] == ["lock"]:
                make_locks(kind)
                return 0
            if STAMP.exists() and STAMP.read_text() == fingerprint(kind):
                return 0
            set_up(kind)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        what = f"{error.filename or narration.LOG}: {error.strerror}"
        print(SetupError("writing a file", what, "mend it, then run: make setup"), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same command again: downloads are kept.", file=sys.stderr)
        return 130
    return 0


class OneAtATime:
    """Holds the project's folder locked, so that two set-ups never work on one environment."""

    def __enter__(self) -> None:
        self.folder = os.open(ROOT, os.O_RDONLY)
        try:
            fcntl.flock(self.folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is running; waiting for it to end")
            fcntl.flock(self.folder, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self.folder)


def choose_kind() -> str:
    """Which set of packages: asked for by ACCEL, chosen before, or found out."""
    asked = os.environ.get("ACCEL", "")
    if asked not in ("", "cpu", "gpu"):
        raise SetupError("reading ACCEL", f"{asked!r} is neither cpu nor gpu", "use one of them")
    if not machine.has_vllm_builds():
        return "plain"
    if asked:
        return asked
    if STAMP.exists():
        return STAMP.read_text().partition(" ")[0]
    return "gpu" if machine.has_gpu() else "cpu"


def lock_file(kind: str) -> Path:
    """The lock of a kind of machine."""
    return LOCKS / ("gpu.lock" if kind == "gpu" else "cpu.lock")


def fingerprint(kind: str) -> str:
    """What a finished set-up was made from; another fingerprint means there is work to do."""
    digest = hashlib.sha256()
    for path in (lock_file(kind), LOCKS / "uv.txt", ROOT / "pyproject.toml", Path(__file__)):
        digest.update(path.read_bytes())
    digest.update(os.fsencode(ROOT))
    return "{} {}.{} {}".format(kind, *sys.version_info[:2], digest.hexdigest())


def set_up(kind: str) -> None:
    """Do every step; each finds out by itself what is already there."""
    began = time.monotonic()
    machine.check_platform()
    fresh = _must_begin_anew(kind)
    if fresh:
        machine.check_venv_module()
        check_space(kind)
    announce(kind, fresh)
    narration.LOG.unlink(missing_ok=True)
    make_venv(fresh)
    install_uv()
    UNFINISHED.touch()
    if kind != "gpu":
        install_torch(kind)
    install_packages(kind)
    UNFINISHED.unlink()
    install_project()
    prepare_models()
    STAMP.write_text(fingerprint(kind))
    say(f"Ready after {time.monotonic() - began:.0f} s.")


def make_locks(kind: str) -> None:
    """Make the locks again; needs nothing but uv, so that a lock that fails can be mended."""
    make_venv(_must_begin_anew(kind))
    install_uv()
    run("making the locks", [str(PYTHON), "-m", "tools.lock"])


def _must_begin_anew(kind: str) -> bool:
    """True unless .venv is a whole environment of this kind, Python and place."""
    if not PYTHON.exists() or UNFINISHED.exists():
        return True
    wanted = "python{}.{}".format(*sys.version_info[:2])
    if not (VENV / "lib" / wanted / "site-packages" / "pip").is_dir():
        return True
    made_at = [
        line for line in (VENV / "pyvenv.cfg").read_text().splitlines() if line.endswith(str(VENV))
    ]
    other_kind = STAMP.exists() and STAMP.read_text().partition(" ")[0] != kind
    return other_kind or not made_at


def check_space(kind: str) -> None:
    """See that everything fits on the disk.

    Raises:
        SetupError: it does not.
    """
    needed = ON_DISK[kind] + sum(size for _, size in PARTS[kind])
    free = machine.free_gb(ROOT)
    if free < needed:
        raise SetupError(
            "looking at the disk",
            f"{free:.1f} GB are free in {ROOT}, and about {needed:.1f} GB are needed",
            "free some space, or put the project on a larger disk",
        )


def announce(kind: str, fresh: bool) -> None:
    """Say what will be downloaded, how large it is, and where it goes."""
    built_for = {"cpu": "no GPU", "gpu": "NVIDIA GPU", "plain": "no local answer model"}[kind]
    say(
        f"Setting up hoverkite: {platform.system()} on {platform.machine()}, "
        f"Python {platform.python_version()}, {built_for}"
    )
    if not fresh:
        say(f"  {VENV} is there; only what changed is fetched")
        return
    total = sum(size for _, size in PARTS[kind])
    say(f"  to download   about {total:.1f} GB from your package registry, unless cached:")
    for part, size in PARTS[kind]:
        say(f"                {size:5.2f} GB  {part}")
    say(f"  on disk       about {ON_DISK[kind]:.1f} GB in {VENV}")
    say("                (uv's cache of downloads shares these bytes where it can)")
    if kind != "plain":
        say(f"                {MODEL_CACHE:.1f} GB in hoverkite's cache for the converted model")
    say(f"  free there    {machine.free_gb(ROOT):.0f} GB")


def make_venv(fresh: bool) -> None:
    """Make .venv with the Python that runs this, or keep the one that is there."""
    if not fresh:
        return
    base = getattr(sys, "_base_executable", "") or sys.executable
    run("making the environment", [base, "-m", "venv", "--clear", str(VENV)])


def install_uv() -> None:
    """Install uv, which installs everything else, with pip."""
    if UV.exists():
        return
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    hashed = ["--require-hashes", "--only-binary", ":all:", "-r", str(LOCKS / "uv.txt")]
    run("installing uv", [*pip, "install", "--quiet", *hashed])


def install_torch(kind: str) -> None:
    """Install torch without CUDA: from the person's own registry if it is there."""
    install = [*_uv_install(), "--no-deps"]
    if platform.system() == "Darwin":
        command = [*install, f"torch=={TORCH}"]
    else:
        command = [*install, f"torch=={TORCH}+cpu"]
        tried = [*command, "--dry-run", "--quiet"]
        if subprocess.run(tried, capture_output=True, env=_env(), check=False).returncode:
            command = [*install, "--torch-backend", "cpu", f"torch=={TORCH}"]
    run("installing torch", command, expected_gb=PARTS[kind][0][1])


def install_packages(kind: str) -> None:
    """Install the lock: every version pinned, every file checked, nothing built here."""
    # With hashes checked, an index that holds another file of the same name can do no harm.
    every_index = ["--index-strategy", "unsafe-best-match"]
    exact = ["--no-deps", "--no-build", "--require-hashes", "-r", str(lock_file(kind))]
    parts = PARTS[kind] if kind == "gpu" else PARTS[kind][1:]
    command = [*_uv_install(), *every_index, *exact]
    run("installing the packages", command, expected_gb=sum(size for _, size in parts))


def install_project() -> None:
    """Link hoverkite itself into the environment: the sources here are what runs."""
    editable = ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    run("installing hoverkite", [*_uv_install(), *editable])


def prepare_models() -> None:
    """Compile the encoder and convert the answer model once, so that no first use has to wait."""
    run("preparing the models", [str(PYTHON), "-m", "engine.server.prepare"])


def _uv_install() -> list[str]:
    # Compiled now, on all cores: vLLM's first start takes half as long.
    return [str(UV), "pip", "install", "--compile-bytecode", "--python", str(PYTHON)]


def _env() -> dict[str, str]:
    """The environment with pip's settings in uv's words."""
    asked = [str(PYTHON), "-m", "pip", "config", "list"]
    pip_config = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return {**os.environ, **machine.uv_settings(pip_config), "UV_PYTHON_DOWNLOADS": "never"}


def run(step: str, command: list[str], expected_gb: float = 0) -> None:
    """Run a step's command, with its progress on the terminal and its output in the log.

    Raises:
        SetupError: it failed, with the cause that was found.
    """
    if command[0] == str(UV):
        last = narration.follow(step, command, _env(), narration.uv_stages(expected_gb))
    else:
        last = narration.follow(step, command)
    if last is not None:
        say("\n".join(f"    {line}" for line in last))
        raise SetupError(step, *explain(step), log=narration.LOG)


def explain(step: str) -> tuple[str, str]:
    """Find the likely cause of a failed step, and what to do about it."""
    if min(machine.free_gb(ROOT), machine.free_gb(Path(tempfile.gettempdir()))) < 0.3:
        return "the disk is full", "free some space; what was downloaded is kept"
    if step == "preparing the models":
        return (
            "see the lines above",
            "run: make setup; search works without it (.venv/bin/hoverkite)",
        )
    if step not in ("installing uv", "installing torch", "installing the packages"):
        return "see the lines above", "mend it, then run: make setup"
    if not registry_answers():
        return (
            "no package registry answers",
            "check the network, the proxy and pip's settings (python3 -m pip config list)",
        )
    if step == "installing torch" and platform.system() == "Linux":
        return (
            f"your registry works but lacks the CPU build torch=={TORCH}+cpu, "
            "and the PyTorch package index was not reached",
            "open the way to it, or name a folder with that wheel in pip's find-links setting",
        )
    return (
        "a package is missing from your registry, or differs from its hash in the lock",
        "see the lines above; a mirror may be out of date",
    )


def registry_answers() -> bool:
    """True where pip gets a small package from the person's registry."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [str(PYTHON), "-m", "pip", "--quiet", "--no-input", "--retries", "0"]
        small = ["download", "--no-cache-dir", "--no-deps", "--timeout", "20", "-d", folder]
        tried = subprocess.run([*pip, *small, "iniconfig"], capture_output=True, check=False)
        return tried.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
