"""Collections in BEIR's format, whole and broken, and the files that become of them."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from engine import documents
from engine.chunks.headings import markdown_headings
from engine.errors import HoverkiteError, UsageError
from engine.evaluating import beir, beir_files
from engine.evaluating.beir import Record
from tests.hits import hit

IDS = ["https://x.example/a?b#c", "..", "/", "é" * 500, "a\nb", "a\0b", "\ud800", " ", ".env", "1"]
QRELS = "query-id\tcorpus-id\tscore\n"


def write(
    folder: Path,
    corpus: list[Any],
    queries: list[Any] | None = None,
    qrels: str = f"{QRELS}q\td\t1\n",
) -> Path:
    folder.mkdir(exist_ok=True)
    asked = [{"_id": "q", "text": "what?"}] if queries is None else queries
    for name, lines in ((beir.CORPUS, corpus), (beir.QUERIES, asked)):
        text = "".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in lines)
        (folder / name).write_text(text, "utf-8")
    (folder / "qrels.tsv").write_text(qrels, "utf-8")
    return folder


def loaded(folder: Path, place: Path) -> tuple[beir.Collection, list[str]]:
    return beir.read(folder, beir_files.write_out(folder, place).names)


DOCUMENT = {"_id": "d", "title": "T", "text": "x"}


@pytest.mark.parametrize(
    ("corpus", "queries", "qrels", "said"),
    [
        (["{"], None, None, r"line 1 of .*corpus.jsonl is not JSON"),
        ([DOCUMENT, "", DOCUMENT], None, None, "line 3 of .*corpus.jsonl has the _id of line 1"),
        ([{"text": "x"}], None, None, 'line 1 of .*corpus.jsonl has no "_id"'),
        ([{"_id": "", "text": "x"}], None, None, 'has no "_id"'),
        ([{"_id": True, "text": "x"}], None, None, 'has no "_id"'),
        ([{"_id": "d", "text": 5}], None, None, 'line 1 of .* has a "text" that is no text'),
        ([], None, None, "holds no document"),
        ([DOCUMENT], [{"_id": "q"}], None, 'line 1 of .*queries.jsonl has no "text"'),
        (
            [DOCUMENT],
            [{"_id": "q", "text": "x"}] * 2,
            None,
            "line 2 of .*queries.jsonl has the _id",
        ),
        ([DOCUMENT], [], None, "line 2 of .*qrels.tsv names a query that is not in"),
        ([DOCUMENT], None, f"{QRELS}q\td\n", "line 2 of .*qrels.tsv has not the 3 columns"),
        ([DOCUMENT], None, f"{QRELS}q 0 d 1\n", "line 2 of .*qrels.tsv has not the 3 columns"),
        ([DOCUMENT], None, f"{QRELS}q\td\tx\n", "line 2 of .* a score that is no small whole"),
        ([DOCUMENT], None, f"{QRELS}q\td\t99999999999\n", "no small whole number"),
        ([DOCUMENT], None, f"{QRELS}q\td\tinf\n", "no small whole number"),
        ([DOCUMENT], None, f"{QRELS}q\td\t1\nq\td\t2\n", "line 3 of .* contradicts an earlier"),
        ([DOCUMENT], None, QRELS, "no relevant document for any query"),
        ([DOCUMENT], None, f"{QRELS}q\td\t0\n", "no relevant document for any query"),
    ],
)
def test_a_wrong_line_is_named(
    tmp_path: Path, corpus: list[Any], queries: list[Any] | None, qrels: str | None, said: str
) -> None:
    folder = write(tmp_path / "c", corpus, queries, qrels or f"{QRELS}q\td\t1\n")
    with pytest.raises(UsageError, match=said):
        loaded(folder, tmp_path / "place")


def test_a_folder_without_qrels_says_which_are_looked_for(tmp_path: Path) -> None:
    folder = write(tmp_path / "c", [DOCUMENT])
    (folder / "qrels.tsv").unlink()
    with pytest.raises(UsageError, match=r"neither qrels.tsv nor qrels/test.tsv"):
        loaded(folder, tmp_path / "place")
    (folder / "qrels").mkdir()
    (folder / "qrels/test.tsv").write_text(f"{QRELS}q\td\t1\n")
    assert loaded(folder, tmp_path / "place")[0].qrels == {"q": {"d": 1}}


def test_every_id_has_a_file_of_its_own_and_finds_back(tmp_path: Path) -> None:
    records = [{"_id": name, "title": "", "text": f"text {at}"} for at, name in enumerate(IDS)]
    folder = write(
        tmp_path / "c", [*records, {"_id": 7, "text": "seven"}], qrels=f"{QRELS}q\t7\t1\n"
    )
    written = beir_files.write_out(folder, tmp_path / "place")
    assert list(written.names.values()) == [*IDS, "7"]
    assert len(set(written.names)) == len(IDS) + 1
    for at, file in enumerate(list(written.names)[:-1]):
        assert (written.root / file).read_text() == f"text {at}\n"
    collection, notices = beir.read(folder, written.names)
    assert notices == []
    hits = [hit(path=file) for file in written.names] + [hit(path="else.md")]
    assert list(collection.judge(0, hits).ranking) == [*IDS, "7"]


def test_what_is_written_is_private_and_kept_while_it_is_whole(tmp_path: Path) -> None:
    folder = write(tmp_path / "c", [DOCUMENT, {"_id": "e", "text": "y"}])
    place = tmp_path / "place"
    written = beir_files.write_out(folder, place)
    kept = list(place.rglob("*"))
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept} == {0o700, 0o600}
    before = {file: file.stat().st_ino for file in kept}
    assert beir_files.write_out(folder, place) == written
    assert {file: file.stat().st_ino for file in place.rglob("*")} == before

    first, second = sorted(file for file in kept if file.is_file())
    first.unlink()
    second.write_text("longer than it was")
    (written.root / "more.md").write_text("of somebody else")
    assert beir_files.write_out(folder, place) == written
    assert sorted(file.read_text() for file in (first, second)) == ["# T\n\nx\n", "y\n"]
    assert list(place.iterdir()) == [written.root], "nothing else is left"

    write(folder, [DOCUMENT, {"_id": "e", "text": "z"}])
    assert beir_files.write_out(folder, place).root != written.root


def test_a_broken_corpus_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = write(tmp_path / "c", [DOCUMENT, "{"])
    with pytest.raises(UsageError):
        beir_files.write_out(folder, tmp_path / "place")
    assert list((tmp_path / "place").iterdir()) == []


def test_a_place_that_takes_no_more_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(HoverkiteError, match="No space left on device"):
        beir_files.write_out(write(tmp_path / "c", [DOCUMENT]), tmp_path / "place")
    assert list((tmp_path / "place").iterdir()) == []


MATTER = "---\nid: x\ntitle: Kite\n---\n"


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        ("Kite", "A bird.", "# Kite\n\nA bird.\n"),
        ("", "A bird.\n\n", "A bird.\n"),
        ("A\n kite", "Bird", "# A kite\n\nBird\n"),
        ("Kite", "Kite\n\n\nA bird.", "# Kite\n\nA bird.\n"),
        ("Kite", "# kite\nA bird.", "# Kite\n\nA bird.\n"),
        ("Kite", "Kites are birds.", "# Kite\n\nKites are birds.\n"),
        ("Kite", "", "# Kite\n"),
        ("Kite", f"{MATTER}A bird.", f"{MATTER}A bird.\n"),
        ("Hawk", f"{MATTER}A bird.", f"{MATTER}# Hawk\n\nA bird.\n"),
        ("", f"{MATTER}A bird.", f"{MATTER}A bird.\n"),
        ("", "---\nA bird.\n---\nB", "---\nA bird.\n---\nB\n"),
        ("Kite", "---\nA bird.", "# Kite\n\n---\nA bird.\n"),
        ("", "a\r\nb\0\x01c\ud800", "a\nb\ufffd\ufffdc?\n"),
    ],
)
def test_a_document_is_written_as_a_person_would(title: str, text: str, expected: str) -> None:
    raw = beir_files.content(Record(1, "d", title, text))
    assert raw.decode() == expected
    assert documents.parse(raw, "d.md").text == expected
    if title and title not in MATTER:
        assert next(markdown_headings(expected)).text == " ".join(title.split())


def test_queries_that_nothing_can_be_right_for_are_left_out_and_told(tmp_path: Path) -> None:
    queries = [{"_id": name, "text": "t"} for name in ("q", "unjudged", "irrelevant", "lost")]
    qrels = f"{QRELS}q\td\t2\nirrelevant\td\t0\nlost\tgone\t1\n"
    collection, notices = loaded(write(tmp_path / "c", [DOCUMENT], queries, qrels), tmp_path / "p")
    assert [case.name for case in collection.cases] == ["q", "lost"]
    assert [notice.split(" of ")[0].split(" not in ")[0] for notice in notices] == [
        "1 query stands",
        "1 query has no relevant document: left out",
        "1 document",
    ]


def test_a_header_is_not_needed_and_blanks_belong_to_an_id(tmp_path: Path) -> None:
    documents_ = [{"_id": " d ", "text": "x"}]
    folder = write(tmp_path / "c", documents_, qrels="q\t d \t1.0\n\n")
    assert loaded(folder, tmp_path / "place")[0].qrels == {"q": {" d ": 1}}


def test_documents_folded_into_a_hit_come_right_after_it(tmp_path: Path) -> None:
    names = {"1.md": "one", "2.md": "two", "3.md": "three"}
    collection = beir.Collection([("q", "t")], {"q": {"two": 1}}, names)
    folded = [hit(path=path) for path in ("2.md", "1.md")]
    hits = [hit(path="1.md").model_copy(update={"folded": folded}), hit(path="3.md")]
    assert list(collection.judge(0, hits).ranking) == ["one", "two", "three"]
