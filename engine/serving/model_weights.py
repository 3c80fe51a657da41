"""How large a model is that lies on this machine, in which numbers it is served, and how much
memory that takes."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.config import Settings
from engine.encoding import hub
from engine.encoding.encoder_build import cpu_has_bf16
from engine.serving.machine_memory import GIB, total_memory

RUNTIME_BYTES = 2 * GIB
"""Memory that vLLM's three processes take before any weights and cache."""

_SHORT_BYTES = 2
"""Bytes of a number in bfloat16 or float16."""
_STORED_BYTES = {"float32": 4, "float64": 8}
"""Bytes of a number in kinds of weights that become smaller when they are served."""


@dataclass(frozen=True)
class Needed:
    """Bytes of memory that serving a model takes."""

    weights: int
    cache: int
    """vLLM's key-value cache on a CPU; 0 on a GPU, where it takes what is left."""
    runtime: int = RUNTIME_BYTES

    @property
    def total(self) -> int:
        """All of it together."""
        return self.weights + self.cache + self.runtime

    def __str__(self) -> str:
        parts = [f"weights {gib(self.weights)}", f"vLLM itself {gib(self.runtime)}"]
        parts += [f"key-value cache {gib(self.cache)}"] if self.cache else []
        return f"{gib(self.total)} ({', '.join(parts)})"


def gib(size: int) -> str:
    """``3.0 GiB``."""
    return f"{size / GIB:.1f} GiB"


def needed(weights: int, settings: Settings, *, on_gpu: bool) -> Needed:
    """Return what serving ``weights`` bytes takes on this kind of machine."""
    return Needed(weights, 0 if on_gpu else int(settings.llm_kv_cache_gb * GIB))


def stored_bytes(folder: Path) -> int:
    """Return the bytes of the weights in ``folder`` as they lie there; 0 where there are none."""
    try:
        return sum(path.stat().st_size for path in hub.weights(folder))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return 0


def short_bytes(folder: Path) -> int:
    """Return the bytes of the weights in ``folder`` with numbers of two bytes; a quantized model
    stays what it is."""
    stored = _STORED_BYTES.get(_stored_kind(configuration(folder)), _SHORT_BYTES)
    return stored_bytes(folder) * _SHORT_BYTES // stored


def _stored_kind(config: dict[str, Any]) -> str:
    kind = config.get("dtype") or config.get("torch_dtype") or ""
    return "" if _is_quantized(config) else str(kind)


def _is_quantized(config: dict[str, Any]) -> bool:
    return "quantization_config" in config


@dataclass(frozen=True)
class Served:
    """A model as vLLM is to serve it."""

    dtype: str
    """As vLLM and torch call it: ``bfloat16``."""
    weights: int
    """Bytes."""


def served(
    weights: int, settings: Settings, *, on_gpu: bool, config: dict[str, Any] | None = None
) -> Served:
    """Return the numbers that suit this machine; ``weights`` are bytes with numbers of two bytes.

    A CPU without bf16 instructions reads a prompt more than four times as fast in float32 and
    writes a fifth slower (521 tokens of the embedded model on two cores: first token after 1.4 s
    against 6.7 s). It is taken where it leaves half of the memory free; what is free right now
    does not count, since all engines of a person have to come to the same server.
    """
    config = config or {}
    if settings.llm_dtype != "auto":
        return _served_in(settings.llm_dtype, weights)
    if on_gpu or not weights or _is_quantized(config) or cpu_has_bf16():
        return _served_in("bfloat16", weights)
    exact = _served_in("float32", weights)
    total = needed(exact.weights, settings, on_gpu=False).total
    if total > total_memory() / 2 or too_small_cache(config, settings, exact.dtype):
        return _served_in("bfloat16", weights)
    return exact


def _served_in(dtype: str, weights: int) -> Served:
    return Served(dtype, weights * _bytes_of(dtype) // _SHORT_BYTES)


def _bytes_of(dtype: str) -> int:
    return _STORED_BYTES.get(dtype, _SHORT_BYTES)


def configuration(folder: Path) -> dict[str, Any]:
    """Return the model's ``config.json``, empty where it can't be read."""
    try:
        found = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def is_answer_model(config: dict[str, Any]) -> bool:
    """Tell whether a model with this configuration writes text, as far as its name tells."""
    names = config.get("architectures")
    endings = ("ForCausalLM", "ForConditionalGeneration", "LMHeadModel")
    return isinstance(names, list) and any(str(name).endswith(endings) for name in names)


def has_chat_template(folder: Path) -> bool:
    """Tell whether the model knows how a conversation is written; without, it only goes on."""
    if any((folder / name).is_file() for name in ("chat_template.jinja", "chat_template.json")):
        return True
    try:
        found = json.loads((folder / "tokenizer_config.json").read_bytes())
        return bool(found.get("chat_template"))
    except (OSError, ValueError, RecursionError, AttributeError):
        return False


def cache_bytes_per_token(config: dict[str, Any], dtype: str) -> int:
    """Return how much of the key-value cache one token takes; 0 where the configuration is silent.

    Two vectors (key and value) of each layer and key-value head.
    """
    try:
        layers, heads = int(config["num_hidden_layers"]), int(config["num_attention_heads"])
        width = int(config.get("head_dim") or int(config["hidden_size"]) / heads)
        per_token = 2 * layers * int(config.get("num_key_value_heads") or heads) * width
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return 0
    return max(0, per_token * _bytes_of(dtype))


def too_small_cache(config: dict[str, Any], settings: Settings, dtype: str) -> str:
    """Return why vLLM would refuse the settings: one context needs a larger cache; or empty."""
    wanted = cache_bytes_per_token(config, dtype) * settings.llm_context
    if wanted <= settings.llm_kv_cache_gb * GIB:
        return ""
    least = math.ceil(wanted / GIB * 10) / 10
    return f"{settings.llm_context} tokens of context need llm_kv_cache_gb = {least:g}"
