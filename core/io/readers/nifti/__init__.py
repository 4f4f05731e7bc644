"""NIfTI-1 and NIfTI-2: single files, compressed ones, pairs of header and image.

nibabel is heavy: nothing here is imported before a NIfTI file is met.
"""

from __future__ import annotations

from core.io.readers import gdcm_import  # noqa: F401
