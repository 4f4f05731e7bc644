"""Mutated files through all readers: ``python -m tests.fuzz --count 50000``."""
