"""Settings: where they come from, and what is said when one is wrong."""

import os
from pathlib import Path
from typing import Any

import pytest

from engine import config, paths
from engine.errors import ConfigError


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"hits": "many"}, "hits = many (from the command line): a whole number is wanted"),
        ({"hits": 2.5}, "a whole number is wanted"),
        ({"hits": {"a": 1}}, "a whole number is wanted"),
        ({"hits": 0}, "at least 1 is wanted"),
        ({"hits": 101}, "at most 100 is wanted"),
        ({"llm_top_p": "x"}, "llm_top_p = x (from the command line): a number is wanted"),
        ({"max_file_mb": 0}, "more than 0 is wanted"),
        ({"include_hidden": "perhaps"}, "true or false is wanted"),
        ({"theme": 3}, "theme = 3 (from the command line): text is wanted"),
        ({"llm_seed": "x" * 99}, "x" * 39 + "… (from"),
        ({"llm_seed": "\x1b[2J"}, r"llm_seed = \u001b[2J (from"),
        ({"sk-secret": "sk-mine"}, "sk-secret (from the command line): no such setting"),
        ({"llm_start": "now"}, "'screen', 'question' or 'never' is wanted"),
        ({"colour\x1b[2J": "red"}, "no such setting"),
        ({"llm_seed": -1}, "at least 0 is wanted"),
        ({"llm_seed": 2**32}, "at most 4294967295 is wanted"),
        ({"llm_context": 10**4000}, "… (from the command line): at most 100000000 is wanted"),
        ({"llm_url": "localhost:8000"}, "an address such as http://127.0.0.1:8000/v1 is wanted"),
        ({"llm_url": "http://127.0.0.1:99999999/v1"}, "an address such as"),
        ({"llm_url": "http:///v1"}, "an address such as"),
        ({"llm_url": "http://[::1/v1"}, "an address such as"),
        ({"llm_url": "http://me:{sk-hush}@127.0.0.1:1/v1"}, "HOVERKITE_LLM_API_KEY"),
        ({"chunk_size": 64, "chunk_overlap": 64}, "chunk_overlap (64) must be smaller"),
    ],
)
def test_a_wrong_value_is_told_in_a_persons_words(setting: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(setting)
    assert said in str(caught.value)
    assert "Input should" not in str(caught.value)
    assert "hush" not in f"{caught.value} {caught.value.next_step}"


def test_the_next_step_names_the_place_the_value_came_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ConfigError) as on_command_line:
        config.load({"hits": "x"})
    assert "Correct --set hits=" in on_command_line.value.next_step

    monkeypatch.setenv("HOVERKITE_HITS", "x")
    with pytest.raises(ConfigError) as in_environment:
        config.load()
    assert "Correct or unset HOVERKITE_HITS" in in_environment.value.next_step
    monkeypatch.delenv("HOVERKITE_HITS")

    file = paths.config_dir() / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('hits = "x"\nchunk_overlap = 9000\n')
    with pytest.raises(ConfigError) as in_file:
        config.load()
    assert f"Correct hits in {file}" in in_file.value.next_step
    assert f"Correct chunk_overlap in {file}" in in_file.value.next_step


def test_the_next_step_for_a_small_chunk_size_names_what_was_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOVERKITE_CHUNK_OVERLAP", "600")
    with pytest.raises(ConfigError) as caught:
        config.load()
    assert "HOVERKITE_CHUNK_OVERLAP" in caught.value.next_step


def test_a_named_config_file_has_to_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert config.load().hits == 8
    file = tmp_path / "mine.toml"
    monkeypatch.setenv("HOVERKITE_CONFIG", str(file))
    with pytest.raises(ConfigError, match="does not exist") as caught:
        config.load()
    assert str(file) in str(caught.value)
    assert "HOVERKITE_CONFIG" in caught.value.next_step
    file.write_text("hits = 3\n")
    assert config.load().hits == 3


def test_a_config_file_that_is_no_toml_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    file = paths.config_dir() / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"hits = \xff\x1b]0;x\x07")
    with pytest.raises(ConfigError, match="can't be read") as caught:
        config.load()
    assert str(file) in caught.value.next_step


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"hits = " + b"9" * 100_000, "a number in it is too long"),
        (b"llm_seed = 0x" + b"f" * 10_000, "a number in it is too long"),
        (b"[keys]\nx = [{a = 0b" + b"1" * 90_000 + b"}]", "a number in it is too long"),
        (b"# one\nhits = '\xff'", "line 2 is not UTF-8"),
        (b"#" * 1_000_001, "larger than 1 MB"),
    ],
)
def test_a_hostile_config_file_is_refused_by_name(content: bytes, why: str) -> None:
    file = paths.config_dir() / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=why) as caught:
        config.load()
    assert str(file) in str(caught.value)


def test_a_config_file_may_begin_with_a_byte_order_mark() -> None:
    file = paths.config_dir() / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_bytes("\ufeffhits = 5\r\n".encode())
    assert config.load().hits == 5


def test_a_config_file_that_is_a_pipe_or_a_folder_does_not_hang(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    for file, why in ((pipe, "no regular file"), (tmp_path, "Is a directory")):
        monkeypatch.setenv("HOVERKITE_CONFIG", str(file))
        with pytest.raises(ConfigError, match=why):
            config.load()
    monkeypatch.setenv("HOVERKITE_CONFIG", os.devnull)
    assert config.load().hits == 8


def test_a_config_file_in_nobodys_home_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOVERKITE_CONFIG", "~nosuchuser/x")
    with pytest.raises(ConfigError, match="~nosuchuser/x, which does not exist"):
        config.load()
