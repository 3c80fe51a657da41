"""How a manifest of today becomes one of a schema before."""

TO_SCHEMA_4 = """
ALTER TABLE files DROP COLUMN loader;
ALTER TABLE files DROP COLUMN characters;
ALTER TABLE files DROP COLUMN seconds;
ALTER TABLE chunks RENAME COLUMN part TO page;
PRAGMA user_version = 4;
"""
TO_SCHEMA_2 = f"""
{TO_SCHEMA_4}
ALTER TABLE files DROP COLUMN ctime_ns;
ALTER TABLE chunks DROP COLUMN context;
ALTER TABLE chunks DROP COLUMN readable;
DROP TABLE documents;
DROP TABLE tags;
DROP TABLE aliases;
DROP TABLE lines;
DROP TABLE line_files;
PRAGMA user_version = 2;
"""
