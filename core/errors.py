"""Every error a user may meet. Each message says what happened, why, and what to do about it."""

from __future__ import annotations

from core.said import Said

__all__ = [
    "BackboneMissing",
    "Cancelled",
    "DeviceMemoryError",
    "DeviceUnavailable",
    "DownloadError",
    "FusionError",
    "InputError",
    "OutputError",
    "PackError",
    "Said",
    "SizeMismatch",
]


class FusionError(Exception):
    """Base of all expected errors.

    ``str(error)`` is one readable paragraph. ``what`` names the thing that failed (usually a file),
    ``why`` the reason, ``remedy`` the next step a person can take. Each is a constant text or a
    :class:`Said`, so that a window can show it in the person's language.
    """

    def __init__(self, what: str, why: str = "", remedy: str = "") -> None:
        self.what = _stripped(what)
        self.why = _stripped(why)
        self.remedy = _stripped(remedy)
        super().__init__(self.what, self.why, self.remedy)

    @property
    def said(self) -> Said:
        """The paragraph, for other texts to hold and for records to keep."""
        what, why, remedy = (Said.plain(text) for text in (self.what, self.why, self.remedy))
        head = Said("{0}: {1}", what, why) if why else what
        sentence = head if head.endswith((".", "!", "?")) else Said("{0}.", head)
        return Said("{0} {1}", sentence, remedy) if remedy else sentence

    def __str__(self) -> str:
        return str(self.said)


def _stripped(text: str) -> str:
    # Of a text that is clean already, str.strip() would make a plain one.
    return text if text == text.strip() else text.strip()


class InputError(FusionError):
    """A file, folder or option given by the user cannot be used."""


class SizeMismatch(InputError):
    """The two sources have different sizes; resampling B onto A is the remedy on offer."""

    def __init__(self, size_a: tuple[int, int], size_b: tuple[int, int]) -> None:
        self.size_a = size_a
        self.size_b = size_b
        super().__init__(
            Said("The two pictures differ in size"),
            Said("A is {0}×{1} pixels and B is {2}×{3}", *size_a, *size_b),
            Said(
                "Resample B onto A (--resample on the command line, the button in the window), "
                "or choose pictures of the same scene and size."
            ),
        )


class OutputError(FusionError):
    """A result cannot be written (folder missing, not writable, disk full, format too small)."""


class PackError(FusionError):
    """A model pack is damaged, foreign, of an unknown version, or does not fit its manifest."""


class BackboneMissing(PackError):
    """A pack needs an external backbone file that is not on this machine."""


class DeviceMemoryError(FusionError):
    """The device ran out of memory, or would.

    ``tiles_may_do``: False where smaller pieces would not help.
    """

    tiles_may_do = True


class DeviceUnavailable(FusionError):
    """The device that was asked for does not exist on this machine."""


class DownloadError(FusionError):
    """A file that a person asked for could not be fetched, or is not the one that was promised."""


class Cancelled(Exception):
    """The user cancelled. Not a :class:`FusionError`: nothing went wrong."""
