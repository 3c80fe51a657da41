"""``python -m tools.fuzz [MINUTES] [FOLDER ...] [--seed N]``: damaged files for every loader.

Each file of FOLDER (default: ``../shared/data/messy``), and a small one of each kind that is held
here, is damaged over and over: bytes flipped, cut out, doubled, numbers made large, two files
spliced, the members of a zip damaged inside; some get the name of another kind. Each result has to
be a document whose positions agree, or a LoadError, within the time a file may take. Prints what is
neither, with the seed that makes it again, and at last how many files were read, and why others
were not.
"""

import argparse
import io
import random
import sys
import time
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine import documents
from engine.documents import Document
from engine.errors import LoadError
from engine.files.kinds import FileKind, kind_of

SAMPLES = Path("../shared/data/messy")
LARGEST = 2_000_000
"""Bytes of a sample: what is larger shows little more."""
SLOW = 70.0
"""Seconds; a file may take 60."""
NUMBERS = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"99999999999", b"-1", b"1e999")
HOSTILE = (
    b"\x1b]52;c;AA==\x07",
    "\u202eevil".encode(),
    b"[/]",
    b"\0",
    b"\xed\xa0\x80",
    b"<!DOCTYPE",
)
HELD = {
    "a.md": b"---\ntitle: a\ntags: [b]\n---\n# One\n\n| a | b |\n|---|---|\n| [[c]] | `d` |\n",
    "a.html": b"<meta charset=cp1252><h1>A</h1><table><tr><td>b<td>c</table><pre>d</pre>",
    "a.txt": "Grüße, 日本語\r\nline\n".encode("utf-16"),
    "a.py": b"def f():\n    return 1\n",
    "a.json": b'{"a": [1, {"b": null}], "c": "\\ud800"}',
    "a.csv": b'a,b\n"1,5","x\ny"\n',
    "a.srt": b"1\n00:00:01,000 --> 00:00:02,000\nHello\n",
    "a.ipynb": b'{"cells": [{"cell_type": "code", "source": ["x = 1\\n"], "outputs": []}], '
    b'"metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    "a.eml": b"From: a@b\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nMIME-Version: 1.0\n"
    b'Content-Type: multipart/mixed; boundary="x"\n\n--x\nContent-Type: text/html\n\n<p>hi\n'
    b"--x\nContent-Type: text/plain; charset=nope\nContent-Transfer-Encoding: base64\n\naGk=\n"
    b"--x--\n",
    "a.mbox": b"From a@b Thu Jan  1 00:00:00 2026\nSubject: one\n\nbody\n\n"
    b"From c@d Thu Jan  1 00:00:00 2026\nSubject: two\n\nbody\n",
    "a.rtf": rb"{\rtf1\ansi\ansicpg1252 {\b One} \'fc \u8364? \par two}",
}
"""Small files that are damaged where no folder is there, by name."""


@dataclass
class Tally:
    """What came of the files so far."""

    read: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    slowest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    faults: list[str] = field(default_factory=list)


def main() -> int:
    """Damage and read until the time is over; return 1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz")
    parser.add_argument("minutes", nargs="?", type=float, default=10)
    parser.add_argument("folders", nargs="*", type=Path, default=[SAMPLES])
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    samples = [each for each in _samples(given.folders) if isinstance(kind_of(each[0]), FileKind)]
    print(f"{len(samples)} samples", file=sys.stderr)
    tally = Tally()
    until = time.monotonic() + given.minutes * 60
    seed = given.seed
    while time.monotonic() < until:
        name, raw = damaged(samples, seed)
        attempt(name, raw, seed, tally)
        seed += 1
    _tell(tally, seed - given.seed)
    return 1 if tally.faults else 0


def _samples(folders: list[Path]) -> Iterator[tuple[str, bytes]]:
    yield from HELD.items()
    for folder in folders:
        if not folder.is_dir():
            print(f"{folder} is not there", file=sys.stderr)
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.stat().st_size <= LARGEST:
                yield path.name, path.read_bytes()


def damaged(samples: list[tuple[str, bytes]], seed: int) -> tuple[str, bytes]:
    """Return the file of a seed: its name and its bytes."""
    chance = random.Random(seed)
    kinds = sorted({_suffix(name) for name, _ in samples})
    suffix = chance.choice(kinds)  # each kind as often, however many samples it has
    name, raw = chance.choice([each for each in samples if _suffix(each[0]) == suffix])
    if raw.startswith(b"PK") and chance.random() < 0.8:
        raw = _damaged_inside(raw, chance)
    else:
        raw = _damaged(raw, chance, samples)
    if chance.random() < 0.1:
        name = f"a.{chance.choice(kinds)}"
    return name, raw


def _damaged(raw: bytes, chance: random.Random, samples: list[tuple[str, bytes]]) -> bytes:
    made = bytearray(raw)
    for _ in range(chance.choice((0, 1, 1, 2, 4, 16))):
        at = chance.randrange(len(made) + 1)
        length = int(chance.paretovariate(0.5)) % 5000
        match chance.randrange(7):
            case 0:
                made[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del made[at : at + length]
            case 2:
                made[at:at] = made[at : at + length] * chance.choice((1, 2, 100))
            case 3:
                number = chance.choice(NUMBERS)
                made[at : at + len(number)] = number
            case 4:
                made[at:at] = chance.choice(HOSTILE)
            case 5 if length < 100:
                made[at : at + length] = chance.randbytes(min(length, len(made) - at))
            case 6:
                alike = [content for name, content in samples if content[:2] == raw[:2]]
                other = chance.choice(alike or [raw])
                begin = chance.randrange(len(other) + 1)
                made[at : at + length] = other[begin : begin + length]
        del made[2 * LARGEST :]
    return bytes(made)


def _damaged_inside(raw: bytes, chance: random.Random) -> bytes:
    """Damage one or two members of a zip, so that its checks do not find the damage first."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            members = [(info, packed.read(info)) for info in packed.infolist()]
    except (
        zipfile.BadZipFile,
        zlib.error,
        ValueError,
        RuntimeError,
        NotImplementedError,
        EOFError,
        OSError,
    ):
        return _damaged(raw, chance, [("", raw)])
    made = io.BytesIO()
    hit = {chance.randrange(len(members) or 1) for _ in range(chance.choice((1, 1, 2)))}
    others = [(info.filename, content) for info, content in members]
    with zipfile.ZipFile(made, "w") as packed:
        for at, (info, content) in enumerate(members):
            if at in hit and chance.random() < 0.1:
                continue
            packed.writestr(info, _damaged(content, chance, others) if at in hit else content)
    return made.getvalue()


def attempt(name: str, raw: bytes, seed: int, tally: Tally) -> None:
    """Read one file, and note what came of it."""
    suffix = _suffix(name)
    begun = time.monotonic()
    try:
        document = documents.parse(raw, name)
        check(document)
        tally.read[suffix] += 1
    except LoadError as error:
        tally.reasons[suffix][str(error)] += 1
    except Exception as error:  # what is looked for
        _found(tally, seed, name, f"{type(error).__name__}: {error}"[:300])
    took = time.monotonic() - begun
    tally.slowest[suffix] = max(tally.slowest[suffix], took)
    if took > SLOW:
        _found(tally, seed, name, f"took {took:.0f} s")


def check(document: Document) -> None:
    """Hold that a document can be kept, and that its positions agree with its text."""
    document.text.encode("utf-8")
    assert "\0" not in document.text, "a NUL"
    assert list(document.parts) == sorted(document.parts), "parts out of order"
    assert all(0 <= at <= len(document.text) for at in document.parts), "a part outside"
    assert bool(document.parts) <= (document.unit is not None), "parts without a unit"
    for at in range(0, len(document.text), max(1, len(document.text) // 20)):
        first, last = document.lines(at, at + 1)
        assert 1 <= first <= last, "lines that make no sense"


def _found(tally: Tally, seed: int, name: str, what: str) -> None:
    told = f"seed {seed}, {name!a}: {what!a}"
    tally.faults.append(told)
    print(told, file=sys.stderr, flush=True)


def _tell(tally: Tally, files: int) -> None:
    print(f"{files} files, {len(tally.faults)} faults")
    for suffix in sorted({*tally.read, *tally.reasons}):
        reasons = tally.reasons[suffix]
        told = "; ".join(f"{count} {ascii(why)[1:-1]}" for why, count in reasons.most_common(6))
        slowest = f"slowest {tally.slowest[suffix]:.1f} s"
        print(f"{suffix}: {tally.read[suffix]} read, {slowest}, {reasons.total()} not: {told}")
    for fault in tally.faults:
        print(fault)


def _suffix(name: str) -> str:
    return name.rpartition(".")[2].lower()


if __name__ == "__main__":
    sys.exit(main())
