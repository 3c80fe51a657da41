"""HTML → Markdown: in a worker, and for small files in the engine itself."""

from engine.documents.parts import Parts, PartText

NOT_TEXT = ["nav", "button", "svg", "script", "style", "dialog", '[role="navigation"]']
"""What is no part of a page's text."""


def convert(source: str) -> str:
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


def read(raw: bytes, name: str) -> Parts:
    """Return the text of a page, given in UTF-8, as Markdown: one part without a unit.

    Raises:
        ValueError: as ``convert``.
    """
    return Parts(None, [PartText(convert(raw.decode("utf-8")))])
