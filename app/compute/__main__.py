"""``python -m app.compute HANDLE WARM`` is the compute process; only the window starts it."""

import os

if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(5)  # before anything is imported: where cores are short, the window comes first
    from app.compute.child import serve_window

    serve_window()
