"""What is embedded: a piece of a document and its place there."""

from dataclasses import dataclass

from engine.part import Part


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document: ``document.text[start:end] == text``, without outer whitespace."""

    start: int
    end: int
    text: str
    start_line: int
    end_line: int
    part: Part | None
    heading: str
    """Heading path of the section that covers most of the chunk."""
    context: str = ""
    """What is embedded before the text, because it says what the text is about."""
    readable: str | None = None
    """What is embedded instead of the text, where its marks and addresses are no words."""

    @property
    def embedded(self) -> str:
        """What becomes the chunk's vector, and its words for BM25."""
        said = self.text if self.readable is None else self.readable
        return f"{self.context}\n{said}" if self.context else said
