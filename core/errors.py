"""Errors that are shown to the user: each states what happened, why, and what to do about it."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from core.messages import Message

__all__ = [
    "ArchiveAway",
    "ArchiveError",
    "ArchiveTimeout",
    "AssociationRefused",
    "BackboneMissing",
    "Cancelled",
    "CertificateWrong",
    "ConnectionBroken",
    "ContextRefused",
    "DamagedImage",
    "DeviceFault",
    "DeviceMemoryError",
    "DeviceUnavailable",
    "DownloadError",
    "FusionError",
    "InputError",
    "LoginRefused",
    "Message",
    "MissingSlices",
    "MixedPatients",
    "NodeExists",
    "OutputError",
    "PackError",
    "RegionError",
    "RegionOutside",
    "RegionUnitError",
    "RigExists",
    "SeriesError",
    "SizeMismatch",
    "TwoPatients",
    "UnevenSlices",
    "VolumesApart",
    "WrongTitle",
    "differing_proportions",
]


class FusionError(Exception):
    """Base class of all expected errors.

    ``str(error)`` is one readable paragraph. ``what`` names the object that failed (usually a
    file), ``why`` the reason, ``remedy`` the next step for the user. Each is a constant text or a
    :class:`Message`, which the window can show in the user's language.
    """

    def __init__(self, what: str, why: str = "", remedy: str = "") -> None:
        self.what = _stripped(what)
        self.why = _stripped(why)
        self.remedy = _stripped(remedy)
        super().__init__(self.what, self.why, self.remedy)

    @property
    def message(self) -> Message:
        """The paragraph as a message, for other messages and for records."""
        what, why, remedy = (Message.plain(text) for text in (self.what, self.why, self.remedy))
        head = Message("{0}: {1}", what, why) if why else what
        sentence = head if head.endswith((".", "!", "?")) else Message("{0}.", head)
        return Message("{0} {1}", sentence, remedy) if remedy else sentence

    def __str__(self) -> str:
        return str(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        # Subclasses have arguments of their own, which are not kept.
        return _same_error, (type(self), self.args, self.__dict__)


def _same_error(kind: type[FusionError], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    made = kind.__new__(kind, *args)
    made.args = args
    made.__dict__.update(state)
    return made


def _stripped(text: str) -> str:
    # str.strip() would turn a Message into a plain string, even if there is nothing to strip.
    return text if text == text.strip() else text.strip()


class InputError(FusionError):
    """A file, folder or option given by the user cannot be used."""


_SAME_PROPORTIONS = 0.02
"""Tolerance for equal proportions, for images cropped to whole blocks; or one pixel."""
_LARGEST_TERM = 32
_NEARLY = 0.005


def differing_proportions(size: tuple[int, int], other: tuple[int, int]) -> str:
    """A message that two sizes (width, height) differ in proportion; "" if they do not."""
    one, two = size[0] / size[1], other[0] / other[1]
    off = abs(size[0] * other[1] - other[0] * size[1]) / max(size[1], other[1])
    if off <= 1 or abs(one - two) <= _SAME_PROPORTIONS * max(one, two):
        return ""
    return Message("The proportions differ ({0} and {1})", _proportion(*size), _proportion(*other))


def _proportion(width: int, height: int) -> str:
    """Proportion in common notation, 16:9 or 4:3; otherwise the ratio to one, 1.78:1."""
    common = math.gcd(width, height)
    if max(width, height) // common <= _LARGEST_TERM:
        return f"{width // common}:{height // common}"
    near = Fraction(width, height).limit_denominator(_LARGEST_TERM // 2)
    if near.numerator and abs(near * height - width) <= _NEARLY * width:
        return f"{near.numerator}:{near.denominator}"
    return f"{width / height:.2f}:1" if width >= height else f"1:{height / width:.2f}"


class DamagedImage(InputError):
    """An image file is damaged or truncated; some formats can be decoded partially.

    Attributes:
        can_be_shown: :func:`core.io.read_image` can return the readable part on request.
    """

    can_be_shown: bool = False


class SizeMismatch(InputError):
    """The two sources differ in size; the remedy offered is to resample B to the size of A.

    ``proportions``: message that the proportions differ too, so that resampling distorts B; or "".
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


class SeriesError(InputError):
    """A series of slices cannot be read as a volume. ``what`` names the series, not the patient."""


class RigExists(InputError):
    """A rig is to be kept under a name that another one has.

    Attributes:
        name: of both.
    """

    name: str = ""


class MissingSlices(SeriesError):
    """Slices are missing between the first and the last one.

    Attributes:
        positions: where they would be, in millimetres along the normal of the slices.
    """

    positions: tuple[float, ...] = ()


class UnevenSlices(SeriesError):
    """The slices lie at different distances from each other."""


class MixedPatients(SeriesError):
    """The files of one series name more than one patient."""


class TwoPatients(InputError):
    """The two volumes of a pair are known to be of different patients."""


class VolumesApart(InputError):
    """Two volumes share no place in the patient."""


class RegionError(InputError):
    """A region, distance or angle is impossible, or cannot be measured on a source."""


class RegionOutside(RegionError):
    """No voxel of a source lies in a region: it is beyond the field of view, or too small."""


class RegionUnitError(RegionError):
    """A region compares values in a unit that the source does not have."""


class OutputError(FusionError):
    """A result cannot be written (folder missing, not writable, disk full, format too small)."""


class PackError(FusionError):
    """A model pack is damaged, of another program or version, or contradicts its manifest."""


class BackboneMissing(PackError):
    """A pack needs an external backbone file that is not on this machine."""


class DeviceMemoryError(FusionError):
    """The device ran out of memory, or would run out of it.

    ``tiles_may_do``: False where smaller tiles would not help.
    """

    tiles_may_do = True


class DeviceFault(FusionError):
    """A graphics card failed, and does nothing more in this process; another one may use it."""


class DeviceUnavailable(FusionError):
    """The requested device does not exist on this machine."""


class DownloadError(FusionError):
    """A requested file could not be downloaded, or is not the expected file."""


class ArchiveError(FusionError):
    """A DICOM archive does not do what it was asked for. No text of it names a patient."""


class ArchiveAway(ArchiveError):
    """Nothing answers at the address of an archive."""


class ArchiveTimeout(ArchiveError):
    """An archive has been silent for too long."""


class ConnectionBroken(ArchiveError):
    """An archive ended the connection before it had done what it was asked for."""


class AssociationRefused(ArchiveError):
    """An archive does not accept associations, now or from this program."""


class WrongTitle(AssociationRefused):
    """An archive does not know an application entity title: its own, or that of this program."""


class ContextRefused(ArchiveError):
    """An archive does not offer a service, or does not take images of a kind."""


class CertificateWrong(ArchiveError):
    """A certificate of an encrypted connection is not trusted, missing or of another host."""


class LoginRefused(ArchiveError):
    """An archive does not accept user and password, or does not let this user do it."""


class NodeExists(InputError):
    """An archive is to be kept under a name that another one has."""


class Cancelled(Exception):
    """The user cancelled. Not a :class:`FusionError`, because nothing failed."""
