"""The answer model: which ones there are, vLLM started, watched and stopped, and its streams."""
