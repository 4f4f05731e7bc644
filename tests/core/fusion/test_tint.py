"""Counts in the colours of a palette, fused: more uptake never looks like less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.baselines import BASELINES
from core.fusion.chroma import luma
from core.fusion.classical_engine import fuse_classically
from core.fusion.color import merge, split
from core.fusion.tint import tinted
from core.tasks import TASKS
from core.types import FloatArray, FusionRequest, Image, SourcePair
from core.units.palettes import PALETTES, find_palette, palette_table

_POLICY = TASKS["mif"].colour
_COLOURED = [name for name in PALETTES if name not in ("grey", "inverted")]


def _counts(values: FloatArray, palette: str = "hot_iron", **fields: object) -> Image:
    return Image(
        data=values[..., np.newaxis],
        window=(0.0, 10.0),
        unit="SUVbw",
        palette=find_palette(palette),
        **fields,  # type: ignore[arg-type]
    )


def _ramp() -> FloatArray:
    """64×101 values from 0 to 10, the same in every row."""
    return np.tile(np.linspace(0, 10, 101, dtype=np.float32), (64, 1))


def _grey(level: float) -> FloatArray:
    return np.full((64, 101, 1), level, np.float32)


@pytest.mark.parametrize("palette", _COLOURED)
def test_beside_a_flat_image_the_colours_are_those_of_the_pane(palette: str) -> None:
    counts = _counts(_ramp(), palette)
    fused = tinted(_grey(0.7), counts)
    opaque = slice(11, None)  # levels above 0.1
    np.testing.assert_allclose(fused[:, opaque], counts.normalised()[:, opaque], atol=1e-5)


def test_the_hottest_place_is_white_however_dark_the_other_source() -> None:
    counts = _counts(_ramp())
    for level in (0.0, 0.3, 0.9):
        np.testing.assert_allclose(tinted(_grey(level), counts)[:, -1], 1.0, atol=1e-5)


def test_without_uptake_the_other_source_is_seen_in_grey() -> None:
    fused = tinted(_grey(0.6), _counts(np.zeros((64, 101), np.float32)))
    np.testing.assert_allclose(fused, 0.6, atol=1e-6)
    mask = np.ones((64, 101), bool)
    mask[:, 50:] = False
    half = tinted(_grey(0.6), _counts(np.full((64, 101), 9, np.float32), mask=mask))
    np.testing.assert_allclose(half[:, 50:], 0.6, atol=1e-6)
    assert np.ptp(half[:, :50], axis=-1).min() > 0.1


def test_fine_structure_shows_and_coarse_does_not_move_the_colour() -> None:
    counts = _counts(np.full((64, 101), 5, np.float32), spacing=(2.0, 2.0))
    plain = tinted(_grey(0.5), counts)
    stripes = _grey(0.5)
    stripes[:, ::4] += 0.2
    lines = luma(tinted(stripes, counts) - plain)[..., 0]
    assert np.ptp(lines[32]) > 0.1
    slope = _grey(0.0) + np.linspace(0.2, 0.8, 101, dtype=np.float32)[:, np.newaxis]
    drift = np.abs(tinted(slope, counts) - plain)[:, 20:-20]
    assert drift.max() < 0.02


def test_structure_is_told_from_blur_in_millimetres() -> None:
    stripes = _grey(0.5)
    stripes[:, ::16] += 0.4
    values = np.full((64, 101), 5, np.float32)
    near, far = (
        luma(tinted(stripes, _counts(values, spacing=(mm, mm))))[32, :, 0] for mm in (8.0, 0.5)
    )
    assert np.ptp(near) < np.ptp(far)


@pytest.mark.parametrize("method", sorted(BASELINES))
def test_more_uptake_never_gets_a_lower_colour(method: str) -> None:
    counts = _counts(_ramp())
    structure = Image(data=_grey(0.5) * 255, window=(0.0, 255.0))
    fused = fuse_classically(FusionRequest(SourcePair(counts, structure), "mif", method)).fused
    table = palette_table("hot_iron") / np.float32(255)
    row = fused[32, 11:]
    entries = ((row[:, np.newaxis] - table) ** 2).sum(-1).argmin(-1)
    assert np.diff(entries).min() >= -2
    assert entries[-1] - entries[0] > 200


def test_the_network_is_given_levels_not_the_luma_of_the_colours() -> None:
    counts, structure = _counts(_ramp(), "pet"), Image(data=_grey(0.5) * 255, window=(0.0, 255.0))
    parts = split(SourcePair(counts, structure), _POLICY)
    assert parts.channels == 3
    np.testing.assert_allclose(parts.a[..., 0], _ramp() / 10, atol=1e-6)
    assert merge(parts.b, parts).shape == (64, 101, 3)


def test_a_grey_palette_is_fused_as_it_is_shown() -> None:
    counts = _counts(_ramp(), "inverted")
    parts = split(SourcePair(counts, Image(data=_grey(0.5) * 255, window=(0, 255))), _POLICY)
    assert parts.channels == 1
    assert parts.tint is None
    np.testing.assert_allclose(parts.a, counts.normalised(), atol=1e-6)
    np.testing.assert_allclose(parts.a[..., 0], 1 - _ramp() / 10, atol=0.5 / 255 + 1e-6)


def test_beside_a_coloured_source_both_are_colours() -> None:
    photo = Image(data=np.random.default_rng(2).uniform(0, 255, (64, 101, 3)).astype(np.float32))
    photo = replace(photo, window=(0.0, 255.0))
    parts = split(SourcePair(_counts(_ramp()), photo), _POLICY)
    assert parts.tint is None
    assert parts.channels == 3
