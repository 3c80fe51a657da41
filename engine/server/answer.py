"""One answer from beginning to end: search → extracts → prompt → stream."""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from functools import partial

from engine.answering import follow_ups, outlook, prompt, tray
from engine.answering.cited import Cited, citing
from engine.answering.writing import write
from engine.config import Settings
from engine.errors import NothingFoundError, UsageError
from engine.server.folder import Folder
from engine.server.gathering import gathered
from engine.server.talk import begin
from engine.serving.generate import ChatMessage
from engine.serving.vllm_server import AnswerModel
from engine.storage.conversation_file import Exchange
from engine.storage.manifest import Manifest
from engine.wire.api_answer import (
    NOT_FOUND,
    TURNED_OFF,
    AnswerFailed,
    AnswerFinished,
    AskEvent,
    AskRequest,
    ExtractsFound,
    HitsFound,
    QuestionRewritten,
)
from engine.wire.api_search import SearchRequest
from engine.wire.problems import as_known, problem_of
from engine.wire.query import of_request


async def answer(
    request: AskRequest, folder: Folder, model: AnswerModel, settings: Settings
) -> AsyncGenerator[AskEvent, None]:
    """Yield the answer's events in order; closing the generator stops vLLM's work on it.

    Hits and extracts come first and need no answer model, unless a follow-up has to be rewritten.
    The last event is ``AnswerFinished`` or ``AnswerFailed``. What came is kept, however it ends.

    Raises:
        HoverkiteError: the question is unusable, or the search itself failed.
    """
    if not request.question.strip():
        raise UsageError("the question is empty", "Type a question first")
    talk = await begin(request, folder.conversations)
    events = talk.kept(_answer(request, talk.before, folder, model, settings))
    if request.gather_ms:
        events = gathered(events, request.gather_ms / 1000)
    async with contextlib.aclosing(events):
        async for event in events:
            yield event


async def _answer(
    request: AskRequest,
    before: Sequence[Exchange],
    folder: Folder,
    model: AnswerModel,
    settings: Settings,
) -> AsyncGenerator[AskEvent, None]:
    """Yield the events of an answer that goes on from the turns ``before``."""
    asked = SearchRequest(
        query=request.question, hits=request.hits, mode=request.mode, filters=request.filters
    )
    typed = of_request(asked)
    question = typed.text.strip() or request.question  # filters are not for the model
    searched = await follow_ups.rewritten(request, typed, before, model, settings)
    if searched:
        yield QuestionRewritten(question=searched.text, by=searched.by)
        question, asked = searched.text, searched.request(asked, typed)
    found = await _search(folder, asked, request, settings)
    laid = await folder.looked_up(partial(tray.lay, found, request.tray))
    yield laid.found
    searched_in = outlook.told(await folder.looked_up(Manifest.counts), typed.filters)
    look = partial(outlook.look, question, laid.hits, laid.judged, searched_in)
    seen = await folder.read_with(look)
    yield seen
    said = Cited()
    try:
        if not laid.hits:
            raise _nothing_found(folder, laid)
        if settings.llm_start == "never":
            yield model.state
            yield outlook.unanswered(TURNED_OFF)
            return
        documents = request.anyway or not seen.not_found
        if not documents and outlook.ends_there(settings):
            yield outlook.unanswered(NOT_FOUND)
            return
        told = follow_ups.Asked(question, typed.text, before).of(settings)
        material = await _material(*told, laid, seen, documents, folder, settings)
        if documents:
            said = await _citing(question, laid, material, folder)
        async with contextlib.aclosing(
            write(material, laid.found.hits, model, settings, said)
        ) as events:
            async for event in events:
                if isinstance(event, AnswerFinished):
                    event = event.model_copy(update={"not_found": seen.not_found})
                yield event
    except Exception as error:  # whatever a server sends, the answer must end with a word of why
        yield AnswerFailed(
            answer=said.text,
            problem=problem_of(as_known(error)),
            citations=said.citations,
            not_found=seen.not_found,
        )


async def _search(
    folder: Folder, asked: SearchRequest, request: AskRequest, settings: Settings
) -> HitsFound:
    if request.tray.exactly:
        mode = request.mode or settings.search_mode
        return HitsFound(query=request.question, took_ms=0, mode=mode, hits=[])
    reply = await folder.search(asked)
    return HitsFound(
        query=request.question,
        took_ms=reply.took_ms,
        mode=reply.mode,
        hits=reply.hits,
        notices=reply.notices,
    )


def _nothing_found(folder: Folder, laid: tray.Laid) -> NothingFoundError:
    if laid.exactly:
        return NothingFoundError("no pinned hit is left to answer from", "Pin one that is there")
    if folder.paused:
        return NothingFoundError(
            f"too little of {folder.root} is read yet: indexing is paused",
            "Let it go on: the bottom line of the screen tells how",
        )
    return NothingFoundError(f"{folder.root} holds no text that could answer this")


async def _material(
    question: str,
    history: Sequence[ChatMessage],
    laid: tray.Laid,
    seen: ExtractsFound,
    documents: bool,
    folder: Folder,
    settings: Settings,
) -> prompt.Material:
    """Return what the model is shown: the chosen hits and what is around them, if any at all."""
    if not documents:
        return prompt.Material(question, history=history, documents=False)
    quoted = [extract.hit for extract in seen.extracts]
    hits = tray.chosen(laid, quoted, settings)
    around = await folder.looked_up(partial(tray.around, laid, hits, settings))
    return prompt.Material(question, hits, around, seen.extracts, history)


async def _citing(
    question: str, laid: tray.Laid, material: prompt.Material, folder: Folder
) -> Cited:
    """Return an answer whose sentences are looked for in all hits, those that are shown first."""
    shown = {hit.rank for hit in material.hits}
    hits = [*material.hits, *(hit for hit in laid.hits if hit.rank not in shown)]
    return await folder.read_with(partial(citing, question, hits, material.around))
