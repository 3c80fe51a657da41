"""What a person pinned for the model and took from it: looked up anew, and laid beside the hits.

Nothing of a pinned hit is believed but where it stood: its text and lines come from the index.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from engine.answering.passages import Key, Stretch, key_of, stretches
from engine.config import Settings
from engine.part import short
from engine.searching.around import span
from engine.searching.place import path_of, place_at
from engine.serving.models import is_demonstration
from engine.storage.manifest import Manifest
from engine.wire.api_answer import HitsFound, Tray
from engine.wire.api_around import AroundRequest
from engine.wire.api_search import Hit, Place

Around = list[Stretch | None]


@dataclass(frozen=True)
class Laid:
    """The hits of an answer: what was found, then what was pinned and not found."""

    found: HitsFound
    pinned: list[int] = field(default_factory=list)
    """Ranks of the hits that a person pinned, best first."""
    dropped: frozenset[Key] = frozenset()
    tray: Tray = Tray()  # noqa: RUF009  it never changes
    """What it was made of."""

    @property
    def exactly(self) -> bool:
        """Whether nothing but the pinned hits is shown."""
        return self.tray.exactly

    @property
    def judged(self) -> Tray:
        """The tray as far as a person has judged by it what may hold the answer."""
        return self.tray if self.pinned or self.exactly else Tray()

    @property
    def hits(self) -> list[Hit]:
        """All that may be quoted and shown to the model, the pinned ones first."""
        kept = [hit for hit in self.found.hits if key_of(hit) not in self.dropped]
        pinned = [hit for rank in self.pinned for hit in kept if hit.rank == rank]
        return [*pinned, *(hit for hit in kept if hit.rank not in self.pinned)]


def lay(found: HitsFound, tray: Tray, manifest: Manifest) -> Laid:
    """Return what a question's tray makes of what was ``found``.

    A pinned hit whose text no longer stands in its file is left out, and a notice says so.
    Blocking.

    Raises:
        ManifestError: the texts can't be read.
    """
    looked = [(pinned, _hit(pinned, manifest)) for pinned in tray.pinned]
    hits, pinned = list(found.hits), []
    ranks = {(key_of(hit), hit.text): hit.rank for hit in hits}
    for hit in [hit for _, hit in looked if hit]:
        same = key_of(hit), hit.text
        if same not in ranks:
            ranks[same] = len(hits) + 1
            hits.append(hit.model_copy(update={"rank": ranks[same]}))
        pinned.append(ranks[same])
    notices = [*found.notices, *(_gone(place) for place, hit in looked if not hit)]
    return Laid(
        found.model_copy(update={"hits": hits, "notices": notices}),
        list(dict.fromkeys(pinned)),
        frozenset(map(key_of, tray.dropped)),
        tray,
    )


def _gone(place: Place) -> str:
    where = place.path + short(place.part, place.start_line, place.end_line)
    return f"{where} was pinned and has changed: it is left out"


def _hit(pinned: Hit, manifest: Manifest) -> Hit | None:
    """Return ``pinned`` with the place and words that the index has for it; None where it is gone.

    How near it was to another question says nothing about this one, and is left out.
    """
    path = path_of(pinned.path, pinned.quoted_path)
    stored = manifest.texts.at(path)
    if stored is None or not pinned.text.strip():
        return None
    document = stored.document()
    try:
        stands = span(document, AroundRequest.of(pinned, 0))
    except ValidationError:  # its lines are none
        return None
    if stands is None:
        return None
    start, end = stands
    (first, last), part = document.lines(start, end), document.part(start)
    return Hit(
        rank=1,
        **place_at(path, first, last, part).model_dump(),
        heading=manifest.texts.heading(stored.file, first, part),
        text=document.text[start:end],
        distance=None,
        start=start,
        end=end,
    )


def chosen(laid: Laid, quoted: Sequence[int], settings: Settings) -> list[Hit]:
    """Return the hits that the model is shown, the most important first.

    Those are the pinned ones, and unless nothing else is wanted ``prompt_hits`` others: those
    with the ranks ``quoted``, from which the extracts come, then the best. The demonstration
    model, which more text confuses, is shown no other than the quoted ones.
    """
    if laid.exactly:
        return laid.hits
    pinned = [hit for hit in laid.hits if hit.rank in laid.pinned]
    others = [hit for hit in laid.hits if hit.rank not in laid.pinned]
    if settings.prompt_choice == "extracts":
        others.sort(key=lambda hit: quoted.index(hit.rank) if hit.rank in quoted else len(quoted))
    if is_demonstration(settings) and quoted:
        return [*pinned, *(hit for hit in others if hit.rank in quoted)]
    return [*pinned, *others[: settings.prompt_hits]]


def around(laid: Laid, hits: Sequence[Hit], settings: Settings, manifest: Manifest) -> Around:
    """Return what stands around each of ``hits``; nothing is added to exactly the pinned ones.

    Blocking.

    Raises:
        ManifestError: the texts can't be read.
    """
    if laid.exactly:
        return [None for _ in hits]
    return stretches(hits, settings, manifest, laid.dropped)
