"""The real engine process with the stand-in for vLLM: ``python -m tests.engine_with_fake_vllm``."""

import sys
from functools import partial
from unittest import mock

from engine.__main__ import main
from engine.config import Settings
from engine.server import service
from engine.serving.vllm_launch import Launch
from engine.serving.vllm_server import AnswerModel
from engine.serving.vllm_start import Show
from tests.supervised import launch


async def prepare(settings: Settings, show: Show) -> Launch:
    return launch("serve")


if __name__ == "__main__":
    with mock.patch.object(service, "AnswerModel", partial(AnswerModel, prepare=prepare)):
        sys.exit(main())
