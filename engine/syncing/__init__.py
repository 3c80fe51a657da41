"""Folder against manifest: a plan of what differs, applied by the one writer."""
