"""pymilvus is imported without pandas, and pandas is there for whoever wants it."""

import subprocess
import sys

import pytest

AFTER = """
import sys
from engine import slim_pymilvus
{before}
slim_pymilvus.load()
slim_pymilvus.load()
spared = {{"pandas", "pkg_resources"}}
print(*sorted(name for name in sys.modules if name.partition(".")[0] in spared))
import milvus_lite, pandas
from importlib.metadata import version
from pymilvus import DataType, MilvusClient
from pymilvus.orm.types import infer_dtype_bydata
print(milvus_lite.__version__ == version("milvus_lite"), pandas.DataFrame({{"a": [1]}}).shape)
print(infer_dtype_bydata([1.5]) == DataType.FLOAT_VECTOR, MilvusClient)
"""
WANTS_MORE = """
made = slim_pymilvus._stand_ins
def less():
    pandas, api, types, resources = made()
    del types.is_scalar
    return [pandas, api, types, resources]
slim_pymilvus._stand_ins = less
"""


def run(before: str) -> list[str]:
    command = [sys.executable, "-W", "ignore", "-c", AFTER.format(before=before)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def test_neither_pandas_nor_pkg_resources_is_imported_nor_kept_from_others() -> None:
    left, real, used = run("")
    assert left == ""
    assert real == "True (1, 1)"
    assert used.startswith("True <class 'pymilvus")


@pytest.mark.parametrize("before", [WANTS_MORE, "import pandas"])
def test_a_pymilvus_that_wants_more_gets_the_real_pandas(before: str) -> None:
    left, real, used = run(before)
    assert left == "" if before is WANTS_MORE else "pandas" in left
    assert real == "True (1, 1)"
    assert used.startswith("True <class 'pymilvus")
