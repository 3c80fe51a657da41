"""A program that asks never delays a person."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

from engine.serving.precedence import BULK_AT_ONCE, Precedence
from tests.supervised import until


class Asked:
    """Answers that end when they are told to."""

    def __init__(self) -> None:
        self.precedence = Precedence()
        self.begun: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}

    def has_begun(self, name: str) -> bool:
        return name in self.begun

    async def _events(self, name: str) -> AsyncGenerator[str, None]:
        self.begun.append(name)
        yield name
        await self.ends[name].wait()

    def ask(self, name: str, *, bulk: bool) -> "asyncio.Task[list[str]]":
        self.ends[name] = asyncio.Event()
        events = self.precedence.in_turn(self._events(name), bulk=bulk)

        async def read() -> list[str]:
            return [event async for event in events]

        return asyncio.create_task(read())

    async def end(self, name: str, task: "asyncio.Task[list[str]]") -> None:
        self.ends[name].set()
        assert await task == [name]


async def test_programs_wait_for_persons_and_persons_for_nobody() -> None:
    asked = Asked()
    persons = [asked.ask(f"person {n}", bulk=False) for n in range(5)]
    programs = [asked.ask(f"program {n}", bulk=True) for n in range(5)]
    await until(lambda: len(asked.begun) == 5)
    assert all(name.startswith("person") for name in asked.begun)
    for n, person in enumerate(persons):
        assert len(asked.begun) == 5
        await asked.end(f"person {n}", person)
    await until(lambda: len(asked.begun) == 5 + BULK_AT_ONCE)
    late = asked.ask("late person", bulk=False)
    await until(lambda: asked.begun[-1] == "late person")
    await asked.end("program 0", programs[0])
    assert "program 2" not in asked.begun, "a person is being answered"
    await asked.end("late person", late)
    for n in range(1, 5):
        await until(partial(asked.has_begun, f"program {n}"))
        await asked.end(f"program {n}", programs[n])


async def test_whoever_leaves_keeps_no_place() -> None:
    asked = Asked()
    person = asked.ask("person", bulk=False)
    programs = [asked.ask(f"program {n}", bulk=True) for n in range(4)]
    await until(lambda: asked.begun == ["person"])
    for program in programs:
        program.cancel()
    person.cancel()
    await asyncio.gather(person, *programs, return_exceptions=True)
    await asked.end("next", asked.ask("next", bulk=True))
