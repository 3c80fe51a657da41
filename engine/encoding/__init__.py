"""Text → vectors: sentence-transformers, the compiled form of its models, and their files."""
