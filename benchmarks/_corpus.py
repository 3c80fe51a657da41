"""Documents in any number, and vectors for them that are made up: no time goes into embedding.

How long a search, a start or an edit takes depends on how many vectors there are, not on what they
say. A query's own vector, and those of edited text, are the encoder's.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from engine import config, paths
from engine.encoding import embedding, encoder_files
from engine.files.scan import Entry
from engine.storage.manifest import Manifest, text_hash
from engine.syncing.reading import Reader

_VOCABULARY = """
above across acre again amber answer arch autumn bank basket beacon bell bird border branch bridge
bright brook candle canal carry castle chalk circle cliff cloud coast colour copper corner cottage
cradle crown current dawn distance drift early east echo edge evening falcon feather fence field
flint flood flower fog ford forest garden gate glass grain granite gravel green harbour harvest
hawk hedge height heron hill hollow horizon hover island kite ladder lake lantern leaf letter
lichen light linen marsh meadow mill mirror mist moon morning moss mountain narrow nest night
north oak orchard owl paper pasture path pebble pine plain pond quarry quiet rain raven reed ridge
river road roof rope sail salt sand season seed shadow shore signal silver slope snow south spring
starling stone storm stream summer sun swallow thatch thicket thorn tide timber tower track valley
village wall water wave west wheat willow wind window wing winter wood yard
"""
WORDS = _VOCABULARY.split()
PARAGRAPH = range(380, 461)
"""Characters: more than half a chunk and less than one, so that a paragraph is a chunk."""
FILES_A_FOLDER = 100
_BATCH = 5000


def write(folder: Path, files: int, chunks: int, *, seed: int = 1) -> None:
    """Write ``files`` Markdown files that make ``chunks`` chunks; another seed, other words."""
    chance = np.random.default_rng(seed)
    for number in range(files):
        paragraphs = (number + 1) * chunks // files - number * chunks // files
        place = folder / f"part{number // FILES_A_FOLDER:03}"
        place.mkdir(parents=True, exist_ok=True)
        text = "\n\n".join(_paragraph(chance) for _ in range(paragraphs))
        (place / f"note{seed}-{number:05}.md").write_text(text + "\n", "utf-8")


def _paragraph(chance: np.random.Generator) -> str:
    words = [WORDS[at] for at in chance.integers(len(WORDS), size=PARAGRAPH.stop // 4)]
    length = int(chance.integers(PARAGRAPH.start, PARAGRAPH.stop))
    return " ".join(words)[:length].rpartition(" ")[0].capitalize() + "."


def texts_of(docs: Path) -> Iterator[str]:
    """Yield the chunks of every Markdown file in ``docs``, as the engine will cut them."""
    for file in sorted(docs.rglob("*.md")):
        yield from texts_in(file)


def texts_in(file: Path) -> list[str]:
    """Return what an engine with default settings embeds of one file."""
    read = Reader(file.parent, config.load({})).read(0, Entry(os.fsencode(file.name), 0, 0, 0))
    return [chunk.embedded for chunk in read.chunks] if read else []


def make_known(docs: Path, *, all_but: int = 0) -> int:
    """Save made-up vectors for the chunks of ``docs`` where its engine will look for them.

    The first ``all_but`` chunks get none, and will be embedded. Returns how many chunks there are.
    """
    model, dimension = _model()
    chance = np.random.default_rng(1)
    place = paths.make_private(paths.index_dir(docs.resolve())) / "manifest.sqlite"
    texts = texts_of(docs)
    total = sum(1 for _ in islice(texts, all_but))
    manifest = Manifest(place)
    try:
        while batch := list(islice(texts, _BATCH)):
            vectors = chance.standard_normal((len(batch), dimension), np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            keys = map(text_hash, batch)
            manifest.save([], model=model, vectors=dict(zip(keys, vectors, strict=True)))
            total += len(batch)
    finally:
        manifest.close()
    return total


def _model() -> tuple[str, int]:
    """Return the encoder's id, which vectors are kept under, and their dimension."""
    settings, cache = config.load({}), paths.cache_dir()
    known = encoder_files.loaded_before(settings, cache=cache)
    if known is None:
        embedding.load(settings, cache=cache).close()
        known = encoder_files.loaded_before(settings, cache=cache)
    assert known, "a model that was loaded is known"
    return known[0], known[1]
