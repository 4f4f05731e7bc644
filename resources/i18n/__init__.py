"""Translations of the texts of the window: sources (.ts), and what Qt reads (.qm)."""
