"""Has models fetched and compiled by a child process, which imports torch and ends.

So the engine itself never holds torch for it, whatever the libraries print goes to the log, and a
compiled form appears in the cache whole or not at all.
"""

import contextlib
import json
import logging
import signal
import subprocess
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from engine import own_process, paths
from engine.encoding import encoder_files
from engine.encoding.encoder_files import ModelFiles
from engine.errors import ModelError

FORMAT = 1
"""Grows when compiled forms of older versions can't be read any more."""
ENCODERS = {"bert", "roberta", "xlm-roberta", "mpnet", "distilbert", "camembert", "electra"}
"""Model types that are compiled: plain encoders with absolute positions."""
PLAIN = (("Transformer", "Pooling"), ("Transformer", "Pooling", "Normalize"))
"""Modules of the models that are compiled; the first where none are listed."""

Report = Callable[[str], None]
"""Is told of every slow step."""

log = logging.getLogger(__name__)

_children: set["subprocess.Popen[str]"] = set()
"""The children at work in this process."""


def cpu_has_bf16() -> bool:
    """Tell whether this processor has bfloat16 instructions (known on Linux only)."""
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8", "replace").split()
    except OSError:
        return False
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags)


class Line(BaseModel):
    """What the maker says, one a line; anything else on its output belongs to the log."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    report: str = ""
    failed: str = ""
    """Why there will be no result."""
    unfit: str = ""
    """Why this model has no compiled form; asking again would give the same answer."""


def place(model_id: str, cache: Path) -> Path:
    """Return the folder of the compiled form that suits this machine and this OpenVINO."""
    made_with = f"{FORMAT} {metadata.version('openvino')} {cpu_has_bf16()}"
    return cache / "encoders" / paths.short_hash(f"{made_with} {model_id}")


def unfit(folder: Path) -> str:
    """Return why the model in ``folder`` has no compiled form; empty if it may have one."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
        kind = str(config.get("model_type"))
        modules = _modules(folder)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        return f"its configuration can't be read: {error}"
    if modules not in PLAIN:
        return f"its modules are {', '.join(modules)}"
    return "" if kind in ENCODERS else f"its model type is {kind}"


def _modules(folder: Path) -> tuple[str, ...]:
    try:
        listed = json.loads((folder / "modules.json").read_bytes())
    except FileNotFoundError:
        return PLAIN[0]
    return tuple(str(module["type"]).rpartition(".")[2] for module in listed)


def fetch(name: str, cache: Path, report: Report, *, kind: str = "encoder", step: str = "") -> None:
    """Let sentence-transformers download the hub model ``name``, an encoder or a reranker.

    Raises:
        ModelError: it can't be had.
    """
    report(f"Fetching {name} from the model hub")
    end = _run_child(["fetch", name, kind], cache, report)
    if end.failed:
        raise ModelError(
            f"{name} is not on this machine and can't be fetched: {end.failed}",
            f"Check the name and the network. {step or encoder_files.OTHER_STEP}",
        )


def compile_model(model: ModelFiles, cache: Path, folder: Path, report: Report) -> bool:
    """Make the compiled form of ``model`` in ``folder``; False if it has to do without one."""
    refusal = folder.with_suffix(".unfit")
    if (reason := unfit(model.folder)) or refusal.exists():
        log.info("%s runs in torch: %s", model.name, reason or refusal)
        return False
    report(f"Preparing {model.name} for this machine; needed once, takes about half a minute")
    arguments = ["compile", model.name, str(cache), str(model.folder), str(folder)]
    end = _run_child(arguments, cache, report)
    if end.unfit:
        encoder_files.write_atomically(refusal, end.unfit)
    if end.unfit or end.failed:
        log.warning("%s is not compiled: %s", model.name, end.unfit or end.failed)
    return not (end.unfit or end.failed)


def end_children() -> None:
    """End the children at work in other threads; whoever waits for one gets a ModelError."""
    for child in _children.copy():
        child.terminate()


@contextlib.contextmanager
def _among_children(child: "subprocess.Popen[str]") -> Iterator[None]:
    _children.add(child)
    try:
        yield
    finally:
        _children.discard(child)


def _run_child(arguments: list[str], cache: Path, report: Report) -> Line:
    """Run the maker in a process of its own and return its last word.

    Raises:
        ModelError: the cache can't be made, or the child was told to end.
    """
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise encoder_files.cache_error(cache, error) from error
    last, end = "it ended without a word", Line()
    with (
        subprocess.Popen(
            own_process.command("engine.encoding.encoder_maker", *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=own_process.environment() | {"PYTHONUNBUFFERED": "1"},
        ) as child,
        _among_children(child),
    ):
        for text in child.stdout or ():
            try:
                end = Line.model_validate_json(text)
            except ValidationError:
                last = text.strip() or last
                log.debug("encoder: %s", text.rstrip())
                continue
            if end.report:
                report(end.report)
    if child.returncode == -signal.SIGTERM:
        raise ModelError("preparing the embedding model was stopped", "Start hoverkite again")
    if child.returncode and not (end.failed or end.unfit):
        return Line(failed=last)
    return end
