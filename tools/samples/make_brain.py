"""Generates the medical sample: a T1-weighted MRI slice and a simulated FDG-PET of the same slice.

The anatomy is that of the ICBM 152 nonlinear symmetric template 2009a (an average of many subjects,
so that no individual can be identified), contained in the package nilearn; its notice is in
``LICENSE-ICBM152.txt``. Tissue around the brain (fluid, skull, muscle, scalp) is synthetic.

    python -m pip install "unifusion-studio[samples]"
    python -m tools.samples.make_brain --out DIR
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from resources import SAMPLES

Array = NDArray[np.float32]

SEED = 20090
SLICE_MM = 9.0  # above the anterior commissure: basal ganglia, both horns of the ventricles
PIXEL_MM = 0.5
FIELD_MM = 224.0
SIZE = int(FIELD_MM / PIXEL_MM)  # 448
_FWHM = 2.3548  # full width at half maximum of a Gaussian with sigma 1

# A rainbow colour map as used by PET workstations: (position, red, green, blue).
_RAINBOW = (
    (0.00, 0, 0, 0),
    (0.10, 0, 0, 92),
    (0.24, 0, 40, 205),
    (0.36, 28, 118, 255),
    (0.47, 120, 178, 150),
    (0.56, 214, 214, 40),
    (0.66, 255, 226, 0),
    (0.78, 255, 140, 0),
    (0.88, 255, 36, 0),
    (0.96, 255, 0, 120),
    (1.00, 255, 60, 220),
)


@dataclass(frozen=True)
class Slice:
    """One axial slice on the image grid, anterior up, the patient's right on the left.

    Every array is float32 (SIZE, SIZE) in 0..1: T1 contrast, grey and white matter, fluid.
    """

    t1: Array
    grey: Array
    white: Array
    fluid: Array
    brain: Array


def _blur(image: Array, sigma_mm: float) -> Array:
    return cv2.GaussianBlur(image, (0, 0), sigma_mm / PIXEL_MM).astype(np.float32)


def _smooth_noise(rng: np.random.Generator, sigma_mm: float) -> Array:
    """Smooth Gaussian noise, mean 0, standard deviation 1."""
    noise = _blur(rng.standard_normal((SIZE, SIZE)).astype(np.float32), sigma_mm)
    return ((noise - noise.mean()) / noise.std()).astype(np.float32)


def _step(value: Array, low: float, high: float) -> Array:
    """Smooth step from 0 at ``low`` to 1 at ``high``."""
    x = np.clip((value - low) / (high - low), 0.0, 1.0)
    return (x * x * (3 - 2 * x)).astype(np.float32)


def _grid(rng: np.random.Generator) -> tuple[Array, Array]:
    """Template coordinates of every pixel in mm (x to the patient's left, y to the front).

    The template is perfectly symmetric, unlike any head: a slight rotation and a smooth deformation
    of a few millimetres make it realistic.
    """
    rows, cols = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    x = (cols - (SIZE - 1) / 2) * PIXEL_MM
    y = ((SIZE - 1) / 2 - rows) * PIXEL_MM
    turn = np.deg2rad(1.6)
    x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    x = x + 1.7 * _smooth_noise(rng, 22) + 0.75 * _smooth_noise(rng, 8)
    y = y + 1.7 * _smooth_noise(rng, 22) + 0.75 * _smooth_noise(rng, 8)
    # Radiological convention: the left side of the image is the patient's right.
    return (-x).astype(np.float32), (y - 18.0).astype(np.float32)


def load_slice(rng: np.random.Generator) -> Slice:
    """Read the template from nilearn and sample the slice.

    Raises:
        SystemExit: nilearn is not installed; the message says how to install it.
    """
    try:
        import nibabel
        import nilearn.datasets
    except ImportError as error:
        raise SystemExit('nilearn is missing: python -m pip install "nilearn>=0.11"') from error

    folder = Path(nilearn.datasets.__file__).parent / "data"
    x, y = _grid(rng)

    def sample(kind: str) -> Array:
        path = folder / f"mni_icbm152_{kind}_tal_nlin_sym_09a_converted.nii.gz"
        image = nibabel.as_closest_canonical(nibabel.load(path))
        origin = image.affine[:3, 3]
        plane = np.asarray(image.dataobj, dtype=np.float32)[:, :, round(SLICE_MM - origin[2])]
        rows, cols = (x - origin[0]).astype(np.float32), (y - origin[1]).astype(np.float32)
        picture = cv2.remap(plane, cols, rows, cv2.INTER_CUBIC)  # the volume is [x, y]
        return np.clip(picture / 255.0, 0.0, 1.0).astype(np.float32)

    t1, grey, white = sample("t1"), sample("gm"), sample("wm")
    brain = _step(_blur((t1 > 0.08).astype(np.float32), 1.6), 0.52, 0.86)
    fluid = np.clip(brain - grey - white, 0.0, 1.0).astype(np.float32)
    return Slice(t1=t1, grey=grey, white=white, fluid=fluid, brain=brain)


def _outside_distance(brain: Array, rng: np.random.Generator) -> Array:
    """Distance in mm from the inner surface of the skull, a smooth hull around the brain."""
    points = cv2.findNonZero((brain > 0.5).astype(np.uint8))
    hull = cv2.fillConvexPoly(np.zeros((SIZE, SIZE), np.uint8), cv2.convexHull(points), 1)
    smooth = _blur(hull.astype(np.float32), 16.0)
    inside = (smooth > 0.445).astype(np.uint8)
    out = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    back = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    signed = (out - back) * PIXEL_MM - 1.2  # a thin layer of fluid between brain and bone
    return (_blur(signed, 2.5) + 0.4 * _smooth_noise(rng, 14)).astype(np.float32)


def _shell(distance: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """T1 intensity of skull, muscle and scalp, and their mask (both 0..1)."""
    rows, cols = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    angle = np.arctan2((SIZE / 2 - rows), np.abs(cols - SIZE / 2))  # +90 degrees is the forehead
    temple = np.exp(-(((angle - 0.42) / 0.36) ** 2))
    nape = np.exp(-(((angle + 1.45) / 0.5) ** 2))
    wobble = _smooth_noise(rng, 6)
    bone = 6.2 + 1.6 * nape - 2.0 * temple + 0.5 * wobble
    muscle = bone + 6.0 * temple
    skin = muscle + 4.8 + 1.2 * nape - 1.6 * temple + 0.5 * _smooth_noise(rng, 16)

    grain = _smooth_noise(rng, 1.1)
    marrow = _step(distance, 1.4, 2.6) * (1 - _step(distance - bone, -2.2, -1.0))
    value = 0.03 + marrow * np.clip(0.30 + 0.13 * grain + 0.10 * wobble, 0.05, 0.7)
    in_muscle = _step(distance - bone, -0.3, 0.5) * _step(muscle - bone, 0.4, 1.5)
    fibres = 0.5 + 0.5 * np.sin(distance * 3.4 + 2.0 * wobble)
    value = value * (1 - in_muscle) + in_muscle * (0.26 + 0.07 * fibres + 0.03 * grain)
    fat = _step(distance - muscle, -0.4, 0.6) * (1 - _step(distance - skin, -2.0, -1.1))
    strands = _step(np.abs(_smooth_noise(rng, 2.2)), 0.0, 0.25)
    value = value * (1 - fat) + fat * (0.66 + 0.20 * strands + 0.04 * grain)
    dermis = _step(distance - skin, -1.7, -1.0)
    value = value * (1 - dermis) + dermis * 0.52
    presence = 1 - _step(distance - skin, -0.3, 0.4)
    return (value * presence).astype(np.float32), presence.astype(np.float32)


def make_mri(slice_: Slice, rng: np.random.Generator) -> NDArray[np.uint8]:
    """T1-weighted slice with skull, bias field and Rician noise, uint8 (SIZE, SIZE)."""
    detail = slice_.t1 - _blur(slice_.t1, 1.6)
    # The average of many subjects is blurred: tissue classes restore the boundaries.
    white = _step(slice_.white, 0.22, 0.78)
    fluid = _step(slice_.fluid, 0.25, 0.75)
    classes = 0.40 + 0.30 * white - 0.30 * fluid
    from_t1 = np.interp(
        slice_.t1, [0.3, 0.5, 0.66, 0.8, 0.92, 1.0], [0.08, 0.16, 0.36, 0.56, 0.7, 0.78]
    )
    value = 0.42 * classes + 0.58 * from_t1 + 0.9 * detail
    value = value + 0.012 * _smooth_noise(rng, 2.5) * slice_.brain

    distance = _outside_distance(slice_.brain, rng)
    shell, _ = _shell(distance, rng)
    gap = 0.07 + 0.03 * _smooth_noise(rng, 2.0)
    around = np.where(distance < 0.6, np.clip(gap, 0.02, 0.2), shell)
    around = cv2.GaussianBlur(around.astype(np.float32), (0, 0), 0.8)
    picture = value * slice_.brain + around * (1 - slice_.brain)

    bias = 1.0 + 0.05 * _smooth_noise(rng, 45) + 0.10 * _step(distance, -25.0, 10.0)
    picture = np.clip(picture, 0.0, None) * bias
    real = picture + 0.014 * rng.standard_normal(picture.shape)
    imaginary = 0.014 * rng.standard_normal(picture.shape)
    magnitude = cv2.GaussianBlur(np.hypot(real, imaginary).astype(np.float32), (0, 0), 0.55)
    return np.clip(np.round(magnitude * 290.0 - 4.0), 0, 255).astype(np.uint8)


def make_pet(slice_: Slice, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Simulated FDG uptake in a rainbow colour map, uint8 (SIZE, SIZE, 3), RGB, on black."""
    rows, cols = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    y = ((SIZE - 1) / 2 - rows) * PIXEL_MM - 18.0
    x = np.abs(cols - (SIZE - 1) / 2) * PIXEL_MM

    def bump(cx: float, cy: float, rx: float, ry: float) -> Array:
        return np.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2).astype(np.float32)

    # The maps underestimate deep grey-matter nuclei; the visual cortex has the highest uptake.
    deep = 0.75 * bump(26, 2, 7, 15) + 0.8 * bump(13, 13, 6, 9) + 0.35 * bump(11, -19, 9, 11)
    grey = np.clip(slice_.grey + 0.55 * deep * (slice_.grey + slice_.white), 0.0, 1.15)
    regional = 1.0 + 0.26 * bump(0, -74, 34, 24) + 0.08 * bump(48, -30, 16, 40)
    regional = regional + 0.05 * bump(10, 48, 24, 20) + 0.05 * _smooth_noise(rng, 12)
    uptake = 4.0 * grey * regional + 1.0 * slice_.white + 0.2 * slice_.fluid

    distance = _outside_distance(slice_.brain, rng)
    shell, presence = _shell(distance, rng)
    uptake = uptake * slice_.brain + (0.25 + 0.35 * shell) * presence * (1 - slice_.brain)

    blurred = _blur(uptake.astype(np.float32), 5.0 / _FWHM)
    counts = rng.poisson(np.clip(blurred, 0, None) * 34.0).astype(np.float32) / 34.0
    image = _blur(counts, 2.9 / _FWHM)
    # Real PET has a grid of about 2 mm and is enlarged for display, which keeps it soft.
    step = int(2.0 / PIXEL_MM)
    coarse = cv2.resize(image, (SIZE // step, SIZE // step), interpolation=cv2.INTER_AREA)
    image = cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    top = float(np.quantile(image[slice_.brain > 0.5], 0.997))
    level = np.clip((image - 0.10) / (top - 0.10), 0.0, 1.0)
    keys = np.array(_RAINBOW, dtype=np.float64)
    channels = [np.interp(level, keys[:, 0], keys[:, k]) for k in (1, 2, 3)]
    return np.round(np.stack(channels, axis=-1)).astype(np.uint8)


def main(arguments: list[str] | None = None) -> None:
    """Command line entry: writes ``mif_a.png`` (PET) and ``mif_b.png`` (MRI)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=SAMPLES, help="output folder")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    slice_ = load_slice(np.random.default_rng(SEED))
    mri = make_mri(slice_, np.random.default_rng(SEED + 1))
    pet = make_pet(slice_, np.random.default_rng(SEED + 1))
    for name, picture in (("mif_a.png", pet[..., ::-1]), ("mif_b.png", mri)):
        coded, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        assert coded
        (options.out / name).write_bytes(data.tobytes())
        print(options.out / name)


if __name__ == "__main__":
    main()
