"""The networks of the paper, independent of tiling and configured by frozen dataclasses."""
