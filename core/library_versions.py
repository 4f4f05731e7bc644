"""Which versions of the program and its libraries are at work, for reports."""

from __future__ import annotations

import platform
import sys

from core import __version__

_LIBRARIES = {"torch": "torch", "NumPy": "numpy", "pydicom": "pydicom", "highdicom": "highdicom"}


def library_versions() -> dict[str, str]:
    """Versions by name: of the program, of Python, and of the libraries that are loaded."""
    found = {"UniFusion Studio": __version__, "Python": platform.python_version()}
    for title, module in _LIBRARIES.items():
        if module in sys.modules:
            found[title] = str(getattr(sys.modules[module], "__version__", ""))
    return {title: version for title, version in found.items() if version}
