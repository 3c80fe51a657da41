"""How a manifest of today becomes one of a schema before."""

TO_SCHEMA_2 = """
ALTER TABLE files DROP COLUMN ctime_ns;
ALTER TABLE chunks DROP COLUMN context;
DROP TABLE documents;
DROP TABLE tags;
PRAGMA user_version = 2;
"""
