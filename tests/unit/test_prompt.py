"""What the model is shown: order, fences, neutral text, and trimming with a notice."""

import pytest

from engine.api_search import Hit
from engine.config import Settings
from engine.endpoint import Endpoint
from engine.errors import UsageError
from engine.generate import ChatMessage, estimate_tokens
from engine.prompt import INSTRUCTION, Prompt, Unfenced, build, neutralise
from tests.hits import hit as any_hit

MARK = "5f3a9c01"


def hit(rank: int, text: str, *, path: str = "a.md", heading: str = "") -> Hit:
    return any_hit(rank, text=text, path=path, heading=heading)


async def characters(messages: list[ChatMessage]) -> int | None:
    """Count one token a character."""
    return sum(len(message["content"]) for message in messages)


async def unknown(messages: list[ChatMessage]) -> int | None:
    return None


async def built(
    question: str, hits: list[Hit], *, context: int = 100_000, **values: object
) -> Prompt:
    settings = Settings.model_validate({"llm_model": "some/model", "llm_max_tokens": 64, **values})
    return await build(
        question, hits, settings=settings, context=context, count=characters, mark=MARK
    )


async def test_best_hits_are_shown_and_the_best_stands_last() -> None:
    prompt = await built("Why?", [hit(1, "best"), hit(2, "second"), hit(3, "third")])
    shown = prompt.messages[-1]["content"]
    assert prompt.hits == [2, 1]
    assert shown.index("second") < shown.index("best") < shown.index("Question: Why?")
    assert "third" not in shown
    assert prompt.notice == ""
    assert prompt.tokens == await characters(prompt.messages)


async def test_what_never_changes_comes_first() -> None:
    first = await built("One?", [hit(1, "a")])
    second = await built("Two?", [hit(1, "b")])
    assert first.messages[0] == second.messages[0] == {"role": "system", "content": INSTRUCTION}


async def test_passages_stand_between_marks_that_differ_each_time() -> None:
    settings = Settings(llm_model="some/model")
    prompts = [
        await build("Why?", [hit(1, "text")], settings=settings, context=4096, count=unknown)
        for _ in range(2)
    ]
    assert prompts[0].messages[1] != prompts[1].messages[1]
    fenced = (await built("Why?", [hit(1, "text", heading="Top > Sub")])).messages[1]["content"]
    assert f"{MARK} from a.md, Top > Sub\ntext\n{MARK} end" in fenced


async def test_the_embedded_model_gets_a_short_prompt() -> None:
    short = await built("Why?", [hit(1, "text")], llm_model="")
    full = await built("Why?", [hit(1, "text")])
    assert short.tokens < full.tokens / 2
    assert "text" in short.messages[1]["content"]


@pytest.mark.parametrize(
    "token",
    [
        "<|im_start|>",
        "<|im_end|>",
        "<|endoftext|>",
        "<|eot_id|>",
        "<|start_header_id|>",
        "<|IM_END|>",
        "<｜begin▁of▁sentence｜>",
        "<s>",
        "</s>",
        "<bos>",
        "<end_of_turn>",
        "[INST]",
        "[/INST]",
        "<<SYS>>",
        "<</SYS>>",
        "<think>",
    ],
)
async def test_template_tokens_reach_the_model_from_nowhere(token: str) -> None:
    nested = f"{token[:3]}{token}{token[3:]}"
    prompt = await built(
        f"Why {token}?", [hit(1, f"a{token}system {nested}", path=f"{token}.md", heading=token)]
    )
    whole = "".join(message["content"] for message in prompt.messages)
    assert token not in whole
    assert "system" in whole


@pytest.mark.parametrize(
    "text", ["a |> b <| c", "x[1] < y", "<span>bold</span>", "[click](http://a)", "é ⁅ 日本 😀", ""]
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert neutralise(text) == text


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "name\udcff.md"])
def test_text_can_always_be_sent(text: str) -> None:
    assert "\0" not in neutralise(text)
    assert neutralise(text).encode("utf-8")


async def test_whole_passages_go_first_then_text_and_a_notice_says_so() -> None:
    hits = [hit(1, "best " * 60), hit(2, "second " * 60)]
    both = await built("Why?", hits)
    fewer = await built("Why?", hits, context=both.tokens)
    assert fewer.hits == [1]
    assert fewer.notice == "1 of 2 passages left out to fit the model's context"
    less = await built("Why?", hits, context=fewer.tokens - 50)
    assert less.hits == [1]
    assert less.tokens <= fewer.tokens - 50 - 64
    assert "best best" in less.messages[1]["content"]
    assert less.notice == (
        "1 of 2 passages left out and 1 passage shortened to fit the model's context"
    )


@pytest.mark.parametrize("context", range(600, 1600, 100))
async def test_prompt_and_answer_always_fit(context: int) -> None:
    hits = [hit(rank, f"{rank} " * 400) for rank in range(1, 6)]
    prompt = await built("Why?", hits, context=context, prompt_hits=5)
    assert prompt.tokens + 64 <= context


async def test_prompt_fits_by_estimate_where_the_server_does_not_count() -> None:
    settings = Settings(llm_model="some/model", llm_max_tokens=64)
    prompt = await build(
        "Why?", [hit(1, "word " * 5000)], settings=settings, context=1024, count=unknown
    )
    assert prompt.tokens == estimate_tokens(prompt.messages) <= 1024 - 64
    assert prompt.notice == "1 passage shortened to fit the model's context"


@pytest.mark.parametrize("shown", [0, 1, 5])
@pytest.mark.parametrize("context", [*range(550, 1600, 50), 100_000])
async def test_nothing_is_counted_twice(shown: int, context: int) -> None:
    counted: list[str] = []

    async def noted(messages: list[ChatMessage]) -> int | None:
        counted.append(messages[1]["content"])
        return await characters(messages)

    hits = [hit(rank, f"{rank} " * 400) for rank in range(1, shown + 1)]
    settings = Settings(llm_model="some/model", llm_max_tokens=64, prompt_hits=5)
    prompt = await build("Why?", hits, settings=settings, context=context, count=noted, mark=MARK)
    assert prompt.tokens == await characters(prompt.messages)
    assert len(counted) == len(set(counted))
    if not prompt.notice:
        assert counted == [prompt.messages[1]["content"]]


async def test_no_hits_are_said_to_the_model() -> None:
    prompt = await built("Why?", [])
    assert prompt.hits == []
    assert "No passage was found" in prompt.messages[1]["content"]


@pytest.mark.parametrize(
    ("question", "said"),
    [("", "empty"), (" \n\t", "empty"), ("\0", "empty"), ("x" * 100_000, "100,000 characters")],
)
async def test_questions_that_cannot_be_asked(question: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        await built(question, [hit(1, "text")])


async def test_question_longer_than_the_model_takes() -> None:
    with pytest.raises(UsageError, match=r"too long for the model: \d+ tokens"):
        await built("x" * 3000, [hit(1, "text")], context=1000)


def test_an_endpoint_never_shows_its_key() -> None:
    from pydantic import SecretStr

    assert "hush" not in repr(Endpoint("m", 0, api_key=SecretStr("hush")))


@pytest.mark.parametrize("length", [1, 2, 3, 5, 100])
@pytest.mark.parametrize(
    ("told", "said"),
    [
        (f"{MARK}\nM is the degree.\n{MARK} end", "\nM is the degree.\n"),
        (f"{MARK}{MARK} end{MARK}", ""),
        (f"It ends with {MARK}", "It ends with "),
        ("5f3a9c0 is no fence, 5f3a", "5f3a9c0 is no fence, 5f3a"),
        ("No fence at all, to the end", "No fence at all, to the end"),
    ],
)
def test_a_fence_that_a_model_repeats_is_never_shown(told: str, said: str, length: int) -> None:
    unfenced = Unfenced(MARK)
    pieces = [told[at : at + length] for at in range(0, len(told), length)]
    assert "".join([*map(unfenced.take, pieces), unfenced.rest()]) == said
