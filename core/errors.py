"""Every error a user may meet. Each message says what happened, why, and what to do about it."""

from __future__ import annotations

import math
from fractions import Fraction

from core.messages import Message

__all__ = [
    "BackboneMissing",
    "Cancelled",
    "DamagedImage",
    "DeviceMemoryError",
    "DeviceUnavailable",
    "DownloadError",
    "FusionError",
    "InputError",
    "Message",
    "OutputError",
    "PackError",
    "SizeMismatch",
    "differing_proportions",
]


class FusionError(Exception):
    """Base of all expected errors.

    ``str(error)`` is one readable paragraph. ``what`` names the thing that failed (usually a file),
    ``why`` the reason, ``remedy`` the next step a person can take. Each is a constant text or a
    :class:`Message`, so that a window can show it in the person's language.
    """

    def __init__(self, what: str, why: str = "", remedy: str = "") -> None:
        self.what = _stripped(what)
        self.why = _stripped(why)
        self.remedy = _stripped(remedy)
        super().__init__(self.what, self.why, self.remedy)

    @property
    def message(self) -> Message:
        """The paragraph, for other texts to hold and for records to keep."""
        what, why, remedy = (Message.plain(text) for text in (self.what, self.why, self.remedy))
        head = Message("{0}: {1}", what, why) if why else what
        sentence = head if head.endswith((".", "!", "?")) else Message("{0}.", head)
        return Message("{0} {1}", sentence, remedy) if remedy else sentence

    def __str__(self) -> str:
        return str(self.message)


def _stripped(text: str) -> str:
    # Of a text that is clean already, str.strip() would make a plain one.
    return text if text == text.strip() else text.strip()


class InputError(FusionError):
    """A file, folder or option given by the user cannot be used."""


_SAME_PROPORTIONS = 0.02
"""Cut to whole blocks, images of one shape may differ by so much; and always by a pixel."""
_LARGEST_TERM = 32
_NEARLY = 0.005


def differing_proportions(size: tuple[int, int], other: tuple[int, int]) -> str:
    """That two sizes (width, height) differ in shape, in words without a full stop; "" if not."""
    one, two = size[0] / size[1], other[0] / other[1]
    off = abs(size[0] * other[1] - other[0] * size[1]) / max(size[1], other[1])
    if off <= 1 or abs(one - two) <= _SAME_PROPORTIONS * max(one, two):
        return ""
    return Message("The proportions differ ({0} and {1})", _proportion(*size), _proportion(*other))


def _proportion(width: int, height: int) -> str:
    """As people say it: 16:9, 4:3; of odd sizes the ratio to one, 1.78:1."""
    common = math.gcd(width, height)
    if max(width, height) // common <= _LARGEST_TERM:
        return f"{width // common}:{height // common}"
    near = Fraction(width, height).limit_denominator(_LARGEST_TERM // 2)
    if near.numerator and abs(near * height - width) <= _NEARLY * width:
        return f"{near.numerator}:{near.denominator}"
    return f"{width / height:.2f}:1" if width >= height else f"1:{height / width:.2f}"


class DamagedImage(InputError):
    """An image file is damaged or cut short. Some kinds can be decoded as far as they go.

    Attributes:
        can_be_shown: whether :func:`core.io.read_image` gives what is there, when asked to.
    """

    can_be_shown: bool = False


class SizeMismatch(InputError):
    """The two sources have different sizes; resampling B onto A is the remedy on offer.

    ``proportions``: says that their proportions differ as well, so that resampling stretches; "".
    """

    def __init__(self, size_a: tuple[int, int], size_b: tuple[int, int]) -> None:
        self.size_a = size_a
        self.size_b = size_b
        self.proportions = differing_proportions(size_a, size_b)
        remedy = Message(
            "Resample B onto A (--resample on the command line, the button in the window), "
            "or choose pictures of the same scene and size."
        )
        if self.proportions:
            remedy = Message("{0} {1}: resampled, B is stretched.", remedy, self.proportions)
        super().__init__(
            Message("The two pictures differ in size"),
            Message("A is {0}×{1} pixels and B is {2}×{3}", *size_a, *size_b),
            remedy,
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
