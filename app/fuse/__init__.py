"""The Fuse workspace: one pair on screen, its results, and the list of pairs."""
