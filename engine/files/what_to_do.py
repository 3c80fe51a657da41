"""What a person can do about a file that is not in the index, told from the reason."""

NOTHING = "There is nothing to do: it is left out on purpose"

_STEPS = (
    ("larger than", "Raise max_file_mb in the settings, or split the file"),
    ("no permission", "Give yourself the right to read it: chmod u+r"),
    ("holds a private key", NOTHING),
    ("what it leads to is read in its own place", NOTHING),
    ("leads back to a folder", NOTHING),
    ("leads out of the folder", "Copy what it leads to into this folder, or open that folder"),
    ("a link", "Put the file itself in its place, or remove the link"),
    ("not a file but", NOTHING),
    ("not a regular file", NOTHING),
    ("hoverkite's own data", NOTHING),
    ("scanned PDF", "Make its text readable first, for example with: ocrmypdf"),
    ("binary content", "Rename it if it is no text, so that its ending says what it is"),
    ("encoding", "Save it as UTF-8"),
    ("text that is damaged", "Save it as UTF-8"),
    ("took longer than", "Split it into smaller files"),
    ("more memory than it may", "Split it into smaller files"),
    ("takes too much memory", "Split it into smaller files, or save it anew"),
    ("too much text", "Split it into smaller files"),
    ("reader has a fault", "Save it anew with the program that made it, or in another format"),
    ("its reader crashed", "Save it anew with the program that made it, or in another format"),
    ("which reads it, can't be run", "Install the command that readers names, or correct it there"),
    ("(exit status", "Try the command that readers names on it yourself"),
    ("no usable vector", "Choose another embedding_model, or take out what is no language"),
    ("unforeseen way", "See the engine's log; docs/troubleshooting.md tells where it is"),
)
"""What to do, by words of the reason; the first that fits."""

_ELSE = "See to what the reason says, then have it read again"


def what_to_do(reason: str) -> str:
    """Return the next step for a file that is left out for ``reason``; empty without one."""
    if not reason:
        return ""
    return next((step for words, step in _STEPS if words in reason), _ELSE)
