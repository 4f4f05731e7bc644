"""The peak found by Fourier transforms is that of sums around every voxel, to 1e-9."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled
from core.progress import NullProgress, Progress
from core.regions.masks import RegionMask
from core.regions.peak import peak_of, sphere_weights
from core.types import Volume


def _summed(volume: Volume, mask: RegionMask):
    """As :func:`peak_of`, voxel by voxel."""
    weights = sphere_weights(volume.affine)
    reach = np.array(weights.shape) // 2
    # Layers in which nothing counts may lie beyond the grid.
    reach = np.abs(np.argwhere(weights > 0) - reach).max(axis=0)
    middle = np.array(weights.shape) // 2
    weights = weights[tuple(slice(m - r, m + r + 1) for m, r in zip(middle, reach, strict=True))]
    shares = weights / weights.sum()
    known = np.ones(volume.shape, bool) if volume.mask is None else volume.mask
    best, fitting = None, 0
    for place in np.argwhere(mask.whole()):
        if (place < reach).any() or (place + reach >= volume.shape).any():
            continue
        block = tuple(slice(p - r, p + r + 1) for p, r in zip(place, reach, strict=True))
        if not known[block][weights > 0].all():
            continue
        fitting += 1
        inside = weights > 0
        mean = float((shares[inside] * volume.data[block][inside].astype(np.float64)).sum())
        if best is None or mean > best[0]:
            best = mean, tuple(int(one) for one in place[::-1])
    return None if best is None else (*best, mask.count - fitting)


def _volume(rng: np.random.Generator, spacing: tuple[float, float, float], **more) -> Volume:
    shape = tuple(int(one) for one in rng.integers(14, 24, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    affine = np.eye(4)
    affine[:3, :3] = turn * spacing
    data = (rng.normal(size=shape) ** 2 * 40).astype(np.float32)
    return Volume(data=data, affine=affine, **more)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("what", ["plain", "gaps", "outlier", "levels"])
def test_it_is_that_of_sums(seed: int, what: str) -> None:
    rng = np.random.default_rng(seed)
    volume = _volume(rng, tuple(rng.uniform(1.5, 5.5, 3)))
    data, known = np.array(volume.data), None
    if what == "gaps":
        known = rng.random(volume.shape) > 0.002
        data[~known] = np.nan
    if what == "outlier":
        data[tuple(rng.integers(volume.shape))] = 1e8
    if what == "levels":  # many alike
        data = np.round(data / 100)
    volume = Volume(data=data, affine=volume.affine, mask=known)
    start = tuple(int(one) for one in rng.integers(0, 5, 3))
    voxels = rng.random(np.subtract(volume.shape, start)) > 0.4
    mask = RegionMask(volume.shape, start, voxels)
    want, got = _summed(volume, mask), peak_of(volume, mask, NullProgress())
    assert (want is None) == (got is None)
    if want is not None and got is not None:
        assert got[0] == pytest.approx(want[0], rel=1e-9)
        assert got[1:] == want[1:]


def test_the_first_of_equal_ones_is_taken() -> None:
    volume = Volume(data=np.full((12, 12, 12), 2.5, np.float32), affine=np.diag([4.0, 4, 4, 1]))
    mask = RegionMask((12, 12, 12), (0, 0, 0), np.ones((12, 12, 12), bool))
    assert peak_of(volume, mask, NullProgress()) == (
        pytest.approx(2.5, rel=1e-12), (2, 2, 2), 12**3 - 8**3,
    )  # fmt: skip


def test_none_where_no_sphere_fits() -> None:
    volume = Volume(data=np.ones((3, 12, 12), np.float32), affine=np.diag([4.0, 4, 4, 1]))
    mask = RegionMask((3, 12, 12), (0, 0, 0), np.ones((3, 12, 12), bool))
    assert peak_of(volume, mask, NullProgress()) is None
    nothing = RegionMask((3, 12, 12), (1, 1, 1), np.zeros((0, 0, 0), bool))
    assert peak_of(volume, nothing, NullProgress()) is None


def test_voxels_of_a_microscope_are_not_weighed_one_by_one() -> None:
    """A sphere of 1 cm³ holds 10^15 voxels of a micrometre: none fits, and none is made."""
    volume = Volume(data=np.ones((5, 6, 7), np.float32), affine=np.diag([1e-3, 1e-3, 1e-3, 1]))
    mask = RegionMask((5, 6, 7), (0, 0, 0), np.ones((5, 6, 7), bool))
    assert peak_of(volume, mask, NullProgress()) is None


def test_it_can_be_cancelled() -> None:
    class Cancelling(Progress):
        def check(self) -> None:
            raise Cancelled

        def report(self, *_) -> None: ...

    volume = Volume(data=np.ones((12, 12, 12), np.float32), affine=np.diag([4.0, 4, 4, 1]))
    mask = RegionMask((12, 12, 12), (0, 0, 0), np.ones((12, 12, 12), bool))
    with pytest.raises(Cancelled):
        peak_of(volume, mask, Cancelling())
