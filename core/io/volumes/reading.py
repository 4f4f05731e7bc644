"""The voxels of one series.

Two things are refused unless the caller accepts them by name: a gap of missing slices, which stays
empty then, and unevenly spaced slices, between which values are interpolated then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydicom.dataset import Dataset

from core.available_memory import available_bytes
from core.errors import InputError, Message, MissingSlices, SeriesError, UnevenSlices
from core.io.readers.dicom.guard import reading
from core.io.readers.dicom.headers import open_dataset
from core.io.readers.dicom.series import KIND as DICOM
from core.io.readers.dicom.series import series_name
from core.io.readers.dicom.slices import SliceReader, SliceValues
from core.io.readers.nifti.header import nifti_header
from core.io.readers.nifti.voxels import slices_of
from core.progress import NullProgress, Progress
from core.types import BoolArray, FloatArray, SeriesHeader, Volume
from core.units.presets import suggest_window

Acceptance = Literal["gap", "uneven"]

_MARGIN = 1.25
"""Memory for what is held beside the voxels, as a share of them."""


def read_volume(
    series: SeriesHeader,
    frame: int = 0,
    *,
    progress: Progress | None = None,
    accept: Collection[Acceptance] = (),
) -> Volume:
    """One volume of ``series``, in the unit on file.

    Memory: the voxels once in single precision, their mask where there is one, and one slice.

    Args:
        series: from :func:`core.io.volumes.list_series`.
        frame: which of its volumes, from 0.
        progress: told of the slices read; may cancel.
        accept: "gap": missing slices are left empty (masked). "uneven": slices at uneven distances
            are interpolated to even ones. Without, such series are refused.

    Raises:
        SeriesError: it makes no volume (see its subclasses), a slice is damaged or in another unit.
        IndexError: there is no such frame.
        Cancelled: by ``progress``.
    """
    _check(series, accept)
    sources = series.slices[frame]
    _check_memory(series)
    progress = progress or NullProgress()
    target = _Target.empty(series, masked=isinstance(series.problem, MissingSlices))
    if series.kind == DICOM:
        slices = _dicom_slices(series, frame, progress)
    else:
        slices = _nifti_slices(series, frame, progress)
    if isinstance(series.problem, UnevenSlices):
        _interpolate(target, slices, [source.place for source in sources])
    else:
        places = [int(source.place) for source in sources]
        if series.kind != DICOM:
            places = list(range(series.shape[0]))
        for place, one in zip(places, slices, strict=True):
            target.put(place, one)
    return _volume(series, frame, target)


def read_headers(series: SeriesHeader, frame: int = 0) -> list[tuple[Dataset, int]]:
    """The tags of the file of each slice of a DICOM series, and which of its images the slice is.

    For what is derived from them (:mod:`core.io.volumes.suv`). They name the patient: nothing of
    them is to be kept or shown that does. Slices of one file share one data set. No pixels.

    Raises:
        InputError: a file cannot be read.
    """
    if series.kind != DICOM:
        return []
    known: dict[Path, Dataset] = {}
    for path in dict.fromkeys(source.path for source in series.slices[frame]):
        with reading(path):
            known[path] = open_dataset(path)
    return [(known[source.path], source.index) for source in series.slices[frame]]


def _name(series: SeriesHeader) -> Message:
    return series_name(series.modality, series.title, series.number)


def _check(series: SeriesHeader, accept: Collection[Acceptance]) -> None:
    problem = series.problem
    accepted = (isinstance(problem, MissingSlices) and "gap" in accept) or (
        isinstance(problem, UnevenSlices) and "uneven" in accept
    )
    if problem is not None and not accepted:
        raise problem
    if series.affine is None:
        raise SeriesError(
            _name(series),
            Message("its place in the patient is not known"),
            Message("Open its images one by one."),
        )


def _check_memory(series: SeriesHeader) -> None:
    needed = int(np.prod(series.shape, dtype=np.int64) * 4 * _MARGIN)
    free = available_bytes(wanted=needed)
    if free is not None and needed > free:
        raise SeriesError(
            _name(series),
            Message(
                "reading it takes about {0} MB, and {1} MB are free",
                needed // 10**6,
                free // 10**6,
            ),
            Message("Close other programs."),
        ) from MemoryError()


@dataclass
class _Target:
    """The volume being filled."""

    data: FloatArray
    mask: BoolArray | None
    unit: str | None = None
    inverted: bool = False

    @classmethod
    def empty(cls, series: SeriesHeader, *, masked: bool) -> _Target:
        mask = np.zeros(series.shape, np.bool_) if masked else None
        return cls(np.empty(series.shape, np.float32), mask)

    def put(self, place: int, one: SliceValues) -> None:
        """Set slice ``place``."""
        self.data[place] = one.data
        self.inverted |= one.inverted
        if one.measured is not None and self.mask is None:
            self.mask = np.ones(self.data.shape, np.bool_)
        if self.mask is not None:
            self.mask[place] = True if one.measured is None else one.measured


def _interpolate(target: _Target, slices: Iterator[SliceValues], places: list[float]) -> None:
    """Fill the grid between each two neighbours, linearly."""
    before, at = next(slices), places[0]
    target.put(0, before)
    done = 1
    for place, one in zip(places[1:], slices, strict=True):
        while done <= place + 1e-6 and done < target.data.shape[0]:
            share = np.float32(min((done - at) / (place - at), 1.0))
            both = _both(before.measured, one.measured)
            mixed = before.data * (1 - share) + one.data * share
            target.put(done, SliceValues(mixed, both, one.unit, one.inverted))
            done += 1
        before, at = one, place


def _both(one: BoolArray | None, other: BoolArray | None) -> BoolArray | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _dicom_slices(series: SeriesHeader, frame: int, progress: Progress) -> Iterator[SliceValues]:
    """The slices in order.

    Raises:
        SeriesError: one of them cannot be read, or is not in the unit of the series.
    """
    reader, sources, unit = SliceReader(), series.slices[frame], series.unit
    for index, source in enumerate(sources):
        progress.check()
        progress.report(index, len(sources), Message("Reading slices"))
        try:
            one = reader.read(source)
        except InputError as error:
            where = Message("slice {0} of {1}", index + 1, len(sources))
            why = Message("{0}: {1}", where, Message.plain(error.why))
            raise SeriesError(_name(series), why, error.remedy) from error
        if one.data.shape != series.shape[1:]:
            raise _changed(series)
        if one.unit != unit:
            raise SeriesError(
                _name(series),
                Message("its slices are in different units ({0} and {1})", unit, one.unit),
                Message("Export the original series."),
            )
        yield one


def _changed(series: SeriesHeader) -> SeriesError:
    return SeriesError(
        _name(series),
        Message("its files have changed since they were listed"),
        Message("Open the folder again."),
    )


def _nifti_slices(series: SeriesHeader, frame: int, progress: Progress) -> Iterator[SliceValues]:
    header = nifti_header(series.slices[frame][0].path)
    if header.shape[2::-1] != series.shape or header.channels > 1:
        raise _changed(series)
    slope, intercept = header.scale
    for index, stored in enumerate(slices_of(header, frame)):
        progress.check()
        progress.report(index, series.shape[0], Message("Reading slices"))
        with np.errstate(over="ignore", invalid="ignore"):
            if header.scale == (1.0, 0.0):
                data = stored.astype(np.float32)
            else:
                data = (stored * np.float64(slope) + np.float64(intercept)).astype(np.float32)
        measured = np.isfinite(data)
        if measured.all():
            yield SliceValues(data, None, "")
            continue
        data[~measured] = data[measured].min() if measured.any() else 0.0
        yield SliceValues(data, measured, "")


def _volume(series: SeriesHeader, frame: int, target: _Target) -> Volume:
    data, mask = target.data, target.mask
    if mask is not None and not mask.any():
        raise SeriesError(
            _name(series),
            Message("not one of its voxels holds data"),
            Message("Choose another series."),
        )
    if isinstance(series.problem, MissingSlices) and mask is not None:
        for empty in np.flatnonzero(~mask.any(axis=(1, 2))):
            data[empty] = 0.0 if data[mask].min() <= 0 else data[mask].min()
    notes = [*series.notes, *_notes(series, frame, target)]
    window = suggest_window(data, series.modality, series.unit, stated=series.window, mask=mask)
    assert series.affine is not None
    return Volume(
        data=data,
        affine=series.affine,
        modality=series.modality,
        unit=series.unit,
        window=window,
        frame_of_reference=series.frame_of_reference,
        patient=series.patient,
        mask=mask,
        title=series.title,
        origin=series.files[0].parent if series.kind == DICOM else series.files[0],
        notes=tuple(notes),
    )


def _notes(series: SeriesHeader, frame: int, target: _Target) -> Iterator[Message]:
    if series.frames > 1:
        yield series.frame_note(frame)
    if isinstance(series.problem, (MissingSlices, UnevenSlices)):
        yield Message("Accepted: {0}.", Message.plain(series.problem.why))
    if isinstance(series.problem, UnevenSlices):
        yield Message("Values between slices are interpolated to even distances.")
    if target.inverted:
        yield Message("Black and white were swapped, as the file asks for.")
    if not target.data.any():
        yield Message("All of its values are 0.")
