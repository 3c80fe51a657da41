"""The encoder in sentence-transformers itself: for GPUs and models that have no compiled form."""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from engine.chunks.token_limit import TokenLimit
from engine.encoding.embedding import PART_TEXTS, EncoderInParts, Vectors
from engine.encoding.encoder_build import cpu_has_bf16
from engine.encoding.encoder_files import OTHER_STEP, ModelFiles
from engine.encoding.encoder_prompts import NO_PROMPTS, Prompts, identify_vectors
from engine.encoding.legibility import trust
from engine.errors import ModelError

BATCH = {"cpu": 16, "mps": 32, "cuda": 128}
"""Texts a batch."""
SAME = 0.9999
"""Least mean cosine of bfloat16 vectors to float32 ones, or float32 is used."""

log = logging.getLogger(__name__)


class Turns:
    """One user at a time; an urgent one goes before all who are not."""

    def __init__(self) -> None:
        self._patient = threading.Lock()
        self._next = threading.Lock()
        self._busy = threading.Lock()

    @contextmanager
    def urgent(self) -> Iterator[None]:
        """Wait at most for the one at work."""
        with self._next:
            self._busy.acquire()
        try:
            yield
        finally:
            self._busy.release()

    @contextmanager
    def patient(self) -> Iterator[None]:
        """Wait for the one at work and every urgent one."""
        with self._patient, self.urgent():
            yield


class TorchEncoder(EncoderInParts):
    """Runs a model in sentence-transformers, a batch at a time, so that queries can go between."""

    def __init__(
        self,
        model: ModelFiles,
        model_id: str,
        device: str,
        threads: int = 0,
        prompts: Prompts = NO_PROMPTS,
    ) -> None:
        """Load ``model`` on ``device``; ``threads`` limits a CPU's, 0 not at all."""
        if threads and device == "cpu":
            import torch

            torch.set_num_threads(threads)
        self.model_id, self._prompts = identify_vectors(model_id, prompts), prompts
        self._model = open_model(str(model.folder), device)
        self.dimension = int(self._model.get_embedding_dimension())
        self.max_tokens = int(self._model.max_seq_length or 0)
        self._limit = token_limit(self._model, self.max_tokens, prompts.document)
        self._batch = BATCH[device]
        self.part_texts = max(PART_TEXTS, self._batch)
        self._turns = Turns()
        self._closed = False
        self.device = f"{device} (torch fp32)"
        if has_bf16(device) and self._agrees_in_bf16():
            self.device = f"{device} (torch bf16)"
        elif has_bf16(device):  # rounded weights stay rounded
            self._model = open_model(str(model.folder), device)

    def trust(self, query: str) -> float:
        """Return how far the vector of ``query`` can be trusted; 1 where no tokenizer tells."""
        tokenizer = getattr(getattr(self._model, "tokenizer", None), "backend_tokenizer", None)
        return trust(tokenizer, self._fitting(query)) if tokenizer else 1.0

    def fits(self, text: str) -> bool:
        """Whether the model takes the whole of a document's ``text``, and cuts nothing away."""
        return self._limit.takes(text)

    def close(self) -> None:
        """Free the model; a running ``encode`` ends with a ModelError after its batch."""
        self._closed = True
        self._forget_queries()
        with self._turns.urgent():
            self._model = None

    def _encode(self, texts: list[str]) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), np.float32)
        order = np.argsort([-len(text) for text in texts], kind="stable")
        for start in range(0, len(order), self._batch):
            rows = order[start : start + self._batch]
            with self._turns.patient(), self._named_failure():
                vectors[rows] = self._model.encode_document(
                    [texts[row] for row in rows],
                    prompt=self._prompts.document,
                    batch_size=self._batch,
                    show_progress_bar=False,
                )
        return vectors

    def _encode_now(self, texts: list[str], *, is_query: bool) -> Vectors:
        with self._turns.urgent(), self._named_failure():
            encode = self._model.encode_query if is_query else self._model.encode_document
            prompt = self._prompts.query if is_query else self._prompts.document
            return np.asarray(encode(texts, prompt=prompt, show_progress_bar=False), np.float32)

    def _agrees_in_bf16(self) -> bool:
        """Turn the model to bfloat16 and tell whether its vectors stay the same."""
        import torch

        texts = VARIED[:12]
        exact = self.encode(texts)
        self._model.to(torch.bfloat16)
        likeness = float((exact * self.encode(texts)).sum(axis=1).mean())
        log.info("bfloat16 vectors have a cosine of %.6f to exact ones", likeness)
        return likeness >= SAME

    @contextmanager
    def _named_failure(self) -> Iterator[None]:
        if self._closed:
            raise ModelError("The encoder was closed", "Try again")
        try:
            yield
        except (RuntimeError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise ModelError(f"The embedding model failed: {reason}", OTHER_STEP) from error


def open_model(name: str, device: str, *, offline: bool = True) -> Any:
    """Return the SentenceTransformer ``name`` (a folder or hub name), quiet and without its code.

    With ``offline`` this process's model libraries stay off the network from here on.

    Raises:
        ModelError: it is not there, not complete or not of a kind that can be loaded.
    """
    with quiet_libraries(offline=offline):
        from sentence_transformers import SentenceTransformer

        try:
            return SentenceTransformer(name, device=device, trust_remote_code=False).eval()
        except Exception as error:  # whatever the files of a model from outside provoke
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise ModelError(f"{name} can't be loaded: {reason}", OTHER_STEP) from error


@contextmanager
def quiet_libraries(*, offline: bool) -> Iterator[None]:
    """Let the model libraries be imported and used without a word of theirs.

    With ``offline`` this process's model libraries stay off the network from here on.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from huggingface_hub import constants
        from transformers.utils import logging as transformers_logging

        constants.HF_HUB_OFFLINE = offline or constants.HF_HUB_OFFLINE
        transformers_logging.set_verbosity_error()
        transformers_logging.disable_progress_bar()
        yield


def token_limit(model: Any, most: int, prompt: str = "") -> TokenLimit:
    """Return the limit of a SentenceTransformer, ``most`` tokens, with a tokenizer of its own.

    ``prompt`` is what the model is told before each text.
    """
    backend = getattr(getattr(model, "tokenizer", None), "backend_tokenizer", None)
    if backend is None:
        return TokenLimit(None, most, prompt)
    tokenizer = Tokenizer.from_str(backend.to_str())
    tokenizer.no_padding()
    if most:
        tokenizer.enable_truncation(most)
    return TokenLimit(tokenizer, most, prompt)


def has_bf16(device: str) -> bool:
    """Tell whether ``device`` computes in bfloat16, which halves the time."""
    if device == "cuda":
        import torch

        return bool(torch.cuda.is_bf16_supported())
    return device == "cpu" and cpu_has_bf16()


_PIECES = (
    "Kites hover over a field and drop on what moves.",
    "M limits how many neighbours a node of the HNSW graph keeps; ef trades time for accuracy.",
    "def search(query: str, limit: int = 8) -> list[Hit]:\n    return sorted(hits)[:limit]",
    "| index | metric | nlist |\n| --- | --- | --- |\n| IVF_FLAT | COSINE | 1024 |",
    "Der Schwarzmilan baut sein Nest in hohen Bäumen, oft in der Nähe von Wasser.",
    "Чёрный коршун — хищная птица семейства ястребиных.",
    "黑鸢是一种猛禽，分布于欧亚大陆。",
    "الحدأة السوداء طائر جارح يعيش في العالم القديم.",
    "काली चील एक मध्यम आकार का शिकारी पक्षी है।",
    "naïve café 😀👩‍👩‍👧 – “quoted” … 3.14159 %$#@! https://example.org/a?b=c#d",
)
VARIED = [
    "",
    " ",
    "kite",
    *_PIECES,
    *(" ".join(_PIECES[(start + step) % 10] for step in range(2 + start)) for start in range(12)),
    *(piece * 40 for piece in _PIECES[::3]),
    *(" ".join(_PIECES[0].split()[:words]) for words in range(1, 9)),
]
"""Texts of many scripts and of every length up to beyond 256 tokens, to compare encoders by."""
