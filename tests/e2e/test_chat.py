"""``hoverkite chat`` in a real terminal, and at the end of a pipe, without a model."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import HOVERKITE
from tests.e2e.terminal import CTRL_C, ENTER, Terminal

OFF = ("--set", "llm_start=never")
CTRL_D = "\x04"


@pytest.mark.real
@pytest.mark.timeout(180)
def test_a_pipe_of_questions_is_answered_as_one_conversation(
    program_env: dict[str, str], docs: Path
) -> None:
    done = subprocess.run(
        [*HOVERKITE, "chat", str(docs), *OFF],
        env=program_env | {"NO_COLOR": "1"},
        input="How many eggs do kites lay?\nAnd how long is a nest lined?\n/sources 1\n",
        capture_output=True,
        text=True,
        timeout=170,
        check=True,
    )
    assert "“Kites lay two to five eggs" in done.stdout
    assert "searched for: And how long is a nest lined? eggs kites lay" in done.stderr
    assert "\nKites lay two to five eggs in a nest of sticks, lined with wool." in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.real
@pytest.mark.terminal
@pytest.mark.timeout(180)
def test_ctrl_c_leaves_the_loop_running_and_ctrl_d_ends_it(
    program_env: dict[str, str], docs: Path
) -> None:
    command = [*HOVERKITE, "chat", str(docs), *OFF]
    with Terminal(command, program_env) as terminal:
        terminal.wait_for(lambda text: ">" in map(str.strip, text.splitlines()), 60)
        terminal.type("half a line" + CTRL_C)
        terminal.wait_for(lambda text: text.count("ctrl+d ends.") == 2, 20)
        terminal.type("How many eggs do kites lay?" + ENTER)
        terminal.wait_for("“Kites lay two to five eggs", 60)
        terminal.wait_for(lambda text: text.split()[-1] == ">", 20)
        terminal.type(CTRL_D)
        assert terminal.wait_for_end(20) == 0
