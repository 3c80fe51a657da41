"""How far a query's vector is believed, by what the real encoder's tokenizer makes of it."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from engine.encoding import encoder_files
from engine.encoding.legibility import trust


@pytest.fixture(scope="module")
def minilm() -> Tokenizer:
    found = encoder_files.find("all-MiniLM-L6-v2")
    assert found
    return Tokenizer.from_file(str(Path(found.folder) / "tokenizer.json"))


@pytest.mark.parametrize(
    ("query", "least", "most"),
    [
        ("What do the parameters for HNSW mean?", 1, 1),
        ("", 1, 1),
        ("?!", 1, 1),
        ("Wann wurde die Universität gegründet?", 0.3, 0.9),
        ("Какие параметры у индекса?", 0, 0),
        ("参数的含义是什么", 0, 0),
        ("どのチームが優勝しましたか", 0, 0),
        ("किस टीम ने चैंपियनशिप जीती?", 0, 0),
        ("HNSW индекс", 0, 0.6),
        ("x" * 100_000, 0, 1),
        ("😀" * 1000, 0, 1),
    ],
)
def test_a_vocabulary_tells_what_it_can_read(
    minilm: Tokenizer, query: str, least: float, most: float
) -> None:
    assert least <= trust(minilm, query) <= most


def test_a_vocabulary_made_for_a_language_reads_it() -> None:
    vocabulary = {"[UNK]": 0, "какие": 1, "параметры": 2, "黑": 3, "鸢": 4}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    assert trust(tokenizer, "какие параметры") == 1
    assert trust(tokenizer, "黑鸢") == 1
    assert trust(tokenizer, "english") == 0
