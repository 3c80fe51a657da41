"""Text of others made plain for a model: nothing in it is read as a token of its chat template."""

import asyncio
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from engine.config import Settings
from engine.encoding import hub
from engine.errors import HoverkiteError
from engine.serving import models

Tokens = frozenset[str]
"""What a tokenizer reads as one token of its own, whatever stands around it."""

NONE: Tokens = frozenset()

_TEMPLATE_TOKEN = re.compile(
    r"<\|[^<>|\n]{1,64}\|>"  # ChatML, Llama 3, Phi, Qwen ...
    r"|<｜[^<>｜\n]{1,64}｜>"  # DeepSeek
    r"|</?(?:s|bos|eos|pad|unk|mask|sep|cls|think|tool_call|tool_response)>"
    r"|<(?:start|end)_of_(?:turn|image|text)>"
    r"|<</?SYS>>"
    r"|<(?:unused|extra_id_|reserved_)\d{1,4}>"
    r"|\[(?:gMASK|sMASK|sop|eop)\]|\[\|[^\[\]|\n]{1,64}\|\]"  # GLM, EXAONE
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]",
    re.IGNORECASE,
)
_TAG = re.compile(r"[<\[].*[>\]]", re.DOTALL)
_DEFUSED = str.maketrans("<>[]", "‹›⁅⁆")


def neutralise(text: str, own: Tokens = NONE) -> str:
    """Return ``text`` without anything that a chat template would read as its own.

    ``own`` are the tokens of the model's own tokenizer, where they are known.
    """
    whole = text.encode("utf-8", "replace").decode().replace("\0", "")
    whole = _TEMPLATE_TOKEN.sub(_defused, whole)
    return _any_of(own).sub(_defused, whole) if own else whole


def _defused(found: re.Match[str]) -> str:
    token = found[0]
    plain = token.translate(_DEFUSED)
    return plain if plain != token else f"{token[0]} {token[1:]}"


@lru_cache(4)
def _any_of(tokens: Tokens) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(token) for token in sorted(tokens, key=len)[::-1]))


async def tokens_of_model(settings: Settings) -> Tokens:
    """Return the tokens of the answer model's own tokenizer; none where they can't be known.

    That is so for a server that ``llm_url`` names, and for a model that is not on this machine.
    """
    return await asyncio.to_thread(_tokens_of_model, settings)


def _tokens_of_model(settings: Settings) -> Tokens:
    if models.is_demonstration(settings):
        return tokens_in(models.converted_dir()) if models.is_converted() else NONE
    try:
        folder = None if settings.llm_url else hub.find(settings.llm_model, "llm_model")
    except HoverkiteError:
        return NONE
    return tokens_in(folder) if folder else NONE


@lru_cache(4)
def tokens_in(folder: Path) -> Tokens:
    """Return what the tokenizer in ``folder`` reads as tokens of its own. Blocking."""
    described = _read(folder / "tokenizer_config.json")
    added = described.get("added_tokens_decoder")
    entries = [*added.values()] if isinstance(added, dict) else _added(folder)
    names = ("bos_token", "eos_token", "unk_token", "pad_token")
    return frozenset(_contents([*entries, *(described.get(name) for name in names)]))


def _added(folder: Path) -> list[object]:
    added = _read(folder / "tokenizer.json").get("added_tokens")
    return added if isinstance(added, list) else []


def _contents(entries: list[object]) -> Iterator[str]:
    for entry in entries:
        match entry:
            case {"content": str(token), "special": bool(special)}:
                wanted = special or bool(_TAG.fullmatch(token))
            case {"content": str(token)} | str(token):
                wanted = True
            case _:
                continue
        if wanted and len(token) > 1 and token.strip():
            yield token


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
