"""The compute process: a child of the window that owns torch, the engine and the trainer."""
