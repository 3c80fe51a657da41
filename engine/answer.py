"""One answer from beginning to end: search → extracts → prompt → stream."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from engine import generate, prompt
from engine.api import (
    AnswerFailed,
    AnswerFinished,
    AskEvent,
    AskRequest,
    ExtractsFound,
    Hit,
    HitsFound,
    LlmState,
    PromptMade,
    Token,
)
from engine.config import Settings
from engine.endpoint import Endpoint
from engine.errors import NothingFoundError, UsageError
from engine.folder import Folder
from engine.generate import Delta
from engine.problems import as_known, problem_of
from engine.vllm_server import AnswerModel

STATE_EVERY = 0.5
"""Seconds between reports of a model that is still starting."""


async def answer(
    request: AskRequest, folder: Folder, model: AnswerModel, settings: Settings
) -> AsyncGenerator[AskEvent, None]:
    """Yield the answer's events in order; closing the generator stops vLLM's work on it.

    Hits and extracts come first and need no answer model. The last event is ``AnswerFinished`` or
    ``AnswerFailed``.

    Raises:
        HoverkiteError: the question is unusable, or the search itself failed.
    """
    question = request.question
    if not question.strip():
        raise UsageError("the question is empty", "Type a question first")
    reply = await folder.search(question, request.hits or settings.hits)
    yield HitsFound(query=reply.query, took_ms=reply.took_ms, hits=reply.hits)
    yield ExtractsFound(extracts=await folder.extracts(question, reply.hits))
    said: list[str] = []
    try:
        if not reply.hits:
            raise NothingFoundError(f"{folder.root} holds no text that could answer this")
        async with contextlib.aclosing(_generate(question, reply.hits, model, settings)) as events:
            async for event in events:
                if isinstance(event, Token):
                    said.append(event.text)
                yield event
    except Exception as error:  # whatever a server sends, the answer must end with a word of why
        yield AnswerFailed(answer="".join(said), problem=problem_of(as_known(error)))


async def _generate(
    question: str, hits: list[Hit], model: AnswerModel, settings: Settings
) -> AsyncGenerator[AskEvent, None]:
    async with contextlib.aclosing(_until_ready(model)) as states:
        async for state in states:
            yield state
    endpoint = await model.ready()
    with model.answering():
        yield model.state
        made = await prompt.build(
            question,
            hits,
            settings=settings,
            context=endpoint.context,
            count=lambda messages: generate.count_tokens(endpoint, messages),
        )
        yield PromptMade(model=endpoint.model, hits=made.hits, notice=made.notice)
        async with contextlib.aclosing(_stream(endpoint, made, hits, settings)) as events:
            async for event in events:
                yield event


async def _until_ready(model: AnswerModel) -> AsyncGenerator[LlmState, None]:
    """Report the model's state until it is ready; raise why it will not be."""
    ready = asyncio.create_task(model.ready())
    try:
        while not ready.done():
            await asyncio.wait({ready}, timeout=STATE_EVERY)
            if not ready.done():
                yield model.state
        await ready
    finally:
        ready.cancel()  # the wait; the model goes on starting for the next question


async def _stream(
    endpoint: Endpoint, made: prompt.Prompt, hits: list[Hit], settings: Settings
) -> AsyncGenerator[AskEvent, None]:
    said: list[str] = []
    unfenced = prompt.Unfenced(made.mark)
    pieces = generate.stream(endpoint, made.messages, settings, prompt_tokens=made.tokens)
    async with contextlib.aclosing(pieces):
        async for piece in pieces:
            text = unfenced.take(piece.text) if isinstance(piece, Delta) else unfenced.rest()
            if text:
                said.append(text)
                yield Token(text=text)
            if isinstance(piece, Delta):
                continue
            yield AnswerFinished(
                answer="".join(said),
                finish_reason=piece.finish_reason,
                model=endpoint.model,
                ttft_ms=piece.ttft_ms,
                completion_tokens=piece.completion_tokens,
                tokens_per_s=piece.tokens_per_s,
                sources=_sources(hits, made.hits),
            )


def _sources(hits: list[Hit], shown: list[int]) -> list[str]:
    """Return ``path:line`` of the hits the model was shown, best first, each file once."""
    best_first = [hits[rank - 1] for rank in sorted(shown)]
    places = {hit.path: f"{hit.path}:{hit.start_line}" for hit in reversed(best_first)}
    return [places[path] for path in dict.fromkeys(hit.path for hit in best_first)]
