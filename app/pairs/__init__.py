"""Pairs, as shared by Fuse, Batch and Train: thumbnails, tables, edits."""
