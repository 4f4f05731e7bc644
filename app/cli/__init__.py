"""The command line. Imports no Qt unless the window is asked for."""

from app.cli.main import main

__all__ = ["main"]
