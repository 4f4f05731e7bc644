"""Writes resampled values of a source as a parametric map, with their unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

from core import __version__
from core.errors import Message, OutputError
from core.geometry.planes import PlaneAxes, turned
from core.io.atomic import atomic_path
from core.io.dicom_output.derived_frames import frame_slices, refer, stand_in
from core.io.dicom_output.fused_series import identity_notes
from core.io.dicom_output.placing import (
    MOST_BYTES,
    pixel_measures,
    plane_orientation,
    plane_position,
    write_pixels,
)
from core.io.dicom_output.sources import PROGRAM, DicomSources, code
from core.io.readers.dicom.values import UCUM_UNITS
from core.io.writer import check_folder, check_target
from core.progress import NullProgress, Progress
from core.types import FloatArray, Volume

SUFFIX = ".dcm"
_SERIES_NUMBER = 9002
_MEANINGS = {
    "SUVbw": "Standardized Uptake Value body weight",
    "SUVlbm": "Standardized Uptake Value lean body mass",
    "SUVbsa": "Standardized Uptake Value body surface area",
    "SUVibw": "Standardized Uptake Value ideal body weight",
    "HU": "Hounsfield unit",
}
_LABEL = 16
_NO_VALUE = np.float32(np.nan)


def check_map_target(path: Path, protect: Sequence[Path] = ()) -> None:
    """Refuse a file that cannot be written as a parametric map.

    Raises:
        OutputError: it is no ``.dcm`` file, it is one of ``protect``, or its folder is missing.
    """
    what = Message("Cannot write {0}", path)
    if path.suffix.lower() != SUFFIX:
        raise OutputError(
            what,
            Message("a parametric map is a DICOM file"),
            Message("Give it the suffix .dcm."),
        )
    check_target(path, protect=protect)
    check_folder(path)


def write_parametric_map(
    path: Path,
    volume: Volume,
    axes: PlaneAxes,
    sources: DicomSources,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Write the values of A on the grid of B as one file of float32; returns notes for a person.

    Voxels without data are NaN. One slice is in memory at a time, beside the volume.

    Args:
        path: of the file.
        volume: with a unit that DICOM has a code for.
        axes: slices to write it in, of the grid of the volume.
        sources: what it refers to.
        progress: told of the slices written; may cancel.

    Raises:
        OutputError: the values have no unit, A is no DICOM series, or the file cannot be written.
        Cancelled: by ``progress``; no file is left.
    """
    check_map_target(path)
    unit = _unit_code(path, volume.unit)
    if not sources.a:
        raise OutputError(
            Message("Cannot write {0}", path),
            Message("a parametric map refers to DICOM images, and A has none"),
            Message("Fuse the DICOM series, or leave the map out."),
        )
    count, rows, columns = axes.shape
    if count * rows * columns * 4 > MOST_BYTES:
        raise OutputError(
            Message("Cannot write {0}", path),
            Message("it has more pixels than one DICOM file can hold"),
            Message("Leave the map out."),
        )
    dataset = _dataset(volume, axes, sources, unit)
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        dcmwrite(stream, dataset, enforce_file_format=True)
        slices = _slices(volume, axes, frame_slices(dataset, axes), progress or NullProgress())
        write_pixels(stream, 0x0008, b"OF", count * rows * columns * 4, slices)
    return identity_notes(sources)


def _unit_code(path: Path, unit: str) -> Code:
    known = {ours: ucum for ucum, ours in UCUM_UNITS.items() if ours}
    if unit not in known:
        raise OutputError(
            Message("Cannot write {0}", path),
            Message("the values of A have no unit that is known here"),
            Message("A map of values without a unit means nothing: leave it out."),
        )
    return Code(known[unit], "UCUM", _MEANINGS.get(unit, unit))


def _slices(
    volume: Volume, axes: PlaneAxes, order: Sequence[int], progress: Progress
) -> Iterator[FloatArray]:
    data = turned(volume.data, axes)
    mask = None if volume.mask is None else turned(volume.mask, axes)
    for done, index in enumerate(order):
        progress.check()
        progress.report(done, len(data), Message("Writing the parametric map"))
        yield data[index] if mask is None else np.where(mask[index], data[index], _NO_VALUE)


def _dataset(volume: Volume, axes: PlaneAxes, sources: DicomSources, unit: Code) -> Dataset:
    """The tags of the file, without pixels."""
    from highdicom.content import VOILUTTransformation
    from highdicom.pm import ParametricMap, RealWorldValueMapping

    count, rows, columns = axes.shape
    low, high = volume.window
    label = volume.unit[:_LABEL]
    mapping = RealWorldValueMapping(
        lut_label=label,
        lut_explanation=unit.meaning,
        unit=unit,
        value_range=(float(volume.data.min()), float(volume.data.max())),
        slope=1.0,
        intercept=0.0,
    )
    dataset: Any = ParametricMap(
        # Slices of one pixel, for the tags: the true ones are written one by one.
        source_images=[stand_in(sources, axes, (1, 1))],
        pixel_array=np.zeros((count, 1, 1), np.float32),
        series_instance_uid=generate_uid(prefix=None),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=generate_uid(prefix=None),
        instance_number=1,
        manufacturer=PROGRAM,
        manufacturer_model_name=PROGRAM,
        software_versions=__version__,
        device_serial_number="0",
        contains_recognizable_visual_features=sources.may_show_face,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[
            VOILUTTransformation(window_center=(low + high) / 2, window_width=high - low)
        ],
        pixel_measures=pixel_measures(axes),
        plane_orientation=plane_orientation(axes),
        plane_positions=[plane_position(axes, index) for index in range(count)],
        content_label="RESAMPLED",
        content_description=f"{sources.modalities[0]} on the grid of {sources.modalities[1]}",
        derivation=Code("113085", "DCM", "Spatial resampling"),
        specific_character_set="ISO_IR 192",
        series_description=f"{sources.modalities[0]} resampled, {volume.unit}",
    )
    del dataset.FloatPixelData
    dataset.Rows, dataset.Columns = rows, columns
    text = f"{PROGRAM} {__version__}; A resampled onto the grid of B, linearly interpolated"
    refer(dataset, axes, sources, code("113085", "Spatial resampling"), text)
    dataset.DerivationDescription = text
    dataset.Laterality = ""
    sources.identify(dataset)
    sources.mark_lossy(dataset)
    return dataset  # type: ignore[no-any-return]
