"""The command line. Qt is imported only by the command that opens the window."""

from app.cli.main import main

__all__ = ["main"]
