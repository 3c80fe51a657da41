"""Documents as people have them: a folder of other projects' test files, with the real encoder."""

import shutil
from pathlib import Path

import pytest

from engine import documents
from engine.config import Settings
from engine.errors import LoadError
from engine.server.shared_encoder import SharedEncoder
from engine.wire.api_search import SearchRequest
from tests.opened import opening
from tests.shared_data import MESSY

pytestmark = [
    pytest.mark.skipif(
        not MESSY.is_dir(), reason="the folder of messy files is not on this machine"
    ),
    pytest.mark.timeout(300),
]

REASONS = (
    "a scanned PDF without text",
    "the PDF is encrypted: it asks for a password",
    "files of this kind are not read yet (other)",
    "files of this kind are not read yet (archive)",
)


def test_every_file_is_read_or_says_why() -> None:
    skipped: dict[str, str] = {}
    for path in sorted(MESSY.rglob("*")):
        if path.is_file():
            try:
                documents.load(path, max_bytes=10_000_000)
            except LoadError as error:
                skipped[path.name] = str(error)
    assert set(skipped.values()) <= {*REASONS}
    assert skipped["MEDRPT-2024-PAT-3847_medical_report_scan.pdf"] == REASONS[0]
    assert skipped["libreoffice-writer-password.pdf"] == REASONS[1]
    assert len(skipped) < 15


QUESTIONS = [
    ("Who patented the typewriter?", "docling/pdf/multi_page.pdf", "page 1"),
    (
        "blogging and fan fiction as word processors made publishing accessible",
        "docling/pdf/multi_page.pdf",
        "page 4",
    ),
    (
        "What is the capital of Denmark and its official language?",
        "py-pdf/multicolumn.pdf",
        "page 3",
    ),
    (
        "repair estimate for the Batmobile of Bruce Wayne",
        "markitdown/REPAIR-2022-INV-001_multipage.pdf",
        "page 2",
    ),
    (
        "When will the APAC campaign be launched?",
        "docling/pptx/powerpoint_unrecognized_shape.pptx",
        "slide 3 “Next Steps”",
    ),
    (
        "freshwater ducks 2021 survey chart",
        "docling/pptx/pptx_chart.pptx",
        "slide 1 “Quarterly Duck Survey”",
    ),
    (
        "Who published The Hound of the Baskervilles?",
        "docling/xlsx/xlsx_09_section_label_header.xlsx",
        "sheet Library Catalog",
    ),
    ("revenue of Widget C", "docling/xlsx/xlsx_02_sample_sales_data.xlsm", "sheet SalesData"),
    ("notebook cell that prints markitdown", "markitdown/test_notebook.ipynb", "cell 2"),
    (
        "mail with a report.pdf attached for Bob",
        "docling/email/msg_with_attachment.msg",
        "message 1 “Email with Attachment”",
    ),
    (
        "poor slave who finds rest in the grave",
        "docling/epub/epub_purvis_poetry.epub",
        "chapter 3 “Poetry”",
    ),
]


@pytest.mark.real
async def test_questions_find_the_right_part_of_the_right_file(
    tmp_path: Path, encoder_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(encoder_cache.parent))
    root = tmp_path / "messy"
    shutil.copytree(
        MESSY, root, ignore=shutil.ignore_patterns("*.html", "*xml", "naughty", "ebcdic")
    )
    missed: dict[str, list[str]] = {}
    async with opening(root, SharedEncoder(Settings(embedding_device="cpu"))) as folder:
        for question, path, part in QUESTIONS:
            hits = (await folder.search(SearchRequest(query=question, hits=3))).hits
            found = [f"{hit.path} {hit.location}" for hit in hits]
            if not any(place.startswith(f"{path} {part}") for place in found):
                missed[question] = found
    assert missed == {}
