"""What this machine is: its Python, platform, GPU, free disk space and pip's settings.

Parses on Python 3.7, so that an old Python is told what is wrong rather than a syntax error.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST, NEWEST = (3, 11), (3, 13)
OLDEST_GLIBC = (2, 31)
GB = 10**9


class SetupError(Exception):
    """A step failed: which one, the likely cause, and what to do."""

    def __init__(self, step: str, cause: str, next_step: str, log: Path | None = None) -> None:
        super().__init__(cause)
        self.step = step
        self.next_step = next_step
        self.log = log

    def __str__(self) -> str:
        return (
            f"\nSet-up stopped at: {self.step}\n"
            f"  Likely cause: {self.args[0]}\n"
            f"  What to do:   {self.next_step}"
            + (f"\n  Details:      {self.log}" if self.log else "")
        )


def supported(version: tuple[int, int]) -> bool:
    """True for the Python versions that the locks were made for."""
    return OLDEST <= version <= NEWEST


def use_supported_python() -> None:
    """Go on in a supported Python from the PATH where this one is too old or too new.

    Raises:
        SetupError: there is none.
    """
    if supported(sys.version_info[:2]):
        return
    for minor in range(OLDEST[1], NEWEST[1] + 1):
        found = shutil.which(f"python3.{minor}")
        if found and _answers(found):
            print(f"Python {platform.python_version()} is not supported; using {found}", flush=True)
            os.execv(found, [found, "-E", "-s", "-S", "-m", "tools.setup", *sys.argv[1:]])
    raise SetupError(
        "looking at Python",
        f"this is Python {platform.python_version()}; hoverkite needs 3.11, 3.12 or 3.13",
        "install one of them, then run: make setup PYTHON=python3.12",
    )


def _answers(python: str) -> bool:
    """True where the command really is that Python: version managers leave stand-ins."""
    asked = [python, "-E", "-s", "-c", "import sys; print(*sys.version_info[:2])"]
    reply = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    return len(reply) == 2 and supported((int(reply[0]), int(reply[1])))


def check_platform() -> None:
    """See that the packages have builds for this machine.

    Raises:
        SetupError: they have none.
    """
    step, system, machine = "looking at the machine", platform.system(), platform.machine()
    known = {("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64")}
    if (system, machine) not in known:
        raise SetupError(
            step,
            f"the packages have no builds for {system} on {machine}",
            "use Linux on x86-64 or ARM, or macOS on Apple silicon",
        )
    if system == "Linux":
        name, version = platform.libc_ver()
        parts = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if name != "glibc" or parts < OLDEST_GLIBC:
            raise SetupError(
                step,
                f"the packages need glibc 2.31 or newer; here is {name or 'another C library'} "
                f"{version}".rstrip(),
                "use a distribution from 2020 or later (Ubuntu 20.04, Debian 11, RHEL 9)",
            )


def check_venv_module() -> None:
    """See that this Python can make virtual environments.

    Raises:
        SetupError: Debian and Ubuntu keep that in a package of its own.
    """
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        version = "{}.{}".format(*sys.version_info[:2])
        raise SetupError(
            "looking at Python",
            f"this Python lacks the module {error.name}, which makes virtual environments",
            f"on Debian and Ubuntu: sudo apt install python{version}-venv",
        ) from None


def has_vllm_builds() -> bool:
    """True where vLLM can run on this machine; elsewhere ``llm_url`` serves answers."""
    return (platform.system(), platform.machine()) == ("Linux", "x86_64")


def has_gpu() -> bool:
    """True where an NVIDIA driver is loaded and vLLM has builds for this machine."""
    if not has_vllm_builds():
        return False
    if Path("/proc/driver/nvidia/version").exists():
        return True
    nvidia_smi = shutil.which("nvidia-smi") or "/usr/lib/wsl/lib/nvidia-smi"
    try:
        listed = subprocess.run(
            [nvidia_smi, "-L"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "GPU 0" in listed.stdout


def free_gb(folder: Path) -> float:
    """Free space, in GB, on the disk that ``folder`` is on or will be on."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free / GB


def uv_settings(pip_config: str) -> dict[str, str]:
    """Translate ``pip config list`` into uv's environment, so that both use one registry.

    What the environment already says to uv wins.
    """
    found: dict[str, str] = {}
    for section in ("global.", "install.", ":env:."):
        for line in pip_config.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(section):
                found[key[len(section) :]] = value.strip().strip("'\"").replace("\\n", " ")
    words = {key: value.split() for key, value in found.items()}
    settings = {
        "UV_DEFAULT_INDEX": " ".join(words.get("index-url", [])),
        "UV_INDEX": " ".join(words.get("extra-index-url", [])),
        "UV_FIND_LINKS": ",".join(words.get("find-links", [])),
        "UV_INSECURE_HOST": " ".join(words.get("trusted-host", [])),
        "UV_NO_INDEX": "1" if found.get("no-index", "").lower() in ("1", "true", "yes") else "",
        "SSL_CERT_FILE": found.get("cert", ""),
        "HTTPS_PROXY": found.get("proxy", ""),
        "UV_HTTP_TIMEOUT": found.get("default-timeout", found.get("timeout", "")),
    }
    return {key: value for key, value in settings.items() if value and not os.environ.get(key)}
