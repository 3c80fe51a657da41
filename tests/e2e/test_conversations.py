"""Conversations as a person or a script meets them on the command line, without a model."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from engine import paths
from engine.storage.conversations import FILE
from tests.e2e.conftest import Run

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

OFF = ("--set", "llm_start=never")


def told(hoverkite: Run, *words: str | Path) -> Any:
    """Return what a command prints as JSON."""
    done = hoverkite(*words, *OFF, "--json")
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


def test_conversations_are_continued_listed_exported_and_deleted(
    hoverkite: Run, docs: Path, tmp_path: Path
) -> None:
    assert hoverkite("conversations", docs).returncode == 1
    assert not paths.index_dir(docs).exists(), "nothing is made for somebody who only looks"
    hoverkite("ask", docs, "How many eggs do kites lay?", *OFF)
    asked = hoverkite("ask", docs, *OFF, "--continue", "And how long is a nest lined?")
    assert "searched for: And how long is a nest lined? eggs kites lay" in asked.stderr
    hoverkite("ask", docs, "How is the kettle descaled?", *OFF)

    listed = told(hoverkite, "conversations", docs)["conversations"]
    assert [(each["title"], each["turns"]) for each in listed] == [
        ("How is the kettle descaled?", 1), ("How many eggs do kites lay?", 2),
    ]  # fmt: skip
    kept = told(hoverkite, "conversations", docs, "show", listed[1]["id"][:8])
    assert [turn["question"] for turn in kept["turns"]] == [
        "How many eggs do kites lay?", "And how long is a nest lined?",
    ]  # fmt: skip
    shown = hoverkite("conversations", docs, "show", "2", *OFF).stdout
    assert "“Kites lay two to five eggs" in shown

    exported = tmp_path / "kites.md"
    export = ("conversations", docs, "export", "2", "--to", exported, *OFF)
    assert hoverkite(*export).returncode == 0
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600
    assert "`birds/kites.md:" in exported.read_text()
    assert hoverkite(*export).returncode == 2, "it is there already"
    assert hoverkite("conversations", docs, "export", "2", *OFF).stdout == exported.read_text()

    parts = [*paths.index_dir(docs).glob(f"{FILE}*")]
    assert parts
    assert {stat.S_IMODE(part.stat().st_mode) for part in parts} == {0o600}
    refused = hoverkite("conversations", docs, "delete", "1", *OFF)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert hoverkite("conversations", docs, "delete", "1", *OFF, "--yes").returncode == 0
    (left,) = told(hoverkite, "conversations", docs)["conversations"]
    assert left["id"] == listed[1]["id"]
    assert hoverkite("conversations", docs, "show", "2", *OFF).returncode == 1
    assert told(hoverkite, "doctor", docs)["sound"]

    assert hoverkite("forget", docs, "--yes").returncode == 0
    assert not paths.index_dir(docs).exists()
