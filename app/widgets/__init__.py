"""Reusable widgets. They depend neither on the engine nor on a workspace."""
