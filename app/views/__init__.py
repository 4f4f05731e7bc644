"""The workspaces of the window."""
