"""Every error a user may meet. Each message says what happened, why, and what to do about it."""

from __future__ import annotations


class FusionError(Exception):
    """Base of all expected errors.

    ``str(error)`` is one readable paragraph. ``what`` names the thing that failed (usually a file),
    ``why`` the reason, ``remedy`` the next step a person can take.
    """

    def __init__(self, what: str, why: str = "", remedy: str = "") -> None:
        self.what = what.strip()
        self.why = why.strip()
        self.remedy = remedy.strip()
        super().__init__(self.what, self.why, self.remedy)

    def __str__(self) -> str:
        head = f"{self.what}: {self.why}" if self.why else self.what
        sentence = head if head.endswith((".", "!", "?")) else f"{head}."
        return f"{sentence} {self.remedy}".strip()


class InputError(FusionError):
    """A file, folder or option given by the user cannot be used."""


class SizeMismatch(InputError):
    """The two sources have different sizes; resampling B onto A is the remedy on offer."""

    def __init__(self, size_a: tuple[int, int], size_b: tuple[int, int]) -> None:
        self.size_a = size_a
        self.size_b = size_b
        super().__init__(
            "The two pictures differ in size",
            f"A is {size_a[0]}×{size_a[1]} pixels and B is {size_b[0]}×{size_b[1]}",
            "Resample B onto A (--resample on the command line, the button in the window), "
            "or choose pictures of the same scene and size.",
        )


class OutputError(FusionError):
    """A result cannot be written (folder missing, not writable, disk full, format too small)."""


class PackError(FusionError):
    """A model pack is damaged, foreign, of an unknown version, or does not fit its manifest."""


class BackboneMissing(PackError):
    """A pack needs an external backbone file that is not on this machine."""


class DeviceMemoryError(FusionError):
    """The device ran out of memory."""


class DeviceUnavailable(FusionError):
    """The device that was asked for does not exist on this machine."""


class Cancelled(Exception):
    """The user cancelled. Not a :class:`FusionError`: nothing went wrong."""
