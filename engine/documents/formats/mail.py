"""Mail: a message in a file, a mailbox of many, and Outlook's own format; one part a message."""

import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import EmailMessage
from functools import lru_cache
from typing import Any, cast

from engine.documents import plain
from engine.documents.formats import office, web_page
from engine.documents.parts import LONGEST_TEXT, TOO_LONG, Parts, PartText, one_line, tidy
from engine.errors import LoadError

MOST_MESSAGES = 100_000

_SHOWN = ("From", "To", "Cc", "Date")
_BEGIN = re.compile(rb"(?:\A|\n)(?:\r?\n)?From [^\r\n]*\d:\d\d[^\r\n]*\r?\n(?=[!-9;-~]+:)")
_ESCAPED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
_OUTLOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OUTLOOK_HEADER = re.compile(r"\*\*(?:Subject|From|To|CC|BCC|Date)\*\*: [^\n]*\n*", re.IGNORECASE)
_FAULTS = (MessageError, ValueError, LookupError, AttributeError, TypeError, LoadError)
"""What the standard library raises for headers and bodies that follow no standard."""


class _Policy(policy.EmailPolicy):
    """The standard library's, but it parses each header once instead of at each look."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        return _parsed(name, str(value))


@lru_cache(256)
def _parsed(name: str, value: str) -> Any:
    return policy.default.header_fetch_parse(name, value)


_POLICY = cast("policy.EmailPolicy[EmailMessage]", _Policy())


def read(raw: bytes, name: str) -> Parts:
    """Return the messages in a file; the name of a message is its subject.

    Raises:
        ValueError: it holds none, or too much, in a person's words.
    """
    if raw.startswith(_OUTLOOK):
        return Parts("message", [_outlook(raw)])
    if not _BEGIN.match(raw):
        return Parts("message", [_message(raw)])
    begins = [match.end() for match in _BEGIN.finditer(raw)]
    ends = [*(match.start() for match in _BEGIN.finditer(raw)), len(raw)][1:]
    if len(begins) > MOST_MESSAGES:
        raise ValueError(f"a mailbox of more than {MOST_MESSAGES:,} messages")
    parts: list[PartText] = []
    length = 0
    for begin, end in zip(begins, ends, strict=True):
        parts.append(_message(_ESCAPED_FROM.sub(rb"\1", raw[begin:end])))
        length += len(parts[-1].text)
        if length > LONGEST_TEXT:
            raise ValueError(TOO_LONG)
    return Parts("message", parts)


def _message(raw: bytes) -> PartText:
    """Return one message: subject, people, date, then what it says and the names of files."""
    message = message_from_bytes(raw, policy=_POLICY)
    subject = _header(message, "Subject")
    people = [(name, _header(message, name)) for name in _SHOWN]
    if not subject and not any(value for _, value in people):
        raise ValueError("it is no e-mail message")
    return _part(subject, people, _body(message), _attached(message))


def _part(
    subject: str, people: Iterable[tuple[str, str]], body: str, attached: Iterable[str]
) -> PartText:
    names = ", ".join(filter(None, map(one_line, attached)))
    top = [f"{name}: {value}" for name, value in people if value]
    blocks = [subject and f"# {subject}", "\n".join(top), body, names and f"Attachments: {names}"]
    return PartText("\n\n".join(filter(None, blocks)), subject)


def _header(message: EmailMessage, name: str) -> str:
    """Return a header as it reads; decoded here, since the policy's own parser takes a ms each."""
    found = (value for key, value in message.raw_items() if key.lower() == name.lower())
    value = str(next(found, ""))
    try:
        return one_line(str(make_header(decode_header(value))) if "=?" in value else value)
    except _FAULTS:
        return one_line(value)


def _body(message: EmailMessage) -> str:
    try:
        best = message.get_body(("plain", "html"))
    except _FAULTS:
        return ""
    if not isinstance(best, EmailMessage):
        return ""
    content = _content(best)
    try:
        return tidy(
            web_page.convert(content) if best.get_content_type() == "text/html" else content
        )
    except ValueError:
        return ""


def _content(part: EmailMessage) -> str:
    """Return the text of a part, in the charset it declares if that is true."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(str(part.get_content_charset("utf-8")))
    except _FAULTS:  # unknown, or wrong
        pass
    try:
        return plain.decode(payload).text
    except LoadError:
        return ""


def _attached(message: EmailMessage) -> Iterator[str]:
    """Yield the names of attached files, and the subjects of attached messages."""
    for part in message.walk():
        try:
            yield part.get_filename() or ""
        except _FAULTS:
            continue


def _outlook(raw: bytes) -> PartText:
    found = office.extract(raw, "msg")
    said = found.metadata
    sender, sent = str(said.get("from_email") or ""), str(said.get("created_at") or "")
    receivers, copied = said.get("to_emails") or (), said.get("cc_emails") or ()
    values = [sender, ", ".join(map(str, receivers)), ", ".join(map(str, copied)), sent]
    people = zip(_SHOWN, map(one_line, values), strict=True)
    text = found.content
    while header := _OUTLOOK_HEADER.match(text):
        text = text[header.end() :]
    body = office.unescaped(text)
    attached = map(str, said.get("attachments") or ())
    return _part(one_line(str(said.get("subject") or "")), people, body, attached)
