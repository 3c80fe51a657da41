"""Where set-up put the models: read before any test gets a home of its own."""

import json
from pathlib import Path

from engine import paths
from engine.serving import models

PREPARED_CACHE = paths.cache_dir().parent
"""The user's cache folder; ``make setup`` made the compiled and converted models in it."""


def without_an_end(folder: Path) -> Path:
    """Put the converted embedded model into ``folder`` so that no text of it ever ends by itself.

    What ends an answer is made a token that the model never writes: a test that cuts an answer
    then meets an answer to cut, whatever the machine's speed.
    """
    for file in models.converted_dir().iterdir():
        (folder / file.name).symlink_to(file)
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
    never = next(each for each in vocabulary if each["content"] == "<jupyter_script>")
    for name, end in {
        "config.json": {"eos_token_id": never["id"]},
        "generation_config.json": {"eos_token_id": never["id"]},
        "tokenizer_config.json": {"eos_token": never["content"]},
    }.items():
        told = json.loads((folder / name).read_text()) | end
        (folder / name).unlink()
        (folder / name).write_text(json.dumps(told))
    return folder
