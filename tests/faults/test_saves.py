"""However files are saved, renamed and moved, the index is the folder once it is quiet."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import embedded, on_disk, opening, status, until, until_equal, write_notes

pytestmark = pytest.mark.real

STEPS = 40


class Hand:
    """Somebody who changes a folder in every way that editors and shells do."""

    def __init__(self, root: Path, away: Path, chance: random.Random) -> None:
        self.root, self.away, self.chance = root, away, chance
        away.mkdir()
        self._written = 0

    def act(self) -> None:
        """Do one thing."""
        ways: list[Callable[[], None]] = [
            self.in_place, self.by_rename, self.as_vim_does, self.create, self.remove,
            self.rename, self.copy, self.rename_folder, self.move_out, self.move_in,
        ]  # fmt: skip
        self.chance.choice(ways)()

    def _text(self) -> str:
        self._written += 1
        return f"text {self._written}"

    def _file(self) -> Path:
        files = sorted(self.root.rglob("*.md"))
        return self.chance.choice(files) if files else self.root / "first.md"

    def _folder(self) -> Path:
        return self.chance.choice(
            [self.root, *sorted(p for p in self.root.iterdir() if p.is_dir())]
        )

    def _fresh(self, folder: Path, suffix: str = "") -> Path:
        return folder / f"{self.chance.getrandbits(32):08x}{suffix}"

    def in_place(self) -> None:
        self._file().write_text(self._text())

    def by_rename(self) -> None:
        path = self._file()
        new = path.with_name(f".{path.name}.tmp")
        new.write_text(self._text())
        new.replace(path)

    def as_vim_does(self) -> None:
        path = self._file()
        swap, backup = path.with_name(f".{path.name}.swp"), path.with_name(path.name + "~")
        swap.write_text("swap")
        if path.exists():
            path.rename(backup)
        path.write_text(self._text())
        backup.unlink(missing_ok=True)
        swap.unlink()

    def create(self) -> None:
        folder = self._folder() if self.chance.random() < 0.6 else self._fresh(self.root)
        folder.mkdir(exist_ok=True)
        self._fresh(folder, ".md").write_text(self._text())

    def remove(self) -> None:
        self._file().unlink(missing_ok=True)

    def rename(self) -> None:
        path = self._file()
        if path.exists():
            path.rename(self._fresh(self._folder(), ".md"))

    def copy(self) -> None:
        path = self._file()
        if path.exists():
            shutil.copy(path, self._fresh(self._folder(), ".md"))

    def rename_folder(self) -> None:
        folder = self._folder()
        if folder != self.root:
            folder.rename(self._fresh(self.root))

    def move_out(self) -> None:
        folder = self._folder()
        if folder != self.root:
            folder.rename(self._fresh(self.away))

    def move_in(self) -> None:
        for folder in list(self.away.iterdir())[:1]:
            folder.rename(self._fresh(self.root))


@pytest.mark.parametrize(
    "seed",
    range(1, 13),
)
async def test_the_index_is_the_folder_and_no_text_is_embedded_twice(
    root: Path, tmp_path: Path, encoder: TinyEncoder, seed: int
) -> None:
    write_notes(root, 20)
    (root / "inner").mkdir()
    write_notes(root / "inner", 5, begin=20)
    chance = random.Random(seed)
    hand = Hand(root, tmp_path / "away", chance)
    async with opening(root, encoder) as opened:
        await until(lambda: status(opened).state == "watching")
        for step in range(STEPS):
            hand.act()
            if step % 10 == chance.randrange(10):
                await until_equal(opened, root)
        await until_equal(opened, root)
        await until(lambda: status(opened).files == len(on_disk(root)))
    texts = embedded(encoder)
    assert len(texts) == len(set(texts))


async def test_a_rename_a_move_and_a_return_embed_nothing(
    root: Path, tmp_path: Path, encoder: TinyEncoder
) -> None:
    (root / "inner").mkdir()
    write_notes(root / "inner", 10, begin=100)
    async with opening(root, encoder) as opened:
        await until(lambda: status(opened).state == "watching")
        before = embedded(encoder)
        steps: list[Callable[[], object]] = [
            lambda: (root / "note0.md").rename(root / "inner/zero.md"),
            lambda: (root / "inner").rename(root / "outer"),
            lambda: (root / "outer").rename(tmp_path / "outer"),
            lambda: (tmp_path / "outer").rename(root / "again"),
            lambda: shutil.copytree(root / "again", root / "twin"),
        ]
        for step in steps:
            step()
            await until_equal(opened, root)
    assert embedded(encoder) == before
