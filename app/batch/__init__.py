"""The Batch workspace: a folder of pairs in, a folder of results out."""
