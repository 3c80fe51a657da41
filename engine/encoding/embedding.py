"""Chunks and queries to vectors. sentence-transformers is the authority on what a vector is.

On a CPU the model runs in a compiled form, made once and kept in the cache; it gives the same
vectors without importing torch. Everything else runs in sentence-transformers itself.
"""

import logging
import os
import platform
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache, partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import slim_pymilvus
from engine.config import Settings
from engine.encoding import encoder_build, encoder_files, hub
from engine.encoding.encoder_build import Report
from engine.encoding.encoder_files import ModelFiles
from engine.encoding.encoder_prompts import Prompts, prompts_of
from engine.errors import ModelError

Vectors = NDArray[np.float32]
Part = tuple[list[int], Vectors]
"""Places of some texts among all, and their vectors."""

LONGEST_CHUNK = 16_384
"""Characters that always reach the tokenizer: twice the largest ``chunk_size``."""
CHARACTERS_A_TOKEN = 64
"""More than any real text has."""

PART_TEXTS = 32
"""Texts that are embedded before anything is told of them: a fraction of a second's work."""

REMEMBERED_QUERIES = 64
"""Vectors of recent queries: a question is searched, quoted for, and searched again after edits."""

log = logging.getLogger(__name__)


class Encoder(ABC):
    """Texts to unit vectors. Blocking; may be called from several threads at once."""

    model_id: str
    """Changes when the vectors would; the same for the compiled form and for torch."""
    dimension: int
    max_tokens: int
    """Longer texts are cut here; 0 where the model has no limit."""
    device: str
    """Where it runs, for people: ``cpu (OpenVINO bf16)``."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 unit vectors of shape ``(len(texts), dimension)``, in the order given.

        Raises:
            ModelError: the model failed or was closed.
        """
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for rows, part in self.stream(texts):
            vectors[rows] = part
        return _sound(vectors)

    def stream(self, texts: Sequence[str], *, at_once: bool = False) -> Iterator[Part]:
        """Yield the places of some of ``texts`` with their unit vectors, until all are done.

        ``at_once`` has the priority of a query and is for a few short texts; they are one part.
        Where the model gives a text no sound vector, that is NaN.

        Raises:
            ModelError: the model failed or was closed.
        """
        if texts:
            fitting = [self._fitting(text) for text in texts]
            for rows, part in self._now(fitting) if at_once else self._stream(fitting):
                yield rows, _unit(part)

    def _now(self, texts: list[str]) -> Iterator[Part]:
        yield [*range(len(texts))], self._encode_now(texts, is_query=False)

    def encode_query(self, text: str) -> Vectors:
        """Return the unit vector of a query, of shape ``(dimension,)``.

        A query never waits for a running :meth:`encode`, only (where the device is shared) for
        the batch at work. The latest queries are remembered.
        """
        return self._recent_query(self._fitting(text))

    @cached_property
    def _recent_query(self) -> Callable[[str], Vectors]:
        def vector_of(text: str) -> Vectors:
            vector: Vectors = _sound(_unit(self._encode_now([text], is_query=True)))[0]
            vector.setflags(write=False)
            return vector

        return lru_cache(REMEMBERED_QUERIES)(vector_of)

    def _forget_queries(self) -> None:
        """Let a closed encoder say so for remembered queries too."""
        self.__dict__.pop("_recent_query", None)

    def trust(self, query: str) -> float:
        """Return how far the vector of ``query`` can be trusted, from 0 to 1.

        It is low where the model's vocabulary was not made for the language; see
        ``engine.encoding.legibility``.
        """
        return 1.0

    def fits(self, text: str) -> bool:
        """Whether the model takes the whole of a document's ``text``, and cuts nothing away."""
        return True

    def encode_now(self, texts: Sequence[str]) -> Vectors:
        """Like :meth:`encode` for a few short texts, with the priority of a query."""
        for _, vectors in self.stream(texts, at_once=True):
            return _sound(vectors)
        return np.empty((0, self.dimension), np.float32)

    def rest(self) -> None:
        """Give back the memory that only :meth:`encode` needs, unless it is at work."""
        return  # where both need the same

    @abstractmethod
    def close(self) -> None:
        """Free the model; a running call ends early with a ModelError."""

    def _fitting(self, text: str) -> str:
        """Spare the tokenizer the part of a huge text that is cut away anyhow."""
        longest = max(LONGEST_CHUNK, self.max_tokens * CHARACTERS_A_TOKEN)
        return well_formed(text[:longest] if self.max_tokens else text)

    @abstractmethod
    def _stream(self, texts: list[str]) -> Iterator[Part]: ...

    @abstractmethod
    def _encode_now(self, texts: list[str], *, is_query: bool) -> Vectors: ...


class EncoderInParts(Encoder):
    """An encoder that makes all vectors of some texts before it goes on to the next."""

    part_texts = PART_TEXTS

    def _stream(self, texts: list[str]) -> Iterator[Part]:
        for begin in range(0, len(texts), self.part_texts):
            rows = [*range(begin, min(begin + self.part_texts, len(texts)))]
            yield rows, self._encode([texts[row] for row in rows])

    @abstractmethod
    def _encode(self, texts: list[str]) -> Vectors: ...


def load(settings: Settings, *, cache: Path, report: Report | None = None) -> Encoder:
    """Load the encoder that ``settings`` name; ``report`` is told of every slow step.

    A model of the hub that is not on this machine is fetched only where the settings allow it.

    Raises:
        ModelError: with the reason and what to do.
    """
    told = report or log.info
    calm_libraries()
    device = choose_device(settings)
    model = encoder_files.find(settings.embedding_model)
    if model is None:
        if not settings.fetch_models:
            raise hub.not_on_this_machine(settings.embedding_model)
        encoder_build.fetch(settings.embedding_model, cache, told)
        model = encoder_files.find(settings.embedding_model)
    if model is None:
        reason = "was fetched, but holds no weights that can be used"
        raise ModelError(f"{settings.embedding_model} {reason}", encoder_files.OTHER_STEP)
    prompts = prompts_of(model, settings.embedding_prompts)
    threads = settings.index_threads
    encoder = _load_compiled(model, cache, threads, prompts, told) if device == "cpu" else None
    if encoder is None:
        encoder = _load_torch(model, cache, device, threads, prompts, told)
    card = encoder_files.read_card(model, cache)
    facts = {"dimension": encoder.dimension, "max_tokens": encoder.max_tokens}
    if (seen := card.model_copy(update=facts)) != card:
        encoder_files.remember(model, seen, cache)
    return encoder


def well_formed(text: str) -> str:
    """Return ``text`` with lone surrogates replaced: tokenizers accept only real Unicode."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def calm_libraries() -> None:
    """Keep model libraries quiet, without telemetry and out of each other's threads."""
    os.environ |= {
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "DO_NOT_TRACK": "1",
    }


def choose_device(settings: Settings) -> str:
    """Return where encoder and reranker run: cpu, cuda or mps.

    torch is only asked where such a device may be present.
    """
    wanted = settings.embedding_device
    candidates = [wanted] if wanted != "auto" else []
    if wanted == "auto" and Path("/proc/driver/nvidia/version").exists():
        candidates = ["cuda"]
    elif wanted == "auto" and (platform.system(), platform.machine()) == ("Darwin", "arm64"):
        candidates = ["mps"]
    for candidate in candidates:
        if candidate != "cpu" and _torch_has(candidate):
            return candidate
    if wanted not in {"auto", "cpu"}:
        raise ModelError(
            f"embedding_device is {wanted}, but torch finds no such device",
            "Set embedding_device to auto or cpu, or install a torch build for the device",
        )
    return "cpu"


def _torch_has(device: str) -> bool:
    import torch

    found = torch.cuda if device == "cuda" else torch.backends.mps
    return bool(found.is_available())


def _load_compiled(
    model: ModelFiles, cache: Path, bulk_threads: int, prompts: Prompts, report: Report
) -> Encoder | None:
    """Return the compiled encoder, made now if need be; None where torch must do the work."""
    if find_spec("openvino") is None:
        return None
    from engine.encoding import encoder_compiled

    model_id = encoder_files.identify(model, encoder_files.read_card(model, cache))
    place = encoder_build.place(model_id, cache)
    open_it = partial(encoder_compiled.open_compiled, place, model_id, bulk_threads, prompts)
    if (encoder := open_it()) is not None:
        return encoder
    if not encoder_build.compile_model(model, cache, place, report):
        return None
    return open_it()


def _load_torch(
    model: ModelFiles, cache: Path, device: str, threads: int, prompts: Prompts, report: Report
) -> Encoder:
    slim_pymilvus.load()  # it must not come beside what torch's libraries import
    from engine.encoding.encoder_torch import TorchEncoder

    report(f"Loading {model.name} with torch")
    card = encoder_files.read_card(model, cache)
    return TorchEncoder(model, encoder_files.identify(model, card), device, threads, prompts)


def _unit(vectors: Vectors) -> Vectors:
    """Return the vectors with a length of 1, and NaN for those that have no length."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.full(vectors.shape, np.nan, np.float32)
    np.divide(vectors, lengths, out=unit, where=np.isfinite(lengths) & (lengths > 0))
    return unit


def _sound(vectors: Vectors) -> Vectors:
    if np.isnan(vectors).any():
        raise ModelError(
            "The embedding model gave a vector that is not a number",
            "Its weights may be damaged; " + encoder_files.OTHER_STEP,
        )
    return vectors
