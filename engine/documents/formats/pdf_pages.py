"""The text of a PDF, page by page."""

from engine.documents.parts import LONGEST_TEXT, TOO_LONG, Parts, PartText


def read(raw: bytes, name: str) -> Parts:
    """Return the text of each page as the PDF has it, with its hyphens and control characters.

    Raises:
        ValueError: encrypted, damaged or too long, in a person's words.
    """
    import pypdfium2

    pages: list[PartText] = []
    length = 0
    try:
        with pypdfium2.PdfDocument(raw) as document:
            for page in document:
                text = page.get_textpage().get_text_bounded()
                page.close()
                length += len(text)
                if length > LONGEST_TEXT:
                    raise ValueError(TOO_LONG)
                pages.append(PartText(text))
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise ValueError("the PDF is encrypted: it asks for a password") from error
        raise ValueError("the PDF is damaged") from error
    return Parts("page", pages)
