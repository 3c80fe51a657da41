"""``hoverkite eval`` on a small folder and a small collection: the real engine and index."""

import json
from pathlib import Path

import pytest

from engine.wire.api_search import Mode
from tests.e2e.conftest import Run
from tests.models import PREPARED_CACHE

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

MODES: list[Mode] = ["hybrid", "dense", "bm25"]
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEAwJ2kq" * 8
CORPUS = {
    "https://x.example/kites#1": (
        "Kites",
        "The kite hovers over a meadow before it drops on a vole.",
    ),
    "..": ("", "---\nThe kettle holds two litres.\n---\nDescale it with vinegar."),
    "anvil/1 ?": ("Anvil", "Anvil\n\nA block of hard steel on which metal is forged."),
    "key": ("Key", KEY),
    "silent": ("", "  "),
}
QUERIES = {
    "q1": ('/which bird hovers over a "quiet" meadow?', "https://x.example/kites#1"),
    "q2": ("path:steel on which metal is forged -metal", "anvil/1 ?"),
    "q3": ("'descale with vinegar", ".."),
    "q4": ("the private key", "key"),
    "q5": ("not judged", ""),
}


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    folder = tmp_path / "beir"
    folder.mkdir()
    corpus = [{"_id": name, "title": t, "text": x} for name, (t, x) in CORPUS.items()]
    queries = [{"_id": name, "text": text} for name, (text, _) in QUERIES.items()]
    for name, lines in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(x)}\n" for x in lines))
    rows = "".join(
        f"{name}\t{document}\t1\n" for name, (_, document) in QUERIES.items() if document
    )
    (folder / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{rows}")
    return folder


@pytest.fixture
def own_cache(tmp_path: Path) -> dict[str, str]:
    """A cache of its own, for what is written there, with the models that set-up prepared."""
    cache = tmp_path / "cache/hoverkite"
    cache.mkdir(parents=True)
    for models in ("encoders", "models"):
        (cache / models).symlink_to(PREPARED_CACHE / "hoverkite" / models)
    return {"XDG_CACHE_HOME": str(cache.parent)}


def test_a_collection_is_indexed_once_and_measured_in_every_mode(
    hoverkite: Run, collection: Path, own_cache: dict[str, str]
) -> None:
    done = hoverkite("eval", collection, "--json", **own_cache)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["queries"], told["documents"], told["missing"]) == (4, 5, 1)
    assert list(told["modes"]) == MODES
    for mode in MODES:
        assert told["modes"][mode] == dict.fromkeys(
            ("ndcg@10", "recall@3", "recall@10", "mrr@10"), pytest.approx(3 / 4)
        )
        assert told["missed"][mode] == ["q4"]
    for said in (
        "1 query stands not in",
        "1 document without a word: never found",
        "1 document could not be indexed: never found",
        "skipped key: it holds a private key",
    ):
        assert said in done.stderr
    root = done.stderr.split("hoverkite forget ")[1].strip()

    again = hoverkite("eval", collection, "--limit", "1", "--modes", "dense", **own_cache)
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("1 query, 5 documents, ")
    assert "MRR@10     1.000 (1.000 to 1.000)" in again.stdout
    status = json.loads(hoverkite("status", root, "--json", **own_cache).stdout)
    assert status["embedded_total"] == told["chunks"] == status["chunks"]
    assert "; test collections " in hoverkite("status", **own_cache).stdout
    assert hoverkite("forget", root, "--yes", **own_cache).returncode == 0


def test_a_persons_own_questions_are_judged_hit_by_hit(
    hoverkite: Run, docs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "questions.jsonl"
    asked = [
        {
            "question": "How many eggs do kites lay?",
            "path": "birds/kites.md",
            "answer_text": "two to five  EGGS",
        },
        {"question": "How do I descale the kettle?", "path": "tools/kettle.txt"},
        {"question": "What is metal forged on?", "answer_text": "block of hard steel"},
        {
            "question": "How heavy is a zeppelin?",
            "path": "tools/anvil.md",
            "answer_text": "ten tons",
        },
    ]
    file.write_text("".join(f"{json.dumps(x)}\n" for x in asked))
    done = hoverkite("eval", docs, file, "--json", "--modes", "dense,hybrid")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["queries"], told["documents"]) == (4, 3)
    assert list(told["modes"]) == ["dense", "hybrid"]
    assert told["modes"]["dense"]["mrr@10"] == 0.75
    assert told["modes"]["dense"]["answer@10"] == pytest.approx(2 / 3, abs=1e-6)
    assert told["missed"]["dense"] == ["line 4"]

    asked[1]["path"] = "tools/kettel.txt"
    file.write_text("".join(f"{json.dumps(x)}\n" for x in asked))
    wrong = hoverkite("eval", docs, file)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert f"line 2 (tools/kettel.txt) of {file}: no such file is read in {docs}" in wrong.stderr
