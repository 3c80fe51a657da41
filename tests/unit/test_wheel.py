"""The wheel: it holds the program with its themes and nothing else, and says what it needs."""

import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    target = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return zipfile.ZipFile(next(target.glob("hoverkite-*-py3-none-any.whl")))


def text_of(wheel: zipfile.ZipFile, ending: str) -> str:
    [name] = [name for name in wheel.namelist() if name.endswith(ending)]
    return wheel.read(name).decode()


def test_the_wheel_holds_the_program_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    folders = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert folders == {"engine", "tui"}
    assert not [name for name in names if "test" in name or "__pycache__" in name]
    sources = {
        str(path.relative_to(ROOT)) for top in folders for path in (ROOT / top).rglob("*.py")
    }
    assert sources - set(names) == set()
    assert {"engine/py.typed", "tui/py.typed", "tui/screen.tcss"} <= set(names)


def test_every_theme_is_shipped_where_the_program_looks(wheel: zipfile.ZipFile) -> None:
    themes = {f"tui/themes/{path.name}" for path in (ROOT / "themes").glob("*.toml")}
    assert themes
    assert themes - set(wheel.namelist()) == set()


def test_the_wheel_says_what_it_needs(wheel: zipfile.ZipFile) -> None:
    about = message_from_string(text_of(wheel, "METADATA"))
    needed = [Requirement(line) for line in about.get_all("Requires-Dist", [])]
    always = {one.name for one in needed if "extra" not in str(one.marker or "")}
    assert {"torch", "pymilvus", "textual"} <= always
    assert not {name for name in always if "vllm" in name}, "a base install answers by llm_url"
    assert [one.name for one in needed if str(one.marker) == 'extra == "gpu"'] == ["vllm"]
    assert about["License-Expression"] == "Apache-2.0"
    assert about.get_all("License-File") == ["LICENSE", "NOTICE"]
    assert "hoverkite = tui.command:main" in text_of(wheel, "entry_points.txt")
