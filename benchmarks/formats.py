"""How fast files of each format are read, beside the bare library that reads them.

``python -m benchmarks.formats [DATA] [--quick] [--json]``: DATA is any folder of files. Each file
is read by our loader as the index reads it, in a warm worker where the format has one, and by the
library alone, in this process and the same round. Both are warmed by a round that is not counted.
"""

import io
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import html_to_markdown
import pypdfium2

from benchmarks import _report
from engine import documents
from engine.errors import LoadError
from engine.files.kinds import FileKind, kind_of

ROUNDS = 5
Bare = Callable[[bytes], object]


def pdf(raw: bytes) -> list[str]:
    with pypdfium2.PdfDocument(raw) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def office(raw: bytes) -> object:
    from kreuzberg import extract_bytes_sync

    if not raw.startswith(b"PK"):
        return extract_bytes_sync(raw, "application/vnd.ms-outlook")
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    return extract_bytes_sync(raw, kind)


def sheet(raw: bytes) -> list[object]:
    from python_calamine import CalamineWorkbook

    workbook = CalamineWorkbook.from_filelike(io.BytesIO(raw))
    return [workbook.get_sheet_by_name(name).to_python() for name in workbook.sheet_names]


def zipped(raw: bytes) -> list[object]:
    with ZipFile(io.BytesIO(raw)) as archive:
        names = [name for name in archive.namelist() if name.endswith((".xml", ".xhtml"))]
        return [ElementTree.fromstring(archive.read(name)) for name in names]


BARE: dict[str, tuple[str, Bare]] = {
    "pdf": ("pypdfium2", pdf),
    "html": (
        "html-to-markdown",
        lambda raw: html_to_markdown.convert(raw.decode("utf-8", "replace")),
    ),
    "docx": ("kreuzberg", office),
    "msg": ("kreuzberg", office),
    "xlsx": ("python-calamine", sheet),
    "xlsm": ("python-calamine", sheet),
    "xls": ("python-calamine", sheet),
    "ods": ("python-calamine", sheet),
    "pptx": ("zipfile and ElementTree", zipped),
    "odp": ("zipfile and ElementTree", zipped),
    "odt": ("zipfile and ElementTree", zipped),
    "epub": ("zipfile and ElementTree", zipped),
    "eml": ("email", lambda raw: message_from_bytes(raw, policy=policy.default).get_body()),
}
"""By suffix: the name of the bare library, and what it does with a file."""


def files_of(data: Path) -> Iterator[tuple[str, Path, bytes]]:
    """Yield suffix, path and content of each file that our loaders read."""
    for path in sorted(data.rglob("*")):
        if path.is_file() and isinstance(kind_of(path.name), FileKind):
            raw = path.read_bytes()
            try:
                documents.parse(raw, path.name)
            except LoadError:
                continue
            yield path.suffix[1:].lower(), path, raw


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the least time that ``work`` took: the machine does other things, too."""
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def measure(data: Path, rounds: int) -> dict[str, dict[str, float | str]]:
    """Return files, MB/s and files/s of each format, and how many times as long it takes bare."""
    ours: dict[str, float] = defaultdict(float)
    bare: dict[str, float] = defaultdict(float)
    size: dict[str, int] = defaultdict(int)
    count: dict[str, int] = defaultdict(int)
    for suffix, path, raw in files_of(data):
        name = path.name
        ours[suffix] += seconds(lambda raw=raw, name=name: documents.parse(raw, name), rounds)  # type: ignore[misc]
        if suffix in BARE:
            bare[suffix] += seconds(lambda raw=raw, suffix=suffix: BARE[suffix][1](raw), rounds)  # type: ignore[misc]
        size[suffix] += len(raw)
        count[suffix] += 1
    return {
        suffix: {
            "files": count[suffix],
            "MB/s": size[suffix] / 1e6 / taken,
            "files/s": count[suffix] / taken,
            **(
                {"times the bare library": taken / bare[suffix], "bare": BARE[suffix][0]}
                if suffix in bare
                else {}
            ),
        }
        for suffix, taken in sorted(ours.items())
    }


def main() -> None:
    """Measure a folder and print its figures."""
    parser = _report.options("How fast files of each format are read")
    parser.add_argument("data", nargs="?", type=Path, default=Path("../shared/data/messy"))
    args = parser.parse_args()
    if not args.data.is_dir():
        raise SystemExit(f"{args.data} is no folder: name one with files to read")
    _report.show(measure(args.data, 2 if args.quick else ROUNDS), as_json=args.json)


if __name__ == "__main__":
    main()
