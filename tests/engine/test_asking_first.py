"""Which new folders a person is asked about before they are indexed, as the setting says."""

from pathlib import Path

import pytest

from engine.config import Settings
from engine.server.open_folders import FIRST, OpenFolders
from engine.wire.api import OpenFolder
from tests.engine.tiny_encoder import TinyEncoder, TinyShared


class Screen:
    """Opens folders as a screen does, or as a command."""

    def __init__(self, **settings: object) -> None:
        made = Settings.model_validate({"confirm_files": 2, **settings})
        self.folders = OpenFolders(made, TinyShared(TinyEncoder()), lambda: None)

    async def asked(self, root: Path, *, can_ask: bool = True, agreed: bool = False) -> str:
        """Return why a person is asked; empty where the folder is opened."""
        request = OpenFolder(path=str(root), can_ask=can_ask, agreed=agreed)
        opened = await self.folders.open(request)
        return "" if agreed or opened.survey is None else opened.survey.reason


def notes(tmp_path: Path, name: str, files: int = 1) -> Path:
    root = tmp_path / name
    root.mkdir()
    for number in range(files):
        (root / f"{number}.md").write_text("text")
    return root


@pytest.mark.parametrize(
    ("setting", "first", "second", "large"),
    [
        ("first", "first folder", "", "more than 2"),
        ("always", "of each", "of each", "more than 2"),
        ("large", "", "", "more than 2"),
        ("never", "", "", ""),
    ],
)
async def test_the_screen_asks_as_the_setting_says(
    setting: str, first: str, second: str, large: str, tmp_path: Path
) -> None:
    screen = Screen(ask_before_indexing=setting)
    try:
        root = notes(tmp_path, "first")
        for _ in range(2):  # until somebody agrees
            reason = await screen.asked(root)
            assert first in reason and bool(first) is bool(reason)
        assert await screen.asked(root, agreed=True) == ""
        assert await screen.asked(root) == "", "it was agreed to"
        for name, files, why in (("second", 1, second), ("large", 3, large)):
            reason = await screen.asked(notes(tmp_path, name, files))
            assert why in reason and bool(why) is bool(reason)
    finally:
        await screen.folders.close()


async def test_a_command_asks_about_large_folders_alone(tmp_path: Path) -> None:
    screen = Screen()
    try:
        assert await screen.asked(notes(tmp_path, "large", 3), can_ask=False)
        assert await screen.asked(notes(tmp_path, "small"), can_ask=False) == ""
        assert FIRST not in await screen.asked(notes(tmp_path, "other")), "a command was first"
    finally:
        await screen.folders.close()
