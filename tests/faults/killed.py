"""``python -m tests.faults.killed FOLDER KIND SEED ROUNDS``: a writer that is killed over and over.

Each round forks a writer on the real manifest and Milvus Lite. Before it opens the index, which
mends it, it looks whether every change that the last one acknowledged is there. Then it brings the
index up to date and looks for faults, and changes files and indexes them until it is killed, at a
random moment. Prints the faults that were found (none is good), and the figures as JSON on standard
error.
"""

import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Event

import pymilvus

from engine import paths
from engine.config import Settings
from engine.documents import content_hash
from engine.files import scan
from engine.files.watch import Hints
from engine.storage.index import Index, Query
from engine.storage.manifest import Manifest, open_manifest
from engine.storage.store import Store
from engine.syncing.sync import Sync
from tests.engine.steps import finish
from tests.engine.tiny_encoder import TinyEncoder

FILES = 40
LONGEST_LIFE = 0.5
"""Seconds from a writer's first change until it is killed."""


Known = dict[str, str]
"""Name → hash of the content of each file whose latest change was acknowledged; empty for gone."""


@dataclass
class Figures:
    """What the rounds have come to."""

    rounds: int = 0
    acknowledged: int = 0
    """Changed files that a writer said were indexed before it was killed."""
    lost: int = 0
    doubled: int = 0
    looked: int = 0
    """Writers that found rows of another, which was killed, in Milvus."""
    faults: list[str] = field(default_factory=list)
    known: Known = field(default_factory=dict)

    def hear(self, told: str) -> None:
        """Count what one writer told, a message a line; the last may be cut off."""
        self.rounds += 1
        for line in told.split("\n")[:-1]:
            message = json.loads(line)
            if "faults" in message:
                self.faults += message["faults"]
                self.lost += sum("acknowledged" in fault for fault in message["faults"])
                self.doubled += sum("twice" in fault for fault in message["faults"])
            self.looked += message.get("looked", 0)
            for name in message.get("begun", ()):
                self.known.pop(name, None)
            self.known |= message.get("done", {})
            self.acknowledged += len(message.get("done", {}))


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
            ask = partial(self.encoder.encode_query, found.chunk.text)
            hits = [*islice(self.index.search(Query(ask), 3), 3)]
            if (hits[0].ranked.distance or 0) < 0.999 or len(
                {hit.stored.row for hit in hits}
            ) != len(hits):
                yield "a chunk is not its own nearest"

    def change(self, kind: str, tell: int) -> None:
        """Change some files, index them, and tell it before and after."""
        names = [f"{self.chance.randrange(FILES)}.md" for _ in range(3)]
        if kind == "insert":
            names = [f"{self.chance.getrandbits(32)}.md" for _ in names]
        say(tell, begun=names)
        for name in names:
            if kind == "delete" and (self.root / name).exists():
                (self.root / name).unlink()
            else:
                write(self.root / name, self.chance)
        finish(self.sync.run(Hints(time.time(), {name.encode() for name in names})))
        say(tell, done={name: hash_of(self.root / name) for name in names})
        if self.chance.random() < 0.3:
            self.index.purge()


def say(tell: int, **message: object) -> None:
    """Tell the parent; a short message arrives whole or not at all."""
    os.write(tell, (json.dumps(message) + "\n").encode())


def hash_of(path: Path) -> str:
    """Return the hash of a file's content, empty if it is gone."""
    return content_hash(path.read_bytes()) if path.exists() else ""


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


def rows_left(root: Path, manifest: Manifest) -> tuple[set[int], int]:
    """Return the rows that are in Milvus before anything is mended, and how many are there twice.

    Raises:
        StoreError: Milvus can't open what the killed writer has left.
    """
    file, collection = paths.index_dir(root) / "index.db", manifest.fact("collection")
    if not collection or not file.exists():
        return set(), 0
    store = Store(file, collection, TinyEncoder.dimension)
    rows, counted = store.census()
    store.close()
    return rows, counted - len(rows)


def losses(manifest: Manifest, rows: set[int], doubled: int, known: Known) -> Iterator[str]:
    """Tell which acknowledged changes are not in the manifest or, as ``rows``, in Milvus."""
    files = manifest.files()
    for name, content in known.items():
        record = files.get(name.encode())
        if (record.content if record else "") != content:
            yield f"an acknowledged change of {name} was lost"
        elif record and not manifest.rows_of([record.id]) <= rows:
            yield f"an acknowledged change of {name} is not in Milvus"
    if doubled:
        yield f"Milvus holds {doubled} rows twice"


def look(root: Path, known: Known) -> tuple[list[str], bool]:
    """Return what was lost when the last writer was killed, and whether it had left any rows."""
    with contextlib.closing(open_manifest(root)) as manifest:
        rows, doubled = rows_left(root, manifest)
        return list(losses(manifest, rows, doubled, known)), bool(rows)


def live(root: Path, kind: str, seed: int, tell: int, known: Known) -> None:
    """Look for faults, tell them, and write until killed; ``kind`` may be empty to stop there."""
    lost, looked = look(root, known)
    with opened(root, random.Random(seed)) as writer:
        say(tell, faults=lost + sorted(set(writer.faults())), looked=looked)
        while kind:
            writer.change(kind, tell)


def life(root: Path, kind: str, seed: int, known: Known) -> str:
    """Let one writer live; return what it told."""
    hear, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            live(root, kind, seed, tell, known)
        except BaseException as error:
            say(tell, faults=[f"{type(error).__name__}: {error}"])
        os._exit(0)
    os.close(tell)
    told = os.read(hear, 10_000)
    if kind:
        time.sleep(random.Random(seed).uniform(0, LONGEST_LIFE))
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while part := os.read(hear, 10_000):
        told += part
    os.close(hear)
    return told.decode()


def main(folder: str, kind: str, seed: int, rounds: int) -> int:
    """Print the faults that were found, if any."""
    root = Path(folder)
    chance = random.Random(seed)
    for number in range(FILES):
        write(root / f"{number}.md", chance)
    figures = Figures()
    for number in range(rounds):
        figures.hear(life(root, kind, seed + number, figures.known))
    figures.hear(life(root, "", seed, figures.known))
    print(*figures.faults, sep="\n", end="")
    print(*sorted(path.name for path in paths.index_dir(root).glob("damaged*")), end="")
    told = asdict(figures) | {"kind": kind, "rounds": rounds}
    del told["known"], told["faults"]
    print(json.dumps(told), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
