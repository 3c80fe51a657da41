"""Real documents beside the project, for tests that take them where they are."""

import os
from pathlib import Path

DATA = Path(os.environ.get("HOVERKITE_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
"""The folder of test collections; a name in the environment wins."""
MESSY = DATA / "messy"
MANUAL = DATA / "milvus-docs" / "md"
