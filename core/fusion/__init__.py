"""Fusing a pair: engines, colour handling, feature maps."""
