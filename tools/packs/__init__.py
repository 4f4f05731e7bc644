"""Making of embedded packs."""
