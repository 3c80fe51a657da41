"""What a request has to hold before the engine looks at it."""

import pytest
from pydantic import ValidationError

from engine.api import OpenFolder
from engine.api_kept import ExamineRequest


@pytest.mark.parametrize("message", [OpenFolder, ExamineRequest])
def test_a_folder_has_a_path(message: type[OpenFolder | ExamineRequest]) -> None:
    """An empty one would be the engine's own working folder."""
    assert message.model_validate({"path": "/docs"}).path == "/docs"
    with pytest.raises(ValidationError, match="path"):
        message.model_validate({"path": ""})
