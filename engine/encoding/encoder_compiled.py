"""The compiled encoder: an OpenVINO graph and a tokenizer, without torch."""

import contextlib
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from tokenizers import Encoding, Tokenizer

from engine.chunks.token_limit import TokenLimit
from engine.encoding.embedding import PART_TEXTS, Encoder, Part, Vectors
from engine.encoding.encoder_prompts import NO_PROMPTS, Prompts, identify_vectors
from engine.encoding.legibility import trust
from engine.errors import ModelError

BATCH = 4
"""Texts a batch: larger ones need more padding, are no faster and take more memory."""
MOST_STREAMS = 8
"""Batches at work at once; each takes memory of its own, and two cores want two."""
LOST_SECONDS = 1.0
"""Between two looks whether batches that are waited for are at work at all."""
GRAPH, TOKENIZER, SPEC = "model.xml", "tokenizer.json", "spec.json"

log = logging.getLogger(__name__)


class CompiledSpec(BaseModel):
    """Everything about a compiled model that the graph and the tokenizer do not say.

    Its prompts are no part of it: it is the same for all of them.
    """

    model_config = ConfigDict(frozen=True)

    model_id: str
    dimension: int
    max_tokens: int
    precision: Literal["bf16", "f32"]
    inputs: list[str]
    pad_id: int
    probe: list[float] = []
    """The vector of ``PROBE``, to notice damage that OpenVINO does not."""


PROBE = "A kite hovers over the field: Milvus migrans, 1783. Чёрный коршун · 黑鸢 · مرحبا"
SAME = 0.999
"""Least cosine of the probe's vector to the one remembered."""


class CompiledEncoder(Encoder):
    """Runs a compiled model on the CPU. Queries have a graph of their own and never queue."""

    def __init__(
        self,
        folder: Path,
        spec: CompiledSpec,
        bulk_threads: int = 0,
        prompts: Prompts = NO_PROMPTS,
    ) -> None:
        """Load the model in ``folder``; ``bulk_threads`` limits ``encode`` alone, 0 not at all."""
        self.model_id = identify_vectors(spec.model_id, prompts)
        self.dimension, self._prompts = spec.dimension, prompts
        self.max_tokens = spec.max_tokens
        self.device = f"cpu (OpenVINO {spec.precision})"
        self._spec = spec
        self._bulk_threads = bulk_threads
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.enable_truncation(spec.max_tokens)
        self._tokenizer.no_padding()
        self._limit = TokenLimit(self._tokenizer, spec.max_tokens, prompts.document)
        self._openvino = quiet_openvino()
        self._core = self._openvino.Core()
        self._graph = self._core.read_model(folder / GRAPH)
        self._query = self._compiled("LATENCY").create_infer_request()
        self._queue: Any = None
        self._users = 0
        """How many streams have the bulk graph."""
        self._one_bulk = threading.Lock()
        self._one_start = threading.Lock()
        self._one_query = threading.Lock()
        self._closed = False

    def trust(self, query: str) -> float:
        """Return how far the vector of ``query`` can be trusted, from 0 to 1."""
        return trust(self._tokenizer, self._fitting(query))

    def fits(self, text: str) -> bool:
        """Whether the model takes the whole of a document's ``text``, and cuts nothing away."""
        return self._limit.takes(text)

    def rest(self) -> None:
        """Let go of the bulk graph, about 80 MB; making it again takes a fraction of a second."""
        with self._one_bulk:
            if not self._users:
                self._queue = None

    def close(self) -> None:
        """Free the model; a running ``encode`` ends with a ModelError after its batch."""
        self._closed = True
        self._forget_queries()
        with self._one_bulk, self._one_query:
            if self._queue:
                with contextlib.suppress(RuntimeError):
                    self._queue.wait_all()
            self._queue = self._query = self._graph = None

    def _compiled(self, hint: str, threads: int = 0) -> Any:
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": hint,
            "PERFORMANCE_HINT_NUM_REQUESTS": MOST_STREAMS,
            "ENABLE_CPU_PINNING": False,  # a pinned thread waits while other cores are idle
            "INFERENCE_PRECISION_HINT": self._spec.precision,
        }
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        return self._core.compile_model(self._graph, "CPU", settings)

    def _stream(self, texts: list[str]) -> Iterator[Part]:
        """Yield vectors as they come; the next ones are at work meanwhile."""
        prompt = self._prompts.document
        encodings = self._tokenizer.encode_batch([prompt + text for text in texts])
        made: SimpleQueue[Part] = SimpleQueue()
        parts: list[Part] = []
        left = len(texts)
        with _named_failure(), self._bulk_queue() as queue:
            for rows in _batches(encodings):
                self._check_open()
                features = self._features([encodings[row] for row in rows])
                with self._one_start:
                    queue.start_async(features, (rows, made))
                while not made.empty():
                    parts.append(made.get())
                if (come := _count(parts)) >= PART_TEXTS:
                    left -= come
                    yield _joined(parts)
                    parts = []
            while _count(parts) < left:
                parts.append(_next_of(made, queue))
            queue.wait_all()  # its threads have to be out of Python before that may end
        if parts:
            yield _joined(parts)

    @contextlib.contextmanager
    def _bulk_queue(self) -> Iterator[Any]:
        """Give the bulk graph, which stays as long as somebody has it."""
        with self._one_bulk:
            self._check_open()
            if self._queue is None:  # not at the start: many starts only search
                model = self._compiled("THROUGHPUT", self._bulk_threads)
                # As many again wait, so that no stream is idle while vectors are saved.
                requests = 2 * model.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
                self._queue = self._openvino.AsyncInferQueue(model, requests)
                self._queue.set_callback(_keep)
            self._users += 1
            queue = self._queue
        try:
            yield queue
        except RuntimeError:
            with self._one_bulk:
                if self._queue is queue:  # it would tell everybody of the batch that failed
                    self._queue = None
            raise
        finally:
            with self._one_bulk:
                self._users -= 1

    def _encode_now(self, texts: list[str], *, is_query: bool) -> Vectors:
        prompt = self._prompts.query if is_query else self._prompts.document
        return self._one_by_one([prompt + text for text in texts])

    def probe(self) -> Vectors:
        """Return what the model makes of ``PROBE``, as a unit vector without any prompt."""
        vector = self._one_by_one([PROBE])[0]
        return np.asarray(vector / np.linalg.norm(vector), np.float32)

    def _one_by_one(self, texts: list[str]) -> Vectors:
        # One at a time: a batch would be padded, and its tokenizing wakes threads that get in the
        # way of the model's for half a millisecond.
        encodings = [self._tokenizer.encode(text) for text in texts]
        vectors = np.empty((len(texts), self.dimension), np.float32)
        with self._one_query, _named_failure():
            self._check_open()
            for row, encoding in enumerate(encodings):
                self._query.infer(self._features([encoding]))
                vectors[row] = self._query.get_output_tensor(0).data[0]
        return vectors

    def _features(self, encodings: list[Encoding]) -> list[NDArray[np.int64]]:
        shape = len(encodings), max(len(encoding.ids) for encoding in encodings)
        features = {
            "input_ids": np.full(shape, self._spec.pad_id, np.int64),
            "attention_mask": np.zeros(shape, np.int64),
            "token_type_ids": np.zeros(shape, np.int64),
        }
        for row, encoding in enumerate(encodings):
            length = len(encoding.ids)
            features["input_ids"][row, :length] = encoding.ids
            features["attention_mask"][row, :length] = 1
            features["token_type_ids"][row, :length] = encoding.type_ids
        return [features[name] for name in self._spec.inputs]

    def _check_open(self) -> None:
        if self._closed:
            raise ModelError("The encoder was closed", "Try again")


def quiet_openvino() -> Any:
    """Import OpenVINO without its telemetry: it writes to HOME and calls out on being imported."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # "not found"
    import openvino

    return openvino


def write_spec(folder: Path, spec: CompiledSpec) -> None:
    """Complete the compiled model in ``folder`` by what it makes of the probe."""
    probe = CompiledEncoder(folder, spec).probe().tolist()
    complete = spec.model_copy(update={"probe": probe})
    (folder / SPEC).write_text(complete.model_dump_json(), "utf-8")


def open_compiled(
    folder: Path, model_id: str, bulk_threads: int = 0, prompts: Prompts = NO_PROMPTS
) -> CompiledEncoder | None:
    """Return the encoder compiled into ``folder``; None if there is none, or it is damaged.

    ``model_id`` is the model's, whatever its prompts.
    """
    try:
        spec = CompiledSpec.model_validate_json((folder / SPEC).read_bytes())
        if spec.model_id != model_id:
            return None
        encoder = CompiledEncoder(folder, spec, bulk_threads, prompts)
        likeness = float(encoder.probe() @ np.array(spec.probe, np.float32))
    except FileNotFoundError:
        return None
    except Exception as error:  # OpenVINO and tokenizers raise bare Exceptions for damaged files
        log.warning("The compiled encoder in %s can't be used: %s", folder, error)
        return None
    if not likeness >= SAME:  # it may be no number
        log.warning("The compiled encoder in %s gives other vectors than before", folder)
        return None
    return encoder


def _batches(encodings: list[Encoding]) -> Iterator[list[int]]:
    """Yield the rows of each batch, longest first: neighbours in length need little padding."""
    order = np.argsort([-len(encoding.ids) for encoding in encodings], kind="stable").tolist()
    for start in range(0, len(order), BATCH):
        yield order[start : start + BATCH]


def _keep(request: Any, job: tuple[list[int], "SimpleQueue[Part]"]) -> None:
    """Take the vectors of a batch that has ended, in a thread of OpenVINO."""
    rows, made = job
    made.put((rows, request.get_output_tensor(0).data.copy()))


def _next_of(made: "SimpleQueue[Part]", queue: Any) -> Part:
    """Wait for a batch; one that fails is never made."""
    while True:
        with contextlib.suppress(Empty):
            return made.get(timeout=LOST_SECONDS)
        ended = [request.wait_for(0) for request in queue]  # raises what failed
        if all(ended) and made.empty():
            raise RuntimeError("a batch was lost")


def _count(parts: list[Part]) -> int:
    return sum(len(rows) for rows, _ in parts)


def _joined(parts: list[Part]) -> Part:
    return [row for rows, _ in parts for row in rows], np.concatenate([made for _, made in parts])


@contextlib.contextmanager
def _named_failure() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"OpenVINO failed: {reason}", "Run: hoverkite stop, then try again"
        ) from error
