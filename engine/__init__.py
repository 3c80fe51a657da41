"""hoverkite's local engine: a live index of folders, search over it, and answers from vLLM."""

__version__ = "0.1.0"
