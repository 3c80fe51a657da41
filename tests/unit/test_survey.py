"""What a person is told and asked before a folder is indexed."""

import os
import pwd
from pathlib import Path

import pytest

from engine.config import Settings
from engine.files import scan
from tests.unit.conftest import Tree


def test_a_survey_counts_without_asking_for_a_small_folder(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    survey = scan.survey(tree("a.md=12345", "b.txt", "c.png", ".d"), Settings())
    assert (survey.files, survey.bytes, survey.ignored) == (2, 9, 1)
    assert survey.unread == {"image": 1}
    left_out = {each.path: each.reason for each in survey.left_out}
    assert left_out == {".d": "ignored", "c.png": "image files are not read yet"}
    assert survey.kept_bytes > 0
    assert survey.reason == ""


def test_a_survey_expects_more_time_for_more_text(tree: Tree) -> None:
    small = scan.survey(tree("a.md=" + "x" * 100_000), Settings()).seconds
    large = scan.survey(tree("b.md=" + "x" * 900_000), Settings()).seconds
    assert 0 < small < large


def test_a_survey_says_why_a_person_is_asked(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = tree("a.md", "b.md", "c.md")
    assert scan.survey(root, Settings(confirm_files=2)).reason == "it holds more than 2 files"
    assert scan.survey(root, Settings(confirm_files=3)).reason == ""
    monkeypatch.setenv("HOME", str(root))
    assert scan.survey(root, Settings()).reason == "it is your home folder"
    assert scan.survey(root / "..", Settings()).reason == "your home folder is in it"


def test_a_survey_asks_before_another_users_home(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree("a.md")
    ada = pwd.struct_passwd(("ada", "x", root.stat().st_uid, 0, "", str(root), "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: ada)
    assert scan.survey(root, Settings()).reason == ""
    monkeypatch.setattr(os, "getuid", lambda: ada.pw_uid + 1)
    assert scan.survey(root, Settings()).reason == "it is the home folder of ada"
    assert scan.survey(tree("sub/a.md") / "sub", Settings()).reason == ""


def test_of_very_many_files_that_are_left_out_some_are_named(tree: Tree) -> None:
    root = tree(*(f"n{number}.png" for number in range(150)), "build/a.md", ".gitignore=build")
    (root / "link.md").symlink_to("gone")
    survey = scan.survey(root, Settings())
    assert len(survey.left_out) == 101 and survey.unread == {"image": 150}
    assert survey.left_out[-1].reason == "a link to nothing"
