"""Files that a person's own command reads."""

import os
import shlex
import sys
import time
from pathlib import Path

import psutil
import pytest

from engine import documents
from engine.config import Settings
from engine.documents import Unreadable, command
from engine.errors import ConfigError, LoadError
from engine.files import scan
from engine.files.kinds import FileKind, kind_of
from engine.syncing.reading import Reader

PYTHON = shlex.quote(sys.executable)


def python(code: str, *arguments: str) -> str:
    return f"{PYTHON} -S -c {shlex.quote(code)} {' '.join(arguments)}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "-o a 'book'; $(x).djvu"
    path.write_bytes(b"AT&TFORM")
    return path


def test_what_a_command_prints_is_the_text_with_a_page_for_each_form_feed(file: Path) -> None:
    code = "import sys; sys.stdout.buffer.write('Erste Größe\\nzwei\\f\\fdritte\\f'.encode())"
    document = command.parse(file, python(code))
    assert document.text == "Erste Größe\nzwei\n\ndritte\n"
    part = document.part(document.text.index("dritte"))
    assert str(part) == "page 3"
    assert document.lines(5, 14) == (1, 2)


def test_output_without_form_feeds_has_no_pages(file: Path) -> None:
    document = command.parse(file, python("print('one\\x1b]52;c;AA==\\x07')"))
    assert (document.text, document.unit) == ("one ]52;c;AA==\n", None)


@pytest.mark.parametrize("place", ["", "{file}", "x {file} y", "--in={file}"])
def test_the_path_is_one_argument_and_never_an_option(file: Path, place: str) -> None:
    code = "import sys; print(ascii(sys.argv[1:]))"
    told = command.parse(file, python(code, place)).text
    wanted = [word.replace("{file}", str(file)) for word in (place or "{file}").split(" ")]
    assert told == ascii(wanted) + "\n"


def test_no_shell_is_involved(file: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    told = command.parse(file, f"echo $(touch {made}) `id`; touch {made} > {made}").text
    assert told.startswith("$(touch")
    assert not made.exists()


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (
            "import sys; sys.exit('one\\nno such\\x1b]0;x\\x07 page')",
            r"exit status 1\): no such ]0;x page$",
        ),
        ("import sys; sys.exit(3)", r"failed \(exit status 3\)$"),
        ("import os; os.kill(os.getpid(), 11)", r"failed \(signal 11\)$"),
        ("pass", "no text"),
        ("print('x' * 31_000_000)", "too much text"),
        ("while True: print('x' * 1_000_000)", "too much text"),
        ("import time; time.sleep(600)", "longer than 1 s"),
        ("import os; os.close(1); os.close(2)\nwhile True: pass", "longer than 1 s"),
    ],
)
def test_a_command_that_fails_says_why(file: Path, code: str, why: str) -> None:
    with pytest.raises(LoadError, match=why):
        command.parse(file, python(code), seconds=1 if "1 s" in why else 30)


def test_what_it_complains_of_without_end_is_not_kept(file: Path) -> None:
    code = "import sys\nfor _ in range(300): sys.stderr.write('complaint ' * 10_000)\nprint('text')"
    assert command.parse(file, python(code)).text == "text\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the limit binds on Linux only")
def test_a_command_may_not_take_all_memory(file: Path) -> None:
    code = "import time; time.sleep(0.5); print(len(bytearray(3 * 1024**3)))"
    with pytest.raises(LoadError, match=r"exit status 1\): MemoryError"):
        command.parse(file, python(code))


def test_nothing_that_it_started_is_left(file: Path, tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(noted)!r}, 'w').write(str(child.pid))\n"
        "child.wait()"
    )
    with pytest.raises(LoadError, match="longer than 2 s"):
        command.parse(file, python(code), seconds=2)
    pid = int(noted.read_text())
    for _ in range(1000):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.01)
    raise AssertionError("it lives")


def test_a_command_that_is_not_there_is_tried_again(file: Path) -> None:
    with pytest.raises(Unreadable, match="no-such-program, which reads it, can't be run"):
        command.parse(file, "no-such-program {file}")


def test_a_command_knows_no_key(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOVERKITE_LLM_API_KEY", "secret")
    told = command.parse(file, python("import os; print(sorted(os.environ))")).text
    assert "LLM_API_KEY" not in told
    assert "PATH" in told


def test_a_file_that_changes_while_it_is_read_is_looked_at_again(file: Path) -> None:
    code = "import sys; open(sys.argv[1], 'a').write('more'); print('text')"
    with pytest.raises(documents.Changing):
        documents.load(file, max_bytes=1000, readers={"djvu": python(code)})


def test_a_private_key_that_it_prints_is_refused(file: Path) -> None:
    code = "print('-----BEGIN PRIVATE KEY-----\\n' + 'MIIEvQIBADANBgkqhkiG' * 4)"
    with pytest.raises(LoadError, match="private key"):
        documents.load(file, max_bytes=1000, readers={"djvu": python(code)})


def test_readers_decide_which_files_are_read_and_by_what(tmp_path: Path) -> None:
    for name in ("a.DJVU", "b.txt", "c.zip", "empty.djvu"):
        (tmp_path / name).write_text("" if "empty" in name else "file")
    settings = Settings(readers={"djvu": "echo by echo", "txt": "printf %.0sprinted {file}"})
    found = scan.scan(tmp_path, settings, index_root=tmp_path / "own")
    assert [entry.path for entry in found.entries] == [b"a.DJVU", b"b.txt", b"empty.djvu"]
    look = scan.Look(tmp_path, settings, index_root=tmp_path / "own")
    assert (look.may_read(b"a.DJVU"), look.may_read(b"c.zip")) == (True, False)
    reader = Reader(tmp_path, settings)
    updates = [reader.read(1, entry) for entry in found.entries]
    texts = [update.text.text if update and update.text else None for update in updates]
    assert texts == [f"by echo {tmp_path.resolve()}/a.DJVU\n", "printed\n", ""]
    assert isinstance(kind_of("a.djvu", settings.readers), FileKind)
    assert kind_of("a.djvu") == "e-book"


def test_a_changed_command_makes_other_chunks_of_that_suffix_alone(tmp_path: Path) -> None:
    one, other = (
        Reader(tmp_path, Settings(readers={"djvu": f"djvutxt {way}"})) for way in ("a", "b")
    )
    assert one.recipe_of(b"x/a.djvu") != other.recipe_of(b"x/a.djvu")
    assert one.recipe_of(b"x/a.md") == other.recipe_of(b"x/a.md") == one.recipe


@pytest.mark.parametrize(
    ("readers", "why"),
    [
        ({".djvu": "djvutxt"}, "no suffix"),
        ({"DJVU": "djvutxt"}, "no suffix"),
        ({"djvu": "djvutxt '"}, "a quote without its end"),
        ({"djvu": "  "}, "no command"),
        ({"djvu": 5}, "text is wanted"),
        ("djvutxt", "a table is wanted"),
    ],
)
def test_wrong_readers_are_told(readers: object, why: str) -> None:
    from engine import config

    with pytest.raises(ConfigError, match=why):
        config.load({"readers": readers})


def test_a_relative_path_is_made_absolute(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    told = command.parse(Path(file.name), "echo").text
    assert told == f"{os.path.realpath(file)}\n"
