"""Archives in the window: set up, searched, retrieved from and sent to."""
