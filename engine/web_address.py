"""Whether a text is the address of a server on the web."""

from urllib.parse import urlsplit


def fault_of(address: str) -> str:
    """Return what is wrong with ``address``, without a part of it; empty where nothing is."""
    try:
        parts = urlsplit(address)
        is_whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none, or half a bracket
        is_whole = False
    if not is_whole:
        return "an address such as http://127.0.0.1:8000/v1 is wanted"
    if parts.username is not None or parts.password is not None:
        return (
            "an address without a user's name or a password is wanted; a key belongs into "
            "HOVERKITE_LLM_API_KEY in the environment"
        )
    return ""
