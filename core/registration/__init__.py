"""How two images of one scene lie to each other: estimated, with how sure that is.

Knows no files and applies nothing: :func:`core.io.pairs` resamples. Estimates are made by
:func:`core.registration.registering.register` and
:func:`core.registration.quick_check.looks_misaligned`; what they say is here, so that the window
can show it without importing what they take (scipy).
"""

from core.registration.result import Misalignment, Registration

__all__ = ["Misalignment", "Registration"]
