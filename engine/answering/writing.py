"""The model's part of an answer: a prompt that fits, and its stream with the program's marks."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Self

from engine.answering import neutral, prompt
from engine.answering.cited import Cited
from engine.config import Settings
from engine.part import short
from engine.serving import generate
from engine.serving.endpoint import ContextError, Endpoint
from engine.serving.generate import Delta, Finish
from engine.serving.vllm_server import AnswerModel
from engine.wire.api_answer import (
    AnswerFinished,
    AskEvent,
    PassagesCounted,
    ShownPassage,
    Token,
)
from engine.wire.api_search import Hit

STATE_EVERY = 0.5
"""Seconds between reports of a model that is still starting."""


async def write(
    material: prompt.Material,
    hits: Sequence[Hit],
    model: AnswerModel,
    settings: Settings,
    said: Cited,
) -> AsyncGenerator[AskEvent, None]:
    """Yield what the model does and says, from its state to ``AnswerFinished``.

    ``hits`` are those of the whole answer, by rank; ``said`` gathers the text. Closing the
    generator frees the model.

    Raises:
        HoverkiteError: the question can't be asked, or the model can't answer.
    """
    prompt.checked(material.question)  # before anybody waits for the model
    ready = asyncio.create_task(model.ready())
    try:
        while not (await asyncio.wait({ready}, timeout=STATE_EVERY))[0]:
            yield model.state
        endpoint = await ready
    finally:
        ready.cancel()  # the wait; the model goes on starting for the next question
    with model.answering():
        yield model.state
        material = replace(material, own_tokens=await neutral.tokens_of_model(settings))
        async with contextlib.aclosing(_fitted(endpoint, material, hits, settings, said)) as events:
            async for event in events:
                yield event


async def _fitted(
    endpoint: Endpoint,
    material: prompt.Material,
    hits: Sequence[Hit],
    settings: Settings,
    said: Cited,
) -> AsyncGenerator[AskEvent, None]:
    """Yield the prompt and the stream, and if the server says that it is too long, a shorter one.

    That happens only where the server does not count tokens for us, or does not say how many fit.
    """
    for room in prompt.rooms(endpoint.context):
        async with generate.counting(endpoint) as counter:
            made = await prompt.build(
                material, settings=settings, context=room, count=counter.messages
            )
        yield prompt.told(made, endpoint.model)
        asked = replace(endpoint, context=room)
        try:
            stream = _stream(asked, made, settings, _sources(hits, made.hits), said)
            async with contextlib.aclosing(stream) as events:
                async for event in events:
                    yield event
            return
        except ContextError as error:
            refused = error
    raise refused


async def _stream(
    endpoint: Endpoint,
    made: prompt.Prompt,
    settings: Settings,
    sources: list[str],
    said: Cited,
) -> AsyncGenerator[Token | PassagesCounted | AnswerFinished, None]:
    unfenced = prompt.Unfenced(made.mark)
    pieces = generate.stream(endpoint, made.messages, settings, prompt_tokens=made.tokens)
    async with contextlib.aclosing(pieces), _Counting(endpoint, made) as counting:
        async for piece in pieces:
            counting.begin()
            cited = len(said.citations)
            if isinstance(piece, Delta):
                text = await said.take(unfenced.take(piece.text))
            else:
                cut_off = piece.finish_reason == "length"
                text = await said.take(unfenced.rest()) + await said.rest(cut_off=cut_off)
            if text:
                yield Token(text=text, citations=said.citations[cited:])
            if isinstance(piece, Finish):
                if passages := await counting.done():
                    yield PassagesCounted(passages=passages)
                yield AnswerFinished(
                    answer=said.text,
                    finish_reason=piece.finish_reason,
                    model=endpoint.model,
                    ttft_ms=piece.ttft_ms,
                    completion_tokens=piece.completion_tokens,
                    tokens_per_s=piece.tokens_per_s,
                    sources=sources,
                    citations=said.citations,
                    prompt_tokens=made.tokens,
                    documents=made.documents,
                )


class _Counting:
    """Counts the tokens of each passage while the model writes: before, the answer would wait."""

    def __init__(self, endpoint: Endpoint, made: prompt.Prompt) -> None:
        self._endpoint, self._made = endpoint, made
        self._task: asyncio.Task[list[ShownPassage]] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            self._task.cancel()

    def begin(self) -> None:
        """Begin, once."""
        self._task = self._task or asyncio.create_task(self._count())

    async def done(self) -> list[ShownPassage]:
        """Return the passages; none that the server does not count."""
        return await self._task if self._task else []

    async def _count(self) -> list[ShownPassage]:
        async with generate.counting(self._endpoint) as counter:
            return await prompt.measured(self._made, counter.text)


def _sources(hits: Sequence[Hit], shown: Sequence[int]) -> list[str]:
    """Return ``path:line`` or ``path p.4`` of the hits shown, best first, each file once."""
    best_first = [hits[rank - 1] for rank in sorted(shown)]
    places = {
        hit.path: hit.path + short(hit.part, hit.start_line, hit.start_line)
        for hit in reversed(best_first)
    }
    return [places[path] for path in dict.fromkeys(hit.path for hit in best_first)]
