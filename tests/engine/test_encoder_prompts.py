"""What an encoder is told before queries and documents, in both of its forms."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import config
from engine.config import Settings
from engine.encoding import embedding, encoder_build, encoder_files
from engine.encoding.embedding import Encoder
from engine.encoding.encoder_files import EMBEDDED, ModelFiles
from engine.encoding.encoder_prompts import NO_PROMPTS, Prompts, prompts_of
from engine.encoding.encoder_torch import TorchEncoder, open_model, quiet_libraries

BGE = Prompts("Represent this sentence for searching relevant passages: ", "")
E5 = Prompts("query: ", "passage: ")
TEXTS = ["A kite hovers over the field.", "owl", "ef trades time for accuracy"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BAAI/bge-small-en-v1.5", BGE),
        ("BAAI/bge-large-en", BGE),
        ("BAAI/bge-base-zh-v1.5", Prompts("为这个句子生成表示以用于检索相关文章：", "")),
        ("BAAI/bge-m3", NO_PROMPTS),
        ("BAAI/bge-reranker-base", NO_PROMPTS),
        ("intfloat/e5-base-v2", E5),
        ("intfloat/e5-small-unsupervised", E5),
        ("intfloat/multilingual-e5-large", E5),
        ("intfloat/multilingual-e5-large-instruct", NO_PROMPTS),
        ("intfloat/e5-mistral-7b-instruct", NO_PROMPTS),
        ("BGE-Small-EN-v1.5", BGE),
        ("e5-small-of-my-own", NO_PROMPTS),
        (EMBEDDED, NO_PROMPTS),
        ("", NO_PROMPTS),
    ],
)
def test_a_family_is_known_by_its_name(name: str, expected: Prompts, tmp_path: Path) -> None:
    assert prompts_of(ModelFiles(name, tmp_path), "model") == expected
    assert prompts_of(ModelFiles(name, tmp_path), "none") == NO_PROMPTS


def test_the_embedded_model_has_none() -> None:
    model = encoder_files.find(EMBEDDED)
    assert model
    assert prompts_of(model, "model") == NO_PROMPTS


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"prompts": {"query": "q: ", "document": "d: ", "passage": "p: "}}, Prompts("q: ", "d: ")),
        ({"prompts": {"query": "q: ", "passage": "p: "}}, Prompts("q: ", "p: ")),
        ({"prompts": {"query": "q: ", "document": "", "passage": "p: "}}, Prompts("q: ", "p: ")),
        ({"prompts": {"corpus": "c: "}}, Prompts("", "c: ")),
        ({"prompts": {"query": "q: "}, "default_prompt_name": "query"}, Prompts("q: ", "")),
        ({"prompts": {"query": "", "document": ""}}, E5),
        ({"prompts": {"clustering": "c: "}}, E5),
        ({"prompts": None}, E5),
        ({"prompts": ["query"]}, E5),
        ([], E5),
        ({}, E5),
    ],
)
def test_the_model_s_own_configuration_comes_first(
    told: Any, expected: Prompts, tmp_path: Path
) -> None:
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(told))
    assert prompts_of(ModelFiles("intfloat/e5-base", tmp_path), "model") == expected


@pytest.mark.parametrize("damage", [b"", b"\xff\x00", b"{", b"null"])
def test_a_configuration_that_cannot_be_read_is_none(damage: bytes, tmp_path: Path) -> None:
    for file in ("config_sentence_transformers.json", "config.json"):
        (tmp_path / file).write_bytes(damage)
    assert prompts_of(ModelFiles("some-model", tmp_path), "model") == NO_PROMPTS
    assert prompts_of(ModelFiles("intfloat/e5-base", tmp_path), "model") == E5


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("intfloat/e5-small-v2", E5),
        ("/root/.cache/torch/sentence_transformers/BAAI_bge-large-en-v1.5/", BGE),
        ("nreimers/MiniLM-L6-H384-uncased", NO_PROMPTS),
    ],
)
def test_a_folder_of_another_name_is_known_by_what_is_in_it(
    inside: str, expected: Prompts, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"_name_or_path": inside}))
    assert prompts_of(ModelFiles("my-copy", tmp_path), "model") == expected
    assert prompts_of(ModelFiles("someone/fine-tuned", tmp_path), "model") == NO_PROMPTS
    cached = tmp_path / "models--intfloat--e5-base" / "snapshots" / "0123abcd"
    assert prompts_of(ModelFiles("0123abcd", cached), "model") == E5


def test_the_reference_set_up_embeds_queries_bare() -> None:
    assert config.load({"profile": "reference"}).embedding_prompts == "none"
    assert config.load().embedding_prompts == "model"


# --- with models -----------------------------------------------------------------------------

Save = Callable[[str], Path]


@pytest.fixture(scope="module")
def save(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Save]:
    """Saves a tiny model under a name, without any prompts."""
    with quiet_libraries(offline=True):
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
        from transformers import BertConfig, BertModel

    embedded = encoder_files.find(EMBEDDED)
    assert embedded
    one = tmp_path_factory.mktemp("models") / "one"
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    shape = BertConfig(vocab_size=30522, intermediate_size=64, initializer_range=0.5, **sizes)
    torch.manual_seed(0)  # of some random weights the compiled form is less exact than asserted
    BertModel(shape).save_pretrained(one)
    open_model(str(embedded.folder), "cpu").tokenizer.save_pretrained(one)
    modules = [Transformer(str(one), max_seq_length=40), Pooling(32, pooling_mode="mean")]
    SentenceTransformer(modules=modules, device="cpu").save(str(one), create_model_card=False)

    def named(name: str) -> Path:
        folder = tmp_path_factory.mktemp("named") / name
        return Path(shutil.copytree(one, folder))

    yield named


def in_both_forms(folder: Path, cache: Path, **changes: Any) -> list[Encoder]:
    settings = Settings(embedding_model=str(folder), embedding_device="cpu", **changes)
    compiled = embedding.load(settings, cache=cache)
    assert "OpenVINO" in compiled.device
    model = encoder_files.find(str(folder))
    assert model
    weights = encoder_files.identify(model, encoder_files.read_card(model, cache))
    prompts = prompts_of(model, settings.embedding_prompts)
    in_torch = TorchEncoder(model, weights, "cpu", prompts=prompts)
    assert in_torch.model_id == compiled.model_id
    known = encoder_files.loaded_before(settings, cache=cache)
    assert known
    assert known[0] == compiled.model_id
    return [compiled, in_torch]


def check(encoders: list[Encoder], folder: Path, prompts: Prompts) -> None:
    plain = open_model(str(folder), "cpu")
    for encoder in encoders:
        for before, found in (
            (prompts.document, encoder.encode(TEXTS)),
            (prompts.document, encoder.encode_now(TEXTS)),
            (prompts.query, np.stack([encoder.encode_query(text) for text in TEXTS])),
        ):
            expected = plain.encode([before + text for text in TEXTS], normalize_embeddings=True)
            assert (found * expected).sum(axis=1).min() >= 0.999
        encoder.close()


@pytest.mark.real
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "prompts"), [("e5-small-v2", E5), ("bge-small-en-v1.5", BGE)])
def test_both_forms_put_the_prompts_before_queries_and_documents(
    save: Save, tmp_path: Path, name: str, prompts: Prompts
) -> None:
    folder = save(name)
    encoders = in_both_forms(folder, tmp_path)
    told = encoders[0].model_id
    longest = "kite " * (40 - 2)
    assert encoders[0].fits(longest) == encoders[1].fits(longest) == (not prompts.document)
    check(encoders, folder, prompts)
    bare = in_both_forms(folder, tmp_path, embedding_prompts="none")
    assert (bare[0].model_id != told) == bool(prompts.document)
    check(bare, folder, NO_PROMPTS)


@pytest.mark.real
@pytest.mark.timeout(300)
def test_other_prompts_need_no_other_compiled_form(
    save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save("e5-base")
    settings = Settings(embedding_model=str(folder), embedding_device="cpu")
    embedding.load(settings, cache=tmp_path).close()
    monkeypatch.setattr(encoder_build, "compile_model", lambda *_: pytest.fail("compiled again"))
    bare = settings.model_copy(update={"embedding_prompts": "none"})
    embedding.load(bare, cache=tmp_path).close()
