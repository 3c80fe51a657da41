"""The file that a conversation is saved in."""

import os
import subprocess
import sys
from pathlib import Path


def test_a_saved_conversation_is_utf_8_whatever_the_locale_is(tmp_path: Path) -> None:
    save = r"""
from engine.wire.api_conversations import Conversation
from tui.export import export
began = "2026-05-01T09:30:00+02:00"
print(export(Conversation(id="c", title="K", began=began, last=began, turns=[]), "/K\xe4se"))
"""
    latin = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "XDG_DATA_HOME": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", save],
        env=os.environ | latin | {"PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert "Käse" in Path(said.stdout.strip()).read_text("utf-8")
