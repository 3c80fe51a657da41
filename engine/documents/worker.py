"""The work done in a child process, where a hostile file can harm nothing else.

``worker.py pdf`` or ``worker.py html``: a file's bytes on standard input, JSON on standard output,
``{"parts": [text, ...]}`` or ``{"error": reason}``. It imports nothing of hoverkite, so that it
starts fast; ``convert_html`` also serves small files in the engine itself.
"""

import json
import resource
import sys
from collections.abc import Callable

MEMORY = 2 * 1024**3
CPU_SECONDS = 60
LONGEST_TEXT = 30_000_000
"""Characters, after which a file is no document any more."""
NOT_TEXT = ["nav", "button", "svg", "script", "style", "dialog", '[role="navigation"]']
"""What is no part of a page's text."""


def read_pdf(raw: bytes) -> list[str]:
    """Return the text of each page.

    Raises:
        ValueError: encrypted, damaged or too long, in a person's words.
    """
    import pypdfium2

    pages: list[str] = []
    length = 0
    try:
        with pypdfium2.PdfDocument(raw) as document:
            for page in document:
                text = page.get_textpage().get_text_bounded()
                page.close()
                length += len(text)
                if length > LONGEST_TEXT:
                    raise ValueError("it holds too much text")
                pages.append(text)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise ValueError("the PDF is encrypted: it asks for a password") from error
        raise ValueError("the PDF is damaged") from error
    return pages


def convert_html(source: str) -> str:
    """Return the text of a page as Markdown: headings, lists, tables and code stay.

    Raises:
        ValueError: it can't be converted, in a person's words.
    """
    import html_to_markdown as converter  # 0.1 s, for folders that hold HTML

    options = converter.ConversionOptions(
        skip_images=True,
        extract_metadata=False,
        exclude_selectors=NOT_TEXT,
        strip_tags=["a"],  # addresses are no words; the link's text stays
        autolinks=False,
        compact_tables=True,
        hidden_content="reachable",
    )
    try:
        made = converter.convert(source, options)
    except (converter.ConversionError, UnicodeEncodeError) as error:
        raise ValueError("HTML that can't be read") from error
    if any("depth" in str(warning.kind).lower() for warning in made.warnings):
        raise ValueError("HTML that is nested too deeply")
    return made.content or ""


WORK: dict[str, Callable[[bytes], list[str]]] = {
    "pdf": read_pdf,
    "html": lambda raw: [convert_html(raw.decode("utf-8"))],
}
"""What the child can be asked for."""


def limit() -> None:
    """Give this process its limits: memory, time, and no core files."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        _, ceiling = resource.getrlimit(what)
        most = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):
            continue  # a platform without this limit


def main() -> None:
    """Read, and always reply."""
    limit()
    work = WORK[sys.argv[1]]
    try:
        reply: dict[str, object] = {"parts": work(sys.stdin.buffer.read())}
    except ValueError as error:
        reply = {"error": str(error)}
    except MemoryError:
        reply = {"error": "reading it takes more memory than it may have"}
    json.dump(reply, sys.stdout)


if __name__ == "__main__":
    main()
