"""The encoder's parts that need no model."""

import json
import threading
import time
from pathlib import Path

import pytest

from engine.config import Settings
from engine.encoding import embedding, encoder_build, encoder_files
from engine.encoding.encoder_torch import Turns
from engine.errors import ModelError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain", "plain"),
        ("naïve 黑鸢 😀", "naïve 黑鸢 😀"),
        ("a\ud800b", "a\ufffdb"),
        ("\udcff", "\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("a\x00b", "a\x00b"),
    ],
)
def test_lone_surrogates_are_replaced_and_pairs_joined(text: str, expected: str) -> None:
    assert embedding.well_formed(text) == expected


def write_model(folder: Path, modules: list[str] | None, kind: str = "bert") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    (folder / "model.safetensors").write_bytes(b"weights")
    if modules is not None:
        listed = [{"path": "", "type": f"sentence_transformers.models.{name}"} for name in modules]
        (folder / "modules.json").write_text(json.dumps(listed))
    return folder


@pytest.mark.parametrize(
    ("modules", "kind", "reason"),
    [
        (["Transformer", "Pooling", "Normalize"], "bert", ""),
        (["Transformer", "Pooling"], "xlm-roberta", ""),
        (None, "bert", ""),
        (["Transformer", "Pooling", "Dense"], "bert", "Dense"),
        (["StaticEmbedding"], "bert", "StaticEmbedding"),
        ([], "bert", "modules"),
        (["Transformer", "Pooling"], "qwen3", "qwen3"),
    ],
)
def test_only_plain_encoders_are_compiled(
    tmp_path: Path, modules: list[str] | None, kind: str, reason: str
) -> None:
    found = encoder_build.unfit(write_model(tmp_path / "model", modules, kind))
    assert reason in found
    assert bool(found) == bool(reason)


@pytest.mark.parametrize("content", ["", "[]", "7", '{"model_type": ', "\x00"])
def test_a_broken_configuration_is_a_reason_not_a_crash(tmp_path: Path, content: str) -> None:
    folder = write_model(tmp_path / "model", None)
    (folder / "config.json").write_text(content)
    assert encoder_build.unfit(folder)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "./model",
        "../model",
        "a/b/c",
        "https://example.org/model",
        "name\nwith newline",
        "-flag",
        "name\x1b[31m",
        "owner/",
        "моя/модель",
        "/does/not/exist",
        "~/nothing here",
        "~nobody-at-all/model",
        "/dev/null",
    ],
)
def test_names_that_are_no_model(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        embedding.load(Settings(embedding_model=name), cache=tmp_path)
    assert "embedding_model" in caught.value.next_step
    assert encoder_files.loaded_before(Settings(embedding_model=name), cache=tmp_path) is None


def test_a_folder_without_weights_is_no_model(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model", ["Transformer", "Pooling"])
    assert encoder_files.find(str(folder)) == encoder_files.ModelFiles("model", folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="holds no model"):
        encoder_files.find(str(folder))


def test_a_half_fetched_hub_model_counts_as_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--kites--milvus"
    snapshot = write_model(repository / "snapshots" / "0123", ["Transformer", "Pooling"])
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0123")
    assert encoder_files.find("kites/milvus") == encoder_files.ModelFiles("kites/milvus", snapshot)
    parts = {"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(parts))
    (snapshot / "model-1-of-2.safetensors").write_bytes(b"weights")
    assert encoder_files.find("kites/milvus") is None
    (snapshot / "model-2-of-2.safetensors").write_bytes(b"weights")
    assert encoder_files.find("kites/milvus")
    for weights in snapshot.glob("model*"):
        weights.unlink()
    assert encoder_files.find("kites/milvus") is None


@pytest.mark.parametrize("changed", ["model.safetensors", "config.json", "modules.json"])
def test_identity_follows_content_and_not_place(tmp_path: Path, changed: str) -> None:
    def identity(folder: Path) -> str:
        model = encoder_files.find(str(folder))
        assert model
        return encoder_files.identify(model, encoder_files.read_card(model, tmp_path / "cache"))

    first = write_model(tmp_path / "a" / "model", ["Transformer", "Pooling"])
    second = write_model(tmp_path / "b" / "model", ["Transformer", "Pooling"])
    (second / "README.md").write_text("About this model")
    assert identity(first) == identity(second)
    (second / changed).write_bytes((second / changed).read_bytes() + b" ")
    assert identity(first) != identity(second)


@pytest.mark.parametrize("content", ["", "{}", "\x00\xff", '{"files": [], "digest": 7}'])
def test_a_damaged_card_is_made_anew(tmp_path: Path, content: str) -> None:
    model = encoder_files.find(str(write_model(tmp_path / "model", None)))
    assert model
    card = encoder_files.read_card(model, tmp_path / "cache")
    (path,) = (tmp_path / "cache").rglob("*.json")
    path.write_text(content)
    assert encoder_files.known_card(model, tmp_path / "cache") is None
    assert encoder_files.read_card(model, tmp_path / "cache") == card


def test_damaged_embedded_weights_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / encoder_files.EMBEDDED_PACKAGE
    write_model(package / "model", ["Transformer", "Pooling", "Normalize"])
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModelError, match="damaged") as caught:
        embedding.load(Settings(), cache=tmp_path / "cache")
    assert "make setup" in caught.value.next_step


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in its place")
    with pytest.raises(ModelError, match="cache"):
        embedding.load(Settings(), cache=tmp_path / "cache")


def test_an_urgent_user_goes_before_those_who_wait() -> None:
    turns, order = Turns(), list[str]()
    at_work, go_on = threading.Event(), threading.Event()

    def patient(name: str) -> None:
        with turns.patient():
            at_work.set()
            assert go_on.wait(10)
            order.append(name)

    def urgent() -> None:
        with turns.urgent():
            order.append("urgent")

    threads = [threading.Thread(target=patient, args=["first"])]
    threads[0].start()
    assert at_work.wait(10)
    threads += [threading.Thread(target=patient, args=["later"]) for _ in range(3)]
    threads.append(threading.Thread(target=urgent))
    for thread in threads[1:]:
        thread.start()
    limit = time.monotonic() + 10
    while not turns._next.locked() and time.monotonic() < limit:
        time.sleep(0.001)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", "urgent", "later", "later", "later"]
