"""FMI, NCIE and Piella's indices against slow implementations written from the definitions."""

from __future__ import annotations

from math import isnan, log2

import numpy as np
import pytest
import pywt
from scipy import stats
from skimage.metrics import normalized_mutual_information

from core.metrics import METRICS, Luma
from core.metrics.wavelet import meyer_transform

Plane = np.ndarray


def score(name: str, *images: Luma) -> float:
    return METRICS[name].function(*images)


@pytest.fixture(scope="module")
def three() -> tuple[Luma, Luma, Luma]:
    rng = np.random.default_rng(0)
    a, b, noise = (np.cumsum(rng.integers(-9, 10, (14, 13)), axis=1) + 120 for _ in range(3))
    a[:5, :6] = 30  # flat in all three: equal windows, and constant ones that differ
    b[:5, :6] = 90
    f = (2 * a + b + noise) // 4
    f[:5, :6] = 30
    f[8:, 8:] = 255 - a[8:, 8:]  # falling where A rises
    f[8:, :4] = a[8:, :4]
    return a.astype(np.uint8), b.astype(np.uint8), f.astype(np.uint8)


# --- feature mutual information -----------------------------------------------------------------


def entropy(cells: Plane) -> Plane:
    size = np.where(cells == 0, 1.0, np.abs(cells))
    return -(cells * np.log2(size)).sum(axis=0)


def densities(windows: Plane) -> Plane:
    """9×N: the values of each window in the order of its columns, from 0, with a sum of 1."""
    columns = windows.transpose(3, 2, 0, 1).reshape(9, -1)
    raised = columns - columns.min(axis=0)
    raised[:, np.ptp(columns, axis=0) == 0] = 1.0
    return raised / raised.sum(axis=0)


def deviation(density: Plane) -> Plane:
    place = np.arange(1, 10)[:, None]
    mean = (place * density).sum(axis=0)
    return np.sqrt(((place - mean) ** 2 * density).sum(axis=0))


def pair_information(x: Plane, y: Plane) -> Plane:
    """FMI of all windows from Fréchet's bounds as cumulated distributions, cell by cell."""
    in_x, in_y = (np.lib.stride_tricks.sliding_window_view(z, (3, 3)) for z in (x, y))
    p, q = densities(in_x), densities(in_y)
    flat = (np.ptp(p, axis=0) == 0) | (np.ptp(q, axis=0) == 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        dp, dq = p - p.mean(axis=0), q - q.mean(axis=0)
        correlation = (dp * dq).sum(axis=0) / np.sqrt((dp**2).sum(axis=0) * (dq**2).sum(axis=0))
    correlation[flat] = 0.0
    along_p, along_q = (np.vstack([np.zeros(p.shape[1]), np.cumsum(d, axis=0)]) for d in (p, q))
    along_p, along_q = along_p[:, None], along_q[None]
    bound = np.where(
        correlation >= 0, np.minimum(along_p, along_q), np.maximum(along_p + along_q - 1, 0)
    )
    covariance = (bound - along_p * along_q)[1:, 1:].sum(axis=(0, 1))
    wanted = correlation * deviation(p) * deviation(q)
    usable = np.abs(wanted) > 1e-12
    share = np.where(usable, wanted / np.where(usable, covariance, 1.0), 0.0)
    cells = np.diff(np.diff(bound, axis=0), axis=1)
    joint = share * cells + (1 - share) * p[:, None] * q[None]
    alone = entropy(p) + entropy(q)
    both = entropy(joint.reshape(81, -1))
    result = np.where(alone > 0, 2 * (alone - both) / np.where(alone > 0, alone, 1.0), 0.0)
    equal = (in_x == in_y).all(axis=(2, 3)).ravel()
    return np.where(equal, 1.0, result)


def direct_fmi(a: Plane, b: Plane, f: Plane) -> float:
    return float((pair_information(a, f) + pair_information(b, f)).mean() / 2)


def test_feature_information_of_pixels_and_gradients(three: tuple[Luma, Luma, Luma]) -> None:
    planes = [x.astype(float) for x in three]
    assert score("FMI_pixel", *three) == pytest.approx(direct_fmi(*planes), rel=1e-9)

    def slope(x: Plane) -> Plane:
        return np.stack(
            [x[:, 1] - x[:, 0], *((x[:, 2:] - x[:, :-2]) / 2).T, x[:, -1] - x[:, -2]], axis=1
        )

    expected = direct_fmi(*(slope(x) for x in planes))
    assert score("FMI_gradient", *three) == pytest.approx(expected, rel=1e-9)


def test_feature_information_of_wavelets() -> None:
    three = [x[:3, :4] for x in np.random.default_rng(1).integers(0, 256, (3, 4, 4), np.uint8)]
    features = []
    for image in three:
        low, (horizontal, vertical, diagonal) = pywt.dwt2(image.astype(float), "dmey", "symmetric")
        parts = np.block([[low, horizontal], [vertical, diagonal]])
        features.append(np.round((parts - parts.min()) / np.ptp(parts), 9))
    expected = direct_fmi(*features)
    assert score("FMI_wavelet", *three) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (40, 51), (64, 1)])
def test_wavelet_transform_against_pywavelets(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(2).random(shape)
    low, (horizontal, vertical, diagonal) = pywt.dwt2(plane, "dmey", "symmetric")
    expected = np.block([[low, horizontal], [vertical, diagonal]])
    np.testing.assert_allclose(meyer_transform(plane), expected, atol=1e-12)


def test_feature_information_by_hand() -> None:
    # Each window is one bright pixel, so its distribution has one place and no entropy.
    a, b, same = (np.zeros((3, 3), np.uint8) for _ in range(3))
    a[0, 0] = same[0, 0] = 200
    b[2, 2] = 200
    # F is A: 1; nothing of B, whose place is certain as well: 0.
    assert score("FMI_pixel", a, b, same) == pytest.approx(0.5)
    # The same pattern at another brightness and contrast is all there.
    ramp = np.arange(0, 90, 10, dtype=np.uint8).reshape(3, 3)
    assert score("FMI_pixel", ramp, ramp, 50 + 2 * ramp) == pytest.approx(1.0)
    # Constant windows of unlike levels are independent.
    assert score("FMI_pixel", ramp, ramp, np.full((3, 3), 7, np.uint8)) == pytest.approx(0.0)


# --- NCIE ---------------------------------------------------------------------------------------


def test_nonlinear_correlation_against_scikit_image(three: tuple[Luma, Luma, Luma]) -> None:
    bins = [np.arange(257)] * 2

    def information(x: Luma, y: Luma) -> float:
        # scikit-image gives (H(X) + H(Y)) / H(X, Y), and I(X; Y) = H(X) + H(Y) − H(X, Y).
        alone = sum(stats.entropy(np.bincount(z.ravel()), base=256) for z in (x, y))
        return float(alone - alone / normalized_mutual_information(x, y, bins=bins))

    matrix = [[1.0 if x is y else information(x, y) for y in three] for x in three]
    expected = 1.0
    for value in np.linalg.eigvals(np.array(matrix)).real:
        expected += value / 3 * np.log(value / 3) / np.log(256)
    assert score("NCIE", *three) == pytest.approx(expected, rel=1e-9)


def test_nonlinear_correlation_by_hand() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(16, 16)
    # Each picture determines the others, all eight bits: eigenvalues 3, 0 and 0.
    assert score("NCIE", every, 255 - every, every) == pytest.approx(1.0)
    # A constant one shares nothing: eigenvalues 2, 1 and 0.
    flat = np.full((16, 16), 3, np.uint8)
    expected = 1 + (2 / 3 * log2(2 / 3) + 1 / 3 * log2(1 / 3)) / 8
    assert score("NCIE", every, flat, every) == pytest.approx(expected)


# --- Piella -------------------------------------------------------------------------------------


def universal_quality(x: Plane, y: Plane) -> float:
    mx, my, vx, vy = x.mean(), y.mean(), x.var(), y.var()
    luminance = 1.0 if mx == my == 0 else 2 * mx * my / (mx**2 + my**2)
    covariance = ((x - mx) * (y - my)).mean()
    return float(luminance * (1.0 if vx == vy == 0 else 2 * covariance / (vx + vy)))


def direct_piella(a: Plane, b: Plane, f: Plane) -> tuple[float, float]:
    """Q and Q_W window by window."""
    values, weights = [], []
    rows, columns = (min(8, side) for side in a.shape)
    for row in range(a.shape[0] - rows + 1):
        for column in range(a.shape[1] - columns + 1):
            part = np.s_[row : row + rows, column : column + columns]
            va, vb = a[part].var(), b[part].var()
            share = 0.5 if va + vb == 0 else va / (va + vb)
            with_a, with_b = (universal_quality(x[part], f[part]) for x in (a, b))
            values.append(share * with_a + (1 - share) * with_b)
            weights.append(max(va, vb))
    return float(np.mean(values)), float(np.average(values, weights=weights))


@pytest.mark.parametrize("rows", [14, 5])
def test_piella_window_by_window(three: tuple[Luma, Luma, Luma], rows: int) -> None:
    images = [x[:rows] for x in three]
    plain, weighted = direct_piella(*(x.astype(float) for x in images))
    assert score("Q0", *images) == pytest.approx(plain, rel=1e-9)
    assert score("Qw", *images) == pytest.approx(weighted, rel=1e-9)

    def edges(x: Plane) -> Plane:
        wide = np.pad(x.astype(float), 1, mode="edge")
        down = wide[2:] - wide[:-2]
        across = wide[:, 2:] - wide[:, :-2]
        return np.hypot(
            down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:],
            across[:-2] + 2 * across[1:-1] + across[2:],
        )

    of_edges = direct_piella(*(edges(x) for x in images))[1]
    assert score("Qe", *images) == pytest.approx(weighted * of_edges, rel=1e-8)


def test_piella_by_hand() -> None:
    a = np.zeros((8, 8), np.uint8)
    a[::2] = 100
    flat = np.full((8, 8), 50, np.uint8)
    # The weight is all A's. F = A / 2: means 50 and 25, deviations 50 and 25, correlation 1.
    assert score("Qw", a, flat, a // 2) == pytest.approx(0.8 * 0.8)
    assert score("Q0", a, flat, a) == pytest.approx(1.0)
    # No brightness in either, and no contrast.
    black = np.zeros((9, 9), np.uint8)
    assert score("Q0", black, black, black) == 1.0
    assert isnan(score("Qw", black, flat[:1, :1].repeat(9, 0).repeat(9, 1), black))
    assert isnan(score("Qe", black, black, black))
