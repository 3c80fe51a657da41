"""Rich formats → text in parts, one module a family: pure functions ``(raw, name) -> Parts``."""
