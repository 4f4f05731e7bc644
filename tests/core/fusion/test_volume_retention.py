"""What fused slices lose together: of all slices, whichever run they were fused in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled
from core.fusion.classical_engine import fuse_classically
from core.fusion.slices import VolumePair, align
from core.fusion.volume_fusion import SliceSettings
from core.fusion.volume_targets import SourceFiles, fuse_volume, volume_target
from core.progress import Progress
from core.types import FusionRequest, FusionResult, SeriesHeader, Volume

SHAPE = (5, 64, 64)
SETTINGS = SliceSettings("mif", "average", palettes=("grey", None))


class _Engine:
    """Classical methods; cancels at a slice if told to."""

    def __init__(self, fail_at: int = -1) -> None:
        self._left = fail_at

    def fuse(
        self,
        request: FusionRequest,
        progress: Progress | None = None,
        *,
        beside_others: bool = False,
    ) -> FusionResult:
        if self._left == 0:
            raise RuntimeError("killed")
        self._left -= 1
        return fuse_classically(request, progress)


@pytest.fixture
def pair() -> VolumePair:
    """A has a spot in its slices 1 and 3, of which B shows that of slice 3 as well."""
    rows, columns = np.indices(SHAPE[1:])
    spot = 30 * np.exp(-((rows - 30) ** 2 + (columns - 34) ** 2) / 18)
    a, b = np.full(SHAPE, 70, np.float32), np.full(SHAPE, 70, np.float32)
    a[1] += spot
    a[3] += spot
    b[3] += spot
    volumes = [
        Volume(data=data, affine=np.eye(4), modality=modality, window=(0, 255))
        for data, modality in ((a, "CT"), (b, "MR"))
    ]
    return align(*volumes)


def _fused(pair: VolumePair, path: Path, engine: _Engine):
    header = SeriesHeader("NIfTI", "MR", SHAPE, ())
    target = volume_target(path, SourceFiles(header, header))
    assert target is not None
    return fuse_volume(engine, pair, SETTINGS, target)


def test_slices_add_up_and_name_those_that_alarm(pair: VolumePair, tmp_path: Path) -> None:
    written = _fused(pair, tmp_path / "fused.nii.gz", _Engine())
    found = written.retention
    assert (found.images, found.alarms) == (5, (1,))
    assert (found.a.spots, found.a.lost, found.b.spots, found.b.lost) == (2, 1, 1, 0)
    assert found.a.share == pytest.approx(0.5, abs=0.01)
    assert found.text in written.notes
    assert any("in 1 of 5 slices" in note for note in written.notes)


def test_a_run_that_goes_on_judges_the_slices_of_the_first_too(
    pair: VolumePair, tmp_path: Path
) -> None:
    path = tmp_path / "fused.nii.gz"
    with pytest.raises(RuntimeError, match="killed"):
        _fused(pair, path, _Engine(fail_at=3))
    written = _fused(pair, path, _Engine(fail_at=2))
    assert (written.retention.images, written.retention.a.lost) == (5, 1)


def test_measuring_can_be_cancelled(pair: VolumePair, tmp_path: Path) -> None:
    class _Stopping:
        def __init__(self) -> None:
            self.stage = ""

        def report(self, done: float, total: float, stage: str) -> None:
            self.stage = str(stage)

        def check(self) -> None:
            if self.stage.startswith("Measuring"):
                raise Cancelled

    header = SeriesHeader("NIfTI", "MR", SHAPE, ())
    path = tmp_path / "fused.nii.gz"
    target = volume_target(path, SourceFiles(header, header))
    assert target is not None
    with pytest.raises(Cancelled):
        fuse_volume(_Engine(), pair, SETTINGS, target, _Stopping())
    assert list(tmp_path.iterdir()) == []
