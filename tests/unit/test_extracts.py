import itertools
import time

import pytest

from engine.answering.extracts import ENOUGH, SHORTLIST, choose
from engine.answering.quotable import units
from engine.wire.api_search import Hit
from tests.hits import hit

PARAMETERS = """In order to improve performance, HNSW limits the maximum degree of nodes to `M`.

- Index building parameters

  | Parameter | Description | Range |
  | --- | --- | --- |
  | `M` | M defines the maximum number of outgoing connections in the graph. | [2, 2048] |
  | `efConstruction` | efConstruction controls the speed of the build. | [1, int_max] |
"""
OVERVIEW = """HNSW (Hierarchical Navigable Small World Graph) is a graph-based indexing algorithm.
It builds a multi-layer navigation structure for an image according to certain rules."""
WEATHER = "The weather was fine on that day. Nobody had asked for an umbrella, e.g. at the station."


def hits(*texts: str, heading: str = "", distances: tuple[float, ...] = ()) -> list[Hit]:
    return [
        hit(rank, heading=heading, text=text, distance=distance)
        for rank, (text, distance) in enumerate(
            itertools.zip_longest(texts, distances, fillvalue=0.5), 1
        )
    ]


def quoted(question: str, found: list[Hit]) -> list[tuple[int, str]]:
    extracts = choose(question, found)
    texts = {each.rank: each.text for each in found}
    for extract in extracts:
        assert extract.text in texts[extract.hit]
        assert extract.text == extract.text.strip() != ""
    return [(extract.hit, extract.text) for extract in extracts]


def pieces(text: str) -> list[str]:
    return [text[unit.start : unit.end] for unit in units(text)]


# --- what can be quoted ---


def test_sentences_end_where_a_reader_sees_them_end() -> None:
    text = (
        'Dr. Smith wrote it, e.g. here. It costs 3.5 USD! Was it good? "Yes," he said.\n'
        "The U.S. Army came. This one goes on\nover a line end."
    )
    assert pieces(text) == [
        "Dr. Smith wrote it, e.g. here.",
        "It costs 3.5 USD!",
        "Was it good?",
        '"Yes," he said.',
        "The U.S. Army came.",
        "This one goes on\nover a line end.",
    ]


def test_sentences_without_spaces_are_told_apart() -> None:
    assert pieces("向量索引很快。它使用图！真的吗？") == [
        "向量索引很快。",
        "它使用图！",
        "真的吗？",
    ]


def test_items_rows_and_lines_of_code_are_units_and_headings_are_none() -> None:
    text = (
        "# Title of it\n\n- first item\n2. second item\n> a quotation\n\n"
        "| Name | Meaning |\n| --- | --- |\n| M | the degree |\n\n"
        "```py\nindex = HNSW(\n    M=16)\n```\n\nUnderlined\n==========\n\n***\n"
        "<li>tagged item</li>\n[only a link](x.md)\n\nThe end.\n"
    )
    assert pieces(text) == [
        "first item",
        "second item",
        "a quotation",
        "| M | the degree |",
        "index = HNSW(",
        "M=16)",
        "tagged item",
        "The end.",
    ]


# --- which are quoted ---


def test_the_sentence_that_answers_comes_first() -> None:
    text = (
        "Milvus was founded as a project. Its default port is 19530 for gRPC. "
        "Some people like birds a lot."
    )
    assert quoted("What is the default port?", hits(WEATHER, text))[0] == (
        2,
        "Its default port is 19530 for gRPC.",
    )


def test_rows_that_define_what_is_asked_are_quoted() -> None:
    found = hits(OVERVIEW, PARAMETERS, heading="Index > HNSW")
    first_two = [text for _, text in quoted("What do the parameters for HNSW mean?", found)[:2]]
    assert sorted(text.split()[1] for text in first_two) == ["`M`", "`efConstruction`"]


def test_word_forms_and_parts_of_identifiers_count() -> None:
    found = hits(
        WEATHER, "Nothing here matters. Call drop_collection to remove all of it. So it is."
    )
    assert "drop_collection" in quoted("How are collections dropped?", found)[0][1]


def test_numbers_are_taken_literally() -> None:
    found = hits("Version 2.3 brought upserts to us. Version 2.4 brought sparse vectors to us.")
    assert "2.4" in quoted("What came with version 2.4?", found)[0][1]


def test_an_item_is_not_quoted_for_words_of_a_paragraph_above_its_list() -> None:
    above = "The port of the dashboard is 9091, and many of the birds are red."
    items = "- Owls hear\n- Kites hover above the meadow\n- Herons stand"
    found = hits(f"{above}\n\n{items}")
    assert quoted("What is the port of the dashboard?", found)[0] == (1, above)
    contexts = {unit.context for unit in units(f"{above}\n\n{items}")}
    assert contexts == {""}


def test_an_item_stands_under_the_sentence_that_leads_to_its_list() -> None:
    text = "There are birds. The birds of the meadow are:\n\n- Owls of the night\n- Kites"
    assert [unit.context for unit in units(text)][-1] == "The birds of the meadow are:"
    assert quoted("Which birds live in the meadow?", hits(WEATHER, text))[0][0] == 2


def test_other_scripts_are_matched() -> None:
    found = hits("今天天气很好。向量索引使用图结构。大家都很高兴。")
    assert quoted("什么索引使用图？", found)[0][1] == "向量索引使用图结构。"
    found = hits("Погода была хорошая сегодня. Индекс хранит векторы документов. Все были рады.")
    assert "Индекс" in quoted("Что хранит индекс?", found)[0][1]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How many kites hover there?", "There hover 14 kites over that field."),
        ("Who watches the kites there?", "There watches kites the old Marianne Vos."),
        ("What does kites mean there?", "There kites refers to birds over fields."),
    ],
)
def test_the_form_that_fits_the_question_wins_between_equals(question: str, answer: str) -> None:
    others = "Kites hover there above the fields. Kites watches us there all day long."
    assert quoted(question, hits(f"{others} {answer} {others}"))[0][1] == answer


def test_a_nearer_hit_wins_between_equals() -> None:
    texts = ("Kites hover over open fields all day.", "Kites hover over green fields all day.")
    assert quoted("Where do kites hover?", hits(*texts, distances=(0.4, 0.9)))[0][0] == 2
    assert quoted("Where do kites hover?", hits(*texts, distances=(0.9, 0.4)))[0][0] == 1


def test_text_that_overlapping_chunks_repeat_is_quoted_once() -> None:
    sentence = "The index is rebuilt from the manifest after a crash."
    found = hits(f"Before. {sentence}", f"{sentence} After that.", f"{sentence}")
    assert [text for _, text in quoted("How is the index rebuilt?", found)].count(sentence) == 1


def test_a_question_and_half_a_sentence_are_not_preferred() -> None:
    text = (
        "from the manifest the index is rebuilt.\n\nHow is the index rebuilt from the manifest?\n\n"
        "The engine rebuilds the index from the manifest."
    )
    first = quoted("How is the index rebuilt from the manifest?", hits(text))[0][1]
    assert first == "The engine rebuilds the index from the manifest."


def test_there_are_three_where_much_could_be_quoted() -> None:
    found = hits(OVERVIEW, PARAMETERS, WEATHER)
    assert len(quoted("What do the parameters for HNSW mean?", found)) == 3


@pytest.mark.parametrize("question", ["", "?", "zzz qqq", "the of and", "\x1b[2J", "a" * 100_000])
def test_some_hit_is_quoted_whatever_the_question(question: str) -> None:
    assert quoted(question, hits(WEATHER, OVERVIEW))


@pytest.mark.parametrize("text", ["# Only a heading", "---", "|", "x", "\x1b[2J\u202e", "[a](b)"])
def test_a_hit_without_a_sentence_is_still_quoted(text: str) -> None:
    assert quoted("Anything?", hits(text)) == [(1, text)]


@pytest.mark.parametrize("texts", [(), ("",), ("  \n\t",)])
def test_without_words_there_is_nothing_to_quote(texts: tuple[str, ...]) -> None:
    assert choose("Anything?", hits(*texts)) == []


def test_similarity_decides_between_sentences_that_share_no_word_with_the_question() -> None:
    text = (
        "The bird eats small mammals there. A train leaves at noon there. Rain is expected there."
    )
    seen: list[str] = []

    def near(sentences: list[str]) -> list[float]:
        seen.extend(sentences)
        return [1.0 if "train" in sentence else 0.0 for sentence in sentences]

    chosen = choose("Which departures exist?", hits(text), similarity=near)
    assert chosen[0].text == "A train leaves at noon there."
    assert len(seen) == SHORTLIST


def test_the_encoder_is_not_asked_where_the_words_decide() -> None:
    text = "Kites hover over open fields all day. A train leaves at noon there."

    def near(sentences: list[str]) -> list[float]:
        raise AssertionError(sentences)

    chosen = choose("Where do kites hover all day?", hits(text), similarity=near)
    assert chosen[0].text == "Kites hover over open fields all day."


def test_only_the_beginning_of_a_long_sentence_is_embedded() -> None:
    lengths: list[int] = []

    def near(sentences: list[str]) -> list[float]:
        lengths.extend(map(len, sentences))
        return [0.0] * len(sentences)

    text = "This sentence about birds goes on " + "and on " * 80 + "to its end."
    choose("What about kites?", hits(text, text.replace("birds", "fish")), similarity=near)
    assert lengths == [ENOUGH, ENOUGH]


def test_no_more_than_a_few_sentences_are_embedded() -> None:
    counts: list[int] = []

    def near(sentences: list[str]) -> list[float]:
        counts.append(len(sentences))
        return [0.0] * len(sentences)

    text = " ".join(f"Sentence number {n} is about kites." for n in range(80))
    choose("What about kites?", hits(text, text), similarity=near)
    assert counts == [SHORTLIST]


@pytest.mark.parametrize(
    "text",
    [
        *("word " * 2000, "a. " * 3000, "| a " * 2500, "<b " * 3000, "<b>" * 3000),
        *("1. " * 3000, "`*_" * 3000, "A." * 4000, "\n" * 8000, "> " * 4000),
    ],
    ids=lambda text: text[:5].strip(),
)
def test_hostile_text_takes_bounded_time(text: str) -> None:
    begun = time.monotonic()
    choose("What is a word?", hits(*[text] * 8))
    assert time.monotonic() - begun < 5


def test_a_copy_of_the_question_is_no_answer_to_it() -> None:
    question = "What do the parameters for HNSW mean?"
    asked_before = f"Question: '{question}'"
    answer = "M is the parameter for HNSW that limits the degree of a node."
    found = hits(asked_before, answer, distances=(0.75, 0.6))
    assert choose(question, found)[0].hit == 2


@pytest.mark.parametrize(
    "copy",
    [
        'SAMPLE_QUESTION = "What do the parameters for HNSW mean?"',
        "Question: 'What do the parameters for HNSW MEAN!?'",
        "> **Q:** what do the parameters for HNSW mean?",
    ],
)
def test_a_page_that_asks_the_question_is_not_quoted_for_it(copy: str) -> None:
    found = hits(copy, PARAMETERS, distances=(0.75, 0.55))
    assert all(rank != 1 for rank, _ in quoted("What do the parameters for HNSW mean?", found))


@pytest.mark.parametrize(
    "drawn",
    [
        "│ the kite hovers ││ the owl hunts │",
        "├── kites.md",
        "  ╰──│ 45 ▎ Left out are the owls.",
        "name ━━━╸─ 0.564",
    ],
)
def test_a_drawn_line_is_never_quoted(drawn: str) -> None:
    text = f"The kite hovers.\n{drawn}\nThe owl hunts."
    assert [text[unit.start : unit.end] for unit in units(text)] == [
        "The kite hovers.",
        "The owl hunts.",
    ]


def test_a_sentence_may_hold_a_sign_of_a_drawing() -> None:
    text = "The sign │ parts two panes."
    assert [text[unit.start : unit.end] for unit in units(text)] == [text]
