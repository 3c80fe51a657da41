"""Answer models worth fetching: what they are, and how much has to be fetched for them."""

from dataclasses import dataclass

AS_OF = "2026-11-23"
SOURCE = (
    "number of parameters as the configuration on each model's page at huggingface.co gives it, "
    "two bytes each (bfloat16)"
)


@dataclass(frozen=True)
class Recommended:
    """A model of the hub that vLLM serves."""

    name: str
    parameters: int
    licence: str
    gated: bool = False
    """Whether its licence has to be accepted on the hub first, by an account."""

    @property
    def bytes(self) -> int:
        """Bytes of its weights: what is fetched, but for some megabytes."""
        return 2 * self.parameters

    @property
    def page(self) -> str:
        """Where a person reads about it."""
        return f"https://huggingface.co/{self.name}"


RECOMMENDED = (
    Recommended("Qwen/Qwen2.5-0.5B-Instruct", 494_032_768, "Apache-2.0"),
    Recommended("Qwen/Qwen2.5-1.5B-Instruct", 1_543_714_304, "Apache-2.0"),
    Recommended("Qwen/Qwen3-4B-Instruct-2507", 4_022_468_096, "Apache-2.0"),
    Recommended("Qwen/Qwen2.5-7B-Instruct", 7_615_616_512, "Apache-2.0"),
    Recommended("meta-llama/Llama-3.1-8B-Instruct", 8_030_261_248, "Llama 3.1", gated=True),
)
"""The smallest first."""
