"""The two volumes that a command is about, read and laid on each other."""

from __future__ import annotations

from collections.abc import Iterator

from app.cli.choose_series import ChosenSeries, choose_series
from app.cli.fuse_options import FuseOptions, VolumeOptions
from core.alignment.aligning import Aligned, align_volumes
from core.errors import InputError
from core.fusion.slices import VolumePair, align, check_frames, check_patients, registration_notes
from core.geometry.alignment import Alignment
from core.io.volumes import load_study_volume
from core.progress import Progress
from core.types import SeriesHeader, Volume


def chosen_series(options: FuseOptions, progress: Progress) -> ChosenSeries:
    """The two series that the options name; what headers speak against is refused.

    Raises:
        TwoPatients, InputError: unless it is accepted; see :func:`choose_series`.
    """
    keys = options.volumes.series_a, options.volumes.series_b
    chosen = choose_series(options.a, options.b, keys, progress)
    a, b = chosen.a, chosen.b
    check_patients(a, b, options.volumes.consent)
    if not options.volumes.not_registered and options.align.way == "none":
        check_frames(a, b)
    return chosen


def align_chosen(
    chosen: ChosenSeries, options: FuseOptions, progress: Progress
) -> tuple[VolumePair, Aligned, Volume]:
    """Read both volumes, and put A on the grid of B; also gives A as it was read.

    Raises:
        FusionError: one cannot be read, or they share no place.
        Cancelled: by ``progress``.
    """
    volumes = options.volumes
    a = _read(chosen.a, volumes.frame_a, "--frame-a", volumes, progress)
    b = _read(chosen.b, volumes.frame_b, "--frame-b", volumes, progress)
    found = align_volumes(options.align, a, b, options.task, progress)
    pair = align(a, b, progress, accept=volumes.consent, transform=found.transform)
    return pair, found, a


def _read(
    series: SeriesHeader, frame: int, option: str, options: VolumeOptions, progress: Progress
) -> Volume:
    if not 1 <= frame <= series.frames:
        raise InputError(
            f"{option} {frame}", f"the series has {series.frames}", "They count from 1."
        )
    return load_study_volume(
        series, frame - 1, options.suv, progress=progress, accept=options.accept
    )


def alignment_notes(chosen: ChosenSeries, pair: VolumePair) -> Iterator[str]:
    """What a person should know of how both lie to each other."""
    yield from registration_notes(pair)
    if pair.alignment is Alignment.AS_ACQUIRED:
        return
    if chosen.a.patient and chosen.b.patient and chosen.a.patient != chosen.b.patient:
        yield "Accepted: A and B are of two different patients."
    if pair.alignment is Alignment.REGISTERED:
        return
    if chosen.a.frame_of_reference and chosen.b.frame_of_reference:
        yield "Not registered: A and B have different frames of reference."
    else:
        yield "Not registered: the files do not say whether A and B are in one frame of reference."
