"""What is kept between sessions: settings, session, recent files."""
