"""Why a DICOM series is no volume, beside its geometry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from core.errors import Message, MixedPatients, SeriesError
from core.io.readers.dicom.geometry import Stack
from core.io.readers.dicom.headers import Frame
from core.io.readers.dicom.identity import Person, name_words, patient_marks, people_of
from core.io.readers.dicom.tags import ImageTags, number
from core.io.readers.dicom.values import is_slope_usable, is_turned_round

_ALIKE = 0.1
"""Share by which echo times and b-values may differ from slice to slice."""
_MOVED = 0.1
"""Millimetres by which the volumes of several times may lie beside each other."""


def problem_of(
    frames: Sequence[Frame], stacks: Sequence[Stack], name: Message
) -> SeriesError | None:
    """What stands in the way of reading ``frames`` as the volumes ``stacks``; None if nothing does.

    What is no volume at all comes before what a caller may accept.
    """
    patients = _patients(frames)
    if patients > 1:
        return MixedPatients(
            name,
            Message("its files name {0} different patients", patients),
            Message("Find out whose images they are, and open only those files."),
        )
    if is_colour(frames[0].tags):
        return SeriesError(
            name,
            Message("it holds colours, which are pictures of measurements and not measurements"),
            Message("Open its images one by one, or choose the original series."),
        )
    if "MOSAIC" in frames[0].tags.text("ImageType").upper().split("\\"):
        return SeriesError(
            name,
            Message("the slices of each volume are tiled into one image (a mosaic)"),
            Message("Export it as enhanced DICOM, or convert it to NIfTI."),
        )
    sloped = {bool(frame.tags.numbers("RescaleSlope")) for frame in frames}
    if len(sloped) > 1:
        return SeriesError(
            name,
            Message("some of its slices lack the tag RescaleSlope, so their values are unknown"),
            Message("Export the original series."),
        )
    return _slopes(frames, name) or _mixture(stacks, name) or _geometry(stacks, name)


def _slopes(frames: Sequence[Frame], name: Message) -> SeriesError | None:
    if all(is_slope_usable(frame.tags) for frame in frames):
        return None
    return SeriesError(
        name,
        Message("the tag RescaleSlope of some of its slices is not above 0, so it is not known"),
        Message("Export the original series."),
    )


def _mixture(stacks: Sequence[Stack], name: Message) -> SeriesError | None:
    """Slices of one volume that were measured in different ways, such as two echoes in turn."""
    if len({is_turned_round(frame.tags) for stack in stacks for frame in stack.frames}) > 1:
        return SeriesError(
            name,
            Message("in some of its slices black and white are swapped, in others not"),
            Message("Export the original series."),
        )
    for keyword in ("EffectiveEchoTime", "EchoTime", "DiffusionBValue"):
        for stack in stacks:
            found = [number(frame.tags, keyword) for frame in stack.frames]
            known = [value for value in found if value is not None]
            if known and min(known) < max(known) * (1 - _ALIKE):
                return SeriesError(
                    name,
                    Message(
                        "its slices differ in the tag {0} ({1:g} to {2:g})",
                        keyword,
                        min(known),
                        max(known),
                    ),
                    Message("Export each measurement as a series of its own."),
                )
    return None


def is_colour(tags: ImageTags) -> bool:
    """Whether an image is in colour, stored as such or by a palette."""
    palette = tags.text("PhotometricInterpretation") == "PALETTE COLOR"
    return palette or (number(tags, "SamplesPerPixel") or 1) > 1


def _patients(frames: Iterable[Frame]) -> int:
    """How many patients the files name: by ID; with one ID, by name and birth date together.

    Names that have no word in common are enough where a birth date is not known.
    """
    marks = {patient_marks(frame.tags): name_words(frame.tags) for frame in frames}
    ids = {mark[0] for mark in marks if mark[0]}
    people = people_of(Person(words, birth) for (_, _, birth), words in marks.items())
    return max(len(ids), len(people), 1)


def _geometry(stacks: Sequence[Stack], name: Message) -> SeriesError | None:
    first = stacks[0]
    for stack in stacks:
        if stack.problem is not None:
            return stack.problem
        assert first.affine is not None
        assert stack.affine is not None
        if not np.allclose(stack.affine, first.affine, rtol=0, atol=_MOVED):
            return SeriesError(
                name,
                Message("its volumes lie at different places"),
                Message("Export the times one by one."),
            )
    return None
