"""A real cross-encoder, tiny and with weights at random, for tests of what is around it."""

from pathlib import Path
from typing import Any

from engine.encoding.encoder_torch import quiet_libraries

WORDS = ["kite", "owl", "heron", "field", "river", "night", "hover", "hunt"]
WORDS += ["wing", "tail", "over", "at", "by", "the", "a", "note"]


def save_cross_encoder(folder: Path, *, labels: int = 1) -> Path:
    """Save one whose scores differ from text to text, the same every time; return ``folder``."""
    with quiet_libraries(offline=True):
        import torch
        from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

        folder.mkdir(parents=True)
        letters = [*"abcdefghijklmnopqrstuvwxyz0123456789"]
        vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *letters]
        vocabulary += [f"##{letter}" for letter in letters]
        words = {word: number for number, word in enumerate(dict.fromkeys(vocabulary))}
        BertTokenizerFast(vocab=words, model_max_length=64).save_pretrained(folder)
        config = BertConfig(
            vocab_size=len(words),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
            initializer_range=0.5,
            num_labels=labels,
        )
        with torch.random.fork_rng():
            torch.manual_seed(7)
            BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def authority(folder: Path) -> Any:
    """Return sentence-transformers' own CrossEncoder."""
    with quiet_libraries(offline=True):
        from sentence_transformers import CrossEncoder

        return CrossEncoder(str(folder), device="cpu", local_files_only=True)
