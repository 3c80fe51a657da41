"""What a request has to hold before the engine looks at it."""

import pytest
from pydantic import ValidationError

from engine.wire.api import OpenFolder
from engine.wire.api_kept import ExamineRequest
from engine.wire.api_search import Place


@pytest.mark.parametrize("message", [OpenFolder, ExamineRequest])
def test_a_folder_has_a_path(message: type[OpenFolder | ExamineRequest]) -> None:
    """An empty one would be the engine's own working folder."""
    assert message.model_validate({"path": "/docs"}).path == "/docs"
    with pytest.raises(ValidationError, match="path"):
        message.model_validate({"path": ""})


@pytest.mark.parametrize("line", [-1, 10**20])
def test_a_place_is_one_that_a_file_can_have(line: int) -> None:
    """SQLite takes no larger number."""
    assert Place(path="a.md", start_line=1, end_line=2**31 - 1).end_line
    for lines in ({"start_line": line, "end_line": 1}, {"start_line": 1, "end_line": line}):
        with pytest.raises(ValidationError, match="line"):
            Place.model_validate({"path": "a.md"} | lines)
