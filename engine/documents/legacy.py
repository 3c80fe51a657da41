"""Which encoding a text has that is not Unicode."""

import re

from engine.errors import LoadError

SAMPLE = 64_000
"""Bytes of non-ASCII lines from which an encoding is told."""
FEW = 16
"""Non-ASCII bytes below which statistics tell nothing."""

_WESTERN = frozenset(
    "äöüßÄÖÜéèêëàâçîïôûùœÉÈÊÀÂÇÎÔŒñáíóúÑÁÍÓÚ¿¡ªºåøæÅØÆãõÃÕìò“”‘’‚„–—…•€£§°©®™«»·½¼¾²³´×\xa0\xad"
)
"""What Western European texts hold beside ASCII."""
_NOT_WESTERN = re.compile(
    r"[^\W\d_a-zA-Z]{4}"  # four accented letters in a row
    r"|(?<=[^\W\d_])[^\w\s\0-\x7f’‘´·\xad–—…](?=[^\W\d_])"  # a sign within a word
    r"|\w[²³¼½¾](?=[^\W\d_])"
)
_PUNCTUATION_IN_CP1252 = re.compile(rb"[\x80-\x9f]")
_ENCODINGS = [
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1256", "koi8_r", "cp866", "cp850"),
    *("cp932", "euc_jp", "gb18030", "big5", "euc_kr", "tis_620"),
]
"""What people's files are in; among all that exist, rare ones win by chance."""


def encoding_of(raw: bytes) -> str:
    """Return the encoding of a text that is not UTF-8; cp1252 where too little speaks for another.

    Raises:
        LoadError: it can't be told.
    """
    sample = _telling_lines(raw)
    text = _as_cp1252(sample)
    if text is not None and _is_western(text):
        return "cp1252"
    few = sum(byte > 0x7F for byte in sample) < FEW
    if text is not None and few and not _PUNCTUATION_IN_CP1252.search(sample):
        return "cp1252"
    from charset_normalizer import from_bytes  # 50 ms, and most folders are all UTF-8

    best = from_bytes(sample, cp_isolation=_ENCODINGS).best()
    if best is None and text is None:
        raise LoadError("text in an encoding that can't be told")
    return best.encoding if best else "cp1252"


def _telling_lines(raw: bytes) -> bytes:
    sample = bytearray()
    for line in raw.splitlines(keepends=True):
        if not line.isascii():
            sample += line[:SAMPLE]
        if len(sample) > SAMPLE:
            break
    return bytes(sample)


def _as_cp1252(sample: bytes) -> str | None:
    try:
        return sample.decode("cp1252")
    except UnicodeDecodeError:
        return None


def _is_western(text: str) -> bool:
    foreign = {char for char in text if not char.isascii()} - _WESTERN
    return not foreign and not _NOT_WESTERN.search(text)
