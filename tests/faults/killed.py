"""``python -m tests.faults.killed FOLDER KIND SEED ROUNDS``: a writer that is killed over and over.

Each round forks a writer on the real manifest and Milvus Lite. It first brings the index up to date
and looks for faults, then changes files and indexes them until it is killed, at a random moment.
Prints the faults that were found; none is good.
"""

import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pymilvus

from engine import paths, scan
from engine.config import Settings
from engine.folder import open_manifest
from engine.index import Index
from engine.manifest import Manifest
from engine.sync import Sync
from engine.watch import Hints
from tests.engine.steps import finish
from tests.engine.tiny_encoder import TinyEncoder

FILES = 40
LONGEST_LIFE = 0.5
"""Seconds from a writer's first change until it is killed."""


class Writer:
    """One process's hold on the index of a folder."""

    def __init__(self, root: Path, manifest: Manifest, index: Index, chance: random.Random) -> None:
        self.root, self.manifest, self.index, self.chance = root, manifest, index, chance
        self.encoder = TinyEncoder()
        self.sync = Sync(
            root,
            Settings(),
            manifest,
            index,
            self.encoder,
            data=paths.data_dir(),
            stopping=Event(),
        )

    def faults(self) -> Iterator[str]:
        """Bring everything up to date, and tell what is wrong nevertheless."""
        finish(self.sync.run(Hints(0, everything=True)))
        self.index.purge()
        entries = scan.scan(self.root, Settings(), index_root=paths.data_dir()).entries
        if {entry.path for entry in entries} != set(self.manifest.files()):
            yield "the manifest holds other files than the folder"
        rows = self.manifest.all_rows()
        store = self.index._open_store()
        if store.rows() != rows:
            yield "Milvus holds other rows than the manifest"
        if count(store._client, store._name) != len(rows):
            yield "Milvus holds a row twice"
        chunks = self.manifest.chunks_at(list(rows))
        for entry in entries:
            written = (self.root / os.fsdecode(entry.path)).read_text()
            stored = {found.chunk.text for found in chunks.values() if found.path == entry.path}
            if stored != {paragraph for paragraph in written.split("\n\n") if paragraph}:
                yield f"{entry.path!r} is stored with another text"
        for found in self.chance.sample(list(chunks.values()), min(5, len(chunks))):
            hits = self.index.search(self.encoder.encode_query(found.chunk.text), 3)
            if hits[0].distance < 0.999 or len({hit.stored.row for hit in hits}) != len(hits):
                yield "a chunk is not its own nearest"

    def change(self, kind: str) -> None:
        """Change some files and index them."""
        names = [f"{self.chance.randrange(FILES)}.md" for _ in range(3)]
        if kind == "insert":
            names = [f"{self.chance.getrandbits(32)}.md" for _ in names]
        for name in names:
            if kind == "delete" and (self.root / name).exists():
                (self.root / name).unlink()
            else:
                write(self.root / name, self.chance)
        finish(self.sync.run(Hints(time.time(), {name.encode() for name in names})))
        if self.chance.random() < 0.3:
            self.index.purge()


def count(client: "pymilvus.MilvusClient", collection: str) -> int:
    """Return how many rows Milvus itself counts."""
    ((counted),) = client.query(collection, filter="", output_fields=["count(*)"], timeout=10)
    return int(counted["count(*)"])


def write(path: Path, chance: random.Random) -> None:
    """Write some paragraphs, some of them in other files too."""
    paragraphs = [f"bird {chance.randrange(100, 300)} " * 40 for _ in range(chance.randrange(1, 5))]
    path.write_text("\n\n".join(paragraph.strip() for paragraph in paragraphs))


@contextlib.contextmanager
def opened(root: Path, chance: random.Random) -> Iterator[Writer]:
    manifest = open_manifest(root)
    index = Index(manifest, paths.index_dir(root) / "index.db", "tiny", TinyEncoder.dimension)
    yield Writer(root, manifest, index, chance)
    index.close()
    manifest.close()


def live(root: Path, kind: str, seed: int, tell: int) -> None:
    """Look for faults, tell them, and write until killed; ``kind`` may be empty to stop there."""
    with opened(root, random.Random(seed)) as writer:
        found = sorted(set(writer.faults()))
        os.write(tell, ("; ".join(found) or "sound").encode())
        while kind:
            writer.change(kind)


def life(root: Path, kind: str, seed: int) -> str:
    """Let one writer live; return the faults it found, or "sound"."""
    hear, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            live(root, kind, seed, tell)
        except BaseException as error:
            os.write(tell, f"{type(error).__name__}: {error}".encode())
        os._exit(0)
    os.close(tell)
    found = os.read(hear, 10_000).decode()
    if kind:
        time.sleep(random.Random(seed).uniform(0, LONGEST_LIFE))
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(hear)
    return found


def main(folder: str, kind: str, seed: int, rounds: int) -> int:
    """Print the faults that were found, if any."""
    root = Path(folder)
    chance = random.Random(seed)
    for number in range(FILES):
        write(root / f"{number}.md", chance)
    verdicts = [life(root, kind, seed + number) for number in range(rounds)]
    verdicts.append(life(root, "", seed))
    print(*(verdict for verdict in verdicts if verdict != "sound"), sep="\n", end="")
    print(*sorted(path.name for path in paths.index_dir(root).glob("damaged*")), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
