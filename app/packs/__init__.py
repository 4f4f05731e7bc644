"""Model packs: the dialog, and the service behind it."""
