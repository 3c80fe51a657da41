"""A query → ranked hits, each with where it came from and what it lost on the way."""
