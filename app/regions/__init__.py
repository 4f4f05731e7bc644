"""Regions, distances and angles on the pair on screen: drawing, list, figures, files."""
