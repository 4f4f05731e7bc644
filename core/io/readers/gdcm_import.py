"""To be imported before gdcm, which asks for a module ``dl`` of ancient Pythons.

A folder of that name where the program is started would be taken for it, and break the import.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("dl", None)  # type: ignore[arg-type]  # importing it fails, as it should
