"""``python -m engine.server.prepare``: make what the embedded models need, once, ahead of use."""

import logging
import os
import sys

from engine import paths
from engine.config import Settings
from engine.encoding import embedding
from engine.errors import HoverkiteError
from engine.serving import model_maker, vllm_launch


def main() -> int:
    """Compile the embedded encoder and convert the embedded answer model; say what happens."""
    os.umask(0o077)
    logging.basicConfig(level=logging.WARNING)
    try:
        encoder = embedding.load(Settings(), cache=paths.cache_dir(), report=_say)
    except HoverkiteError as error:
        print(f"{error}\n{error.next_step}", file=sys.stderr)
        return 1
    _say(f"{Settings().embedding_model} is ready on {encoder.device}")
    encoder.close()
    if vllm_launch.installed_package() is None:
        _say("vLLM is not installed here: answers come from the server that llm_url names")
        return 0
    return model_maker.main()


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
