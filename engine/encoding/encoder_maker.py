"""The child process of ``encoder_build``: fetches a model, or compiles one and checks the result.

``python -m engine.encoding.encoder_maker fetch NAME KIND`` or ``compile NAME CACHE FOLDER TARGET``.
"""

import logging
import os
import shutil
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from engine.encoding import encoder_files
from engine.encoding.embedding import Vectors, calm_libraries
from engine.encoding.encoder_build import Line, cpu_has_bf16
from engine.encoding.encoder_compiled import (
    GRAPH,
    TOKENIZER,
    CompiledEncoder,
    CompiledSpec,
    quiet_openvino,
    write_spec,
)
from engine.encoding.encoder_files import ModelFiles
from engine.encoding.encoder_torch import VARIED, open_model
from engine.errors import ModelError

POOLINGS = {"mean", "cls"}
INPUTS = ("input_ids", "attention_mask", "token_type_ids")

HUB_PATIENCE_S = 20

SAME = 0.9999
"""Least mean cosine of compiled vectors to those of sentence-transformers."""
SAME_EACH = 0.999
"""Least cosine of any one of them."""

UNFINISHED = ".unfinished-"
GIVEN_UP_S = 3600
"""Unfinished work older than this was left behind by a process that was killed."""


class UnfitError(Exception):
    """This model has no compiled form."""


def main(arguments: list[str]) -> int:
    """Do one job and say its outcome on standard output, as a line of JSON."""
    os.umask(0o077)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logging.basicConfig(level=logging.INFO)
    warnings.simplefilter("ignore")
    calm_libraries()
    try:
        if arguments[0] == "fetch":
            _fetch(*arguments[1:])
        else:
            name, cache, folder, target = arguments[1:]
            _compile(ModelFiles(name, Path(folder)), Path(cache), Path(target))
    except UnfitError as error:
        _say(Line(unfit=str(error)))
    except ModelError as error:
        _say(Line(failed=str(error)))
    except OSError as error:
        _say(Line(failed=f"{error.filename or 'the cache'}: {error.strerror}"))
    else:
        return 0
    return 1


def _end_with_parent() -> None:
    """Standard input closes when the parent ends, however it ends."""
    sys.stdin.read()
    os._exit(1)


def _say(line: Line) -> None:
    print(line.model_dump_json(exclude_defaults=True), flush=True)


def _fetch(name: str, kind: str) -> None:
    """Ask whether the hub has it, which fails quickly, then let sentence-transformers load it."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    is_owned = "/" in name or kind == "reranker"
    repository = name if is_owned else f"{encoder_files.HUB_OWNER}/{name}"
    try:
        HfApi().model_info(repository, timeout=HUB_PATIENCE_S)
    except GatedRepoError as error:
        raise ModelError("its licence has to be accepted on the hub first") from error
    except RepositoryNotFoundError as error:
        raise ModelError("the hub has no such model, or it is private") from error
    except Exception as error:  # the HTTP client's own errors have no common name
        raise ModelError(f"the hub can't be reached ({error})") from error
    if kind == "reranker":
        from engine.encoding.cross_encoder import open_cross_encoder

        open_cross_encoder(repository, "cpu", offline=False)
    else:
        open_model(repository, "cpu", offline=False)


def _compile(model: ModelFiles, cache: Path, target: Path) -> None:
    _say(Line(report=f"Preparing {model.name}: loading it with torch"))
    card = encoder_files.read_card(model, cache)
    authority = open_model(str(model.folder), "cpu")
    _check_fit(authority)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(target.parent)
    work = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=target.parent))
    try:
        _say(Line(report=f"Preparing {model.name}: compiling"))
        spec = _convert(authority, encoder_files.identify(model, card), work)
        _say(Line(report=f"Preparing {model.name}: comparing its vectors"))
        expected = authority.encode_document(list(VARIED), prompt="", normalize_embeddings=True)
        write_spec(work, choose_precision(work, spec, expected))
        put_in_place(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _check_fit(authority: Any) -> None:
    """Raise UnfitError unless it pools and pads as the compiled form does."""
    pooling = authority[1]
    if pooling.pooling_mode not in POOLINGS or not pooling.include_prompt:
        raise UnfitError(f"its pooling is {pooling.pooling_mode}")
    if authority.tokenizer.padding_side != "right" or not authority.tokenizer.is_fast:
        raise UnfitError("its tokenizer is of another kind")


def _convert(authority: Any, model_id: str, work: Path) -> CompiledSpec:
    """Write graph and tokenizer into ``work``; pooling is part of the graph."""
    import torch

    openvino = quiet_openvino()

    example = authority.preprocess(["a kite hovers", "padding"])
    inputs = [name for name in INPUTS if name in example]

    class Graph(torch.nn.Module):
        """The whole sentence-transformers model, with plain tensors going in and out."""

        def __init__(self) -> None:
            super().__init__()
            self.whole = authority

        def forward(self, *tensors: Any) -> Any:
            return self.whole(dict(zip(inputs, tensors, strict=True)))["sentence_embedding"]

    try:
        graph = openvino.convert_model(
            Graph().eval(), example_input=tuple(example[name] for name in inputs)
        )
        openvino.save_model(graph, work / GRAPH, compress_to_fp16=False)
    except RuntimeError as error:
        raise UnfitError(f"OpenVINO can't convert it: {error}") from error
    tokenizer = authority.tokenizer
    (work / TOKENIZER).write_text(tokenizer.backend_tokenizer.to_str(), "utf-8")
    return CompiledSpec(
        model_id=model_id,
        dimension=authority.get_embedding_dimension(),
        max_tokens=authority.max_seq_length,
        precision="bf16" if cpu_has_bf16() else "f32",
        inputs=inputs,
        pad_id=tokenizer.pad_token_id,
    )


def choose_precision(work: Path, spec: CompiledSpec, expected: Vectors) -> CompiledSpec:
    """Return ``spec`` with the fastest precision that gives the vectors of the authority."""
    for precision in dict.fromkeys([spec.precision, "f32"]):
        choice = spec.model_copy(update={"precision": precision})
        encoder = CompiledEncoder(work, choice)
        cosines = (encoder.encode(VARIED) * expected).sum(axis=1)
        encoder.close()
        mean, least = float(np.mean(cosines)), float(np.min(cosines))
        found = f"{precision}: cosine {mean:.6f} on average, {least:.6f} at least"
        _say(Line(report=f"Compared {len(VARIED)} texts in {found}"))
        if mean >= SAME and least >= SAME_EACH:
            return choice
    raise UnfitError(f"its compiled vectors differ ({found})")


def put_in_place(work: Path, target: Path) -> None:
    """Rename ``work`` to ``target``, whatever was there before or came meanwhile."""
    for _ in range(3):
        try:
            work.rename(target)
            return
        except OSError:
            old = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=target.parent))
            target.rename(old)
            shutil.rmtree(old, ignore_errors=True)
    raise ModelError(f"{target} is being replaced by others over and over", "Try again")


def _sweep(folder: Path) -> None:
    """Remove what killed processes left behind."""
    for left in folder.glob(f"{UNFINISHED}*"):
        if time.time() - left.stat().st_mtime > GIVEN_UP_S:
            shutil.rmtree(left, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
