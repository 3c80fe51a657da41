"""Literals and regular expressions: smart case, Unicode, line by line, and in linear time."""

import re
import time

import pytest

from engine.errors import UsageError
from engine.storage.patterns import compiled
from engine.wire.query import Exact


def matches(pattern: str, text: str, *, is_regex: bool = True) -> bool:
    return compiled(Exact(pattern, is_regex)).search(text.encode()) is not None


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("kite", "a KITE", True),
        ("Kite", "a kite", False),
        (r"kite\W", "KITE.", True),
        (r"\Skite\D", "xKITEx", True),
        (r"\p{Lu}kite", "xKITE", True),
        (r"[A-C]x", "bx", False),
        (r"\x{41}x", "ax", False),
        (r"\x61x", "AX", True),
        (r"\QK.te\E", "k.te", False),
        (r"\Qk.te\E", "K.TE", True),
        (r"\w\Qk.te(", "xk.te(", True),
        ("(?P<Name>kite)", "KITE", True),
        ("(?i)Kite", "kite", True),
        ("[[:ALPHA:]]", "", None),
        ("É", "é", False),
        ("é", "É", True),
        ("кот", "КОТ", True),
        (r"\bкот\b", "кот, пёс", True),
        (r"\bкот\b", "котик", False),
        (r"\bkot\b|\bпёс", "пёсик", True),
        (r"\bkot", "ékot", False),
        (r"\bkot\w*\b", "kotě.", True),
        (r"x\bkot", "xkot", False),
        (r"(\bkot\b)", "a kot", True),
        (r"\b-x", "a-x", True),
        (r"^\w+$", "žluťoučký", True),
        (r"^[\w-]+$", "žluťoučký-x", True),
        (r"\d", "٣", True),
        (r"a\sb", "a\u00a0b", True),
        (r"[]\b]x", "]x", None),
        ("^b$", "a\nb\nc", True),
        ("a.b", "a\nb", False),
        (r"a\sb", "a\nb", False),
        (r"a[^x]b", "a\nb", False),
        ("(?s)a.b", "a\nb", False),
        (r"a\nb", "a\nb", False),
        (r"a\/b", "a/b", True),
    ],
)
def test_expressions_match_as_in_ripgrep(pattern: str, text: str, expected: bool | None) -> None:
    if expected is None:
        with pytest.raises(UsageError):
            compiled(Exact(pattern, True))
    else:
        assert matches(pattern, text) is expected


@pytest.mark.parametrize(
    "literal", [".*", "a\\b", "[x", "(", "\\E", "-", "a\tb", "猫 é", "a\0b", "?"]
)
def test_a_literal_is_found_as_it_is(literal: str) -> None:
    assert matches(literal, f"xx{literal}yy", is_regex=False)
    assert not matches(literal, "xxyy", is_regex=False)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("a(b", "missing )"),
        ("ab)c", "unexpected )"),
        ("ab*+*", "at character 3"),
        ("x[z-a]", "at character 3, z-a"),
        ("a\\", "trailing"),
        ("a{1001}", "repetition"),
        ("x(?=y)", "look-around and back-references"),
        ("x(?!y)", "look-around and back-references"),
        ("(?<=x)y", "look-around and back-references"),
        (r"(x)\1", "look-around and back-references"),
        (r"\pX", "character class"),
        ("a\nb", "one line at a time"),
        ("a\rb", "one line at a time"),
        ("(?:a{1000}){1000}", "can't be read"),
        ("x" * 1001, "longer than 1000"),
    ],
)
def test_what_can_t_be_read_is_told_with_its_place(pattern: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as refused:
        compiled(Exact(pattern, True))
    assert refused.value.next_step


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+$", "a" * 100_000 + "b"),
        ("(a|a)*c", "a" * 100_000),
        ("(.*)(.*)(.*)x$", "y" * 5_000_000),
        ("x" * 1000, "x" * 999 + "y" + "x" * 999),
        ("[a-q][^u-z]{200}z", "q" * 100_000),
        (r"(\w+\s?)+!", "word " * 100_000),
        ("\ud800", "\ud7ff" * 1000),
    ],
)
def test_hostile_expressions_end_quickly(pattern: str, text: str) -> None:
    begun = time.monotonic()
    assert not matches(pattern, text)
    assert time.monotonic() - begun < 10
