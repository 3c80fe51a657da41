"""The client: how it finds, starts, replaces and stops engines."""

import asyncio
import fcntl
import json
import os
import signal
import stat
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Any

import pytest

from engine import config, paths
from engine.build import build
from engine.config import Settings
from engine.errors import EngineError, HoverkiteError
from engine.fingerprint import fingerprint
from engine.front import cli, client, connection
from engine.front.connection import NotAnsweringError
from engine.server import engine_lock
from engine.wire import api
from engine.wire.api_answer import AskRequest
from engine.wire.api_search import SearchRequest

PID = 4242


class ScriptedEngine:
    """Answers at the engine's socket from a list of bodies, and holds the engine's lock."""

    def __init__(self) -> None:
        self.replies: dict[str, bytes] = {api.STOP: b"{}"}
        self.requests: list[tuple[str, Any]] = []
        self.stops = True
        self.hangs = False
        self.answering: set[asyncio.Task[None] | None] = set()
        self._hanging = asyncio.Event()
        self.delay = 0.0
        """Seconds until a search is answered."""
        self._lock: IO[str] = paths.engine_lock().open("a")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def greet(self, **changed: Any) -> None:
        """Answer the handshake as an engine with the default settings does, but ``changed``."""
        hello = api.Hello(
            protocol=api.PROTOCOL_VERSION,
            version=build(),
            pid=PID,
            settings=fingerprint(Settings()),
            clients=0,
        )
        self.replies[api.HELLO] = json.dumps(hello.model_dump() | changed).encode()

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.answering.add(asyncio.current_task())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split()[1]
        headers = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
        sent = await reader.readexactly(int(headers.get("content-length", 0)))
        self.requests.append((path, json.loads(sent or b"null")))
        if self.hangs:
            await self._hanging.wait()
        if path.endswith("/search"):
            await asyncio.sleep(self.delay)
        body = self.replies.get(path, b"")
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        writer.close()
        if path == api.STOP and self.stops:
            self.leave()

    def leave(self) -> None:
        """Free socket and lock, as a process does that ends."""
        self._hanging.set()
        if not self._lock.closed:
            paths.engine_socket().unlink(missing_ok=True)
        self._lock.close()


@pytest.fixture
async def engine() -> AsyncIterator[ScriptedEngine]:
    scripted = ScriptedEngine()
    scripted.greet()
    server = await asyncio.start_unix_server(scripted.answer, paths.engine_socket())
    yield scripted
    server.close()
    scripted.leave()
    await asyncio.gather(*(task for task in scripted.answering if task))


def command(*words: str | Path) -> int:
    return cli.main([str(word) for word in words], lambda *_: 0)


async def test_an_engine_is_launched_again_while_an_old_one_still_closes(
    launched: list["subprocess.Popen[bytes]"],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """And: it reads the config file that a relative name means here; a zombie counts as gone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOVERKITE_CONFIG", "mine.toml")
    Path("mine.toml").write_text("chunk_size = 300\n")
    settings = config.load()

    with paths.engine_lock().open("a") as old_engine:
        fcntl.flock(old_engine, fcntl.LOCK_EX)
        connecting = asyncio.create_task(client.connect(settings))
        async with asyncio.timeout(30):
            while len(launched) < 2 and not connecting.done():  # noqa: ASYNC110  others make it so
                await asyncio.sleep(0.01)
    connected = await connecting
    hello = await connected.hello()
    assert launched[0].returncode == 0
    assert hello.pid == launched[-1].pid
    assert hello.settings == fingerprint(settings)
    assert settings.chunk_size == 300

    assert await client.stop_engine()
    await connected.close()
    assert not paths.engine_socket().exists()
    assert not await client.stop_engine()


async def test_connecting_ends_when_the_old_engine_never_leaves(
    launched: list["subprocess.Popen[bytes]"],
) -> None:
    with paths.engine_lock().open("a") as stuck:
        fcntl.flock(stuck, fcntl.LOCK_EX)
        with pytest.raises(EngineError, match="did not answer within 2 s"):
            await client.connect(Settings(), patience_s=2)
    assert launched


async def test_an_engine_that_keeps_its_lock_is_not_taken_for_gone(
    engine: ScriptedEngine,
) -> None:
    engine.stops = False
    with pytest.raises(EngineError, match="does not stop"):
        await client.stop_engine(patience_s=0.3, end_s=0.1)
    assert api.STOP in engine.paths()


async def test_a_search_and_an_answer_ask_for_as_many_hits_as_the_client_was_told(
    engine: ScriptedEngine,
) -> None:
    engine.replies["/v1/folders/f/search"] = b'{"query":"q","took_ms":1,"hits":[]}'
    engine.replies["/v1/folders/f/ask"] = b""
    connected = await client.connect(Settings(hits=3))
    await connected.search("f", SearchRequest(query="q"))
    await connected.search("f", SearchRequest(query="q", hits=5))
    assert [event async for event in connected.ask("f", AskRequest(question="q"))] == []
    await connected.close()
    assert [body["hits"] for _, body in engine.requests[1:]] == [3, 5, 3]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            b'{"next_step":"","detail":"no room","title":"","kind":"StoreError","type":"problem"}',
            "no room",
        ),
        (b'{"type":"problem"}', "can't be read"),
        (b'{"type":"hits","query":7}', "can't be read"),
        (b'{"query":"q"}', "can't be read"),
        (b'["problem"]', "can't be read"),
        (b'{"type', "can't be read"),
    ],
)
async def test_a_stream_s_problem_is_known_by_its_type_and_what_is_no_message_is_an_error(
    engine: ScriptedEngine, line: bytes, said: str
) -> None:
    engine.replies["/v1/folders/f/ask"] = line + b"\n"
    connected = await client.connect(Settings())
    with pytest.raises(HoverkiteError, match=said):
        await anext(connected.ask("f", AskRequest(question="q")))
    await connected.close()


USED = {"clients": 1}


@pytest.mark.parametrize(
    ("greeting", "said"),
    [
        (USED | {"version": "0.0.1+00000000"}, "already runs another version"),
        (USED | {"settings": "others"}, "already runs with other settings"),
    ],
)
async def test_an_engine_that_others_use_is_shared_with_a_note(
    engine: ScriptedEngine, greeting: dict[str, Any], said: str
) -> None:
    engine.greet(**greeting)
    connected = await client.connect(Settings())
    assert said in connected.note
    await connected.close()
    assert api.STOP not in engine.paths()


async def test_an_engine_of_another_language_is_left_to_those_who_use_it(
    engine: ScriptedEngine,
) -> None:
    engine.greet(protocol=999, version="9.9", later_field=1, **USED)
    with pytest.raises(EngineError, match=r"another version \(9\.9\) is in use") as caught:
        await client.connect(Settings())
    assert "hoverkite stop" in caught.value.next_step
    assert api.STOP not in engine.paths()


@pytest.mark.parametrize(
    "greeting",
    [{"version": "0.0.1+00000000"}, {"settings": "others"}, {"protocol": 999}, {"pid": []}],
)
async def test_an_engine_that_nobody_uses_and_that_does_not_fit_is_replaced(
    engine: ScriptedEngine,
    launched: list["subprocess.Popen[bytes]"],
    greeting: dict[str, Any],
) -> None:
    engine.greet(**greeting)
    connected = await client.connect(Settings())
    assert (await connected.hello()).pid == launched[-1].pid
    await connected.close()


async def test_a_front_end_that_was_updated_meanwhile_says_so_and_goes_on(
    launched: list["subprocess.Popen[bytes]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its engine starts from newer code than its own: replacing it again would not help."""
    monkeypatch.setattr(client, "build", lambda: "0.0.1+00000000")
    connected = await client.connect(Settings())
    assert "was updated meanwhile" in connected.note
    monkeypatch.setattr(api, "PROTOCOL_VERSION", 999)
    await client.stop_engine()
    with pytest.raises(EngineError, match="was updated meanwhile"):
        await client.connect(Settings())
    await connected.close()
    assert len(launched) == 2


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "GREETING_SECONDS", 0.3)
    monkeypatch.setattr(connection, "SILENCE_SECONDS", 0.1)


@pytest.mark.usefixtures("impatient")
async def test_an_engine_that_hangs_is_noticed_in_every_request(engine: ScriptedEngine) -> None:
    connected = await client.connect(Settings())
    engine.hangs = True
    with pytest.raises(NotAnsweringError) as caught:
        await connected.search("f", SearchRequest(query="q"))
    assert "hoverkite stop" in caught.value.next_step
    with pytest.raises(NotAnsweringError):
        await anext(connected.events("f"))
    with pytest.raises(NotAnsweringError):
        await client.connect(Settings())
    with pytest.raises(NotAnsweringError):
        await client.attach()
    await connected.close()


@pytest.mark.usefixtures("impatient")
async def test_an_engine_that_is_slow_but_lives_is_waited_for(engine: ScriptedEngine) -> None:
    connected = await client.connect(Settings())
    engine.replies["/v1/folders/f/search"] = b'{"query":"q","took_ms":1,"hits":[]}'
    engine.delay = 0.5
    assert (await connected.search("f", SearchRequest(query="q"))).took_ms == 1
    assert engine.paths().count(api.HELLO) > 2
    await connected.close()


@pytest.mark.usefixtures("impatient")
async def test_status_says_that_an_engine_hangs(
    engine: ScriptedEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.hangs = True
    assert await asyncio.to_thread(command, "status") == 1
    assert "does not answer" in capsys.readouterr().err
    assert await asyncio.to_thread(command, "status", tmp_path) == 0
    assert "does not answer" in capsys.readouterr().err


async def test_stop_waits_for_an_engine_that_is_closing(
    engine: ScriptedEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    paths.engine_socket().unlink()
    stopping = asyncio.create_task(asyncio.to_thread(command, "stop"))
    assert not (await asyncio.wait({stopping}, timeout=0.5))[0]
    engine.leave()
    assert await stopping == 0
    assert "The engine has stopped." in capsys.readouterr().err
    assert await asyncio.to_thread(command, "stop") == 0
    assert "No engine is running." in capsys.readouterr().err


async def test_the_lock_that_a_front_end_makes_is_private() -> None:
    before = os.umask(0o022)
    try:
        assert not await client.stop_engine()
    finally:
        os.umask(before)
    assert stat.S_IMODE(paths.engine_lock().stat().st_mode) == 0o600


def test_no_process_is_signalled_that_is_not_an_engine() -> None:
    with subprocess.Popen(["sleep", "600"]) as stranger:
        engine_lock.signal_holder(stranger.pid, signal.SIGKILL)
        engine_lock.signal_holder(0, signal.SIGKILL)
        assert stranger.poll() is None
        stranger.terminate()


@pytest.mark.parametrize("greeting", [{"protocol": 999}, {"protocol": 999, "more": 1}])
async def test_status_leaves_an_engine_of_another_version_alone(
    engine: ScriptedEngine,
    greeting: dict[str, int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    engine.greet(**greeting)
    assert await asyncio.to_thread(command, "status") == 0
    assert capsys.readouterr().out.startswith("engine ")
    assert await asyncio.to_thread(command, "status", tmp_path) == 0
    printed = capsys.readouterr()
    assert "state      new" in printed.out
    assert "runs, which the next command replaces" in printed.err
    assert set(engine.paths()) == {api.HELLO}


async def test_stop_needs_no_settings_and_stops_any_version(
    engine: ScriptedEngine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HOVERKITE_HITS", "many")
    engine.greet(protocol=999, pid=[])
    assert await asyncio.to_thread(command, "stop") == 0
    assert "The engine has stopped." in capsys.readouterr().err
    assert engine.paths()[-1] == api.STOP


async def test_the_model_s_state_reads_well_and_is_clean(
    engine: ScriptedEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = api.LlmState(state="starting", model="tiny", detail="loading,\n\x1b[2J3 s so far")
    summary = api.SyncFinished(
        files=1, chunks=1, added=0, changed=0, removed=0, embedded=0, skipped=[], seconds=0
    )
    opened = api.FolderOpened(folder="f", path=str(tmp_path))
    engine.replies[api.FOLDERS] = opened.model_dump_json().encode()
    engine.replies["/v1/folders/f/sync"] = summary.model_dump_json().encode() + b"\n"
    engine.replies["/v1/folders/f/ask"] = state.model_dump_json().encode() + b"\n"
    await asyncio.to_thread(command, "ask", tmp_path, "why?")
    printed = capsys.readouterr().err
    assert "tiny: starting (loading,⏎\ufffd[2J3 s so far)\n" in printed


@pytest.mark.real
async def test_the_key_reaches_the_engine_but_nobody_who_looks_at_the_process(
    monkeypatch: pytest.MonkeyPatch, launched: list["subprocess.Popen[bytes]"]
) -> None:
    monkeypatch.setenv("HOVERKITE_LLM_API_KEY", "sekret-key")
    settings = config.load({"llm_url": "http://127.0.0.1:9/v1"})
    connected = await client.connect(settings, {"llm_url": "http://127.0.0.1:9/v1"})
    hello = await connected.hello()
    assert hello.settings == fingerprint(settings)
    process = Path(f"/proc/{hello.pid}")
    assert b"sekret" not in (process / "environ").read_bytes()
    assert b"sekret" not in (process / "cmdline").read_bytes()
    await connected.close()
    await client.stop_engine()
