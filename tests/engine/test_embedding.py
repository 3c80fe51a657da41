"""The real encoder against its authority, sentence-transformers."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.config import Settings
from engine.encoding import embedding, encoder_build, encoder_files
from engine.encoding.embedding import Encoder, Vectors
from engine.encoding.encoder_torch import TorchEncoder, open_model
from engine.errors import ModelError

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

SENTENCES = [
    "The index is rebuilt from the manifest after a crash.",
    "Set `nlist` between 4 × sqrt(n) and 16 × sqrt(n).",
    "Le milan noir plane au-dessus des rivières.",
    "トビは海辺でよく見られる猛禽類です。",
    "Красный коршун меньше встречается зимой.",
    "def close(self) -> None:\n    self._closed = True",
    "| M | 16 |\n|---|---|\n| efConstruction | 200 |",
    "🪁🪁 e\u0301 ﬁ ½ \u200d end",
]
TEXTS = [
    " ".join(SENTENCES[(start + step) % 8] for step in range(length))
    for length in (1, 12, 3, 25)
    for start in range(8)
]
"""32 texts, short and long mixed, up to beyond 256 tokens."""

HOSTILE = [
    "",
    " \t\n",
    "\x00\x01\x1b[31m\x7f",
    "\ud800",
    "a\udfffb" * 10,
    "\u202e\u2066\ufeff",
    "😀" * 3000,
    "x" * 100_000,
    "word " * 20_000,
    "\n" * 100_000,
    "[CLS] [SEP] [PAD] [MASK] <|im_start|>",
    "\U0010ffff\ufffe",
]


@pytest.fixture(scope="module")
def model() -> encoder_files.ModelFiles:
    found = encoder_files.find(encoder_files.EMBEDDED)
    assert found
    return found


@pytest.fixture(scope="module")
def authority(model: encoder_files.ModelFiles) -> Any:
    return open_model(str(model.folder), "cpu")


@pytest.fixture(scope="module")
def compiled(encoder_cache: Path) -> Iterator[Encoder]:
    encoder = embedding.load(Settings(), cache=encoder_cache)
    assert "OpenVINO" in encoder.device
    yield encoder
    encoder.close()


@pytest.fixture(scope="module")
def in_torch(model: encoder_files.ModelFiles, authority: Any) -> Iterator[Encoder]:
    assert authority  # imported once, quietly
    encoder = TorchEncoder(model, "torch", "cpu")
    yield encoder
    encoder.close()


@pytest.fixture(params=["compiled", "in_torch"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    found: Encoder = request.getfixturevalue(request.param)
    return found


def cosines(first: Vectors, second: Vectors) -> Vectors:
    return np.asarray((first * second).sum(axis=1), np.float32)


def test_vectors_are_those_of_sentence_transformers(encoder: Encoder, authority: Any) -> None:
    expected = authority.encode(TEXTS, normalize_embeddings=True)
    found = cosines(encoder.encode(TEXTS), expected)
    assert found.mean() >= 0.9999
    assert found.min() >= 0.999
    assert (encoder.dimension, encoder.max_tokens) == (384, 256)


def test_a_text_has_the_same_vector_alone_in_a_batch_and_as_query(encoder: Encoder) -> None:
    together = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS[:12]])
    queries = np.stack([encoder.encode_query(text) for text in TEXTS[:12]])
    assert cosines(together[:12], alone).min() >= 0.9999
    assert cosines(together[:12], queries).min() >= 0.9999


def test_rows_come_in_the_order_given(encoder: Encoder) -> None:
    order = np.random.default_rng(7).permutation(len(TEXTS))
    straight, shuffled = encoder.encode(TEXTS), encoder.encode([TEXTS[row] for row in order])
    assert cosines(straight[order], shuffled).min() >= 0.9999
    assert len({row.tobytes() for row in straight.round(2)}) > 28


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_string_has_a_unit_vector(encoder: Encoder, text: str) -> None:
    vectors = encoder.encode([text, "kite"])
    assert vectors.shape == (2, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    query = encoder.encode_query(text)
    assert query.shape == (384,)
    assert query.dtype == np.float32
    assert float(query @ vectors[0]) >= 0.9999


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, 384)


def test_what_lies_beyond_the_token_limit_is_cut(encoder: Encoder) -> None:
    start = "kites hover over fields " * 80
    whole, longer = encoder.encode([start, start + "and then something else entirely" * 50])
    assert float(whole @ longer) >= 0.99999


def test_queries_pass_by_a_long_encode(encoder: Encoder) -> None:
    """As many queries as there are batches: none ever waits for more than one of them."""
    texts = [sentence * 20 for sentence in SENTENCES * 8]
    bulk = threading.Thread(target=encoder.encode, args=[texts])
    answered = 0
    bulk.start()
    while bulk.is_alive():
        encoder.encode_query("kite")
        answered += bulk.is_alive()
    bulk.join()
    assert answered >= len(texts) // 16 - 1


def test_a_warm_start_is_light_quiet_and_private(encoder_cache: Path, tmp_path: Path) -> None:
    script = f"""
import json, sys
from pathlib import Path
from engine.encoding import embedding
from engine.config import Settings
encoder = embedding.load(Settings(), cache=Path({str(encoder_cache)!r}))
encoder.encode(["a kite"] * 20)
heavy = ("torch", "transformers", "sentence_transformers", "huggingface_hub")
found = [name for name in heavy if name in sys.modules]
loaded = [name.split(".")[0] for name, module in sys.modules.items() if module]
spies = [name for name in loaded if "telemetry" in name]
print(json.dumps([found, spies, encoder.model_id]))
"""
    home = tmp_path / "warm"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        cwd=Path(__file__).parents[2],
    )
    known = encoder_files.loaded_before(Settings(), cache=encoder_cache)
    assert known
    assert json.loads(done.stdout) == [[], [], known[0]]
    assert done.stderr == ""
    assert list(home.iterdir()) == []


def test_the_cache_is_private(encoder_cache: Path) -> None:
    modes = {path: path.stat().st_mode & 0o077 for path in (encoder_cache / "encoders").rglob("*")}
    assert len(modes) >= 4
    assert set(modes.values()) == {0}


def test_identify_knows_what_load_found(compiled: Encoder, encoder_cache: Path) -> None:
    expected = (compiled.model_id, 384, 256)
    assert encoder_files.loaded_before(Settings(), cache=encoder_cache) == expected
    full_name = Settings(embedding_model="sentence-transformers/all-MiniLM-L6-v2")
    assert encoder_files.loaded_before(full_name, cache=encoder_cache) == expected
    assert encoder_files.loaded_before(Settings(), cache=encoder_cache / "other") is None


@pytest.mark.parametrize(("limit", "precision"), [(0.9999, "bf16"), (1.1, "fp32")])
def test_torch_uses_bfloat16_only_where_vectors_stay_the_same(
    model: encoder_files.ModelFiles,
    authority: Any,
    monkeypatch: pytest.MonkeyPatch,
    limit: float,
    precision: str,
) -> None:
    monkeypatch.setattr("engine.encoding.encoder_torch.has_bf16", lambda device: True)
    monkeypatch.setattr("engine.encoding.encoder_torch.SAME", limit)
    encoder = TorchEncoder(model, "torch", "cpu")
    assert encoder.device == f"cpu (torch {precision})"
    expected = authority.encode(TEXTS[:8], normalize_embeddings=True)
    distance = np.abs(encoder.encode(TEXTS[:8]) - expected).max()
    assert (distance < 1e-6) == (precision == "fp32")
    assert distance < 0.01
    encoder.close()


def test_a_closed_encoder_says_so_and_ends_a_running_encode(
    encoder_cache: Path, model: encoder_files.ModelFiles, authority: Any
) -> None:
    assert authority
    for encoder in (
        embedding.load(Settings(), cache=encoder_cache),
        TorchEncoder(model, "torch", "cpu"),
    ):
        failures: list[str] = []

        def run(encoder: Encoder = encoder, failures: list[str] = failures) -> None:
            try:
                encoder.encode([sentence * 20 for sentence in SENTENCES * 100])
            except ModelError as error:
                failures.append(str(error))

        bulk = threading.Thread(target=run)
        bulk.start()
        encoder.encode_query("kite")
        encoder.close()
        bulk.join(60)
        assert failures == ["The encoder was closed"]
        with pytest.raises(ModelError, match="closed"):
            encoder.encode_query("kite")
        encoder.close()


def test_a_hub_that_cannot_be_reached_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    settings = Settings(embedding_model="no-such-owner/no-such-model", fetch_models=True)
    reports: list[str] = []
    started = time.monotonic()
    with pytest.raises(ModelError, match="not on this machine and can't be fetched") as caught:
        embedding.load(settings, cache=tmp_path, report=reports.append)
    assert "refused" in str(caught.value)
    assert "network" in caught.value.next_step
    assert reports == ["Fetching no-such-owner/no-such-model from the model hub"]
    assert time.monotonic() - started < 60


def test_a_hub_model_is_never_fetched_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(*_: object) -> None:
        raise AssertionError("fetched unasked")

    monkeypatch.setattr(encoder_build, "fetch", fetch)
    settings = Settings(embedding_model="no-such-owner/no-such-model")
    with pytest.raises(ModelError, match="is not on this machine") as caught:
        embedding.load(settings, cache=tmp_path)
    assert "fetch_models=true" in caught.value.next_step


def test_a_device_that_is_not_there_is_a_reason(tmp_path: Path, authority: Any) -> None:
    assert authority
    device = "mps" if sys.platform == "linux" else "cuda"
    with pytest.raises(ModelError, match=f"embedding_device is {device}"):
        embedding.load(Settings(embedding_device=device), cache=tmp_path)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, authority: Any) -> Path:
    """A small model with prompts, first-token pooling and no normalisation."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel

    torch.manual_seed(12)  # some weights of chance hardly look at a prompt
    folder = tmp_path_factory.mktemp("models") / "tiny"
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = BertConfig(vocab_size=30522, intermediate_size=64, initializer_range=0.5, **sizes)
    BertModel(config).save_pretrained(folder)
    authority.tokenizer.save_pretrained(folder)
    modules = [Transformer(str(folder), max_seq_length=40), Pooling(32, pooling_mode="cls")]
    prompts = {"query": "question: ", "passage": "text: "}
    whole = SentenceTransformer(modules=modules, prompts=prompts, device="cpu")
    whole.save(str(folder), create_model_card=False)
    return folder


def test_a_folders_model_with_prompts_replaces_a_truncated_form(tiny: Path, tmp_path: Path) -> None:
    settings = Settings(embedding_model=str(tiny))
    model = encoder_files.find(str(tiny))
    assert model
    model_id = encoder_files.identify(model, encoder_files.read_card(model, tmp_path))
    place = encoder_build.place(model_id, tmp_path)
    place.mkdir()
    (place / "spec.json").write_text('{"model_id": "' + model_id)
    reports: list[str] = []
    encoder = embedding.load(settings, cache=tmp_path, report=reports.append)
    assert "OpenVINO" in encoder.device
    assert any("comparing" in report for report in reports)
    assert (encoder.dimension, encoder.max_tokens) == (32, 40)
    authority = open_model(str(tiny), "cpu")
    texts = authority.encode(TEXTS, prompt_name="passage", normalize_embeddings=True)
    queries = authority.encode_query(TEXTS[:8], normalize_embeddings=True)
    assert cosines(encoder.encode(TEXTS), texts).min() >= 0.999
    found = np.stack([encoder.encode_query(text) for text in TEXTS[:8]])
    assert cosines(found, queries).min() >= 0.999
    assert cosines(found, texts[:8]).max() < 0.999, "the query's prompt counts"
    encoder.close()
    reports.clear()
    embedding.load(settings, cache=tmp_path, report=reports.append).close()
    assert reports == []


def test_a_model_that_is_not_plain_runs_in_torch(tiny: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "special"))
    modules = json.loads((folder / "modules.json").read_text())
    kind = "sentence_transformers.sentence_transformer.modules.dropout.Dropout"
    (folder / "2_Dropout").mkdir()
    (folder / "2_Dropout" / "config.json").write_text('{"dropout": 0.1}')
    modules.append({"idx": 2, "name": "2", "path": "2_Dropout", "type": kind})
    (folder / "modules.json").write_text(json.dumps(modules))
    reports: list[str] = []
    settings = Settings(embedding_model=str(folder))
    encoder = embedding.load(settings, cache=tmp_path / "cache", report=reports.append)
    assert encoder.device.startswith("cpu (torch ")
    assert reports == ["Loading special with torch"]
    assert encoder.encode(TEXTS).shape == (len(TEXTS), 32)
    known = encoder_files.loaded_before(settings, cache=tmp_path / "cache")
    assert known == (encoder.model_id, 32, 40)
    encoder.close()


def test_damaged_weights_are_a_reason(tiny: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "damaged"))
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    model = encoder_files.find(str(folder))
    assert model
    with pytest.raises(ModelError, match="can't be loaded") as caught:
        TorchEncoder(model, "damaged", "cpu")
    assert caught.value.next_step == encoder_files.OTHER_STEP


def test_vectors_that_are_not_numbers_never_leave(tiny: Path, tmp_path: Path) -> None:
    encoder = TorchEncoder(encoder_files.ModelFiles("tiny", tiny), "tiny", "cpu")
    for parameter in encoder._model.parameters():
        parameter.data.fill_(float("nan"))
    with pytest.raises(ModelError, match="not a number"):
        encoder.encode(["kite"])
    with pytest.raises(ModelError, match="not a number"):
        encoder.encode_query("kite")
    encoder.close()
