"""A real terminal for the real program: pexpect runs it, pyte is the screen a person would see."""

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

import pexpect
import psutil
import pyte

ENTER, ESCAPE, TAB, CTRL_C, CTRL_Q, CTRL_U = "\r", "\x1b", "\t", "\x03", "\x11", "\x15"


def _terminal_env(env: Mapping[str, str]) -> dict[str, str]:
    """``env`` without a size of the caller's terminal, which would win over this one's own."""
    kept = {name: value for name, value in env.items() if name not in ("COLUMNS", "LINES")}
    return kept | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


class Terminal:
    """A program in a pseudo-terminal of a fixed size."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        *,
        columns: int = 100,
        rows: int = 30,
        ignores_hangup: bool = False,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._process = pexpect.spawn(
            command[0],
            list(command[1:]),
            env=_terminal_env(env),
            dimensions=(rows, columns),
            timeout=1,
            ignore_sighup=ignores_hangup,
        )
        self.raw = b""
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.close(force=True)

    @property
    def text(self) -> str:
        """What stands on the screen, a line a row."""
        self._read()
        return "\n".join(self._screen.display)

    def type(self, keys: str) -> None:
        """Press keys."""
        self._process.send(keys)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, as dragging its window's corner does."""
        self._read(0)
        self._screen.resize(rows, columns)
        self._process.setwinsize(rows, columns)

    def wait_for(self, expected: str | Callable[[str], bool], seconds: float) -> float:
        """Wait until the screen shows ``expected``; return after how many seconds.

        Raises:
            AssertionError: it did not, or the program ended first, with the screen as it was.
        """
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            shown = self.text
            if expected(shown) if callable(expected) else expected in shown:
                return time.monotonic() - begun
            if self._ended:
                raise AssertionError(f"the program ended before {expected!r} came:\n{shown}")
        raise AssertionError(f"{expected!r} did not come within {seconds} s:\n{self.text}")

    def wait_for_end(self, seconds: float) -> int | None:
        """Wait until the program has ended and return its exit status."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._read()
            if not self._process.isalive():
                return int(self._process.exitstatus or 0)
        raise AssertionError(f"the program did not end within {seconds} s:\n{self.text}")

    def hang_up(self) -> psutil.Process:
        """Take the terminal away from the program, as closing its window does; return it."""
        process = psutil.Process(self._process.pid)
        pty = self._process.ptyproc
        pty.fileobj.close()
        pty.closed = self._process.closed = pty.terminated = True  # the caller waits for it
        return process

    def _read(self, seconds: float = 0.05) -> None:
        try:
            piece = self._process.read_nonblocking(65536, timeout=seconds)
        except pexpect.TIMEOUT:
            return
        except pexpect.EOF:
            self._ended = True
            return
        self.raw += piece
        self._stream.feed(piece)
