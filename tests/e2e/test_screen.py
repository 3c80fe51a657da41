"""The whole path in a pseudo-terminal: the real program, encoder, Milvus Lite and vLLM."""

from pathlib import Path

import pytest

from tests.e2e.conftest import HOVERKITE, Run
from tests.e2e.terminal import CTRL_Q, ENTER, Terminal

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(420)]


def test_ask_watch_the_answer_edit_a_file_and_find_the_new_text(
    program_env: dict[str, str], docs: Path, hoverkite: Run
) -> None:
    with Terminal([*HOVERKITE, str(docs)], program_env) as terminal:
        terminal.wait_for("query", 20)
        terminal.type("How many eggs do kites lay?" + ENTER)
        terminal.wait_for("kites.md", 60)
        terminal.wait_for("two to five eggs", 20)
        terminal.wait_for("t/s", 240)

        (docs / "owls.md").write_text("# Owls\n\nThe eagle owl raises its young in a quarry.\n")
        terminal.type("\x1b")
        terminal.type("eagle owl quarry" + ENTER)
        terminal.wait_for("owls.md", 20)
        terminal.type(CTRL_Q)
        assert terminal.wait_for_end(20) == 0
    assert b"Traceback" not in terminal.raw
