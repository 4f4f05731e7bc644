"""Tools for embedded packs."""
