"""Readers of image files, one registered entry per format."""
