from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from benchmarks.registration_truth import corner_error, grey_of
from core.errors import Cancelled, InputError
from core.io import read_image
from core.progress import NullProgress
from core.registration.registering import register
from core.types import Image
from core.types.transform import TRANSFORM_KINDS, Transform
from tests.core.registration.scenes import image_of, moved_pair, texture

_SIZE = (420, 340)


def _found(fixed, moving, kind="similarity", task="", **more):
    return register(image_of(fixed), image_of(moving), kind, task=task, **more)


def _size(grey):
    return grey.shape[1], grey.shape[0]


@pytest.mark.parametrize("kind", TRANSFORM_KINDS)
@pytest.mark.parametrize("task", ["mff", "ivif"])
def test_a_known_transform_is_found(kind, task):
    grey = texture(*_SIZE)
    other = 1 - grey if task == "ivif" else cv2.GaussianBlur(grey, (0, 0), 1.5)
    fixed, moving, truth = moved_pair(grey, other, kind, seed=4)
    result = _found(fixed, moving, kind, task)
    error = corner_error(result.transform, truth, _size(fixed))
    assert error < 0.3
    assert result.transform.kind == kind
    assert result.verdict == "good"
    assert result.reasons == ()
    assert result.spread < 1
    assert result.after > result.before


def test_the_same_picture_lies_on_itself():
    grey = texture(*_SIZE)
    result = _found(grey, grey, "homography")
    assert corner_error(result.transform, Transform.identity(), _SIZE) < 0.02
    assert result.before == pytest.approx(1, abs=1e-6)


def test_a_picture_of_another_size_is_scaled():
    grey = texture(480, 360)
    smaller = cv2.resize(grey, (320, 240), interpolation=cv2.INTER_AREA)
    result = _found(grey, smaller, "similarity")
    truth = Transform.of("similarity", [[2 / 3, 0, -1 / 6], [0, 2 / 3, -1 / 6], [0, 0, 1]])
    assert corner_error(result.transform, truth, (480, 360)) < 0.2
    assert result.verdict == "good"


def test_a_part_is_found_by_translation():
    grey = texture(*_SIZE)
    result = _found(grey[40:300, 60:400], grey, "translation")
    np.testing.assert_allclose(result.transform.apply([0, 0]), [60, 40], atol=0.05)


@pytest.mark.parametrize("kind", ["translation", "similarity", "homography"])
def test_different_scenes_fail(kind):
    result = _found(texture(*_SIZE), texture(*_SIZE, seed=9), kind)
    assert result.verdict == "failed"
    assert result.reasons


@pytest.mark.parametrize("constant", [0.0, 0.5, 1.0])
def test_pictures_without_structure_fail(constant):
    flat = np.full(_SIZE[::-1], constant)
    for fixed, moving in ((flat, texture(*_SIZE)), (texture(*_SIZE), flat), (flat, flat)):
        result = _found(fixed, moving)
        assert result.verdict == "failed"
        assert result.spread == np.inf


@pytest.mark.parametrize("task", ["mff", "mif"])
def test_pictures_whose_data_share_no_place_fail(task):
    grey = texture(*_SIZE)
    columns = np.broadcast_to(np.arange(_SIZE[0]), grey.shape)
    left, right = image_of(grey, columns < 60), image_of(grey, columns > 380)
    result = register(left, right, "translation", task=task)
    assert result.verdict == "failed"
    assert result.spread == np.inf


@pytest.mark.parametrize("task", ["mff", "mif"])
def test_values_that_are_not_finite_are_no_data(task):
    grey = texture(200, 160)
    nothing = np.full(grey.shape, np.nan)
    assert register(image_of(nothing), image_of(grey), task=task).verdict == "failed"
    holed = np.where(grey > 0.85, np.nan, grey)
    assert (found := register(image_of(holed), image_of(grey), "rigid", task=task)).spread < 1
    assert corner_error(found.transform, Transform.identity(), (200, 160)) < 0.5


def test_sixteen_bits_and_colour_are_registered_like_eight_and_grey():
    fixed, moving, truth = moved_pair(texture(*_SIZE), texture(*_SIZE), "rigid", seed=5)
    deep = np.dstack([np.round(moving * 65535)] * 3).astype(np.float32)
    result = register(image_of(fixed), Image(deep, (0.0, 65535.0), 16), "rigid")
    assert corner_error(result.transform, truth, _size(fixed)) < 0.3


@pytest.mark.long
@pytest.mark.parametrize("task", ["mff", "mif"])
def test_the_way_back_is_the_inverse(task):
    fixed, moving, _ = moved_pair(texture(300, 260), texture(300, 260), "similarity", seed=8)
    there, back = _found(fixed, moving, task=task), _found(moving, fixed, task=task)
    assert corner_error(there.transform, back.transform.inverse(), _size(fixed)) < 0.5


def test_noise_alone_fails():
    noise = np.random.default_rng(0).uniform(size=(2, 300, 400))
    assert _found(*noise).verdict == "failed"


def test_missing_data_do_not_draw():
    fixed, moving, truth = moved_pair(texture(*_SIZE), texture(*_SIZE), "rigid", seed=5)
    fixed, moving = fixed.copy(), moving.copy()
    mask = np.ones(fixed.shape, np.bool_)
    mask[60:140, 80:200] = False
    fixed[~mask] = 1
    moving[~mask] = np.nan
    result = register(image_of(fixed, mask), image_of(moving), "rigid")
    assert corner_error(result.transform, truth, _size(fixed)) < 0.3


def test_hardly_any_data_fails():
    grey = texture(*_SIZE)
    mask = np.zeros(grey.shape, np.bool_)
    mask[10:30, 10:30] = True
    assert register(image_of(grey, mask), image_of(grey)).verdict == "failed"


def test_tiny_pictures_are_refused():
    with pytest.raises(InputError, match="too small") as caught:
        _found(texture(200, 20), texture(200, 200))
    assert caught.value.remedy


@pytest.mark.parametrize("size", [(32, 32), (40, 300), (64, 48)])
def test_small_pictures_end_in_a_verdict(size):
    grey = texture(*size)
    assert _found(grey, grey).verdict in ("good", "doubtful", "failed")


def test_the_same_call_gives_the_same_result():
    fixed, moving, _ = moved_pair(texture(*_SIZE), texture(*_SIZE), "affine", seed=6)
    first, second = (_found(fixed, moving, "affine") for _ in range(2))
    assert first.transform == second.transform
    assert first.spread == second.spread


class _Recorder(NullProgress):
    def __init__(self, stop_after: float = 0) -> None:
        self.reports: list[tuple[float, float]] = []
        self.checked: list[float] = []
        self._stop_after = stop_after

    def report(self, done: float, total: float, stage: str) -> None:
        assert stage
        self.reports.append((done, total))

    def check(self) -> None:
        self.checked.append(time.monotonic())
        if self._stop_after and len(self.checked) > self._stop_after:
            raise Cancelled


def test_progress_grows_to_its_end():
    recorder = _Recorder()
    _found(texture(*_SIZE), texture(*_SIZE), progress=recorder)
    done = [one for one, _ in recorder.reports]
    assert done == sorted(done)
    assert recorder.reports[-1][0] == recorder.reports[-1][1]


@pytest.mark.parametrize("after", [1, 20])
def test_cancelling_ends_the_work(after):
    with pytest.raises(Cancelled):
        _found(texture(*_SIZE), texture(*_SIZE), progress=_Recorder(after))


_REAL = {
    "mff": ("nyud_019.jpg", 0.3),
    "mef": ("hdrps_Flamingo.png", 0.3),
    "ivif": ("roadscene_FLIR_00452.jpg", 3.0),
}


@pytest.mark.parametrize("task", _REAL)
@pytest.mark.parametrize("kind", ["similarity", "homography"])
def test_real_pairs_are_found(shared_data, task, kind):
    name, goal = _REAL[task]
    a, b = (grey_of(read_image(shared_data / "val" / task / side / name)) for side in "ab")
    fixed, moving, truth = moved_pair(a, b, kind, seed=7)
    result = _found(fixed, moving, kind, task)
    assert corner_error(result.transform, truth, _size(fixed)) < goal
    assert result.verdict != "failed"


@pytest.mark.parametrize("kind", ["translation", "similarity"])
def test_large_pictures_are_found_in_their_own_pixels(kind):
    grey = cv2.resize(texture(450, 360), (3700, 2900), interpolation=cv2.INTER_CUBIC)
    result = _found(grey[:-80, :-130], grey[80:, 130:], kind, "mff")
    np.testing.assert_allclose(result.transform.apply([1500, 1200]), [1370, 1120], atol=0.5)
    assert result.verdict == "good"
