"""The transform of a pair by what a person chose."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.alignment.choice import AlignChoice
from core.alignment.rigs import Rig, find_rig
from core.errors import InputError, Message, SizeMismatch
from core.io.transforms import read_transform
from core.messages import to_data
from core.progress import Progress
from core.types import Image, PairTransform, SourceSide, Transform, TransformKind, Volume
from core.types.transform_data import transform_data, transform_record

if TYPE_CHECKING:
    from core.registration import Registration


class RegistrationFailed(InputError):
    """The images of a pair do not tell how they lie to each other.

    Attributes:
        registration: what was found nevertheless; not to be used.
    """

    registration: Registration


@dataclass(frozen=True)
class Aligned:
    """What became of a choice for one pair.

    Attributes:
        transform: by which the pair is brought onto each other; None to take it as it is.
        registration: how it was estimated; None where it was not.
        kept: digest of the rig or file that it is of (:func:`kept_digest`); "" where it is of none.
    """

    transform: PairTransform | None = None
    registration: Registration | None = None
    kept: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know beyond the notes of the pair itself."""
        found = self.registration
        if found is None:
            return ()
        if self.transform is None:
            return (Message("Not registered, the pair was taken as it is: {0}", _reasons(found)),)
        return found.reasons

    @contextmanager
    def told(self) -> Iterator[None]:
        """Within it, an error about sizes says that, and why, the registration failed.

        Raises:
            SizeMismatch: as within, with the reasons of the registration, which is the cause.
        """
        try:
            yield
        except SizeMismatch as error:
            found = self.registration
            if found is not None and self.transform is None:
                error.why = Message(
                    "{0}, and they could not be registered: {1}", error.why, _reasons(found)
                )
                raise error from failure(found)
            raise

    @property
    def record(self) -> dict[str, Any] | None:
        """As values for JSON: "transform", "registration", "kept", where there are; else None."""
        found: dict[str, Any] = {}
        if self.transform is not None:
            found["transform"] = transform_record(self.transform)
        if self.registration is not None:
            found["registration"] = registration_record(self.registration)
        if self.kept:
            found["kept"] = self.kept
        return found or None


def check_choice(choice: AlignChoice) -> None:
    """Check a choice before any pair is read.

    Raises:
        InputError: there is no such rig or file, or the file holds no transform.
    """
    kept_digest(choice)


def kept_digest(choice: AlignChoice) -> str:
    """32 hex digits of the rig or the transform in the file that a choice names, as it is now.

    Rigs and files may be replaced under the same name. "" for choices that name neither.

    Raises:
        InputError: see :func:`check_choice`.
    """
    if choice.way == "rig":
        return _digest(find_rig(choice.name))
    return _digest(read_transform(choice.name)) if choice.way == "file" else ""


def _digest(kept: Rig | Transform) -> str:
    data = transform_data(kept) if isinstance(kept, Transform) else kept.data()
    text = json.dumps(data, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def align_images(
    choice: AlignChoice, a: Image, b: Image, task: str, progress: Progress | None = None
) -> Aligned:
    """The transform of two images as they were read.

    Args:
        choice: what to do.
        a, b: the images, of any size.
        task: of the pair.
        progress: of the registration; may cancel.

    Raises:
        RegistrationFailed: nothing in the images supports a transform, unless the choice is to
            take such pairs as they are.
        InputError: the rig or file cannot be used for these images.
        Cancelled: by ``progress``.
    """
    if choice.way == "none":
        return Aligned()
    if choice.way == "register":
        fixed, moving = (a, b) if choice.moving == "b" else (b, a)
        return _judged(choice, estimate(fixed, moving, choice.kind, task, progress), choice.moving)
    if choice.way == "rig":
        rig = find_rig(choice.name)
        by, kept = rig.transform_for(a.size, b.size), _digest(rig)
    else:
        by = _of_file(choice, dimension=2)
        kept = _digest(by.transform)
    return Aligned(replace(by.moving_side(choice.moving), crop=choice.crop), kept=kept)


def align_volumes(
    choice: AlignChoice, a: Volume, b: Volume, task: str, progress: Progress | None = None
) -> Aligned:
    """The transform of two volumes, of which A is resampled; see :func:`align_images`.

    Raises:
        InputError: as there; rigs are of pictures.
    """
    if choice.way == "none":
        return Aligned()
    if choice.way == "register":
        return _judged(choice, estimate(b, a, choice.kind, task, progress), "a")
    if choice.way == "rig":
        raise InputError(
            Message("The rig “{0}”", choice.name),
            Message("rigs are of two cameras, and these are volumes"),
            Message("Register the volumes, or choose a transform file."),
        )
    by = _of_file(choice, dimension=3)
    return Aligned(by.moving_side("a"), kept=_digest(by.transform))


def estimate(
    fixed: Image | Volume,
    moving: Image | Volume,
    kind: TransformKind | None,
    task: str,
    progress: Progress | None = None,
) -> Registration:
    """:func:`core.registration.registering.register` by ``kind``, or by what is usual.

    Usual are similarities of pictures, since cameras differ in their lenses, and rigid transforms
    of volumes, whose millimetres are known.

    Raises:
        InputError: see there. Cancelled: by ``progress``.
    """
    # Late: it imports scipy, which most pairs do not need.
    from core.registration.registering import register

    usual: TransformKind = "rigid" if isinstance(fixed, Volume) else "similarity"
    return register(fixed, moving, kind or usual, task=task, progress=progress)


def _judged(choice: AlignChoice, found: Registration, moving: SourceSide) -> Aligned:
    if found.verdict == "failed":
        if choice.keep_failed:
            return Aligned(None, found)
        raise failure(found)
    crop = choice.crop and found.transform.dimension == 2
    by = PairTransform(
        found.transform, moving, origin="registered", verdict=found.verdict, crop=crop
    )
    return Aligned(by, found)


def failure(found: Registration) -> RegistrationFailed:
    """The error about a registration that failed."""
    error = RegistrationFailed(
        Message("The two sources"),
        Message("they could not be registered: {0}", _reasons(found)),
        Message(
            "Choose another kind of transform, give one (a rig or a file), or take the pair as it "
            "is (--keep-failed)."
        ),
    )
    error.registration = found
    return error


def _reasons(found: Registration) -> Message:
    return Message.joined(" ", found.reasons)


def _of_file(choice: AlignChoice, dimension: int) -> PairTransform:
    """The transform in the file, which leads from A to B.

    Raises:
        InputError: it cannot be read, or is one of volumes for pictures, or the reverse.
    """
    transform = read_transform(choice.name)
    if transform.dimension != dimension:
        is_of = Message("it is of volumes, and these are pictures")
        if dimension == 3:
            is_of = Message("it is of pictures, and these are volumes")
        raise InputError(choice.name, is_of, Message("Choose another transform."))
    return PairTransform(transform, "b", origin="file", name=choice.name)


def registration_record(found: Registration) -> dict[str, Any]:
    """What a registration says about itself as values for JSON; its transform is elsewhere."""
    return {
        "verdict": found.verdict,
        "measure": to_data(found.measure),
        "before": _number(found.before),
        "after": _number(found.after),
        "spread": _number(found.spread),
        "reasons": [to_data(reason) for reason in found.reasons],
        "seconds": round(found.seconds, 3),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
