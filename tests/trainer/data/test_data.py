"""Pairs in memory, and crops that depend on seed and step alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core.errors import Cancelled, InputError
from core.io import write_image
from core.progress import NullProgress
from core.tasks import ColourPolicy
from tests.trainer.runs import load_pairs
from trainer.data.sampler import CropSampler, TrainingPair

LUMA, RGB = ColourPolicy("luma", "a"), ColourPolicy("rgb", "a")


def _write(folder: Path, name: str, a: np.ndarray, b: np.ndarray) -> None:
    for side, pixels in (("a", a), ("b", b)):
        (folder / side).mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / side / name), pixels)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for index in range(3):
        a, b = (rng.integers(0, 256, (40, 50), np.uint8) for _ in range(2))
        _write(tmp_path, f"p{index}.png", a, b)
    return tmp_path


def _coded(height: int, width: int, number: int) -> TrainingPair:
    """Each pixel carries its own place, so that a crop says where it comes from."""
    rows, columns = np.mgrid[:height, :width]
    a = (rows * 256 + columns)[..., None].astype(np.uint16)
    return TrainingPair(str(number), a, (65535 - a).astype(np.uint16))


def test_every_pair_is_read_in_full_precision(folder: Path) -> None:
    deep = np.random.default_rng(1).integers(0, 65536, (33, 34), np.uint16)
    _write(folder, "deep.png", deep, deep // 2)
    found = load_pairs(folder, LUMA)
    assert [p.name for p in found.pairs] == ["deep", "p0", "p1", "p2"]
    assert found.problems == ()
    np.testing.assert_array_equal(found.pairs[0].a[..., 0], deep)
    np.testing.assert_array_equal(found.pairs[0].b[..., 0], deep // 2)
    grey = cv2.imread(str(folder / "a" / "p1.png"), cv2.IMREAD_UNCHANGED).astype(np.uint16)
    np.testing.assert_array_equal(found.pairs[2].a[..., 0], grey * 257)


def test_the_policy_decides_what_is_kept(folder: Path) -> None:
    assert load_pairs(folder, LUMA).pairs[0].a.shape == (40, 50, 1)
    assert load_pairs(folder, RGB).pairs[0].a.shape == (40, 50, 3)


def test_a_bad_picture_costs_one_row_and_is_named(folder: Path) -> None:
    (folder / "a" / "p1.png").write_bytes(b"no picture")
    _write(folder, "size.png", np.zeros((8, 8), np.uint8), np.zeros((8, 9), np.uint8))
    found = load_pairs(folder, LUMA)
    assert [p.name for p in found.pairs] == ["p0", "p2"]
    assert len(found.problems) == 2
    assert "p1.png" in found.problems[0]
    assert "8×8" in found.problems[1]


def test_exclusion_is_by_pattern(folder: Path) -> None:
    assert [p.name for p in load_pairs(folder, LUMA, ("p[01]",)).pairs] == ["p2"]
    with pytest.raises(InputError, match="no usable pair"):
        load_pairs(folder, LUMA, ("p*",))


def test_folders_without_pairs_are_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        load_pairs(tmp_path / "none", LUMA)
    for path in (folder / "a").iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"no usable pair.*p0\.png") as caught:
        load_pairs(folder, LUMA)
    assert caught.value.remedy


def test_reading_can_be_cancelled(folder: Path) -> None:
    class _Stop(NullProgress):
        def check(self) -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        load_pairs(folder, LUMA, progress=_Stop())


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    pairs = [_coded(60, 70, i) for i in range(3)]
    sampler = CropSampler(pairs, 4, 32, seed=5)
    first = [sampler(step) for step in range(5)]
    again = CropSampler(pairs, 4, 32, seed=5)
    for step in (4, 2, 0, 3, 1):  # in any order
        assert all(torch.equal(x, y) for x, y in zip(again(step), first[step], strict=True))
    assert not torch.equal(first[0][0], first[1][0])
    assert not torch.equal(CropSampler(pairs, 4, 32, seed=6)(0)[0], first[0][0])
    torch.manual_seed(99)
    np.random.default_rng(99).random()
    assert torch.equal(sampler(0)[0], first[0][0])


def test_both_sources_are_cropped_and_turned_alike() -> None:
    sampler = CropSampler([_coded(60, 70, 0)], 8, 32, seed=1)
    seen: set[tuple[int, int]] = set()
    for step in range(12):
        a, b = sampler(step)[:2]
        assert a.shape == b.shape == (8, 1, 32, 32)
        assert a.dtype == torch.float32
        assert a.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(a + b, torch.ones_like(a), rtol=0, atol=1e-6)
        for crop in torch.round(a * 65535).long():
            along, across = crop[0, 0, 1] - crop[0, 0, 0], crop[0, 1, 0] - crop[0, 0, 0]
            seen.add((int(along), int(across)))
    # All eight ways to lay a square: one step along is ±1 column or ±1 row.
    assert seen == {(s, t * 256) for s in (1, -1) for t in (1, -1)} | {
        (t * 256, s) for s in (1, -1) for t in (1, -1)
    }


def test_crops_reach_every_corner() -> None:
    sampler = CropSampler([_coded(36, 35, 0)], 32, 32, seed=1)
    values = torch.cat(
        [torch.round(sampler(step)[0] * 65535).long().flatten() for step in range(8)]
    )
    rows, columns = values // 256, values % 256
    assert (rows.min(), rows.max()) == (0, 35)
    assert (columns.min(), columns.max()) == (0, 34)


def test_every_pair_is_drawn() -> None:
    pairs = [
        TrainingPair(str(i), np.full((32, 32, 1), i * 1000, np.uint16), np.zeros((32, 32, 1), "u2"))
        for i in range(5)
    ]
    a = CropSampler(pairs, 100, 32, seed=0)(0).a
    drawn = torch.round(a[:, 0, 0, 0] * 65535).long().unique()
    assert drawn.tolist() == [0, 1000, 2000, 3000, 4000]


def test_pictures_smaller_than_a_crop_are_mirrored() -> None:
    pair = _coded(5, 40, 0)
    a, b = CropSampler([pair], 4, 32, seed=3)(0)[:2]
    assert a.shape == (4, 1, 32, 32)
    torch.testing.assert_close(a + b, torch.ones_like(a), rtol=0, atol=1e-6)
    values = set(torch.round(a * 65535).long().flatten().tolist())
    assert values <= set(pair.a.astype(int).flatten().tolist())
    one = TrainingPair("dot", np.full((1, 1, 1), 7, "u2"), np.full((1, 1, 1), 9, "u2"))
    assert torch.unique(CropSampler([one], 2, 32, seed=0)(0)[0] * 65535).round().tolist() == [7.0]


def test_flat_crops_are_rare_but_possible() -> None:
    mostly_black = np.zeros((128, 128, 1), np.uint16)
    mostly_black[:40, :40] = np.random.default_rng(0).integers(0, 65535, (40, 40, 1))
    pair = TrainingPair("p", mostly_black, mostly_black)
    crops = torch.cat([CropSampler([pair], 16, 32, seed=0)(step)[0] for step in range(12)])
    busy = (crops.flatten(1).std(dim=1) > 0.02).float().mean().item()
    # One random crop in six touches the busy corner; four tries make it about half.
    assert 0.3 < busy < 0.75
    black = TrainingPair("black", np.zeros((64, 64, 1), "u2"), np.zeros((64, 64, 1), "u2"))
    assert CropSampler([black], 2, 32, seed=0)(0)[0].abs().max() == 0


def test_three_channels_keep_their_order() -> None:
    rgb = np.zeros((32, 32, 3), np.uint16)
    rgb[..., 0], rgb[..., 2] = 60000, 100
    a = CropSampler([TrainingPair("p", rgb, rgb)], 1, 32, seed=0)(0).a
    np.testing.assert_allclose(a[0, :, 3, 4].numpy() * 65535, [60000, 0, 100], atol=0.01)


def test_without_truth_the_sources_are_what_is_wanted() -> None:
    batch = CropSampler([_coded(60, 70, 0)], 4, 32, seed=1)(0)
    assert torch.equal(batch.wanted_a, batch.a)
    assert torch.equal(batch.wanted_b, batch.b)


def test_truth_is_cropped_and_turned_like_its_pair_and_wanted_on_both_sides() -> None:
    coded = _coded(60, 70, 0)
    pair = TrainingPair("p", coded.a, coded.b, truth=coded.a.copy())
    batch = CropSampler([pair], 8, 32, seed=1)(0)
    assert torch.equal(batch.wanted_a, batch.a)
    assert torch.equal(batch.wanted_b, batch.a)


def test_swap_exchanges_the_sources_of_some_crops_and_leaves_the_rest() -> None:
    dark, bright = np.zeros((40, 40, 1), np.uint16), np.full((40, 40, 1), 60_000, np.uint16)
    pair = TrainingPair("p", dark, bright)
    batch = CropSampler([pair], 64, 32, seed=1, swap=True)(0)
    swapped = batch.a.amax(dim=(1, 2, 3)) > 0
    assert 0 < int(swapped.sum()) < 64
    assert torch.equal(swapped, batch.b.amax(dim=(1, 2, 3)) == 0)


def test_truth_is_read_from_gt_where_there_is_one(tmp_path: Path) -> None:
    for folder in ("a", "b", "gt"):
        (tmp_path / folder).mkdir()
    for name in ("one.png", "two.png"):
        for folder, value in (("a", 0.2), ("b", 0.4)):
            write_image(tmp_path / folder / name, np.full((8, 8, 3), value, "f4"), bit_depth=8)
    write_image(tmp_path / "gt" / "two.png", np.full((8, 8, 3), 0.6, "f4"), bit_depth=8)
    policy = ColourPolicy("luma", "both")
    one, two = load_pairs(tmp_path, policy, truth=True).pairs
    assert one.truth is None
    assert two.truth is not None
    assert two.truth.shape == two.a.shape
    np.testing.assert_allclose(two.truth / 65535.0, 0.6, atol=1e-3)
    assert all(pair.truth is None for pair in load_pairs(tmp_path, policy).pairs)


def test_jitter_changes_each_source_by_itself_and_the_wanted_ones_with_it() -> None:
    ramp = np.linspace(0, 65535, 40 * 40).reshape(40, 40, 1).astype(np.uint16)
    pair = TrainingPair("p", ramp, ramp)
    plain = CropSampler([pair], 16, 32, seed=1)(0)
    assert torch.equal(plain.a, plain.b)
    batch = CropSampler([pair], 16, 32, seed=1, jitter=0.7)(0)
    assert not torch.equal(batch.a, batch.b)
    assert torch.equal(batch.wanted_a, batch.a)
    assert torch.equal(batch.wanted_b, batch.b)
    assert batch.a.min() >= 0
    assert batch.a.max() <= 1


def test_jitter_is_a_gamma_and_a_gain_below_one() -> None:
    flat = np.full((40, 40, 1), 32768, np.uint16)
    values = CropSampler([TrainingPair("p", flat, flat)], 200, 32, seed=1, jitter=0.5)(0).a[
        :, 0, 0, 0
    ]
    # Half to the power of exp(±½), times exp(−½…0).
    assert float(values.max()) <= 0.5 ** np.exp(-0.5) + 1e-4
    assert float(values.min()) >= np.exp(-0.5) * 0.5 ** np.exp(0.5) - 1e-4
    assert float(values.std()) > 0.02
