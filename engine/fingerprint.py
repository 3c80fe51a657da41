"""Which settings an engine runs with, told without telling the settings."""

import hashlib

from engine.config import Settings

FRONT_END_SETTINGS = {"theme", "editor", "keys", "signs", "hits", "search_as_you_type"}
"""Settings the engine does not depend on: clients that differ in them share it."""


def fingerprint(settings: Settings) -> str:
    """Return a hash of the settings the engine depends on; equal hashes mean equal settings."""
    values = settings.model_dump(mode="json", exclude=FRONT_END_SETTINGS | {"llm_api_key"})
    key = settings.llm_api_key.get_secret_value()
    text = repr(sorted(values.items())) + hashlib.sha256(key.encode()).hexdigest()
    return hashlib.sha256(text.encode()).hexdigest()[:16]
