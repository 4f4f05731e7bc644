"""The registry of commands, their shortcuts, the command palette and undo."""
