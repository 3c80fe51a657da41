"""Files of any name, and a file that is saved again: each is found as before, once."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.files import scan
from tests.engine.test_manifest import HOSTILE_NAMES
from tests.engine.tiny_encoder import TinyEncoder
from tests.hits import wanted
from tests.opened import indexed, opening, status, until, until_it, write_notes

pytestmark = pytest.mark.real


async def test_files_of_any_name_are_indexed_found_and_deleted_alone(
    root: Path, encoder: TinyEncoder
) -> None:
    names = {scan.decode(name): os.fsencode(root) + b"/" + name for name in HOSTILE_NAMES}
    async with opening(root, encoder) as opened:
        await until(lambda: status(opened).state == "watching")
        expected = await indexed(opened)

        async def holds() -> bool:
            return await indexed(opened) == expected

        for number, (name, path) in enumerate(names.items()):
            Path(os.fsdecode(path)).write_text(f"odd {number}")
            expected[name] = {f"odd {number}"}
        await until_it(holds)
        for name, path in names.items():
            (best,) = (await opened.search(wanted(next(iter(expected[name])), 1))).hits
            assert best.path == name
            Path(os.fsdecode(path)).unlink()
            del expected[name]
            await until_it(holds)


SECTIONS = [f"## Part {number}\n\n" + f"The kite hovers {number}. " * 12 for number in range(6)]


@pytest.mark.parametrize(
    "resave",
    [
        pytest.param(lambda text: text, id="unchanged"),
        pytest.param(lambda text: "\n\n\n" + text, id="lines above"),
        pytest.param(lambda text: text + "\n\n## More\n\nSomething new.", id="text below"),
        pytest.param(lambda text: text.replace("Part 5", "Part six"), id="another part"),
    ],
)
async def test_the_best_note_keeps_its_rank_when_it_is_saved_again(
    root: Path, encoder: TinyEncoder, resave: Callable[[str], str]
) -> None:
    write_notes(root, 40)
    best = root / "best.md"
    best.write_text("\n\n".join(SECTIONS))
    async with opening(root, encoder) as opened:
        await until(lambda: status(opened).state == "watching")
        asked = (await opened.search(wanted("anything", 1000))).hits
        (question,) = {hit.text for hit in asked if "hovers 2." in hit.text}
        before = (await opened.search(wanted(question, 12))).hits
        assert before[0].path == "best.md"
        for round_number in range(3):
            revision = status(opened).revision
            best.write_text(resave("\n\n".join(SECTIONS)))
            os.utime(best, ns=(1, 10**18 + round_number))
            await opened.synced()
            again = (await opened.search(wanted(question, 12))).hits
            assert (again[0].path, again[0].text) == ("best.md", question)
            assert again[0].distance == pytest.approx(before[0].distance)
            others = [(hit.path, hit.text) for hit in before if hit.path != "best.md"]
            shown = [(hit.path, hit.text) for hit in again]
            assert len(shown) == len(set(shown))
            assert [hit for hit in shown if hit[0] != "best.md"][: len(others) - 3] == others[:-3]
            assert status(opened).revision >= revision
