"""The manifest, which is the truth, and Milvus, which is its cache, as one index."""
