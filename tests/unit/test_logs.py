"""Logs stay short, and what libraries print goes where the log goes."""

import os
import subprocess
import sys
from pathlib import Path

from engine.serving import vllm_log

PRINT_AND_LOG = """
import logging, os, sys
from pathlib import Path
from engine import __main__ as engine
engine.LOG_BYTES = 20_000
path = Path(sys.argv[1])
engine._log_to_file(path)
for number in range(2_000):
    os.write(1, b"printed %d\\n" % number)
    logging.getLogger("engine").info("logged %d", number)
"""


def test_the_engines_log_rotates_with_all_that_is_printed(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    subprocess.run(
        [sys.executable, "-c", PRINT_AND_LOG, str(log)],
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(vllm_log.__file__).parents[2])},
    )
    files = sorted(tmp_path.glob("engine*"))
    assert [file.name for file in files] == ["engine.log", "engine.log.1", "engine.log.2"]
    assert all(file.stat().st_size < 21_000 for file in files)
    text = log.read_text()
    assert "printed 1999\n" in text
    assert "logged 1999\n" in text


def test_a_long_log_of_vllm_keeps_its_end_while_it_is_written(tmp_path: Path) -> None:
    log = tmp_path / "vllm-0123456789ab.log"
    with log.open("ab", buffering=0) as writing:
        for number in range(1000):
            writing.write(b"line %d\n" % number)
        vllm_log.keep_short(log, 1_000_000)
        assert log.stat().st_size > 8000, "short enough"
        vllm_log.keep_short(log, 4000)
        writing.write(b"ValueError: the end\n")
    lines = log.read_bytes().splitlines()
    assert lines[-2:] == [b"line 999", b"ValueError: the end"]
    assert lines[0].startswith(b"line ")
    assert 1000 < log.stat().st_size < 2100
    assert "ValueError: the end" in str(vllm_log.reason_in(log, 1))


def test_what_is_no_log_is_left_alone(tmp_path: Path) -> None:
    vllm_log.keep_short(tmp_path / "nothing.log", 10)
    vllm_log.keep_short(tmp_path, 10)
    vllm_log.drop_old(tmp_path / "nothing")
    assert [*tmp_path.glob("*.log")] == []


def test_only_the_logs_written_last_are_kept(tmp_path: Path) -> None:
    for number in range(8):
        log = tmp_path / f"vllm-{number}.log"
        log.touch()
        os.utime(log, (number, number))
    (tmp_path / "engine.log").touch()
    os.utime(tmp_path / "engine.log", (0, 0))
    vllm_log.drop_old(tmp_path)
    names = {path.name for path in tmp_path.iterdir() if path.suffix == ".log"}
    assert names == {"engine.log", *(f"vllm-{number}.log" for number in range(3, 8))}
