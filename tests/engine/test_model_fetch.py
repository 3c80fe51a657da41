"""Fetching a model from the hub, as its own client speaks with it."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import huggingface_hub
import pytest

from engine.encoding import hub
from engine.errors import ModelError
from engine.serving import model_fetch
from tests.scripted_hub import Hub, scripted_hub

NAME = "owner/model"
FILES = {
    "config.json": b'{"architectures": ["LlamaForCausalLM"]}',
    "model.safetensors": b"0" * 5000,
    "tokenizer.json": b"{}",
    "chat_template.jinja": b"{{ messages }}",
    "pytorch_model.bin": b"1" * 5000,
    "original/consolidated.safetensors": b"2" * 5000,
    "modeling_own.py": b"import os",
}
WANTED = {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"}


def at(url: str) -> Callable[..., Any]:
    """Return the hub client's function as it speaks to ``url``."""
    return partial(huggingface_hub.snapshot_download, endpoint=url)


@pytest.fixture
def model_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one model, and an empty cache."""
    with scripted_hub(NAME, FILES) as scripted:
        monkeypatch.setattr("huggingface_hub.snapshot_download", at(scripted.url))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
        # Whatever an earlier test in this process, or its environment, made of it.
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS"):
            monkeypatch.delenv(name, raising=False)
        yield scripted


def test_a_model_is_fetched_without_what_vllm_has_no_use_for(
    model_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = model_fetch.plan(NAME)
    total = sum(len(FILES[name]) for name in WANTED)
    assert (wanted.total, wanted.missing, wanted.weights) == (total, total, 5000)
    assert not [line for line in model_hub.asked if line.startswith("GET /owner")]
    folder = model_fetch.fetch(wanted, progress=False)
    assert {path.name for path in folder.iterdir()} == WANTED
    assert hub.find(NAME, "llm_model") == folder
    assert hub.cached_names() == [NAME]
    assert model_fetch.plan(NAME).missing == 0, "the second time nothing is"


@pytest.mark.parametrize(
    ("status", "code", "said", "step"),
    [
        (403, "GatedRepo", "is gated", "https://huggingface.co/owner/model.*hf auth login"),
        (401, "GatedRepo", "is gated", "hoverkite never does"),
        (401, "", "knows no owner/model|refuses", "hf auth login"),
        (404, "RepoNotFound", "knows no owner/model", "Correct the name"),
        (403, "", r"refuses owner/model \(HTTP 403\)", "hf auth login"),
        (500, "", r"failed \(HTTP 500\)", "later"),
    ],
)
def test_refusals_in_a_persons_words(
    status: int, code: str, said: str, step: str, model_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    model_hub.status, model_hub.error_code = status, code
    with pytest.raises(ModelError, match=said) as caught:
        model_fetch.plan(NAME)
    assert re.search(step, caught.value.next_step)


def test_a_hub_that_is_not_there(model_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", at("http://127.0.0.1:9"))
    with pytest.raises(ModelError, match="can't be reached"):
        model_fetch.plan(NAME)


@pytest.mark.parametrize("name", ["", "../x", "a/b/c", "http://x/y", "-x", "a b", "x\x1b[2J"])
def test_what_is_no_name_is_not_asked_for(name: str, model_hub: Hub) -> None:
    with pytest.raises(ModelError, match="is no name of the model hub"):
        model_fetch.plan(name)
    assert model_hub.asked == []


def test_a_model_without_the_right_weights(model_hub: Hub) -> None:
    model_hub.files = {"config.json": b"{}", "model.gguf": b"0"}
    with pytest.raises(ModelError, match="no safetensors weights"):
        model_fetch.plan(NAME)


def test_a_disk_without_room(model_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10_000))
    with pytest.raises(ModelError, match=r"0\.0 GB are free") as caught:
        model_fetch.fetch(model_fetch.plan(NAME), progress=False)
    assert "HF_HOME" in caught.value.next_step
    assert not [line for line in model_hub.asked if line.startswith("GET /owner")]


def test_the_command_fetches_and_then_the_model_can_be_chosen(tmp_path: Path) -> None:
    """Nothing but the command's own words comes out; a token is the hub's own business."""
    home = tmp_path / "hf"
    home.mkdir()
    (home / "token").write_text("hf_secret")
    with scripted_hub(NAME, FILES) as scripted:
        env = os.environ | {"HF_HOME": str(home), "HF_ENDPOINT": scripted.url}
        env.pop("HF_TOKEN", None)
        fetched = run("fetch", NAME, "--yes", "--json", env=env)
        told = json.loads(fetched.stdout)
        assert (told["name"], told["fetched_bytes"]) == (NAME, sum(len(FILES[n]) for n in WANTED))
        assert fetched.stderr.startswith(f"{NAME}: 5.1 kB of 5.1 kB are to be fetched\n")
        assert "it/s" not in fetched.stderr, "progress is for a terminal"
        assert "Bearer hf_secret" in scripted.tokens
        assert "hf_secret" not in fetched.stdout + fetched.stderr
        used = run("use", NAME, env=env)
        assert used.stdout == f"{NAME} answers from now on\n"
        listed = json.loads(run("--json", env=env).stdout)
    assert listed["in_use"] == {"name": NAME, "url": ""}
    assert [(m["name"], m["place"], m["in_use"]) for m in listed["local"]][1:] == [
        (NAME, "hub cache", True)
    ]
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent != home]
    for path in kept:
        with contextlib.suppress(OSError):
            assert b"hf_secret" not in path.read_bytes(), path


def run(*words: str, env: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [sys.executable, "-m", "tui.command", "models", *words],
        env=env, capture_output=True, text=True, timeout=50, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done
