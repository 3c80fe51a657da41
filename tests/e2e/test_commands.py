"""The command line as scripts use it: the real engine, encoder and Milvus Lite."""

import json
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import Run

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


def test_search_prints_hits_with_distances_paths_and_lines(hoverkite: Run, docs: Path) -> None:
    done = hoverkite("search", docs, "how does a kite stay in one place?", "--json")
    assert done.returncode == 0, done.stderr
    reply = json.loads(done.stdout)
    assert reply["query"] == "how does a kite stay in one place?"
    assert reply["took_ms"] > 0
    best = reply["hits"][0]
    assert (best["rank"], best["path"]) == (1, "birds/kites.md")
    assert best["start_line"] <= 5 <= best["end_line"]
    assert "Kites" in best["heading"]
    assert (best["dense_rank"], best["bm25_rank"], reply["mode"]) == (1, 1, "hybrid")
    scores = [hit["score"] for hit in reply["hits"]]
    assert scores == sorted(scores, reverse=True)
    assert all(-1 <= hit["distance"] <= best["distance"] <= 1 for hit in reply["hits"])

    fewer = hoverkite("--set", "hits=1", "search", docs, "kite", "--json")
    assert len(reply["hits"]) > len(json.loads(fewer.stdout)["hits"]) == 1

    lines = hoverkite("search", docs, "how to descale the kettle").stdout.splitlines()
    assert lines[0].startswith(f"{docs}/tools/kettle.txt:1: The kettle holds two litres.")


def test_modes_filters_and_explanations(hoverkite: Run, docs: Path) -> None:
    words = hoverkite("search", docs, "steel kettle", "--mode", "bm25", "--explain")
    assert {line.partition(":")[0] for line in words.stdout.splitlines()[::2]} == {
        f"{docs}/tools/kettle.txt",
        f"{docs}/tools/anvil.md",
    }
    assert "not found by meaning · place 1 by words (BM25 " in words.stdout
    birds = hoverkite("search", docs, "steel kettle", "--path", "birds/", "--json")
    assert {hit["path"] for hit in json.loads(birds.stdout)["hits"]} == {"birds/kites.md"}
    nothing = hoverkite("search", docs, "type:pdf steel")
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "no file is of type pdf" in nothing.stderr


def test_an_exact_search_prints_every_line_that_matches(hoverkite: Run, docs: Path) -> None:
    (docs / "log.txt").write_text("".join(f"line {n}: ERR_NEST-{n % 3}\n" for n in range(60)))
    lines = hoverkite("search", docs, "'ERR_NEST-1").stdout.splitlines()
    assert lines == [f"{docs}/log.txt:{n + 1}: line {n}: ERR_NEST-1" for n in range(1, 60, 3)]
    names = hoverkite("search", docs, "/^#+ (kites|anvil)$/", "--files").stdout.splitlines()
    assert names == [f"{docs}/birds/kites.md", f"{docs}/tools/anvil.md"]
    wrong = hoverkite("search", docs, "/(kite/")
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr


def test_search_prints_the_lines_around_hits(hoverkite: Run, docs: Path) -> None:
    done = hoverkite("search", docs, "'litres", "--context", "1")
    assert done.returncode == 0, done.stderr
    lines = (docs / "tools/kettle.txt").read_text().splitlines()
    at = next(number for number, line in enumerate(lines, 1) if "litres" in line)
    shown = [
        f"{docs}/tools/kettle.txt{':' if n == at else '-'}{n}{':' if n == at else '-'} {line}"
        for n, line in enumerate(lines, 1)
        if abs(n - at) <= 1
    ]
    assert done.stdout.splitlines() == [line.rstrip() for line in shown]
    told = json.loads(hoverkite("search", docs, "kettle", "-C", "2", "--json").stdout)
    for hit in told["hits"]:
        around = hit["around"]
        joined = "\n".join(line["text"] for line in around["lines"])
        assert joined[around["start"] : around["end"]] == hit["text"]


def test_an_edit_embeds_only_what_changed_and_a_rename_nothing(hoverkite: Run, docs: Path) -> None:
    first = json.loads(hoverkite("index", docs, "--json").stdout)
    assert (first["files"], first["added"], first["embedded"]) == (3, 3, first["chunks"])

    (docs / "tools/kettle.txt").write_text("The kettle is broken.\n")
    (docs / "tools/anvil.md").rename(docs / "anvil-renamed.md")
    (docs / "copy.md").write_bytes((docs / "birds/kites.md").read_bytes())
    hits = json.loads(hoverkite("search", docs, "broken kettle", "--json").stdout)["hits"]
    assert hits[0]["text"].strip() == "The kettle is broken."
    assert not any("two litres" in hit["text"] for hit in hits)

    again = json.loads(hoverkite("index", docs, "--json").stdout)
    assert (again["files"], again["embedded"]) == (4, 0)
    paths = {hit["path"] for hit in hits}
    assert "anvil-renamed.md" in paths
    assert "tools/anvil.md" not in paths


def test_status_starts_nothing_and_tells_what_runs(hoverkite: Run, docs: Path) -> None:
    before = json.loads(hoverkite("status", docs, "--json").stdout)
    assert (before["state"], before["files"]) == ("new", 0)
    assert before["pids"] == {"engine": None, "milvus": None, "vllm": None}

    hoverkite("index", docs)
    status = json.loads(hoverkite("status", docs, "--json").stdout)
    assert (status["docs"], status["state"], status["files"]) == (str(docs), "watching", 3)
    assert status["embedding"]["model"] == "all-MiniLM-L6-v2"
    assert (status["embedding"]["dimension"], status["embedding"]["max_tokens"]) == (384, 256)
    assert status["llm"]["state"] == "off"
    assert psutil.pid_exists(status["pids"]["engine"])
    assert psutil.pid_exists(status["pids"]["milvus"])
    assert status["pids"]["vllm"] is None

    running = json.loads(hoverkite("status", docs, "--files", "--json").stdout)
    assert (running["docs"], running["counts"]) == (str(docs), {"indexed": 3})
    assert [file["path"] for file in running["files"]] == [
        *("birds/kites.md", "tools/anvil.md", "tools/kettle.txt")
    ]
    hoverkite("stop")
    assert json.loads(hoverkite("status", docs, "--files", "--json").stdout) == running


def test_a_killed_engine_leaves_no_process_and_the_next_start_works(
    hoverkite: Run, docs: Path
) -> None:
    hoverkite("index", docs)
    pids = json.loads(hoverkite("status", docs, "--json").stdout)["pids"]
    os.kill(pids["engine"], signal.SIGKILL)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pids["milvus"]) and time.monotonic() < deadline:
        psutil.wait_procs([], timeout=0.1)
    assert not psutil.pid_exists(pids["milvus"])
    again = hoverkite("index", docs, "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["embedded"] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("search", "/nonexistent", "x"), "does not exist"),
        (("search", __file__, "x"), "is a file"),
        (("index",), "required"),
        (("search", ".", "x", "--hits", "0"), "1 to 100"),
        (("search", ".", "x", "--set", "colour=red"), "no such setting"),
        (("search", ".", "x", "--set", "llm_api_key=secret"), "never flags"),
        (("/nonexistent",), "does not exist"),
        (("bogus",), "neither a folder nor a command"),
    ],
)
def test_bad_usage_ends_with_status_2_and_says_why(
    hoverkite: Run, words: tuple[str, ...], said: str
) -> None:
    done = hoverkite(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_large_new_folder_is_refused_without_a_terminal_until_yes(
    hoverkite: Run, docs: Path
) -> None:
    for number in range(4):
        (docs / f"extra{number}.md").write_text(f"note {number}\n")
    asked = hoverkite("index", docs, HOVERKITE_CONFIRM_FILES="5")
    assert asked.returncode == 2
    assert "more than 5 files" in asked.stderr
    assert "--yes" in asked.stderr
    agreed = hoverkite("index", docs, "--yes", "--json", HOVERKITE_CONFIRM_FILES="5")
    assert json.loads(agreed.stdout)["files"] == 7
    assert hoverkite("index", docs, HOVERKITE_CONFIRM_FILES="5").returncode == 0


def test_an_empty_folder_finds_nothing_with_status_1(hoverkite: Run, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = hoverkite("search", empty, "anything")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Nothing was found" in done.stderr


def test_hostile_names_are_printed_without_escape_sequences(hoverkite: Run, docs: Path) -> None:
    name = b"\x1b]52;c;aGFja2Vk\x07\xe2\x80\xaeevil\xff.md"
    (docs / os.fsdecode(name)).write_text("# Zeppelin\n\nThe zeppelin \x1b[2Jlanded in Berlin.\n")
    plain = hoverkite("search", docs, "zeppelin landing")
    assert "landed in Berlin" in plain.stdout
    assert not any(ord(c) < 32 and c != "\n" for c in plain.stdout)
    assert "\u202e" not in plain.stdout
    coded = hoverkite("search", docs, "zeppelin landing", "--json").stdout
    assert "\x1b" not in coded
    assert "\u202e" not in coded
    assert "\x1b[2J" in json.loads(coded)["hits"][0]["text"]


def test_without_vllm_the_extracts_and_the_reason_are_printed(hoverkite: Run, docs: Path) -> None:
    done = hoverkite(
        "ask", docs, "How many eggs do kites lay?", "--llm-url", "http://127.0.0.1:9/v1"
    )
    assert done.returncode == 1
    assert "two to five eggs" in done.stdout
    assert "127.0.0.1:9" in done.stderr
    coded = json.loads(
        hoverkite(
            "ask", docs, "How many eggs?", "--json", "--llm-url", "http://127.0.0.1:9/v1"
        ).stdout
    )
    assert coded["extracts"][0]["hit"] >= 1
    assert (coded["answer"], coded["finish_reason"]) == ("", None)
