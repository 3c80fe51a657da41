import codecs
import json
from contextlib import suppress

import ftfy.bad_codecs  # noqa: F401  the encodings that double encoding goes through
import pytest

from engine.documents import legacy, parse, plain
from engine.documents.plain import decode
from engine.errors import LoadError
from tests.shared_data import MESSY
from tests.unit.encoded_texts import TEXTS

FRENCH = (
    "Été à la plage, où l’on mange des crêpes – c’est très bon.\n"
    "plain words\n"
    "À côté, ça va « bien ».\r\n"
    "Il a déjà été là.\n"
)
JAPANESE = "日本語の文章です。\n検索します。\n"
RUSSIAN = "Привет мир. Это русский текст.\nЕщё одна строка.\n"


@pytest.mark.parametrize("encoding", TEXTS)
def test_a_paragraph_in_a_legacy_encoding_is_read_and_its_encoding_told(encoding: str) -> None:
    decoded = decode(TEXTS[encoding].encode(encoding))
    assert decoded.text == TEXTS[encoding]
    assert 0.5 < decoded.confidence < 1
    assert (
        decoded.told == f"{plain.spoken(decoded.encoding)}, {decoded.confidence * 100:.0f} % sure"
    )


def test_how_sure_it_is_is_about_how_often_it_is_right() -> None:
    right: dict[bool, list[bool]] = {True: [], False: []}
    for encoding, text in TEXTS.items():
        for at in range(0, len(text) - 40, 5):
            raw = text[at : at + 40].encode(encoding)
            if not raw.isascii():
                guess = legacy.encoding_of(raw)
                is_right = raw.decode(guess.encoding, "replace") == text[at : at + 40]
                right[guess.confidence >= 0.9].append(is_right)
    sure, unsure = right[True], right[False]
    assert len(sure) > 100
    assert sum(sure) / len(sure) > 0.97
    assert sum(unsure) / len(unsure) < 0.8


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("marked", [True, False])
def test_wide_text_is_read_with_its_mark_or_without(encoding: str, marked: bool) -> None:
    text = "The generator – set “B” – was tested at 50 %.\r\nNothing else was.\n" * 5
    decoded = decode((("\ufeff" if marked else "") + text).encode(encoding))
    assert (decoded.text, decoded.encoding) == (text, encoding)
    assert decoded.told == encoding.upper()


def test_text_in_utf_8_has_nothing_to_tell() -> None:
    assert parse("naïve\n".encode(), "a.txt").loader == "text"
    assert parse(b"", "a.md").loader == "markdown"
    assert parse(codecs.BOM_UTF8 + b"# a\n", "a.md").loader == "markdown"


@pytest.mark.parametrize(
    ("name", "loader"), [("a.txt", "text"), ("a.md", "markdown"), ("a.html", "html")]
)
def test_a_document_tells_how_it_was_decoded(name: str, loader: str) -> None:
    assert parse(TEXTS["cp1251"].encode("cp1251"), name).loader == f"{loader} (cp1251, 99 % sure)"


def test_a_page_that_declares_its_encoding_is_told_so() -> None:
    page = "<meta charset=iso-8859-2><p>Příliš žluťoučký</p>".encode("iso-8859-2")
    document = parse(page, "a.html")
    assert (document.text.strip(), document.how) == ("Příliš žluťoučký", "ISO8859-2, as it says")


# --- not valid ---


@pytest.mark.parametrize(
    ("raw", "text", "places"),
    [
        ("Größe und Straße".encode()[:-1] + b"\xc3", "Größe und Straß\ufffd", 1),
        ("ein Gedicht für Jürgen €".encode()[:-1], "ein Gedicht für Jürgen \ufffd", 1),
        (("über " * 20).encode() + b"\xed\xa0\x80!", "über " * 20 + "\ufffd\ufffd\ufffd!", 3),
        (("über " * 20).encode() + b"\xc0\xaf!", "über " * 20 + "\ufffd\ufffd!", 2),
    ],
    ids=["cut", "cut in a sign", "a lone surrogate", "overlong"],
)
def test_utf_8_with_a_few_bytes_that_are_none_stays_utf_8(
    raw: bytes, text: str, places: int
) -> None:
    if places == 1 and raw.endswith(b"\xc3"):
        text = text[:-2] + "ß\ufffd"
    decoded = decode(raw)
    assert (decoded.text.rstrip("e"), decoded.damaged) == (text.rstrip("e"), places)
    assert decoded.told.startswith("UTF-8, damaged in ")


@pytest.mark.parametrize(
    "raw",
    [
        b"text with a\0zero",
        b"\0" * 100,
        "русский текст".encode("utf-16-le"),
        bytes(range(256)) * 20,
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(300),
        b"a\0b\0c",
        b"\xff\xfea",
    ],
)
def test_what_is_no_text_is_refused(raw: bytes) -> None:
    with pytest.raises(LoadError, match=r"binary content|damaged"):
        decode(raw)


def test_text_of_a_mainframe_is_named() -> None:
    with pytest.raises(LoadError, match="EBCDIC"):
        decode(("The generator was tested in March, and nothing else was. " * 9).encode("cp500"))


def test_utf_7_is_taken_as_the_ascii_it_is_written_in() -> None:
    assert decode(b"Hi +AOQ-rger <+ADw-script>").text == "Hi +AOQ-rger <+ADw-script>"


# --- double encoding ---


@pytest.mark.parametrize("text", [FRENCH, JAPANESE, "It’s “quoted” text — yes.\nplain\n", RUSSIAN])
@pytest.mark.parametrize(
    ("codec", "told"), [("sloppy-windows-1252", "cp1252"), ("latin-1", "Latin-1")]
)
def test_utf_8_that_was_read_as_another_encoding_is_repaired(
    text: str, codec: str, told: str
) -> None:
    document = parse(text.encode().decode(codec).encode(), "a.txt")
    assert document.text == text
    assert document.loader == f"text (repaired: UTF-8 read as {told})"


@pytest.mark.parametrize(
    ("text", "codec", "told"),
    [(FRENCH, "mac_roman", "Mac Roman"), (RUSSIAN, "sloppy-windows-1251", "cp1251")],
)
def test_utf_8_that_was_read_as_a_rarer_encoding_is_repaired(
    text: str, codec: str, told: str
) -> None:
    decoded = decode(text.encode().decode(codec).encode())
    assert (decoded.text, decoded.told) == (text, f"repaired: UTF-8 read as {told}")


def test_lines_keep_their_numbers_when_they_are_repaired() -> None:
    broken = FRENCH.encode().decode("latin-1").encode()
    document = parse(broken * 50, "a.txt")
    start = document.text.rindex("déjà")
    assert document.lines(start, start + 4) == (200, 200)
    assert document.text.count("\n") == broken.count(b"\n") * 50


@pytest.mark.parametrize(
    "text",
    [
        "If you see Ã© where é should be, the encoding is wrong.\n",
        'Sometimes `Ã©` or "â€™" is shown.\nplain\n',
        "# Été à la plage\n" * 20 + "There it said cafÃ©.\n",
        FRENCH,
        JAPANESE,
        RUSSIAN,
        "“CAFÉ” and É’S, naïve “café”\n",
        "ÃO, NÃO, São Paulo: “Ã”\n",
        "Ångström: 5 Å² √2 ≈ 1.4 — ‚Äpfel‘ √x\n",
        "–ü—Ä–∏ is a table of signs ÄÖÜ†°¢£§•¶ß®\n",
    ],
)
def test_a_sound_text_and_one_about_the_fault_stay_as_they_are(text: str) -> None:
    decoded = decode(text.encode())
    assert (decoded.text, decoded.told) == (text, "")


def test_only_the_encoding_is_repaired_and_nothing_else() -> None:
    text = "&eacute; “ﬁ” １２ \x1b]52;c;AA==\x07 \u202eété\u202c e\u0301\n" * 3
    assert decode(text.encode().decode("latin-1").encode()).text == text


@pytest.mark.skipif(not MESSY.is_dir(), reason="the folder of messy files is not there")
def test_the_naughty_strings_stay_as_they_are() -> None:
    raw = (MESSY / "naughty" / "blns.txt").read_bytes()
    assert decode(raw).text == raw.decode()
    strings = json.loads((MESSY / "naughty" / "blns.json").read_bytes())
    for text in strings:
        with suppress(LoadError):
            decode(text.encode("utf-8", "surrogatepass"))


@pytest.mark.skipif(not MESSY.is_dir(), reason="the folder of messy files is not there")
@pytest.mark.parametrize(
    "name", ["gas_disposition.ebc", "ola013k.ebc", "311_calls_for_service.ebc"]
)
def test_ebcdic_under_the_name_of_a_text_is_refused(name: str) -> None:
    with pytest.raises(LoadError, match=r"binary content|EBCDIC"):
        parse((MESSY / "docling" / "ebcdic" / name).read_bytes(), "a.txt")
