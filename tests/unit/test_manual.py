"""The manual: its page of settings is current, and its links lead somewhere."""

import re
import tomllib
from pathlib import Path

import pytest

from engine.config import Settings
from tools import manual
from tui.keymap import checked

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")


def test_the_page_of_settings_is_current() -> None:
    assert manual.PAGE.read_text("utf-8") == manual.page(), "Run: make manual"


def test_the_page_of_keys_is_current() -> None:
    assert manual.KEYS_PAGE.read_text("utf-8") == manual.keys_page(), "Run: make manual"


def test_the_example_of_keys_can_be_used() -> None:
    example = manual.KEYS_INTRODUCTION.partition("```toml\n")[2].partition("```")[0]
    taken, faults = checked(tomllib.loads(example)["keys"])
    assert taken == {"screen.why": "u,f9", "results.pin": "P"} and not faults


def test_the_page_names_every_setting() -> None:
    written = manual.page()
    assert {name for name in Settings.model_fields if f"\n- **`{name}`**: " not in written} == set()
    assert f"## {manual.OTHER}" not in written


def test_the_page_on_the_index_tells_the_default_size_of_chunks() -> None:
    page = (ROOT / "docs/how-the-index-works.md").read_text("utf-8")
    assert f"at most {Settings().chunk_size} characters\n(`chunk_size`)" in page
    assert Settings().chunk_overlap == 0, "chunks share nothing there"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    links = LINK.findall(CODE.sub("", page.read_text("utf-8")))
    assert [link for link in links if not (page.parent / link).exists()] == []
