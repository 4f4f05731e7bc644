"""Luma: how much red, green and blue count in the grey of a colour image."""

from __future__ import annotations

import numpy as np

from core.types.arrays import read_only

KR, KG, KB = 0.299, 0.587, 0.114
"""ITU-R BT.601, as in JPEG; their sum is 1."""
LUMA_WEIGHTS = read_only(np.array([KR, KG, KB], dtype=np.float32))
"""The same as float32: an H×W×3 image @ these is its luma."""
