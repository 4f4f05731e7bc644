"""Extraction and update of translations."""
