"""Images drawn through a transform: against the resampling that is fused, and what lies outside."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from app.viewer.image_scene import ImageScene, Layer
from app.viewer.pyramid import rendered_image, source_image
from app.viewer.region_cache import RegionCache
from app.viewer.viewport import Viewport
from app.viewer.warping import Warp, scaling, warped
from core.io.resampling import resample_through
from core.types import Image, Transform
from core.types.moves import by_size, moved, shift_by, turn_about


def image_of(pixels: np.ndarray) -> Image:
    return Image(pixels.astype(np.float32)[..., np.newaxis], (0.0, 255.0), 8)


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (height, width))


def shot(scene: ImageScene, scale: float = 1.0, corner: tuple[float, float] = (0, 0)) -> np.ndarray:
    """The scene on a red ground of 60×40, H×W×4 (BGRA)."""
    canvas = QImage(60, 40, QImage.Format.Format_RGB32)
    canvas.fill(0xFFFF0000)
    painter = QPainter(canvas)
    clip = QRectF(0, 0, 60, 40)
    scene.paint(painter, Viewport(QPointF(*corner), scale, clip, 1.0), RegionCache())
    painter.end()
    return np.frombuffer(canvas.bits(), np.uint8).reshape(40, 60, 4).copy()


@pytest.mark.parametrize("angle", [0.0, 3.0, -90.0])
def test_what_is_drawn_is_what_will_be_fused(angle):
    moving, fixed = image_of(noise(50, 40)), image_of(np.zeros((40, 60)))
    transform = moved(moved(Transform.identity(), turn_about((25, 20), angle)), shift_by((4, 2.5)))
    expected = resample_through(moving, transform, fixed)
    codes, inside = warped(source_image(moving), Warp(transform, (60, 40)), np.eye(3), (60, 40))
    assert expected.mask is not None
    both = inside & expected.mask
    assert both.sum() > 1500
    # The border may be decided differently by half a pixel.
    assert (inside ^ expected.mask).sum() < 150
    off = np.abs(codes[..., 0].astype(float) - expected.data[..., 0])[both]
    assert off.max() <= 3  # OpenCV interpolates in steps of 1/32 pixel: 255/32/2, rounded
    assert off.mean() < 1


def test_a_shift_moves_pixels_and_leaves_the_rest_transparent():
    pixels = noise(60, 40)
    fixed, moving = (rendered_image(np.float32(p)[..., None] / 255) for p in (pixels * 0, pixels))
    warp = Warp(moved(Transform.identity(), shift_by((10, 5))), (60, 40))
    scene = ImageScene(Layer.plain(fixed), Layer(moving, moving.window, warp=warp), "blink")
    canvas = QImage(60, 40, QImage.Format.Format_RGB32)
    canvas.fill(0xFFFF0000)
    painter = QPainter(canvas)
    view = Viewport(QPointF(0, 0), 1.0, QRectF(0, 0, 60, 40), 1.0)
    scene.paint(painter, view, RegionCache(), phase=True)
    painter.end()
    seen = np.frombuffer(canvas.bits(), np.uint8).reshape(40, 60, 4)
    np.testing.assert_array_equal(seen[5:, 10:, 0], pixels[:-5, :-10])
    assert (seen[:5, :, 2] == 255).all()  # the red ground
    assert (seen[:, :10, :2] == 0).all()


def test_nothing_is_drawn_beyond_the_fixed_image():
    pixels = np.full((40, 60), 200)
    fixed, moving = (
        rendered_image(np.float32(p)[..., None] / 255) for p in (pixels[:20, :30], pixels)
    )
    warp = Warp(Transform.identity(), (30, 20))
    scene = ImageScene(
        Layer.plain(fixed), Layer(moving, moving.window, warp=warp), "overlay", opacity=1.0
    )
    seen = shot(scene)
    assert (seen[:20, :30, 0] == 200).all()
    assert (seen[20:, :, 2] == 255).all()
    assert (seen[:, 30:, 2] == 255).all()


def test_a_difference_vanishes_where_the_transform_is_right():
    whole = noise(80, 60)
    fixed, moving = whole[10:50, 12:72], whole[:, :]
    layers = [rendered_image(np.float32(p)[..., None] / 255) for p in (fixed, moving)]
    right = Transform.of("translation", [[1, 0, 12], [0, 1, 10], [0, 0, 1]])

    def difference(transform: Transform) -> np.ndarray:
        warp = Warp(transform, (60, 40))
        second = Layer(layers[1], layers[1].window, warp=warp)
        return shot(ImageScene(Layer.plain(layers[0]), second, "difference"))

    # Grey where there is none: blue, green and red are alike.
    assert np.ptp(difference(right)[..., :3].astype(int), axis=2).max() <= 12
    assert np.ptp(difference(Transform.identity())[..., :3].astype(int), axis=2).max() > 100


def test_a_large_picture_is_drawn_from_a_coarse_level():
    big = rendered_image(np.ones((4000, 6000, 1), np.float32) * 0.5)
    big.levels[0][:] = 0  # only coarser levels have the grey
    warp = Warp(by_size((6000, 4000), (60, 40)), (60, 40))
    codes, inside = warped(big, warp, scaling(1, 1), (60, 40))
    assert inside.all()
    assert (codes == 128).all()


def test_a_picture_moved_out_of_sight_is_not_drawn():
    shown = rendered_image(np.ones((40, 60, 1), np.float32))
    warp = Warp(moved(Transform.identity(), shift_by((500, 0))), (60, 40))
    _codes, inside = warped(shown, warp, np.eye(3), (60, 40))
    assert not inside.any()
