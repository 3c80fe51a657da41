"""Question and hits → extracts, a prompt, and an answer whose sentences are checked."""
