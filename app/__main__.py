"""``python -m app`` is the ``unifusion`` command; the frozen program is its own helpers, too."""

import sys

if __name__ == "__main__":
    if sys.argv[1:] == [
        "--decode-apart"
    ]:  # core.io.readers.isolated.CHILD_ARGUMENT; nothing else is loaded
        from core.io.readers.isolated_child import main
    elif sys.argv[1:2] == ["--compute"]:  # app.compute.process.CHILD_ARGUMENT
        import os

        if hasattr(os, "nice"):
            os.nice(5)  # as in app.compute.__main__
        from app.compute.child import serve_window as main
    else:
        from multiprocessing import freeze_support

        freeze_support()  # does not return in a process that trains along (train --devices)
        from app.cli import main
    main()
