"""``index --json``, ``status``, ``doctor`` and ``forget`` as a person or a script meets them."""

import asyncio
import contextlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from engine import paths
from engine.front.connection import EngineClient
from tests.e2e.conftest import Run
from tests.faults.disks import mount_small, unmount
from tests.faults.test_disk_full import fill

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

HOSTILE = "\x1b]52;c;aGFja2Vk\x07\u202e[@click=app.quit] '\"; DROP\nTABLE {} %s"


def told(hoverkite: Run, *words: str | Path, status: int = 0) -> Any:
    """Return what a command prints as JSON."""
    done = hoverkite(*words, "--json")
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    return json.loads(done.stdout)


def test_index_tells_what_was_embedded_and_what_was_known(hoverkite: Run, docs: Path) -> None:
    (docs / "again.txt").write_bytes((docs / "tools/kettle.txt").read_bytes())
    (docs / "broken.pdf").write_bytes(b"%PDF-1.7 not really")
    first = told(hoverkite, "index", docs)
    assert (first["files"], first["embedded"], first["reused"]) == (4, first["chunks"] - 1, 1)
    [skipped] = first["skipped"]
    assert skipped["path"] == "broken.pdf"
    assert skipped["reason"]
    assert first["seconds"] > 0

    hoverkite("stop")
    (docs / "third.md").write_bytes((docs / "tools/anvil.md").read_bytes())
    with (docs / "tools/kettle.txt").open("a") as kettle:
        kettle.write("\n" + "It whistles when the water boils over. " * 20)
    again = told(hoverkite, "index", docs)
    assert (again["added"], again["changed"], again["files"]) == (1, 1, 5)
    assert again["embedded"] > 0
    assert again["reused"] >= 1, "the copy"
    unchanged = told(hoverkite, "index", docs)
    assert (unchanged["embedded"], unchanged["reused"]) == (0, 0)


def test_status_lists_what_is_kept_and_forget_removes_it(
    hoverkite: Run, docs: Path, tmp_path: Path
) -> None:
    odd = tmp_path / HOSTILE
    docs.rename(odd)
    assert hoverkite("index", odd).returncode == 0
    everything = told(hoverkite, "status")
    [index] = everything["indexes"]
    assert (index["docs"], index["state"], index["files"]) == (str(odd), "watching", 3)
    assert index["bytes"] > 50_000
    assert told(hoverkite, "status", odd)["index_bytes"] > 50_000
    assert everything["caches"]["encoders"] > 1_000_000
    assert everything["engine"]["pid"]

    refused = hoverkite("forget", odd)
    assert refused.returncode == 2
    assert "3 files" in refused.stderr
    assert "--yes" in refused.stderr
    assert "\x1b" not in refused.stderr
    assert Path(index["place"]).exists()

    forgotten = told(hoverkite, "forget", odd, "--yes")
    assert forgotten["index"]["files"] == 3
    assert not [*Path(index["place"]).parent.iterdir()]
    assert len([*odd.rglob("*.md")]) == 2, "documents stay"
    assert told(hoverkite, "status")["indexes"] == []
    assert hoverkite("forget", odd, "--yes").returncode == 1
    assert told(hoverkite, "index", odd)["embedded"] > 0, "nothing was left"


def test_a_folder_that_is_gone_is_forgotten_while_the_engine_runs(
    hoverkite: Run, docs: Path, tmp_path: Path
) -> None:
    hoverkite("index", docs)
    docs.rename(tmp_path / "elsewhere")
    assert told(hoverkite, "forget", docs, "--yes")["index"]["docs"] == str(docs)
    assert told(hoverkite, "status")["indexes"] == []


async def test_what_is_open_on_a_screen_is_not_forgotten(hoverkite: Run, docs: Path) -> None:
    await asyncio.to_thread(hoverkite, "index", docs)
    client = EngineClient()
    name = paths.short_hash(str(docs))
    async with contextlib.aclosing(client.events(name)) as events:
        await anext(events)
        refused = await asyncio.to_thread(hoverkite, "forget", docs, "--yes")
        assert refused.returncode == 1
        assert "open on a screen" in refused.stderr
        assert "Leave the window" in refused.stderr
        assert (await anext(events)).files == 3
    await client.close()
    left = await asyncio.to_thread(hoverkite, "forget", docs, "--yes")
    assert left.returncode == 0, left.stderr


async def test_what_a_window_has_paused_is_said_to_wait(hoverkite: Run, docs: Path) -> None:
    await asyncio.to_thread(hoverkite, "index", docs)
    client = EngineClient()
    name = paths.short_hash(str(docs))
    async with contextlib.aclosing(client.events(name)) as events:  # a window
        await anext(events)
        await client.pause(name, paused=True)
        (docs / "zeppelin.md").write_text("# Zeppelin\n\nIt landed.\n")
        waiting = "A window has paused indexing: "

        index = await asyncio.to_thread(hoverkite, "index", docs)
        assert (index.returncode, index.stdout) == (1, "")
        assert waiting in index.stderr
        coded = await asyncio.to_thread(told, hoverkite, "index", docs, status=1)
        assert (coded["paused"], coded["files"]) == (True, 3)
        search = await asyncio.to_thread(hoverkite, "search", docs, "eggs in a nest")
        assert (search.returncode, search.stderr.count("\n")) == (0, 1)
        assert waiting in search.stderr
        assert "two to five eggs" in search.stdout
        doctor = await asyncio.to_thread(hoverkite, "doctor", docs, "--repair")
        assert doctor.returncode == 1
        assert "1 file that is not in the index yet" in doctor.stdout
        assert "A window has paused the folder" in doctor.stdout
        assert "hoverkite index" not in doctor.stdout
        await client.pause(name, paused=False)
        again = await asyncio.to_thread(told, hoverkite, "index", docs)
        assert ("paused" in again, again["files"]) == (False, 4)
    await client.close()


def test_with_a_full_disk_what_was_found_before_is_still_found(
    hoverkite: Run, docs: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir(mode=0o700)
    mount_small(disk, 16)
    try:
        here = {"XDG_DATA_HOME": str(disk), "HOVERKITE_LLM_URL": "http://127.0.0.1:9/v1"}
        assert hoverkite("index", docs, **here).returncode == 0
        fill(disk)
        for number in range(100):
            (docs / f"long{number}.md").write_text(f"long {number}" + " and more" * 50)
        for command in ("search", "ask"):
            done = hoverkite(command, docs, "How many eggs do kites lay?", **here)
            assert "two to five eggs" in done.stdout
            assert done.stderr.startswith("What was indexed before is searched. ")
            assert "full" in done.stderr.splitlines()[0]
        assert done.returncode == 1, "there is no model"
        assert hoverkite("search", docs, "eggs", **here).returncode == 0
        assert hoverkite("index", docs, **here).returncode == 1
        assert hoverkite("stop", **here).returncode == 0
    finally:
        unmount(disk)


def test_doctor_finds_what_is_wrong_and_repairs_it(hoverkite: Run, docs: Path) -> None:
    hoverkite("index", docs)
    assert told(hoverkite, "doctor", docs)["left"] == []
    hoverkite("stop")
    (docs / HOSTILE).with_suffix(".md").write_text("# Zeppelin\n\nIt landed.\n")
    database = paths.index_dir(docs) / "manifest.sqlite"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE vectors SET vector = x'00'")
        connection.commit()
    (paths.index_dir(docs) / "index.db").unlink()

    found = told(hoverkite, "doctor", docs, status=1)
    assert not found["sound"]
    whats = {finding["what"].replace("\u00a0", " ") for finding in found["left"]}
    assert "3 files with damaged vectors" in whats
    assert "1 file that is not in the index yet" in whats
    assert any(what.endswith("missing in Milvus") for what in whats)

    mended = hoverkite("doctor", docs, "--repair")
    assert mended.returncode == 0, mended.stderr
    assert "  mended  3 files with damaged vectors" in mended.stdout
    assert "\x1b" not in mended.stdout
    assert told(hoverkite, "doctor", docs)["sound"]
    [hit] = told(hoverkite, "search", docs, "zeppelin", "--hits", "1")["hits"]
    assert "It landed" in hit["text"]


def test_doctor_says_what_was_never_indexed(hoverkite: Run, docs: Path) -> None:
    done = hoverkite("doctor", docs)
    assert (done.returncode, "nothing is kept of" in done.stderr) == (1, True)
    assert hoverkite("doctor", docs / "gone").returncode == 2
    assert not os.path.lexists(paths.index_dir(docs))
