"""Building blocks of the window. They know session state and pictures, never the engine."""
