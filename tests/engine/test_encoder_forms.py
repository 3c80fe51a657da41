"""Compiled forms in the cache: noticed when damaged, refused when unfaithful, made whole."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.config import Settings
from engine.encoding import embedding, encoder_build, encoder_compiled, encoder_files, encoder_maker
from engine.encoding.embedding import Encoder
from engine.encoding.encoder_torch import VARIED

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def compiled(encoder_cache: Path) -> Iterator[Encoder]:
    encoder = embedding.load(Settings(), cache=encoder_cache)
    yield encoder
    encoder.close()


@pytest.fixture
def form(compiled: Encoder, encoder_cache: Path, tmp_path: Path) -> Path:
    """A copy of the compiled form, to be damaged."""
    return Path(
        shutil.copytree(encoder_build.place(compiled.model_id, encoder_cache), tmp_path / "form")
    )


@pytest.mark.parametrize("file", ["model.xml", "model.bin", "tokenizer.json", "spec.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "zeroed"])
def test_a_damaged_form_is_noticed(form: Path, compiled: Encoder, file: str, damage: str) -> None:
    path = form / file
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        remains = {"empty": b"", "truncated": whole[:-1000], "zeroed": bytes(len(whole))}
        path.write_bytes(remains[damage])
    assert encoder_compiled.open_compiled(form, compiled.model_id) is None


def test_changed_weights_are_noticed(form: Path, compiled: Encoder) -> None:
    weights = bytearray((form / "model.bin").read_bytes())
    layers = len(weights) // 2
    weights[layers : layers + 2_000_000] = bytes(2_000_000)
    (form / "model.bin").write_bytes(weights)
    assert encoder_compiled.open_compiled(form, compiled.model_id) is None


def test_a_form_is_not_used_for_another_model(form: Path, compiled: Encoder) -> None:
    assert encoder_compiled.open_compiled(form, "another@0123456789abcdef") is None
    whole = encoder_compiled.open_compiled(form, compiled.model_id)
    assert whole
    whole.close()


@pytest.mark.parametrize("threads", [1, 2])
def test_indexing_uses_no_more_threads_than_it_may(
    compiled: Encoder, encoder_cache: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    expected = compiled.encode(VARIED)
    made: list[int] = []
    compile_for = encoder_compiled.CompiledEncoder._compiled

    def listen(self: Any, hint: str, *rest: Any) -> Any:
        graph = compile_for(self, hint, *rest)
        if hint == "THROUGHPUT":
            made.append(graph.get_property("INFERENCE_NUM_THREADS"))
        return graph

    monkeypatch.setattr(encoder_compiled.CompiledEncoder, "_compiled", listen)
    limited = embedding.load(Settings(index_threads=threads), cache=encoder_cache)
    assert np.allclose(limited.encode(VARIED), expected, atol=1e-4)
    limited.close()
    assert made == [threads]


def test_an_unfaithful_form_is_refused(form: Path, compiled: Encoder) -> None:
    spec = encoder_compiled.CompiledSpec.model_validate_json((form / "spec.json").read_bytes())
    wrong = np.roll(compiled.encode(VARIED), 1, axis=1)
    with pytest.raises(encoder_maker.UnfitError, match="differ"):
        encoder_maker.choose_precision(form, spec, wrong)


def test_the_last_of_two_makers_wins(tmp_path: Path) -> None:
    for maker in ("first", "second"):
        work = tmp_path / maker
        work.mkdir()
        (work / "spec.json").write_text(maker)
        encoder_maker.put_in_place(work, tmp_path / "target")
    assert (tmp_path / "target" / "spec.json").read_text() == "second"
    assert [path.name for path in tmp_path.glob(f"{encoder_maker.UNFINISHED}*")] == []


def test_the_maker_ends_with_its_parent(tmp_path: Path) -> None:
    model = encoder_files.find(encoder_files.EMBEDDED)
    assert model
    command = ["compile", model.name, str(tmp_path), str(model.folder), str(tmp_path / "target")]
    with subprocess.Popen(
        [sys.executable, "-m", "engine.encoding.encoder_maker", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as maker:
        assert maker.stdin
        assert maker.stdout
        assert "loading" in json.loads(maker.stdout.readline())["report"]
        maker.stdin.close()
        assert maker.wait(timeout=30) == 1
    assert not (tmp_path / "target").exists()
