"""Where set-up put the models: read before any test gets a home of its own."""

from engine import paths

PREPARED_CACHE = paths.cache_dir().parent
"""The user's cache folder; ``make setup`` made the compiled and converted models in it."""
