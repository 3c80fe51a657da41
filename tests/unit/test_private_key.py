import pytest

from engine.documents import parse, pdf
from engine.documents.parts import Parts, PartText
from engine.errors import LoadError

BEGIN = "-----BEGIN PRIVATE KEY-----"
LETTERS = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", f"my key\n\n-----BEGIN RSA PRIVATE KEY-----\r\n{LETTERS}\r\n"),
        ("a.txt", f"{BEGIN}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A\n\n{LETTERS}\n"),
        ("a.txt", f"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{LETTERS}\n"),
        ("a.txt", f'---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: "k"\n{LETTERS}\n'),
        ("a.txt", f"{BEGIN}\n{LETTERS[:30]}\n{LETTERS[30:60]}\n"),
        ("a.md", f"The key:\n\n> > {BEGIN}\n> > {LETTERS}\n"),
        ("a.md", f"```diff\n+{BEGIN}\n+{LETTERS}\n```\n"),
        ("a.yaml", f"key: {BEGIN} {LETTERS}\n"),
        ("a.yaml", f"key: |\n    {BEGIN}\n    {LETTERS}\n"),
        ("a.txt", f'{{"key": "{BEGIN}\\n{LETTERS}\\n"}}'),
        ("a.txt", f'{{"inner": "{{\\"key\\": \\"{BEGIN}\\\\n{LETTERS}"}}'),
        ("a.py", f'KEY = (\n    b"{BEGIN}\\n"\n    b"{LETTERS}\\n"\n)\n'),
        ("a.html", f"<p>é</p><pre>{BEGIN}\n{LETTERS}\n</pre>"),
        ("a.html", f"<meta charset=cp1252><p>é {BEGIN}<br>{LETTERS}</p>"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_private_key_is_refused_in_any_file(name: str, text: str, encoding: str) -> None:
    with pytest.raises(LoadError, match="private key"):
        parse(text.encode(encoding), name)


def test_a_private_key_in_a_pdf_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = ["Our keys", f"{BEGIN}\r\n{LETTERS}"]
    found = Parts("page", [PartText(page) for page in pages])
    monkeypatch.setattr(pdf, "read_in_worker", lambda *_, **__: found)
    with pytest.raises(LoadError, match="private key"):
        parse(b"%PDF", "a.pdf")


@pytest.mark.parametrize(
    "text",
    [
        f"How to make a {BEGIN} file",
        f"{BEGIN}\n...\n-----END PRIVATE KEY-----\n",
        f"{BEGIN}\nMIIEvQIBADANBgkqhkiG...\n-----END PRIVATE KEY-----\n",
        f"It begins with\n{BEGIN}\nand the digest is {'0a' * 32}",
        f"{BEGIN}\n{'=' * 64}\n\nWhat that line means\n",
        f"-----BEGIN PUBLIC KEY-----\n{LETTERS}\n",
    ],
)
@pytest.mark.parametrize("name", ["a.md", "a.html"])
def test_the_header_of_a_private_key_alone_is_no_key(name: str, text: str) -> None:
    assert "KEY" in parse(text.encode(), name).text
