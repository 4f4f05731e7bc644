"""What the numbers of a scanner mean: SUV, windows to begin with, colours.

Imports nothing at this level: each module is for itself.
"""
