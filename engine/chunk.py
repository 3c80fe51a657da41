"""What is embedded: a piece of a document and its place there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document: ``document.text[start:end] == text``, without outer whitespace."""

    start: int
    end: int
    text: str
    start_line: int
    end_line: int
    page: int | None
    heading: str
    """Heading path of the section that covers most of the chunk."""
    context: str = ""
    """What is embedded before the text, because it says what the text is about."""

    @property
    def embedded(self) -> str:
        """What becomes the chunk's vector, and its words for BM25."""
        return f"{self.context}\n{self.text}" if self.context else self.text
