"""Habits of the window: keys, undo, recent files, the session, the look, the language."""
