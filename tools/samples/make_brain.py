"""Generates the medical sample: a T1-weighted MR volume and a simulated FDG-PET of the same head.

The anatomy is that of the ICBM 152 nonlinear symmetric template 2009a (an average of many subjects,
so that no individual can be identified), contained in the package nilearn; its notice is in
``LICENSE-ICBM152.txt``. Tissue around the brain (fluid, skull, muscle, scalp) is synthetic.

    python -m pip install "unifusion-studio[samples]"
    python -m tools.samples.make_brain --out DIR
"""

from __future__ import annotations

import argparse
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from resources import SAMPLES
from tools.samples.brain_dicom import Grid, write_mr, write_pet

Array = NDArray[np.float32]

SEED = 20090
MR_GRID = Grid(shape=(50, 220, 184), spacing=(3.0, 1.0, 1.0), first=(-91.5, -93.5, -51.0))
"""Axial slices up to the scalp; the first voxel is in mm, LPS."""
PET_GRID = Grid(shape=(38, 56, 48), spacing=(4.0, 4.0, 4.0), first=(-94.0, -94.0, -52.0))
_FWHM = 2.3548  # full width at half maximum of a Gaussian with sigma 1
_PET_FWHM_MM = 6.0


@dataclass(frozen=True)
class Head:
    """The template on the grid of the MR; every array is float32 in 0..1, except distances."""

    _: KW_ONLY
    t1: Array
    grey: Array
    white: Array
    fluid: Array
    brain: Array
    outside: Array
    """Distance in mm from the inner surface of the skull, negative within."""


def _blur(volume: Array, sigma_mm: float, *, between: bool = True) -> Array:
    """Gaussian blur; ``between`` slices as well as in them."""
    from scipy.ndimage import gaussian_filter

    across, *within = (sigma_mm / spacing for spacing in MR_GRID.spacing)
    sigmas = (across if between else 0.0, *within)
    return np.asarray(gaussian_filter(volume, sigmas), np.float32)


def _smooth_noise(rng: np.random.Generator, sigma_mm: float) -> Array:
    """Smooth Gaussian noise, mean 0, standard deviation 1."""
    noise = _blur(rng.standard_normal(MR_GRID.shape).astype(np.float32), sigma_mm)
    return ((noise - noise.mean()) / noise.std()).astype(np.float32)


def _step(value: Array, low: float, high: float) -> Array:
    """Smooth step from 0 at ``low`` to 1 at ``high``."""
    x = np.clip((value - low) / (high - low), 0.0, 1.0)
    return (x * x * (3 - 2 * x)).astype(np.float32)


def _places() -> tuple[Array, Array, Array]:
    """Millimetres of every voxel: x to the patient's left, y to the back, z to the head."""
    counts, spacing, first = MR_GRID.shape[::-1], MR_GRID.spacing[::-1], MR_GRID.first
    x, y, z = (
        (np.arange(count) * step + begin).astype(np.float32)
        for count, step, begin in zip(counts, spacing, first, strict=True)
    )
    back, down, across = np.meshgrid(z, y, x, indexing="ij")
    return across, down, back


def load_head(rng: np.random.Generator) -> Head:
    """Read the template from nilearn, turned and warped a little, as no head is symmetric.

    Raises:
        SystemExit: nilearn is not installed; the message says how to install it.
    """
    try:
        import nibabel
        import nilearn.datasets
        from scipy.ndimage import map_coordinates
    except ImportError as error:
        raise SystemExit('nilearn is missing: python -m pip install "nilearn>=0.11"') from error

    folder = Path(nilearn.datasets.__file__).parent / "data"
    x, y, z = _places()
    turn = np.deg2rad(1.6)
    x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    x, y, z = (
        place + 1.7 * _smooth_noise(rng, 22) + 0.6 * _smooth_noise(rng, 9) for place in (x, y, z)
    )

    def sample(kind: str) -> Array:
        path = folder / f"mni_icbm152_{kind}_tal_nlin_sym_09a_converted.nii.gz"
        image: Any = nibabel.as_closest_canonical(nibabel.load(path))
        origin = image.affine[:3, 3]
        # The template is stored to the patient's right, front and head.
        places = (-x - origin[0], -y - origin[1], z - origin[2])
        volume = np.asarray(image.dataobj, dtype=np.float32)
        values = map_coordinates(volume, places, order=1, mode="constant")
        return np.clip(values / 255.0, 0.0, 1.0).astype(np.float32)

    t1, grey, white = sample("t1"), sample("gm"), sample("wm")
    brain = _step(_blur((t1 > 0.08).astype(np.float32), 1.2), 0.45, 0.86)
    fluid = np.clip(brain - grey - white, 0.0, 1.0).astype(np.float32)
    return Head(
        t1=t1, grey=grey, white=white, fluid=fluid, brain=brain,
        outside=_outside_distance(brain, rng),
    )  # fmt: skip


def _outside_distance(brain: Array, rng: np.random.Generator) -> Array:
    """Distance in mm from a smooth hull around the brain, which goes straight down below it."""
    from scipy.ndimage import distance_transform_edt

    inside = np.zeros(brain.shape, np.float32)
    above = np.zeros(brain.shape[1:], np.uint8)
    for index in range(len(brain) - 1, -1, -1):  # from the top
        above |= (brain[index] > 0.5).astype(np.uint8)
        points = cv2.findNonZero(above)
        if points is not None:
            slice_: Any = np.zeros_like(above)
            inside[index] = cv2.fillConvexPoly(slice_, cv2.convexHull(points), 1)
    mask = _blur(inside, 6.0) > 0.46
    out = distance_transform_edt(~mask, MR_GRID.spacing)
    back = distance_transform_edt(mask, MR_GRID.spacing)
    signed = np.asarray(out - back, np.float32) - 1.2  # a thin layer of fluid before the bone
    return (_blur(signed, 2.0) + 0.4 * _smooth_noise(rng, 14)).astype(np.float32)


def _shell(distance: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """T1 intensity of skull, muscle and scalp, and their mask (both 0..1)."""
    x, y, z = _places()
    angle = np.arctan2(-(y - 18.0), np.abs(x))  # +90 degrees is the forehead
    low = 1 - _step(z, 20.0, 55.0)
    temple = np.exp(-(((angle - 0.42) / 0.36) ** 2)) * low
    nape = np.exp(-(((angle + 1.45) / 0.5) ** 2)) * low
    wobble = _smooth_noise(rng, 6)
    bone = 6.2 + 1.6 * nape - 2.0 * temple + 0.5 * wobble
    muscle = bone + 6.0 * temple
    skin = muscle + 4.8 + 1.2 * nape - 1.6 * temple + 0.5 * _smooth_noise(rng, 16)

    marrow = _step(distance, 1.4, 2.6) * (1 - _step(distance - bone, -2.2, -1.0))
    value = 0.03 + marrow * np.clip(0.30 + 0.10 * wobble, 0.05, 0.7)
    in_muscle = _step(distance - bone, -0.3, 0.5) * _step(muscle - bone, 0.4, 1.5)
    value = value * (1 - in_muscle) + in_muscle * (0.28 + 0.05 * wobble)
    fat = _step(distance - muscle, -0.4, 0.6) * (1 - _step(distance - skin, -2.0, -1.1))
    value = value * (1 - fat) + fat * (0.72 + 0.06 * _smooth_noise(rng, 3))
    dermis = _step(distance - skin, -1.7, -1.0)
    value = value * (1 - dermis) + dermis * 0.52
    presence = 1 - _step(distance - skin, -0.3, 0.4)
    return (value * presence).astype(np.float32), presence


def make_mr(head: Head, rng: np.random.Generator) -> NDArray[np.uint16]:
    """T1-weighted volume with skull, slow shading and a little noise, 0 in the air."""
    detail = head.t1 - _blur(head.t1, 1.6, between=False)
    # The average of many subjects is blurred: tissue classes restore the boundaries.
    classes = 0.40 + 0.30 * _step(head.white, 0.22, 0.78) - 0.30 * _step(head.fluid, 0.25, 0.75)
    from_t1 = np.interp(
        head.t1, [0.3, 0.5, 0.66, 0.8, 0.92, 1.0], [0.08, 0.16, 0.36, 0.56, 0.7, 0.78]
    )
    value = 0.42 * classes + 0.58 * from_t1 + 0.9 * detail
    shell, presence = _shell(head.outside, rng)
    depth = _step(_blur(head.brain, 5.0), 0.02, 0.25)  # near the brain: fluid; far below: tissue
    tissue = 0.26 + 0.05 * _smooth_noise(rng, 3)
    within = depth * 0.07 + (1 - depth) * tissue
    around = np.where(head.outside < 0.6, within, shell)
    around = _blur(around.astype(np.float32), 0.7, between=False)
    picture = value * head.brain + around * (1 - head.brain)
    bias = 1.0 + 0.05 * _smooth_noise(rng, 45) + 0.10 * _step(head.outside, -25.0, 10.0)
    picture = np.clip(picture, 0.0, None) * bias
    noise = 0.012 * rng.standard_normal((2, *picture.shape))
    picture = np.hypot(picture + noise[0], noise[1])
    air = _blur(presence, 0.7) < 0.08
    return np.where(air, 0, np.clip(np.round(picture * 260.0), 0, 255)).astype(np.uint16)


def make_pet(head: Head, rng: np.random.Generator) -> Array:
    """Simulated uptake of FDG on the grid of the PET, in SUV."""
    from scipy.ndimage import map_coordinates

    x, y, z = _places()
    x = np.abs(x)

    def bump(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Array:
        parts = zip((x, -y, z), centre, radii, strict=True)
        return np.exp(-sum(((place - c) / r) ** 2 for place, c, r in parts)).astype(np.float32)

    # The maps underestimate deep grey-matter nuclei; the visual cortex has the highest uptake.
    deep = 0.75 * bump((26, 2, 3), (7, 15, 12)) + 0.8 * bump((13, 13, 9), (6, 9, 10))
    deep += 0.35 * bump((11, -19, 8), (9, 11, 9))
    grey = np.clip(head.grey + 0.55 * deep * (head.grey + head.white), 0.0, 1.15)
    regional = (
        1.0 + 0.26 * bump((0, -80, 6), (30, 24, 26)) + 0.08 * bump((48, -30, 10), (16, 40, 30))
    )
    regional = regional + 0.05 * _smooth_noise(rng, 12)
    regional = regional * (1 - 0.18 * _step(-z, 18.0, 36.0))  # cerebellum
    shell, presence = _shell(head.outside, rng)
    uptake = 9.0 * grey * regional + 2.4 * head.white + 0.5 * head.fluid
    around = (0.6 + 0.5 * shell) * presence
    uptake = uptake * head.brain + around * (1 - head.brain)
    blurred = _blur(uptake.astype(np.float32), _PET_FWHM_MM / _FWHM)
    counts = rng.poisson(np.clip(blurred, 0, None) * 40.0).astype(np.float32) / 40.0
    image = _blur(counts, 2.9 / _FWHM)
    places = np.meshgrid(
        *(
            (begin + step * np.arange(count) - first) / spacing
            for begin, step, count, first, spacing in zip(
                PET_GRID.first[::-1],
                PET_GRID.spacing,
                PET_GRID.shape,
                MR_GRID.first[::-1],
                MR_GRID.spacing,
                strict=True,
            )
        ),
        indexing="ij",
    )
    values = map_coordinates(image, places, order=1, mode="nearest")
    return np.clip(values, 0.0, None).astype(np.float32)


def main(arguments: list[str] | None = None) -> None:
    """Command line entry: writes the folders ``mif_a`` (PET) and ``mif_b`` (MR)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=SAMPLES, help="output folder")
    options = parser.parse_args(arguments)
    head = load_head(np.random.default_rng(SEED))
    mr = make_mr(head, np.random.default_rng(SEED + 1))
    pet = make_pet(head, np.random.default_rng(SEED + 1))
    write_pet(options.out / "mif_a", pet, PET_GRID)
    write_mr(options.out / "mif_b", mr, MR_GRID)
    print(options.out / "mif_a", options.out / "mif_b", sep="\n")


if __name__ == "__main__":
    main()
