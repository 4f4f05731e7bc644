"""Aligning the two sources of the pair on screen: by hand, points, registration, or a file."""
