"""The vectors of a folder's chunks, as the manifest keeps them: by text and model."""

import json
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.storage.manifest_file import ManifestFile
from engine.storage.vectors import NO_VECTOR

DAYS_KEPT = 30
"""Vectors that no chunk has needed for so long are forgotten …"""
LEAST_KEPT = 10_000
"""… and before that, the longest unused where there are more of them than chunks, and than this."""


class KeptVectors:
    """One folder's vectors. Writes come from one thread at a time; reads from any."""

    def __init__(self, file: ManifestFile) -> None:
        self._file = file

    def of(
        self, keys: Iterable[bytes], model: str, dimension: int
    ) -> dict[bytes, NDArray[np.float32]]:
        """Return the known vectors of text hashes under ``model``; a damaged one is not known."""
        statement = "SELECT vector FROM vectors WHERE text_hash = ? AND model = ?"
        found = {}
        with self._file.reads() as connection:
            for key in keys:
                row = connection.execute(statement, (key, model)).fetchone()
                if row and (vector := _sound(row[0], dimension)) is not None:
                    found[key] = vector
        return found

    def at(self, rows: Sequence[int], model: str, dimension: int) -> dict[int, NDArray[np.float32]]:
        """Return the vectors of Milvus rows under ``model``, where they are known and sound."""
        found = self._file.all(
            "SELECT DISTINCT row, vector FROM chunks JOIN vectors USING (text_hash) "
            "WHERE model = ? AND row IN (SELECT value FROM json_each(?))",
            (model, json.dumps(list(rows))),
        )
        sound = ((row, _sound(vector, dimension)) for row, vector in found)
        return {row: vector for row, vector in sound if vector is not None}

    def files_without(self, model: str) -> set[int]:
        """Return the files that hold a chunk with no vector under ``model``; reads every chunk.

        Those are among them that were refused because some model gave them none.
        """
        rows = self._file.all(
            "SELECT file FROM chunks WHERE NOT EXISTS (SELECT 1 FROM vectors "
            "WHERE vectors.text_hash = chunks.text_hash AND model = ?) "
            "UNION SELECT id FROM files WHERE reason = ?",
            (model, NO_VECTOR),
        )
        return {row[0] for row in rows}

    def forget_unused(self, model: str, *, now: float) -> int:
        """Drop the vectors that no chunk has needed for long; return how many.

        A vector under another model than ``model``, the one in use, is not needed either. Reads
        every chunk, and the time counts from the first call that found a vector unused.
        """
        with self._file.transaction() as connection:
            connection.execute(
                "DELETE FROM unused WHERE model = ? AND text_hash IN "
                "(SELECT text_hash FROM chunks)",
                (model,),
            )
            connection.execute(
                "INSERT OR IGNORE INTO unused SELECT text_hash, model, ? FROM vectors "
                "WHERE model != ? OR NOT EXISTS "
                "(SELECT 1 FROM chunks WHERE chunks.text_hash = vectors.text_hash)",
                (int(now), model),
            )
            doomed = connection.execute(
                "SELECT text_hash, model FROM unused WHERE since <= ? UNION "
                "SELECT * FROM (SELECT text_hash, model FROM unused "
                "ORDER BY since DESC LIMIT -1 OFFSET max(?, (SELECT count(*) FROM chunks)))",
                (int(now) - DAYS_KEPT * 86_400, LEAST_KEPT),
            ).fetchall()
            connection.executemany("DELETE FROM vectors WHERE (text_hash, model) = (?, ?)", doomed)
            connection.executemany("DELETE FROM unused WHERE (text_hash, model) = (?, ?)", doomed)
        return len(doomed)


def _sound(stored: object, dimension: int) -> NDArray[np.float32] | None:
    if not isinstance(stored, bytes) or len(stored) != 4 * dimension:
        return None
    vector = np.frombuffer(stored, dtype="<f4")
    return vector if np.isfinite(vector).all() else None
