"""How two images of one scene lie to each other: estimated, with how sure that is.

Knows no files and applies nothing: :func:`core.io.pairs` resamples.
"""

from core.registration.features import feature_kind
from core.registration.quick_check import Misalignment, looks_misaligned
from core.registration.registering import register
from core.registration.result import Registration

__all__ = [
    "Misalignment",
    "Registration",
    "feature_kind",
    "looks_misaligned",
    "register",
]
