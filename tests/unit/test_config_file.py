"""A setting is written into a person's config file, and all else there stays as it is."""

import os
from pathlib import Path

import pytest

from engine import config, config_file
from engine.errors import ConfigError

WRITTEN = """\
# My settings

theme = "dusk"   # easy on the eyes
llm_model = "old/one"  # good enough
hits = 5
"""


@pytest.fixture
def path(home: Path) -> Path:
    """The config file, which is not there yet."""
    return config.config_file()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def test_a_file_that_is_not_there_is_made_private(path: Path) -> None:
    assert config_file.write({"llm_model": "owner/model", "llm_url": ""}) == path
    assert path.read_text() == 'llm_model = "owner/model"\n'
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert config.load().llm_model == "owner/model"


def test_comments_order_and_all_else_stay(path: Path) -> None:
    write(path, WRITTEN)
    path.chmod(0o644)
    config_file.write({"llm_model": "new/one", "llm_url": "http://127.0.0.1:1/v1"})
    assert path.read_text() == WRITTEN.replace("old/one", "new/one") + (
        'llm_url = "http://127.0.0.1:1/v1"\n'
    )
    assert path.stat().st_mode & 0o777 == 0o644
    config_file.write({"llm_model": "", "llm_url": ""})
    assert path.read_text() == WRITTEN.replace('llm_model = "old/one"  # good enough\n', "")
    assert list(path.parent.iterdir()) == [path], "nothing is left beside it"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("hits = 5", 'hits = 5\nllm_model = "n"\n'),
        ("'llm_model'='o'", "'llm_model'=\"n\""),
        ('"llm_model" = "o"\r\nhits = 5\r\n', '"llm_model" = "n"\r\nhits = 5\r\n'),
        ('# llm_model = "o"\n', '# llm_model = "o"\nllm_model = "n"\n'),
        ('\tllm_model\t= ""  # none', '\tllm_model\t= "n"  # none'),
        ('theme = """\nllm_model"""\n', 'theme = """\nllm_model"""\nllm_model = "n"\n'),
        ("", 'llm_model = "n"\n'),
        ('hits = 5\n\n[keys]\n"a.b" = "c"\n', 'hits = 5\n\nllm_model = "n"\n[keys]\n"a.b" = "c"\n'),
        ('[keys]\n"a.b" = "c"', 'llm_model = "n"\n[keys]\n"a.b" = "c"'),
    ],
)
def test_however_it_was_written(before: str, after: str, path: Path) -> None:
    write(path, before)
    config_file.write({"llm_model": "n"})
    assert path.read_bytes().decode() == after


@pytest.mark.parametrize(
    "before",
    [
        'llm_model = """\nold"""\n',
        'llm_model = "a\\"b"\n',
        'theme = """\n[table]\n"""\n',
        'theme = """\nllm_model = "x"\n"""\n',
    ],
)
def test_what_can_not_be_changed_safely_is_left_alone(before: str, path: Path) -> None:
    write(path, before)
    with pytest.raises(ConfigError, match="can't be changed safely") as caught:
        config_file.write({"llm_model": "n"})
    assert caught.value.next_step == 'Change it yourself: llm_model = "n"'
    assert path.read_text() == before


@pytest.mark.parametrize("before", ["llm_model = \n", "\x00", "a = 1\na = 2\n"])
def test_a_file_that_is_no_toml_is_left_alone(before: str, path: Path) -> None:
    write(path, before)
    with pytest.raises(ConfigError, match="can't be read"):
        config_file.write({"llm_model": "n"})
    assert path.read_text() == before


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a\nb", "\x1b[2J", "日本", "a'b", "# no comment"])
def test_hostile_values_are_quoted(value: str, path: Path) -> None:
    write(path, WRITTEN)
    config_file.write({"llm_model": value})
    assert config.load().llm_model == value
    config_file.write({"llm_seed": ""})
    assert config.load().theme == "dusk"


def test_a_link_to_ones_dotfiles_stays_a_link(path: Path, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles.toml"
    dotfiles.write_text(WRITTEN)
    path.parent.mkdir(parents=True)
    path.symlink_to(dotfiles)
    assert config_file.write({"llm_model": "n"}) == dotfiles
    assert path.is_symlink()
    assert config.load().llm_model == "n"


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_that_takes_no_file(path: Path) -> None:
    write(path, WRITTEN)
    path.parent.chmod(0o500)
    with pytest.raises(ConfigError, match="can't be written"):
        config_file.write({"llm_model": "n"})
    path.parent.chmod(0o700)


def test_a_disk_that_is_full_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    write(path, WRITTEN)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        config_file.write({"llm_model": "n"})
    assert path.read_text() == WRITTEN
    assert list(path.parent.iterdir()) == [path]


def test_a_setting_is_offered_as_a_comment_above_the_tables_once(path: Path) -> None:
    write(path, WRITTEN + '[keys]\n"screen.help" = "f1"\n')
    for _ in range(2):
        config_file.offer("chunk_size", "550", "Longest chunk, in characters. " * 5)
    text = path.read_text()
    assert text.startswith(WRITTEN) and text.endswith('[keys]\n"screen.help" = "f1"\n')
    assert text.count("# chunk_size = 550\n[keys]") == 1
    assert all(len(line) <= 90 for line in text.splitlines())
    assert "chunk_size" not in config.load().model_fields_set
    assert (
        config_file.setting_line(text, "chunk_size")
        == text.splitlines().index("# chunk_size = 550") + 1
    )


def test_a_setting_that_stands_there_is_not_offered(path: Path) -> None:
    write(path, WRITTEN)
    config_file.offer("theme", '"kite"', "Colours.")
    assert path.read_text() == WRITTEN
    assert config_file.setting_line(WRITTEN, "theme") == 3
    assert config_file.setting_line("# hits = 8\nhits = 9\n", "hits") == 2
    assert config_file.setting_line(WRITTEN, "hit") is None


def test_a_file_that_begins_with_a_byte_order_mark_is_written_without_it(path: Path) -> None:
    write(path, "\ufeffhits = 5\n")
    config_file.write({"llm_model": "owner/model"})
    assert path.read_bytes() == b'hits = 5\nllm_model = "owner/model"\n'
