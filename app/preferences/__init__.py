"""Data stored between sessions: settings, session, recent files."""
