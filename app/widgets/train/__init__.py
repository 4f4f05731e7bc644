"""Widgets of the Train workspace."""
