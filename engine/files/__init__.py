"""Files on disk: which belong to a folder, and that something happened to them."""
