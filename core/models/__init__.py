"""The networks of the paper, written once and configured by frozen dataclasses."""
