"""A cross-encoder in sentence-transformers: how well each of some texts answers a query."""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from engine import paths, slim_pymilvus, wanted
from engine.config import Settings
from engine.encoding import embedding, encoder_build, hub
from engine.encoding.encoder_torch import quiet_libraries
from engine.errors import ModelError

BATCH = {"cpu": 4, "mps": 16, "cuda": 64}
"""Texts a batch, between which a search that nobody waits for ends."""
LONGEST_QUERY = 2000
"""Characters of a query that are compared: it is read anew with every text."""
KINDS = ("ForSequenceClassification", "ForCausalLM")
"""Endings of the architectures that give a score; another model would get weights at random."""

OTHER_STEP = (
    "Set rerank_model to the hub name or the folder of a cross-encoder, "
    "or leave it empty to search without one"
)

log = logging.getLogger(__name__)


class CrossEncoder:
    """Runs one model. Blocking, and for one thread at a time."""

    def __init__(self, folder: Path, device: str) -> None:
        """Load the model in ``folder`` on ``device``.

        Raises:
            ModelError: it can't be loaded, or gives no single score.
        """
        _check_kind(folder)
        self._batch = BATCH[device]
        self._model = open_cross_encoder(str(folder), device)
        self.scores("kite", ["A kite hovers."])

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return the score of each of ``texts`` for ``query``, in their order; more is better.

        Raises:
            ModelError: the model failed.
            NoLongerWantedError: whoever asked has left.
        """
        asked = embedding.well_formed(query[:LONGEST_QUERY])
        pairs = [(asked, embedding.well_formed(text)) for text in texts]
        scores = np.empty(len(pairs), np.float64)
        order = np.argsort([-len(text) for text in texts], kind="stable").tolist()
        for start in range(0, len(order), self._batch):
            wanted.check()
            rows = order[start : start + self._batch]
            with _named_failure():
                scores[rows] = self._predict([pairs[row] for row in rows])
        return [float(score) for score in scores]

    def _predict(self, pairs: list[tuple[str, str]]) -> Any:
        scores = self._model.predict(pairs, batch_size=self._batch, show_progress_bar=False)
        if scores.shape != (len(pairs),):
            raise ValueError("it gives several scores for a text, where one is wanted")
        if not np.isfinite(scores).all():
            raise ValueError("it gave a score that is not a number")
        return scores


def load(settings: Settings) -> CrossEncoder:
    """Load the cross-encoder that ``settings`` name, fetching it only where they allow it.

    Raises:
        ModelError: with the reason and what to do.
    """
    embedding.calm_libraries()
    device = embedding.choose_device(settings)
    name = settings.rerank_model
    folder = hub.find(name, "rerank_model", OTHER_STEP)
    if folder is None:
        if not settings.fetch_models:
            raise hub.not_on_this_machine(name)
        encoder_build.fetch(name, paths.cache_dir(), log.info, kind="reranker", step=OTHER_STEP)
        folder = hub.find(name, "rerank_model", OTHER_STEP)
    if folder is None:
        raise ModelError(f"{name} was fetched, but holds no weights that can be used", OTHER_STEP)
    slim_pymilvus.load()  # it must not come beside what torch's libraries import
    return CrossEncoder(folder, device)


def open_cross_encoder(name: str, device: str, *, offline: bool = True) -> Any:
    """Return sentence-transformers' CrossEncoder ``name``, quiet and without its code.

    Raises:
        ModelError: it is not there, not complete or not of a kind that can be loaded.
    """
    with quiet_libraries(offline=offline):
        from sentence_transformers import CrossEncoder as Authority

        try:
            return Authority(
                name, device=device, trust_remote_code=False, local_files_only=offline
            ).eval()
        except Exception as error:  # whatever the files of a model from outside provoke
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise ModelError(f"{name} can't be loaded: {reason}", OTHER_STEP) from error


def _check_kind(folder: Path) -> None:
    """Refuse a model that was made for something else."""
    try:
        kinds = json.loads((folder / "config.json").read_bytes()).get("architectures") or []
        is_one = any(str(kind).endswith(KINDS) for kind in kinds)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder / 'config.json'} can't be read: {error}", OTHER_STEP) from error
    if not is_one:
        named = ", ".join(map(str, kinds)) or "of an unknown kind"
        raise ModelError(f"{folder} holds no cross-encoder: it is {named}", OTHER_STEP)


@contextmanager
def _named_failure() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError, IndexError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(f"The reranking model failed: {reason}", OTHER_STEP) from error
