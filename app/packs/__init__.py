"""Model packs: the dialog and its work."""
