"""Document text → chunks with their positions, their headings and their words."""
