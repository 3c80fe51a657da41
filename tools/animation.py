"""Frames of the screen, as Textual paints them, in one SVG that plays them.

Rows that frames have in common stand in it once, so that a dozen frames are no larger than two.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html import escape

ROW_HEIGHT = 24.4
MARGIN = 6.0
SIZE = re.compile(
    r'<clipPath id="[^"]*clip-terminal">\s*<rect x="0" y="0" width="([\d.]+)" height="([\d.]+)"'
)
STYLE = re.compile(r"\.terminal-\d+-(r\d+) \{([^}]*)\}")
GROUND = re.compile(
    r'<rect fill="(#[0-9a-f]{6})" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" '
    r'height="[\d.]+" shape-rendering'
)
TEXT = re.compile(
    r'<text class="terminal-\d+-(r\d+)" x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"'
    r"[^>]*>([^<]*)</text>"
)
FONT = "'Fira Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace"


@dataclass
class Animation:
    """Gathers frames, and writes them out."""

    title: str
    _rows: dict[str, str] = field(default_factory=dict)
    """Names of rows by what stands in them."""
    _styles: dict[str, str] = field(default_factory=dict)
    """Names of styles by what they say."""
    _frames: list[tuple[float, list[str], str]] = field(default_factory=list)
    """How many seconds each is shown, its rows, and its ground."""
    _size: tuple[float, float] = (0, 0)

    def add(self, svg: str, seconds: float) -> None:
        """Add a frame, an SVG of ``App.export_screenshot``."""
        if not (size := SIZE.search(svg)):
            raise ValueError("that is no SVG of a terminal")
        self._size = float(size[1]), float(size[2])
        grounds = GROUND.findall(svg)
        ((ground, _),) = Counter(fill for fill, *_ in grounds).most_common(1)
        rows: dict[int, list[str]] = {}
        for fill, x, y, width in grounds:
            if fill == ground:
                continue
            part = f'<rect fill="{fill}" x="{x}" width="{width}" height="{ROW_HEIGHT + 0.3}"/>'
            rows.setdefault(round(float(y) / ROW_HEIGHT), []).append(part)
        says = dict(STYLE.findall(svg))
        for style, x, y, length, text in TEXT.findall(svg):
            if text.strip():
                name = self._style(says[style])
                part = f'<text class="{name}" x="{x}" y="18.5" textLength="{length}">{text}</text>'
                rows.setdefault(int(float(y) / ROW_HEIGHT), []).append(part)
        uses = [
            f'<use href="#{self._row("".join(parts))}" y="{number * ROW_HEIGHT:.1f}"/>'
            for number, parts in sorted(rows.items())
        ]
        self._frames.append((seconds, uses, ground))

    def _style(self, says: str) -> str:
        return self._styles.setdefault(says.strip(), f"s{len(self._styles)}")

    def _row(self, parts: str) -> str:
        return self._rows.setdefault(parts, f"r{len(self._rows)}")

    def __str__(self) -> str:
        """The SVG; it stands still on its last frame for whoever wants no movement."""
        width, height = (side + 2 * MARGIN for side in self._size)
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}">',
            f"<title>{escape(self.title)}</title>",
            "<style>",
            f"text {{ font-family: {FONT}; font-size: 20px; white-space: pre }}",
            *(f".{name} {{ {says} }}" for says, name in self._styles.items()),
            *self._timing(),
            "</style>",
            "<defs>",
            *(f'<g id="{name}">{parts}</g>' for parts, name in self._rows.items()),
            "</defs>",
        ]
        for number, (_, uses, ground) in enumerate(self._frames):
            lines += [
                f'<g class="f f{number}"><rect width="100%" height="100%" rx="8" fill="{ground}"/>',
                f'<g transform="translate({MARGIN} {MARGIN})">{"".join(uses)}</g></g>',
            ]
        return "\n".join([*lines, "</svg>\n"])

    def _timing(self) -> list[str]:
        whole = sum(seconds for seconds, *_ in self._frames)
        lines, begin = [".f { visibility: hidden }"], 0.0
        for number, (seconds, *_) in enumerate(self._frames):
            steps = [(0.0, "hidden"), (begin, "visible"), (begin + seconds, "hidden")]
            shown = " ".join(
                f"{100 * at / whole:.3f}% {{ visibility: {state} }}"
                for at, state in steps[number == 0 : 2 if begin + seconds >= whole else 3]
            )
            lines.append(f"@keyframes k{number} {{ {shown} }}")
            lines.append(f".f{number} {{ animation: k{number} {whole:.1f}s step-end infinite }}")
            begin += seconds
        last = len(self._frames) - 1
        still = f".f {{ animation: none }} .f{last} {{ visibility: visible }}"
        return [*lines, f"@media (prefers-reduced-motion) {{ {still} }}"]
