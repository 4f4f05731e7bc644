"""A small renderer for the made-up sample scenes: shapes, light, surfaces, cameras."""
