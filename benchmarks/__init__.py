"""Measurements of speed, memory and quality; not installed with the product."""
