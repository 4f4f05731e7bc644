"""Fusion of a pair: engines, colour handling, feature maps."""
