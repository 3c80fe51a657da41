"""The letters beyond ASCII of languages that were written in encodings of one byte a character."""

from typing import Final, NamedTuple

SIGNS: Final = frozenset("“”‘’‚„–—…•€£§°©®™«»·½¼¾²³´×\xa0\xad№")
"""What any text may hold."""
WESTERN: Final = frozenset("äöüßÄÖÜéèêëàâçîïôûùœÉÈÊÀÂÇÎÔŒñáíóúÑÁÍÓÚ¿¡ªºåøæÅØÆãõÃÕìò")
"""What Western European texts hold."""


class Alphabet(NamedTuple):
    """What a language writes in an encoding."""

    encoding: str
    letters: frozenset[str]
    common: frozenset[str] = frozenset()
    """The most common of its letters, where it has no letters of ASCII."""


def _both(letters: str) -> frozenset[str]:
    return frozenset(letters) | frozenset(letters.upper())


def _range(first: str, last: str) -> frozenset[str]:
    return frozenset(map(chr, range(ord(first), ord(last) + 1)))


_RUSSIAN = _range("А", "я") | {"Ё", "ё"}
_CYRILLIC = _RUSSIAN | _both("іїєґўјљњћђџѓќѕ")
_GREEK = _range("Ά", "ώ") - {"·"} | {"Ά", "·"}
_HEBREW = _range("א", "ת") | _range("\u05b0", "\u05c3") | {"₪", "\u200e", "\u200f"}
_ARABIC = _range("\u060c", "\u0652") | {*"پچژگکہےں", "\u200c", "\u200d", "\u200e", "\u200f"}

ALPHABETS: Final[tuple[Alphabet, ...]] = (
    Alphabet("cp1252", WESTERN),
    Alphabet("cp1250", _both("áčďéěíňóřšťúůýž")),  # Czech
    Alphabet("cp1250", _both("áäčďéíĺľňóôŕšťúýž")),  # Slovak
    Alphabet("cp1250", _both("ąćęłńóśźż")),  # Polish
    Alphabet("cp1250", _both("áéíóöőúüű")),  # Hungarian
    Alphabet("cp1250", _both("čćđšž")),  # Croatian, Slovene
    Alphabet("cp1250", _both("ăâîşţ")),  # Romanian
    Alphabet("cp1254", frozenset("çğıöşüâîûÇĞİÖŞÜÂÎÛ")),
    Alphabet("cp1257", _both("ąčęėįšųūž")),  # Lithuanian
    Alphabet("cp1257", _both("āčēģīķļņšūž")),  # Latvian
    Alphabet("cp1257", _both("äõöüšž")),  # Estonian
    Alphabet("cp1251", _CYRILLIC, _both("оеаинтсрвл")),
    Alphabet("koi8_r", _RUSSIAN, _both("оеаинтсрвл")),
    Alphabet("cp866", _RUSSIAN, _both("оеаинтсрвл")),
    Alphabet("cp1253", _GREEK, _both("αοιετσνηυρπκς")),
    Alphabet("cp1255", _HEBREW, frozenset("יוהלאמרתבש")),
    Alphabet("cp1256", _ARABIC, frozenset("اليمونترة")),
    Alphabet("cp850", WESTERN),
    Alphabet("mac_roman", WESTERN),
)
"""The more common ones first: of those that fit a text as well, the first is taken."""
