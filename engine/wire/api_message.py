"""What all messages between the engine and its clients have in common."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Message(BaseModel):
    """Base of everything on the wire: unknown fields are errors, values never change.

    Validators are built at first use, since most of them take part in no single command.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


Text = Annotated[str, AfterValidator(lambda text: text.encode("utf-8", "replace").decode())]
"""What a person typed: lone surrogates, which JSON cannot carry back, become question marks."""
