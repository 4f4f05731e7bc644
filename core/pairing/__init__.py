"""Finds pairs of files that belong together, with the reason for each."""
