"""Building blocks of the window. They know session state and images, never the engine."""
