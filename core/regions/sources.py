"""What regions are measured on: one or two sources on their own voxels, and how they lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.errors import Message, RegionError, RegionOutside, RegionUnitError
from core.geometry.grids import VoxelGrid
from core.progress import Progress
from core.regions.masks import RegionMask, rasterised, same_place
from core.regions.shapes import Region, ThresholdRegion
from core.types import Affine, BoolArray, PairTransform, SourceSide, Volume

if TYPE_CHECKING:
    # It brings pydicom, which the window is not to wait for.
    from core.units.suv import SuvDerivation


@dataclass(frozen=True, eq=False)
class MeasuredSource:
    """One source as it was read: never resampled, never fused.

    Attributes:
        volume: on its own grid, in SUV where its headers allow it
            (:func:`core.io.volumes.load_study_volume`).
        suv: how its values became SUV or why they did not (:func:`core.io.volumes.series_suv`);
            None where it is no PET in DICOM.
    """

    volume: Volume
    suv: SuvDerivation | None = None


@dataclass(frozen=True, eq=False)
class MeasuredSources:
    """The sources that regions are measured on.

    A region lies in the millimetres of the source whose frame of reference it names; of B where
    both have that one, or where it names none; of A where there is no B.

    Attributes:
        a, b: the sources; ``b`` is None where there is one alone.
        transform: of the pair, whichever source it moves; None where the millimetres of both are
            the same.
        same_millimetres: a person said that they are, whatever frames of reference are named.
    """

    a: MeasuredSource
    b: MeasuredSource | None = None
    _: KW_ONLY
    transform: PairTransform | None = None
    same_millimetres: bool = False

    def source(self, side: SourceSide) -> MeasuredSource:
        """A or B.

        Raises:
            RegionError: there is no B.
        """
        found = self.a if side == "a" else self.b
        if found is None:
            raise _refused(
                Message("there is no source B to measure it on"),
                Message("Measure both series, or draw it on A."),
            )
        return found

    @property
    def sides(self) -> tuple[SourceSide, ...]:
        """Those that there are."""
        return ("a",) if self.b is None else ("a", "b")

    def grid(self, region: Region, side: SourceSide) -> VoxelGrid:
        """The grid of a source, its affine leading to the millimetres of ``region``.

        Raises:
            RegionError: nothing says how the two lie to each other, or there is no B.
        """
        volume = self.source(side).volume
        return VoxelGrid(volume.shape, self._to_region(region, side) @ volume.affine)

    def notes(self) -> Iterator[Message]:
        """What a person should know of how the two lie to each other."""
        if self.b is None or self.transform is not None:
            return
        frames = self._frames
        if frames["a"] and frames["a"] == frames["b"]:
            return
        if self.same_millimetres:
            yield Message("Not registered: the millimetres of A and B were taken as the same.")
        elif frames["a"] and frames["b"]:
            yield Message("Not registered: A and B have different frames of reference.")
        else:
            yield Message(
                "Not registered: the files do not say whether A and B are in one frame of "
                "reference."
            )

    @property
    def _frames(self) -> dict[SourceSide, str]:
        return {side: self.source(side).volume.frame_of_reference for side in self.sides}

    def _home(self, region: Region) -> SourceSide:
        """The source whose millimetres the region is in."""
        frames, own = self._frames, region.frame_of_reference
        last: SourceSide = self.sides[-1]
        if not own or frames[last] == own or self.same_millimetres:
            return last
        if frames["a"] == own:
            return "a"
        raise _refused(
            Message("it was drawn in another frame of reference"),
            Message("Measure the study that it was drawn on, or accept it (--not-registered)."),
        )

    def _to_region(self, region: Region, side: SourceSide) -> Affine:
        home = self._home(region)
        if side == home:
            return np.eye(4)
        self._check_link()
        if self.transform is None:
            return np.eye(4)
        to_a = self.transform.moving_side("a").transform
        return to_a.inverse().array if side == "a" else to_a.array

    def _check_link(self) -> None:
        a, b = self.source("a").volume, self.source("b").volume
        if a.patient and b.patient and a.patient != b.patient and not self.same_millimetres:
            raise _refused(
                Message("A and B are of two different patients"),
                Message("Choose two series of one patient."),
            )
        if self.transform is not None or self.same_millimetres:
            return
        one, other = a.frame_of_reference, b.frame_of_reference
        if one and other and one != other:
            raise _refused(
                Message(
                    "A and B have different frames of reference, so nothing says how they lie to "
                    "each other"
                ),
                Message("Register them first."),
            )


@dataclass(frozen=True, eq=False)
class FoundVoxels:
    """The voxels of a region on a source.

    Attributes:
        mask: on the grid of the source; only voxels that were measured.
        unmeasured: how many voxels without data lie in the region besides.
        least: the value that voxels had to reach, in the unit of the source that was searched; None
            where there is no threshold.
        is_open: what reaches the threshold comes up to what was not measured, within the sphere; of
            the source that was searched.
    """

    mask: RegionMask
    unmeasured: int = 0
    least: float | None = None
    is_open: bool = False


def find_voxels(
    region: Region,
    sources: MeasuredSources,
    side: SourceSide,
    progress: Progress | None = None,
) -> FoundVoxels:
    """The voxels of ``region`` on the grid of a source, those that were measured.

    Empty where nothing reaches the threshold.

    Raises:
        RegionOutside: no voxel of the source lies in it.
        RegionUnitError: a threshold is in a unit that the source does not have.
        RegionError: nothing says where it lies on the source.
        Cancelled: by ``progress``.
    """
    grid, volume = sources.grid(region, side), sources.source(side).volume
    if not isinstance(region, ThresholdRegion):
        return _measured(rasterised(region, grid, progress), volume)
    own = sources.grid(region, region.side)
    reached = _reached(region, sources.source(region.side), own, progress)
    if side == region.side:
        return reached
    there = same_place(reached.mask, own, grid, progress)
    if not reached.mask.count:
        return FoundVoxels(there, 0, reached.least)
    return replace(_measured(there, volume), least=reached.least)


def _reached(
    region: ThresholdRegion, source: MeasuredSource, grid: VoxelGrid, progress: Progress | None
) -> FoundVoxels:
    """The voxels that reach the threshold, on the source that is searched."""
    data, measured = source.volume.data, source.volume.mask
    sphere = rasterised(region.sphere, grid, progress)
    within = _measured(sphere, source.volume)
    least = _least(region, source, within.mask)
    # A NumPy scalar, so that the comparison is not rounded to single precision.
    reached = within.mask.where(np.asarray(data[within.mask.block] >= np.float64(least)))
    is_open = sphere.is_cut and reached.meets_border
    # Beyond the field of view there may be a higher maximum, of which this is no share.
    is_cut = is_open or (sphere.is_cut and region.threshold.kind == "share")
    if measured is not None and within.unmeasured and reached.count:
        is_open |= _meets(reached, sphere, measured)
    return FoundVoxels(replace(reached, is_cut=is_cut), within.unmeasured, least, is_open)


def _meets(reached: RegionMask, sphere: RegionMask, measured: BoolArray) -> bool:
    """Whether a voxel without data within the sphere lies beside one that reached the threshold."""
    holes = sphere.voxels & ~measured[sphere.block]
    inside = np.zeros_like(holes)
    inside[
        tuple(
            slice(part.start - start, part.stop - start)
            for part, start in zip(reached.block, sphere.start, strict=True)
        )
    ] = reached.voxels
    for axis in range(3):
        one, other = np.moveaxis(inside, axis, 0), np.moveaxis(holes, axis, 0)
        if (one[1:] & other[:-1]).any() or (one[:-1] & other[1:]).any():
            return True
    return False


def _least(region: ThresholdRegion, searched: MeasuredSource, mask: RegionMask) -> float:
    """The value that voxels have to reach, in the unit of the source."""
    threshold, unit = region.threshold, searched.volume.unit
    if threshold.kind == "share":
        highest = float(searched.volume.data[mask.block][mask.voxels].max())
        if highest <= 0:
            raise RegionError(
                Message("The region"),
                Message("its maximum is not above 0, so there is no share of it"),
                Message("Choose another place, or a threshold in the unit of the values."),
            )
        return threshold.value * highest
    if threshold.kind == "suv" and not unit.startswith("SUV"):
        raise RegionUnitError(
            Message("The region"),
            Message("its threshold is an SUV, and {0}", why_no_suv(searched)),
            Message("Choose a share of the maximum, or a value in the unit of the source."),
        )
    if threshold.kind == "value" and threshold.unit != unit:
        raise RegionUnitError(
            Message("The region"),
            Message(
                "its threshold is in {0}, and the values of the source are in {1}",
                threshold.unit or Message("no unit"),
                unit or Message("no unit"),
            ),
            Message("Choose a threshold in the unit of the source."),
        )
    return threshold.value


def why_no_suv(source: MeasuredSource) -> Message:
    """What stands in the way of SUV, as the end of a sentence."""
    if source.volume.modality != "PT":
        return Message("the source is no PET")
    problems = () if source.suv is None else source.suv.problems
    if not problems:
        return Message("the file does not say how its values become SUV")
    return Message(
        "the source has no SUV ({0})",
        Message.joined("; ", [problem.message for problem in problems]),
    )


def _measured(mask: RegionMask, volume: Volume) -> FoundVoxels:
    count = mask.count
    if not count:
        raise _nothing(mask)
    if volume.mask is None:
        return FoundVoxels(mask)
    kept = mask.where(volume.mask[mask.block])
    if not kept.count:
        raise RegionOutside(
            Message("The region"),
            Message("nothing was measured where it lies on this source"),
            Message("Move it."),
        )
    return FoundVoxels(kept, count - kept.count)


def _nothing(mask: RegionMask) -> RegionOutside:
    if mask.is_cut or not mask.voxels.size:
        return RegionOutside(
            Message("The region"),
            Message("it lies outside of the field of view of this source"),
            Message("Move it."),
        )
    return RegionOutside(
        Message("The region"),
        Message("it is smaller than the voxels of this source: the centre of none lies in it"),
        Message("Draw it larger."),
    )


def _refused(why: Message, remedy: Message) -> RegionError:
    return RegionError(Message("The region"), why, remedy)
