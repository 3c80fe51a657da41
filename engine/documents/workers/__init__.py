"""Rich formats are read in processes of their own, where a hostile file can harm nothing else.

>>> read_in_worker("pdf", raw)
Parts(unit='page', parts=[Part(text='...', name='')])
"""

from engine.documents.workers.pool import SECONDS, Pool, close, read_in_worker

__all__ = ["SECONDS", "Pool", "close", "read_in_worker"]
