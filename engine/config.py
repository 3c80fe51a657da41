"""Settings: defaults < config file (TOML) < environment < flags. Unknown names are errors.

The one list of everything a person can set; ``docs/configuration.md`` is generated from it.
"""

import os
import re
import shlex
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from engine import paths, toml_file, web_address
from engine.config_faults import Source, explain, next_step
from engine.errors import ConfigError

ENV_PREFIX = "HOVERKITE_"
CONFIG_NAME = "HOVERKITE_CONFIG"
KEY_NAME = f"{ENV_PREFIX}LLM_API_KEY"
NOT_SETTINGS = {CONFIG_NAME}
"""Environment names with our prefix that are not settings: where the config file is."""

REFERENCE_PROFILE: dict[str, Any] = {
    "embedding_model": "BAAI/bge-large-en-v1.5",
    "embedding_prompts": "none",
    "chunk_size": 512,
    "chunk_overlap": 51,
    "chunk_at_headings": False,
    "chunk_at_sentences": False,
    "chunk_context": 0,
    "search_mode": "dense",
    "hits_per_file": 0,
    "rerank_model": "",
    "prompt_hits": 2,
    "prompt_choice": "best",
    "prompt_context": 0,
    "when_not_found": "answer",
    "llm_model": "meta-llama/Llama-3.1-8B-Instruct",
    "llm_dtype": "bfloat16",
    "llm_gpu_memory": 0.5,
    "llm_seed": 415,
    "llm_temperature": 0.2,
    "llm_top_p": 0.95,
}
"""The published reference set-up that hoverkite can reproduce: ``profile = "reference"``."""


def _address(value: str) -> str:
    if value and (fault := web_address.fault_of(value)):
        raise ValueError(fault)
    return value


def _readers(value: dict[str, str]) -> dict[str, str]:
    for suffix, command in value.items():
        if not re.fullmatch(r"[a-z0-9_+-]{1,32}", suffix):
            raise ValueError(f"{suffix!a} is no suffix: small letters and digits, without a dot")
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise ValueError(f"the command of {suffix} has a quote without its end") from error
        if not words:
            raise ValueError(f"{suffix} has no command")
    return value


class Settings(BaseModel):
    """Every setting, its default and its meaning."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: Literal["default", "reference"] = Field(
        "default",
        description="A named set of defaults. `reference` is bge-large-en-v1.5 with "
        "Llama-3.1-8B-Instruct on a GPU.",
    )

    # Reading and splitting
    chunk_size: int = Field(
        550,
        ge=64,
        le=8192,
        description="Longest chunk, in characters. What is longer than the embedding model takes "
        "is cut further.",
    )
    chunk_overlap: int = Field(
        0, ge=0, le=4096, description="Characters that neighbouring chunks share."
    )
    chunk_at_headings: bool = Field(
        True,
        description="Begin a new chunk at each heading, so that an edit changes the chunks of its "
        "own section alone.",
    )
    chunk_at_sentences: bool = Field(
        True, description="Cut prose between sentences rather than between words."
    )
    chunk_context: int = Field(
        80,
        ge=0,
        le=1000,
        description="Embed a chunk together with the headings above it and up to so many "
        "characters before it in its paragraph. 0: with neither.",
    )
    max_file_mb: float = Field(
        10, gt=0, le=1024, description="Larger files are skipped with that reason."
    )
    readers: Annotated[dict[str, str], AfterValidator(_readers)] = Field(
        {},
        description="Commands that read files of kinds by suffix, in the place of hoverkite or "
        'where it reads none: `readers = { djvu = "djvutxt {file}" }`. They print UTF-8 text; '
        "form feeds divide its pages. No shell is involved, and a command that takes longer than "
        "a minute is stopped.",
    )
    include_hidden: bool = Field(
        False, description="Read files and folders whose name begins with a dot."
    )
    confirm_files: int = Field(
        2000, ge=0, description="Ask before indexing a new folder with more files than this."
    )
    ask_before_indexing: Literal["first", "always", "large", "never"] = Field(
        "first",
        description="Which new folders the screen asks about before it indexes them: the first of "
        "all and large ones, each, large ones alone, or none. Commands ask about large ones, with "
        "`never` about none.",
    )

    # Embedding and search
    embedding_model: str = Field(
        "all-MiniLM-L6-v2",
        description="A sentence-transformers model: the embedded one, a folder, or a hub name.",
    )
    embedding_device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "auto", description="Where the encoder runs."
    )
    embedding_prompts: Literal["model", "none"] = Field(
        "model",
        description="What the encoder is told before a query or a document: the prefixes of the "
        "model, where it has some, or none.",
    )
    index_threads: int = Field(
        0,
        ge=0,
        le=1024,
        description="Processor threads that indexing on a CPU may use. 0: one for each core.",
    )
    hits: int = Field(8, ge=1, le=100, description="How many chunks a search returns.")
    hits_per_file: int = Field(
        4,
        ge=0,
        le=100,
        description="At most so many of them of one file, if there are more files. 0: any number.",
    )
    search_mode: Literal["hybrid", "dense", "bm25"] = Field(
        "hybrid",
        description="How chunks are found: by meaning (`dense`), by words (`bm25`), or by both.",
    )
    rerank_model: str = Field(
        "",
        description="A cross-encoder of sentence-transformers, a folder or a hub name, that "
        "puts the best hits of the hybrid search in their final order. Empty: none.",
    )
    rerank_hits: int = Field(
        30, ge=1, le=200, description="How many of the best it reads for a search."
    )
    milvus_uri: str = Field(
        "", description="A Milvus server to use instead of the local Milvus Lite file."
    )

    # Answers
    llm_url: Annotated[str, AfterValidator(_address)] = Field(
        "",
        description="Base address of a running OpenAI-compatible server, such as "
        "`http://127.0.0.1:8000/v1`. Empty: hoverkite runs vLLM itself.",
    )
    llm_api_key: SecretStr = Field(
        SecretStr(""), description="Key for `llm_url`. Only from the environment."
    )
    llm_model: str = Field(
        "",
        description="The answer model: a folder or a hub name. Empty: the embedded "
        "SmolLM2-135M-Instruct, or with `llm_url` the server's first model.",
    )
    llm_start: Literal["screen", "question", "never"] = Field(
        "screen",
        description="When vLLM starts: with the screen (if memory allows), at the first "
        "question, or never.",
    )
    llm_idle_minutes: float = Field(
        15, gt=0, description="vLLM is stopped after this long without a question."
    )
    llm_context: int = Field(
        4096, ge=512, le=100_000_000, description="Context length vLLM is started with, in tokens."
    )
    llm_kv_cache_gb: float = Field(
        1, gt=0, description="Memory for vLLM's key-value cache on a CPU, in GiB."
    )
    llm_dtype: Literal["auto", "bfloat16", "float16", "float32"] = Field(
        "auto",
        description="Numbers that vLLM computes in. `auto` is bfloat16, but float32 on a CPU "
        "without bfloat16 instructions where that leaves half of the memory free: it is several "
        "times as fast there.",
    )
    llm_gpu_memory: float = Field(
        0.5, gt=0, le=1, description="Share of the GPU's memory that vLLM may take."
    )
    llm_max_tokens: int = Field(
        512,
        ge=1,
        le=1_000_000,
        description="Longest answer, in tokens. The embedded demonstration model, which soon "
        "repeats itself, stops at 192.",
    )
    llm_temperature: float = Field(0.2, ge=0, le=2, description="Sampling temperature.")
    llm_top_p: float = Field(0.95, gt=0, le=1, description="Nucleus sampling threshold.")
    llm_seed: int = Field(
        415,
        ge=0,
        le=2**32 - 1,
        description="Sampling seed, so that answers can be repeated. hoverkite's own vLLM on a CPU "
        "takes it when it starts, and none with each question.",
    )
    prompt_hits: int = Field(
        2,
        ge=1,
        le=20,
        description="How many hits the model is shown, besides those that were pinned. The "
        "embedded demonstration model is shown the quoted sentences alone.",
    )
    prompt_choice: Literal["extracts", "best"] = Field(
        "extracts",
        description="Which hits these are: those that the extracts were quoted from, and then the "
        "best; or the best alone.",
    )
    prompt_context: int = Field(
        1,
        ge=0,
        le=10,
        description="How many chunks before and after each of these hits the model is shown too, "
        "as far as they belong to the same section and fit. The embedded demonstration model, "
        "which more text confuses, is shown none.",
    )
    when_not_found: Literal["say", "answer"] = Field(
        "say",
        description="What happens when no passage is near enough to hold an answer: say so, or "
        "let the model answer without documents, marked as such. The embedded demonstration "
        "model never answers then.",
    )
    rewrite_follow_ups: bool = Field(
        True,
        description="Search for a follow-up question in words that say what it is about, taken "
        "from the conversation by the model.",
    )
    conversation_days: float = Field(
        90,
        ge=0,
        description="Conversations are deleted this many days after their last question. 0: none "
        "is written to the disk, those that are there are deleted, and one lasts until its folder "
        "is closed.",
    )

    # The engine and the screen
    fetch_models: bool = Field(
        False,
        description="Fetch a model that a setting names from the model hub when it is not on this "
        "machine yet. Without it nothing is ever downloaded.",
    )
    engine_linger_minutes: float = Field(
        10, ge=0, description="The engine stays this long after its last client left."
    )
    search_as_you_type: bool = Field(
        True,
        description="The screen shows the hits of a query while it is typed, at each pause.",
    )
    theme: str = Field("kite", description="Colour theme of the screen.")
    editor: str = Field(
        "", description="Command that opens a hit. Empty: `$VISUAL`, then `$EDITOR`, then `vi`."
    )
    signs: Literal["auto", "unicode", "ascii"] = Field(
        "auto",
        description="Frames and marks of the screen. `auto`: plain ASCII where the locale's "
        "encoding has no others.",
    )
    keys: dict[str, Any] = Field(
        {}, description="Keys of the screen by the ids that [the page on keys](keys.md) lists."
    )


TOLD = set(Settings.model_fields) - {"llm_api_key", "llm_url"}
"""Settings whose values may be told where they are wrong; others may hold secrets."""


def config_file() -> Path:
    """Where the config file is, whether it exists or not."""
    named = os.environ.get(CONFIG_NAME)
    if not named:
        return paths.config_dir() / "config.toml"
    return Path(os.path.expanduser(named))  # noqa: PTH111  never raises


def load(flags: dict[str, Any] | None = None) -> Settings:
    """Return the settings in force; ``flags`` win over everything.

    Raises:
        ConfigError: naming the source (file or environment variable), the key and the fault.
    """
    path = config_file()
    sources: dict[str, Source] = {}
    values: dict[str, Any] = {}
    for source, found in (
        (Source(str(path), f"Correct {{key}} in {path}"), read_file(path)),
        (_IN_ENVIRONMENT, _read_environment()),
        (_ON_COMMAND_LINE, flags or {}),
    ):
        for key, value in found.items():
            sources[key] = source
            values[key] = value
    if values.get("profile") == "reference":
        values = REFERENCE_PROFILE | values
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise explain(error, sources, TOLD) from None
    if settings.chunk_overlap >= settings.chunk_size:
        given = [key for key in ("chunk_overlap", "chunk_size") if key in sources]
        raise ConfigError(
            f"chunk_overlap ({settings.chunk_overlap}) must be smaller than "
            f"chunk_size ({settings.chunk_size})",
            next_step([(key, sources[key]) for key in given]),
        )
    return settings


_IN_ENVIRONMENT = Source("the environment", f"Correct or unset {ENV_PREFIX}{{KEY}}", is_text=True)
_ON_COMMAND_LINE = Source("the command line", "Correct --set {key}=...", is_text=True)


def read_file(path: Path) -> dict[str, Any]:
    """Return what the config file sets; nothing where there is none.

    Raises:
        ConfigError: it can't be read, or holds a secret.
    """
    try:
        found = toml_file.read(path)
    except FileNotFoundError as error:
        if os.environ.get(CONFIG_NAME):
            raise ConfigError(
                f"{CONFIG_NAME} names {path}, which does not exist",
                f"Correct or unset {CONFIG_NAME}",
            ) from error
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} can't be read: {error}", f"Correct {path}") from error
    if "llm_api_key" in found:
        raise ConfigError(
            f"{path} holds llm_api_key; secrets never live in files",
            f"Remove it there and set {ENV_PREFIX}LLM_API_KEY in the environment",
        )
    return found


def _read_environment() -> dict[str, Any]:
    return {
        name.removeprefix(ENV_PREFIX).lower(): value
        for name, value in os.environ.items()
        if name.startswith(ENV_PREFIX) and name not in NOT_SETTINGS and value
    }
