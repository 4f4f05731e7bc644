"""``python -m app.compute HANDLE`` is the compute process; only the window starts it."""

from app.compute.child import serve_window

if __name__ == "__main__":
    serve_window()
