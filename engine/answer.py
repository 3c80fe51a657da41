"""One answer from beginning to end: search → extracts → prompt → stream."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from functools import partial

from engine import generate, prompt
from engine.api import (
    AnswerFailed,
    AnswerFinished,
    AskEvent,
    AskRequest,
    ExtractsFound,
    HitsFound,
    PromptMade,
    Token,
)
from engine.api_search import Hit, SearchRequest
from engine.config import Settings
from engine.endpoint import Endpoint
from engine.errors import NothingFoundError, UsageError
from engine.folder import Folder
from engine.generate import Delta, Finish
from engine.passages import Stretch, stretches
from engine.problems import as_known, problem_of
from engine.query import of_request
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
    asked = SearchRequest(
        query=question, hits=request.hits, mode=request.mode, filters=request.filters
    )
    reply = await folder.search(asked)
    question = of_request(asked).text.strip() or question  # filters are not for the model
    yield HitsFound(
        query=reply.query,
        took_ms=reply.took_ms,
        mode=reply.mode,
        hits=reply.hits,
        notices=reply.notices,
    )
    yield ExtractsFound(extracts=await folder.extracts(question, reply.hits))
    said: list[str] = []
    try:
        if not reply.hits:
            raise _nothing_found(folder)
        best = reply.hits[: settings.prompt_hits]
        around = await folder.looked_up(partial(stretches, best, settings))
        events = _generate(question, reply.hits, around, model, settings, said)
        async with contextlib.aclosing(events):
            async for event in events:
                yield event
    except Exception as error:  # whatever a server sends, the answer must end with a word of why
        yield AnswerFailed(answer="".join(said), problem=problem_of(as_known(error)))


def _nothing_found(folder: Folder) -> NothingFoundError:
    if folder.paused:
        return NothingFoundError(
            f"too little of {folder.root} is read yet: indexing is paused",
            "On the screen, Tab and then p let it go on",
        )
    return NothingFoundError(f"{folder.root} holds no text that could answer this")


async def _generate(
    question: str,
    hits: list[Hit],
    around: list[Stretch | None],
    model: AnswerModel,
    settings: Settings,
    said: list[str],
) -> AsyncGenerator[AskEvent, None]:
    """Yield the model's part of an answer; ``said`` gathers its text."""
    ready = asyncio.create_task(model.ready())
    try:
        while not (await asyncio.wait({ready}, timeout=STATE_EVERY))[0]:
            yield model.state
        endpoint = await ready
    finally:
        ready.cancel()  # the wait; the model goes on starting for the next question
    with model.answering():
        yield model.state
        made = await prompt.build(
            question,
            hits,
            settings=settings,
            context=endpoint.context,
            count=lambda messages: generate.count_tokens(endpoint, messages),
            around=around,
        )
        yield PromptMade(model=endpoint.model, hits=made.hits, notice=made.notice)
        sources = _sources(hits, made.hits)
        events = _stream(endpoint, made, settings, sources, said)
        async with contextlib.aclosing(events):
            async for event in events:
                yield event


async def _stream(
    endpoint: Endpoint,
    made: prompt.Prompt,
    settings: Settings,
    sources: list[str],
    said: list[str],
) -> AsyncGenerator[Token | AnswerFinished, None]:
    unfenced = prompt.Unfenced(made.mark)
    pieces = generate.stream(endpoint, made.messages, settings, prompt_tokens=made.tokens)
    async with contextlib.aclosing(pieces):
        async for piece in pieces:
            text = unfenced.take(piece.text) if isinstance(piece, Delta) else unfenced.rest()
            if text:
                said.append(text)
                yield Token(text=text)
            if isinstance(piece, Finish):
                yield AnswerFinished(
                    answer="".join(said),
                    finish_reason=piece.finish_reason,
                    model=endpoint.model,
                    ttft_ms=piece.ttft_ms,
                    completion_tokens=piece.completion_tokens,
                    tokens_per_s=piece.tokens_per_s,
                    sources=sources,
                )


def _sources(hits: list[Hit], shown: list[int]) -> list[str]:
    """Return ``path:line`` of the hits the model was shown, best first, each file once."""
    best_first = [hits[rank - 1] for rank in sorted(shown)]
    places = {hit.path: f"{hit.path}:{hit.start_line}" for hit in reversed(best_first)}
    return [places[path] for path in dict.fromkeys(hit.path for hit in best_first)]
