"""Volumes in patient millimetres: grids, planes through them, one on the grid of the other.

Imports nothing at this level: each module is for itself.
"""
