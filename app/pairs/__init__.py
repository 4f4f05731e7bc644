"""What Fuse, Batch and Train share about pairs: thumbnails, tables, edits."""
