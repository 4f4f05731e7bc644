"""Writes masks on the voxels of a source as a DICOM segmentation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import dcmwrite
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

from core import __version__
from core.errors import Message, OutputError
from core.geometry.grids import VoxelGrid
from core.geometry.planes import PlaneAxes
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
from core.io.writer import check_folder, check_target
from core.types import BoolArray

_SUFFIX = ".dcm"
_SERIES_NUMBER = 9003
_CATEGORY = Code("309825002", "SCT", "Spatial and Relational Concept")
_TYPE = Code("111099", "DCM", "Selected region")
_HISTOGRAM = Code("123105", "DCM", "Histogram Analysis")
_COLOURS = ((255, 200, 0), (0, 200, 255), (255, 80, 200), (120, 255, 80),
            (255, 110, 60), (150, 130, 255), (0, 230, 160), (230, 230, 120))  # fmt: skip
_MOST_SEGMENTS = 65_535


@dataclass(frozen=True, eq=False)
class MaskSegment:
    """A named mask on the grid of a source.

    Attributes:
        name: for people; nothing of the patient.
        start: (k, j, i) of the first voxel of the block.
        voxels: the block, bool; the rest of the grid is False.
        rule: how voxels were chosen ("≥ 41 % of maximum"); "" for a shape that a person drew.
    """

    name: str
    start: tuple[int, int, int]
    voxels: BoolArray
    rule: str = ""


def check_segmentation_target(path: Path, protect: Sequence[Path] = ()) -> None:
    """Refuse a file that cannot be written as a segmentation.

    Raises:
        OutputError: it is no ``.dcm`` file, it is one of ``protect``, or its folder is missing.
    """
    what = Message("Cannot write {0}", path)
    if path.suffix.lower() != _SUFFIX:
        raise OutputError(
            what, Message("a segmentation is a DICOM file"), Message("Give it the suffix .dcm.")
        )
    check_target(path, protect=protect)
    check_folder(path)


def write_segmentation(
    path: Path, segments: Sequence[MaskSegment], grid: VoxelGrid, sources: DicomSources
) -> tuple[str, ...]:
    """Write one file on the very voxels of a source, a segment for each mask.

    Only slices in which there is a voxel are in it. Segments may overlap. One frame is in memory at
    a time, beside the masks.

    Args:
        path: of the file.
        segments: at least one with a voxel; those without any are left out.
        grid: of the source, its affine leading to the source's own millimetres.
        sources: the source as B (:func:`core.io.dicom_output.sources.read_dicom_source`).

    Returns:
        Notes for a person: what is left out, and what of the patient is in the file.

    Raises:
        OutputError: no mask has a voxel, the source is no DICOM, or the file cannot be written.
    """
    check_segmentation_target(path)
    what = Message("Cannot write {0}", path)
    kept = [one for one in segments if one.voxels.any()]
    if not sources.b:
        raise OutputError(
            what,
            Message("a segmentation refers to DICOM images, and the source has none"),
            Message("Measure the DICOM series, or leave the segmentation out."),
        )
    if not 0 < len(kept) <= _MOST_SEGMENTS:
        raise OutputError(
            what, Message("no region has a voxel on the source"), Message("Leave it out.")
        )
    axes = _native_axes(grid)
    dataset = _segmentation(kept, axes, sources)
    length = -(-len(dataset.PerFrameFunctionalGroupsSequence) * math.prod(axes.shape[1:]) // 8)
    if length > MOST_BYTES:
        raise OutputError(
            what,
            Message("it has more pixels than one DICOM file can hold"),
            Message("Write fewer regions."),
        )
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        dcmwrite(stream, dataset, enforce_file_format=True)
        write_pixels(stream, 0x0010, b"OB", length, _packed(_frames(dataset, kept, axes)))
    return (*_left_out(segments), *identity_notes(sources, has_pixels=False))


def _left_out(segments: Sequence[MaskSegment]) -> list[Message]:
    return [
        Message("“{0}” has no voxel on the source and is not in the segmentation.", one.name)
        for one in segments
        if not one.voxels.any()
    ]


def _native_axes(grid: VoxelGrid) -> PlaneAxes:
    """Slices, rows and columns as the source itself has them."""
    return PlaneAxes("axial", grid.shape, grid.affine, (0, 1, 2), (False, False, False))


def _segmentation(
    segments: Sequence[MaskSegment], axes: PlaneAxes, sources: DicomSources
) -> Dataset:
    from highdicom.seg import Segmentation

    used = sorted({int(k) for one in segments for k in _slices(one)})
    # Slices of one pixel, for the tags: which are empty. The true ones are written one by one.
    stack = np.zeros((len(used), 1, 1, len(segments)), np.uint8)
    for number, one in enumerate(segments):
        stack[np.isin(used, _slices(one)), 0, 0, number] = 1
    modality = sources.modalities[1]
    dataset: Any = Segmentation(
        source_images=[stand_in(sources, axes, (1, 1))],
        pixel_array=stack,
        segmentation_type="BINARY",
        segment_descriptions=[_described(n, one) for n, one in enumerate(segments)],
        series_instance_uid=generate_uid(prefix=None),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=generate_uid(prefix=None),
        instance_number=1,
        manufacturer=PROGRAM,
        manufacturer_model_name=PROGRAM,
        software_versions=__version__,
        device_serial_number="0",
        pixel_measures=pixel_measures(axes),
        plane_orientation=plane_orientation(axes),
        plane_positions=[plane_position(axes, index) for index in used],
        content_label="REGIONS",
        content_description=f"Regions on {modality}, research use only",
        specific_character_set="ISO_IR 192",
        series_description=f"Regions on {modality}, research use only",
    )
    del dataset.PixelData
    dataset.Rows, dataset.Columns = axes.shape[1:]
    refer(dataset, axes, sources, code("113076", "Segmentation"), "")
    sources.identify(dataset)
    # Masks show neither what was burned into the pixels of the source nor a face.
    dataset.BurnedInAnnotation = dataset.RecognizableVisualFeatures = "NO"
    sources.mark_lossy(dataset)
    return dataset  # type: ignore[no-any-return]


def _slices(one: MaskSegment) -> npt.NDArray[np.intp]:
    """The slices of the grid that a mask has a voxel in."""
    return np.flatnonzero(one.voxels.any(axis=(1, 2))) + one.start[0]


def _frames(
    dataset: Dataset, segments: Sequence[MaskSegment], axes: PlaneAxes
) -> Iterator[BoolArray]:
    """Rows × columns of each frame, in the order of the tags."""
    groups = dataset.PerFrameFunctionalGroupsSequence
    shared = dataset.SharedFunctionalGroupsSequence[0]
    for one, index in zip(groups, frame_slices(dataset, axes), strict=True):
        # Shared by all frames where there is one segment alone.
        named = one if "SegmentIdentificationSequence" in one else shared
        segment = segments[named.SegmentIdentificationSequence[0].ReferencedSegmentNumber - 1]
        k, j, i = segment.start
        _, height, width = segment.voxels.shape
        frame = np.zeros(axes.shape[1:], np.bool_)
        frame[j : j + height, i : i + width] = segment.voxels[index - k]
        yield frame


def _packed(frames: Iterable[BoolArray]) -> Iterator[npt.NDArray[np.uint8]]:
    """Eight pixels a byte, the first one in its lowest bit; frames follow without a gap."""
    left = np.zeros(0, np.bool_)
    for frame in frames:
        bits = np.concatenate([left, frame.ravel()])
        whole = bits.size - bits.size % 8
        yield np.packbits(bits[:whole], bitorder="little")
        left = bits[whole:]
    yield np.packbits(left, bitorder="little")


def _described(number: int, one: MaskSegment) -> Any:
    """The description of a segment, a data set of highdicom."""
    from highdicom.color import CIELabColor
    from highdicom.content import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription

    name = one.name.replace("\\", "/")
    how = None
    if one.rule:
        how = AlgorithmIdentificationSequence(
            name=f"Threshold {one.rule}"[:64],
            family=_HISTOGRAM,
            version=__version__,
            source=PROGRAM,
        )
    return SegmentDescription(
        segment_number=number + 1,
        segment_label=name,
        segmented_property_category=_CATEGORY,
        segmented_property_type=_TYPE,
        algorithm_type="SEMIAUTOMATIC" if one.rule else "MANUAL",
        algorithm_identification=how,
        tracking_uid=generate_uid(prefix=None),
        tracking_id=name,
        display_color=CIELabColor.from_rgb(*_COLOURS[number % len(_COLOURS)]),
    )
