"""The embedded model: found, checked and converted once."""

import sys
from pathlib import Path

import pytest

from engine import models


def test_damaged_weights_are_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / models.GGUF_PACKAGE
    package.mkdir()
    (package / "__init__.py").touch()
    (package / models.GGUF_NAME).write_bytes(b"GGUF, but not ours")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert models.main() == 1
    assert "is damaged" in capsys.readouterr().err
    (package / models.GGUF_NAME).unlink()
    assert models.main() == 1
    assert "is not installed" in capsys.readouterr().err


def test_a_converted_model_is_used_and_leftovers_are_removed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = models.converted_dir()
    unfinished = target.with_name(target.name + ".unfinished")
    for folder in (target, unfinished):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
    assert not models.is_converted(), "an incomplete folder is no model"
    written: list[Path] = []

    def write(gguf: Path, folder: Path) -> None:
        assert not folder.exists()
        folder.mkdir()
        for name in models.SERVABLE:
            (folder / name).touch()
        written.append(folder)

    monkeypatch.setattr(models, "_write_safetensors", write)
    monkeypatch.setattr(models, "_embedded_gguf", lambda: Path("weights.gguf"))
    assert models.main() == 0
    assert models.main() == 0
    assert len(written) == 1
    assert models.is_converted()
    assert sorted(path.name for path in target.parent.iterdir()) == [".lock", target.name]
    assert capsys.readouterr().out.count("is ready in") == 2
