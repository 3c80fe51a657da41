"""Documents that look real, for the demo, the snapshots and the picture of the screen."""

from __future__ import annotations

from engine.part import Part
from engine.wire import api_answer, api_search
from engine.wire.api_around import AroundLine, AroundReply
from engine.wire.api_files import ListedFile
from tests.hits import hit
from tests.tui.scripted import cited_in

QUESTION = "How do I keep a sourdough starter alive while I travel?"

HITS = [
    hit(
        1,
        path="bread/starter.md",
        start_line=41,
        end_line=49,
        heading="Sourdough > The starter > Resting it",
        text="""## Resting it

A starter rests in the fridge for up to three weeks. Feed it one part starter, two
parts flour and one part water before you travel: a stiff starter ferments more
slowly than a wet one.

- Leave the lid loose, since gas still forms.
- Expect a layer of grey liquid; pour it off or stir it in.
- For a longer journey, dry it instead.""",
        distance=0.7412,
    ),
    hit(
        2,
        path="bread/drying.md",
        start_line=8,
        end_line=17,
        heading="Drying a starter",
        text="""Spread the starter thinly on baking paper and leave it for two days in a warm
room. Crumbled into a jar, dried starter keeps for a year without any feeding.""",
        distance=0.6938,
    ),
    hit(
        3,
        path="bread/starter.md",
        start_line=50,
        end_line=58,
        heading="Sourdough > The starter > Waking it",
        text="Feed it twice, twelve hours apart, before you bake with it again.",
        distance=0.6120,
    ),
    hit(
        4,
        path="travel/checklists/before-leaving.md",
        start_line=3,
        end_line=14,
        heading="Before leaving > Kitchen",
        text="- [ ] feed the starter\n- [ ] empty the fridge",
        distance=0.5533,
    ),
    hit(
        5,
        path="library/flour-and-water.pdf",
        start_line=12,
        end_line=30,
        part=Part("page", 64),
        heading="Levain",
        text="The mature levain is held back from the dough of the day before.",
        distance=0.5210,
    ),
    hit(
        6,
        path="bread/log/2026-spring.md",
        start_line=120,
        end_line=131,
        heading="Bread log > April",
        text="Back after nine days. It woke in a day and a half.",
        distance=0.4871,
    ),
    hit(
        7,
        path="bread/flours.md",
        start_line=77,
        end_line=85,
        heading="Flours > Rye",
        text="Rye feeds a sleepy starter best.",
        distance=0.4402,
    ),
    hit(
        8,
        path="questions.txt",
        start_line=31,
        end_line=34,
        heading="",
        text="Can a starter be frozen? Ask at the mill.",
        distance=0.4019,
    ),
]

EXTRACTS = [
    api_answer.Extract(text="A starter rests in the fridge for up to three weeks.", hit=1),
    api_answer.Extract(
        text="Crumbled into a jar, dried starter keeps for a year without any feeding.", hit=2
    ),
]

ANSWER = """Two ways, depending on how long you are gone:

1. **Up to three weeks:** feed it stiff (1 : 2 : 1) and put it into the fridge with a loose lid [1].
2. **Longer:** spread it thinly, dry it for two days and keep the crumbs in a jar [2].

When you are back, feed it *twice*, twelve hours apart, before you bake."""

CITED = """Two ways, depending on how long you are gone:

1. **Up to three weeks:** feed it stiff (1 : 2 : 1) and put it into the fridge with a loose lid. [1]
2. **Longer:** spread it thinly, dry it for two days and keep the crumbs in a jar. [2]

When you are back, feed it *twice*, twelve hours apart, before you bake. [3] Rye wakes it within an
hour. [?]"""


CITATIONS = cited_in(CITED)

PROMPT = api_answer.PromptMade(
    model="SmolLM2-135M-Instruct",
    hits=[3, 2, 1],
    notice="5 hits were left out: the model takes 2 048 tokens",
    tokens=412,
    counted=True,
    passages=[
        api_answer.ShownPassage(
            hits=[each.rank],
            title=f"{each.path} › {each.heading}",
            start_line=each.start_line,
            end_line=each.end_line,
            tokens=60 * each.rank,
            counted=True,
        )
        for each in reversed(HITS[:3])
    ],
    messages=[
        api_answer.ChatMessage(role="system", content="Answer from the passages alone."),
        api_answer.ChatMessage(
            role="user", content=f"<7f3a>\n{HITS[0].text}\n</7f3a>\n\n{QUESTION}"
        ),
    ],
)

ABOVE = """## Feeding it

In a warm kitchen a starter wants food twice a day, in a cool one once. Use it
when it has doubled and begins to sink.

The flour matters less than the hour: keep to a rhythm.
"""
BELOW = """
## Waking it

Feed it twice, twelve hours apart, before you bake with it again."""
_LINES = f"{ABOVE}\n{HITS[0].text}\n{BELOW}".split("\n")
_FIRST = HITS[0].start_line - ABOVE.count("\n") - 1
AROUND = AroundReply(
    lines=[
        AroundLine(line=number, text=text, is_hit=HITS[0].start_line <= number <= HITS[0].end_line)
        for number, text in enumerate(_LINES, _FIRST)
    ],
    start=len(ABOVE) + 1,
    end=len(ABOVE) + 1 + len(HITS[0].text),
)
"""What stands around the first hit."""

FILES = [
    ListedFile(
        path="bread/drying.md",
        state="indexed",
        chunks=4,
        characters=1712,
        loader="markdown",
        seconds=0.012,
        bytes=1720,
        modified="2026-05-01T09:30:00+02:00",
    ),
    ListedFile(
        path="bread/flours.md",
        state="stale",
        chunks=31,
        characters=9120,
        loader="markdown",
        bytes=9177,
    ),
    ListedFile(path="bread/log/2026-spring.md", state="reading", bytes=20_400),
    ListedFile(path="bread/log/2026-summer.md", state="waiting", bytes=1200),
    ListedFile(
        path="library/flour-and-water.pdf",
        state="skipped",
        bytes=18_700_000,
        loader="pdf",
        seconds=2.41,
        reason="a scanned PDF without text",
        next_step="Make its text readable first, for example with: ocrmypdf",
    ),
    ListedFile(
        path="library/milling/the-complete-history-of-stone-milling-in-four-volumes.pdf",
        state="skipped",
        reason="larger than 20 MB",
        next_step="Raise max_file_mb in the settings, or split the file",
    ),
    *(
        ListedFile(
            path=f"recipes/{name}.{'txt' if at % 2 else 'md'}",
            state="indexed",
            chunks=3 + 4 * at,
            characters=1390 + 4017 * at,
            bytes=1400 + 4090 * at,
            loader="text (cp1251, 93 % sure)" if at % 2 else "markdown",
            seconds=0.009 + 0.004 * at,
        )
        for at, name in enumerate(("bagel", "brioche", "ciabatta", "focaccia", "pita", "rye"))
    ),
    ListedFile(path="travel/checklists", state="skipped", reason="a link to nothing"),
]
"""Files of the folder, each state among them."""

EXPLAINED = [
    each.model_copy(
        update={
            "score": round(1 - number / 9, 3),
            "dense_rank": number + 1 if number != 2 else None,
            "bm25_rank": 8 - number if number < 6 else None,
            "bm25_score": 7.25 if number < 6 else None,
            "folded": [api_search.Place(path="bread/old.md", start_line=3, end_line=9)]
            if number == 1
            else [],
        }
    )
    for number, each in enumerate(HITS)
]
