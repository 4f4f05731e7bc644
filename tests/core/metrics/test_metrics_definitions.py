"""Each metric against its definition: by hand, or by an independent implementation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import signal, stats
from skimage.measure import shannon_entropy
from skimage.metrics import (
    mean_squared_error,
    normalized_mutual_information,
    peak_signal_noise_ratio,
    structural_similarity,
)

from core.metrics import METRICS, Luma, evaluate, paper_psnr, psnr_pair, ssim_pair
from core.metrics.information import mutual_information
from core.metrics.perception import vif_lit
from core.metrics.structure import ms_ssim_pair

Plane = np.ndarray


def image(seed: int, height: int = 70, width: int = 61, blur: int = 5) -> Luma:
    """Random structure: blurred noise stretched to the full range."""
    rng = np.random.default_rng(seed)
    plane = signal.convolve2d(rng.random((height, width)), np.ones((blur, blur)), mode="same")
    plane -= plane.min()
    return np.rint(plane * 255 / plane.max()).astype(np.uint8)


@pytest.fixture(scope="module")
def three() -> tuple[Luma, Luma, Luma]:
    a, b = image(1), image(2)
    return a, b, ((a.astype(int) * 2 + b) // 3).astype(np.uint8)


def score(name: str, *images: Luma) -> float:
    return METRICS[name].function(*images)


def luma(*rows: list[int]) -> Luma:
    return np.array(rows, dtype=np.uint8)


# --- histograms ---------------------------------------------------------------------------------


def test_information_by_hand() -> None:
    a = luma([0, 0, 255, 255])
    b = luma([0, 255, 0, 255])
    # F = A: all of A's one bit, nothing of B's.
    assert score("MI", a, b, a) == pytest.approx(1.0)
    assert score("NMI", a, b, a) == pytest.approx(2 * 1.0 / (1.0 + 1.0))
    assert score("NMI_lit", a, b, a) == pytest.approx(2 * (1.0 / 2 + 0.0 / 2))
    # F tells both apart: two bits of its own, one bit on each source.
    f = luma([0, 1, 2, 3])
    assert score("MI", a, b, f) == pytest.approx(2.0)
    assert score("EN", a, b, f) == pytest.approx(2.0)
    assert score("NMI_lit", a, b, f) == pytest.approx(2 * (1 / 3 + 1 / 3))


def test_mutual_information_against_scikit_image(three: tuple[Luma, Luma, Luma]) -> None:
    a, _, f = three
    # scikit-image gives (H(X) + H(Y)) / H(X, Y), and I(X; Y) = H(X) + H(Y) − H(X, Y).
    alone = stats.entropy(np.bincount(a.ravel()), base=2) + stats.entropy(
        np.bincount(f.ravel()), base=2
    )
    bins = np.arange(257)
    assert normalized_mutual_information(a, f, bins=[bins, bins]) == pytest.approx(
        alone / (alone - mutual_information(a, f)), rel=1e-9
    )


def test_entropy_against_scikit_image(three: tuple[Luma, Luma, Luma]) -> None:
    assert score("EN", *three) == pytest.approx(float(shannon_entropy(three[2])), rel=1e-12)


def test_cross_entropy_by_hand() -> None:
    a = luma([0, 0, 0, 9])
    f = luma([0, 0, 9, 9])
    # p = 3/4, 1/4; q = 1/2, 1/2.
    expected = 0.75 * np.log2(1.5) + 0.25 * np.log2(0.5)
    assert score("CE", a, a, f) == pytest.approx(expected)
    assert score("CE", a, f, f) == pytest.approx(expected / 2)


def test_cross_entropy_of_sigmoids_by_hand() -> None:
    zero = luma([0])
    assert score("CE_paper", zero, zero, zero) == pytest.approx(np.log(2))
    two, one = 1 / (1 + np.exp(-2.0)), 1 / (1 + np.exp(-1.0))
    target = (two + 0.5) / 2
    expected = -(target * np.log(one) + (1 - target) * np.log(1 - one))
    assert score("CE_paper", luma([2]), zero, luma([1])) == pytest.approx(expected)


# --- grey values --------------------------------------------------------------------------------


def test_error_and_psnr_against_scikit_image(three: tuple[Luma, Luma, Luma]) -> None:
    a, b, f = three
    error = (mean_squared_error(a / 255, f / 255) + mean_squared_error(b / 255, f / 255)) / 2
    assert score("MSE", a, b, f) == pytest.approx(error, rel=1e-12)
    assert psnr_pair(a, f) == pytest.approx(peak_signal_noise_ratio(a, f), rel=1e-12)
    assert score("PSNR", a, a, f) == pytest.approx(peak_signal_noise_ratio(a, f), rel=1e-12)


def test_psnr_by_hand_and_as_the_paper_prints_it() -> None:
    black, grey = luma([0, 0]), luma([51, 51])
    # An error of one fifth everywhere: 20·log10(5).
    assert score("PSNR", black, black, grey) == pytest.approx(20 * np.log10(5))
    # The paper: 20·log10(255 / √MSE), with the MSE of values in [0, 1].
    assert score("PSNR_paper", black, black, grey) == pytest.approx(20 * np.log10(255 / 0.2))
    assert paper_psnr(11.0) == pytest.approx(59.1308, abs=1e-4)
    assert score("PSNR", grey, grey, grey) == 100.0


def test_correlations_against_scipy(three: tuple[Luma, Luma, Luma]) -> None:
    a, b, f = (x.ravel().astype(float) for x in three)

    def r(x: Plane, y: Plane) -> float:
        return float(stats.pearsonr(x, y).statistic)

    assert score("CC", *three) == pytest.approx((r(a, f) + r(b, f)) / 2, rel=1e-12)
    assert score("SCD", *three) == pytest.approx(r(f - b, a) + r(f - a, b), rel=1e-12)
    assert score("SD", *three) == pytest.approx(float(f.std()), rel=1e-12)


# --- structure ----------------------------------------------------------------------------------


def test_ssim_against_scikit_image(three: tuple[Luma, Luma, Luma]) -> None:
    a, b, f = three
    expected = [
        structural_similarity(
            x, f, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
        )
        for x in (a, b)
    ]
    assert ssim_pair(a, f) == pytest.approx(float(expected[0]), rel=1e-6)
    assert score("SSIM", a, b, f) == pytest.approx(float(np.mean(expected)), rel=1e-6)


def test_ms_ssim_of_a_darker_constant_by_hand() -> None:
    # Constant pictures: every contrast term is 1, the last scale's luminance term remains.
    x, y = np.full((32, 32), 100, np.uint8), np.full((32, 32), 50, np.uint8)
    c1 = (0.01 * 255) ** 2
    luminance = (2 * 100 * 50 + c1) / (100**2 + 50**2 + c1)
    assert ms_ssim_pair(x, y) == pytest.approx(luminance**0.1333, rel=1e-9)


def test_ms_ssim_variants_agree_on_even_sides() -> None:
    a, b, f = image(3, 96, 64), image(4, 96, 64), image(5, 96, 64)
    assert score("MS_SSIM", a, b, f) == pytest.approx(score("MS_SSIM_paper", a, b, f), rel=1e-12)


def direct_yang(three: tuple[Luma, Luma, Luma], window: Plane, mode: str, scale: float) -> float:
    """Yang's quality with a full two-dimensional window, from the definition."""
    a, b, f = (x.astype(float) for x in three)
    c1, c2 = (0.01 * scale) ** 2, (0.03 * scale) ** 2

    def mean(x: Plane) -> Plane:
        return signal.correlate2d(x, window, mode=mode)

    def similarity(x: Plane, y: Plane) -> Plane:
        mx, my = mean(x), mean(y)
        cov, vx, vy = mean(x * y) - mx * my, mean(x * x) - mx**2, mean(y * y) - my**2
        top = (2 * mx * my + c1) * (2 * cov + c2)
        return top / ((mx**2 + my**2 + c1) * (vx + vy + c2))

    va, vb = mean(a * a) - mean(a) ** 2, mean(b * b) - mean(b) ** 2
    share = va / (va + vb + 1e-10)
    sa, sb = similarity(a, f), similarity(b, f)
    blend = share * sa + (1 - share) * sb
    return float(np.where(similarity(a, b) >= 0.75, blend, np.maximum(sa, sb)).mean())


def test_yang_against_full_windows(three: tuple[Luma, Luma, Luma]) -> None:
    line = np.exp(-(np.arange(-3, 4) ** 2) / (2 * 1.5**2))
    line /= line.sum()
    proper, theirs = np.outer(line, line), np.outer(np.ones(7), line)
    assert score("Qy_lit", *three) == pytest.approx(
        direct_yang(three, proper, "valid", 255.0), rel=1e-9
    )
    assert score("Qy", *three) == pytest.approx(direct_yang(three, theirs, "same", 1.0), rel=1e-9)


def test_yang_takes_the_better_source_where_they_disagree() -> None:
    a, b = image(6), image(7)
    assert score("Qy_lit", a, b, a) > 0.95
    assert score("Qy_lit", a, b, image(8)) < 0.5


# --- what an eye sees ---------------------------------------------------------------------------


def direct_vif(x: Luma, y: Luma, kernel_of: Callable[[int], Plane], mode: str) -> float:
    """VIF without any special cases: only for pictures that vary everywhere."""
    px, py = x.astype(float), y.astype(float)
    held = whole = 0.0
    for scale, size in enumerate((17, 9, 5, 3)):
        window = kernel_of(size)

        def mean(plane: Plane, window: Plane = window) -> Plane:
            return signal.correlate2d(plane, window, mode=mode)

        if scale:
            px, py = mean(px)[::2, ::2], mean(py)[::2, ::2]
        vx = mean(px * px) - mean(px) ** 2
        vy = mean(py * py) - mean(py) ** 2
        covariance = mean(px * py) - mean(px) * mean(py)
        gain = np.maximum(covariance / vx, 0)
        noise = np.where(gain > 0, vy - gain * covariance, vy)
        held += np.log10(1 + gain**2 * vx / (noise + 2)).sum()
        whole += np.log10(1 + vx / 2).sum()
    return float(held / whole)


def centred(size: int) -> Plane:
    line = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * (size / 5) ** 2))
    return np.outer(line, line) / line.sum() ** 2


def off_centre(size: int) -> Plane:
    line = np.exp(
        -(np.linspace(-(size + 1) / 2, (size - 1) / 2, size) ** 2) / (2 * (size / 5) ** 2)
    )
    return np.outer(line, line) / line.sum() ** 2


def test_vif_against_full_windows() -> None:
    a, b, f = image(9, 120, 110), image(10, 120, 110), image(11, 120, 110)
    f = ((f.astype(int) + a + b) // 3).astype(np.uint8)
    literature = direct_vif(a, f, centred, "valid") + direct_vif(b, f, centred, "valid")
    theirs = direct_vif(a, f, off_centre, "same") + direct_vif(b, f, off_centre, "same")
    assert score("VIF_lit", a, b, f) == pytest.approx(literature, rel=1e-6)
    assert score("VIF", a, b, f) == pytest.approx(theirs, rel=1e-6)


def test_vif_of_more_contrast_exceeds_one_and_of_blur_falls() -> None:
    soft = (64 + image(12) // 4).astype(np.uint8)
    strong = ((soft.astype(int) - 64) * 2 + 30).astype(np.uint8)
    assert vif_lit(soft, soft, soft) == pytest.approx(2.0, abs=1e-6)
    assert vif_lit(soft, soft, strong) > 2.2
    blurred = np.rint(signal.convolve2d(soft, np.ones((7, 7)) / 49, "same", "symm")).astype(
        np.uint8
    )
    assert vif_lit(soft, soft, blurred) < 1.0


@pytest.mark.parametrize(("name", "nyquist"), [("Qcb", 1.0), ("Qcb_paper", 0.5)])
def test_chen_blum_against_full_windows(
    three: tuple[Luma, Luma, Luma], name: str, nyquist: float
) -> None:
    height, width = three[0].shape
    v, u = np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij")
    radius = np.hypot(v * 2 * nyquist * height / 30, u * 2 * nyquist * width / 30)
    filt = np.exp(-((radius / 15.387) ** 2)) - 0.7622 * np.exp(-((radius / 1.3456) ** 2))
    y, x = np.mgrid[-15:16, -15:16]

    def window(sigma: float) -> Plane:
        return np.exp(-(x**2 + y**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)

    def masked(image: Luma) -> Plane:
        unit = (image - image.min()) / np.ptp(image)
        seen = np.fft.ifft2(np.fft.fft2(unit) * filt).real
        near, far = (signal.correlate2d(seen, window(s), mode="same") for s in (2, 4))
        contrast = np.abs(near / far - 1)
        return contrast**3 / (contrast**2 + 1e-4)

    ca, cb, cf = (masked(image) for image in three)
    qa, qb = (np.minimum(c, cf) / np.maximum(c, cf) for c in (ca, cb))
    expected = float(((ca**2 * qa + cb**2 * qb) / (ca**2 + cb**2 + 1e-10)).mean())
    assert score(name, *three) == pytest.approx(expected, rel=1e-5)


# --- edges --------------------------------------------------------------------------------------

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])


def test_edge_preservation_against_its_equations(three: tuple[Luma, Luma, Luma]) -> None:
    def edges(x: Luma) -> tuple[Plane, Plane]:
        across = signal.correlate2d(x.astype(float), SOBEL, mode="same")
        up = signal.correlate2d(x.astype(float), -SOBEL.T, mode="same")
        with np.errstate(divide="ignore", invalid="ignore"):
            angle = np.where(across == 0, np.pi / 2, np.arctan(up / across))
        return np.hypot(across, up), angle

    strength_f, angle_f = edges(three[2])
    top = bottom = 0.0
    for source in three[:2]:
        strength, angle = edges(source)
        g = np.minimum(strength, strength_f) / np.maximum(strength, strength_f)
        likeness = 1 - np.abs(angle - angle_f) / (np.pi / 2)
        q = 0.9994 / (1 + np.exp(-15 * (g - 0.5))) * 0.9879 / (1 + np.exp(-22 * (likeness - 0.8)))
        top, bottom = top + (q * strength).sum(), bottom + strength.sum()
    assert score("Qabf", *three) == pytest.approx(top / bottom, rel=1e-9)


def test_edge_preservation_of_a_perfect_copy_is_the_published_ceiling() -> None:
    a = image(13)
    ceiling = 0.9994 / (1 + np.exp(-7.5)) * 0.9879 / (1 + np.exp(-4.4))
    assert score("Qabf", a, a, a) == pytest.approx(ceiling, rel=1e-9)
    assert score("Nabf", a, a, a) == 0.0


def direct_nabf(a: Luma, b: Luma, f: Luma) -> float:
    """Artefacts pixel by pixel, from the equations; angles as those of undirected lines."""

    def edge(x: Plane, y: int, column: int) -> tuple[float, float]:
        around = x[y : y + 3, column : column + 3]
        across, down = float((around * SOBEL).sum()) / 8, float((around * SOBEL.T).sum()) / 8
        angle = 0.0 if across == down == 0 else np.pi / 2 if down == 0 else np.arctan(across / down)
        return float(np.hypot(across, down)), float(angle)

    def kept(source: tuple[float, float], fused: tuple[float, float]) -> float:
        least, most = sorted((source[0], fused[0]))
        relative = least / most if least > 0 else 0.0
        likeness = abs(abs(source[1] - fused[1]) - np.pi / 2) * 2 / np.pi
        by_strength = 0.9999 / (1 + np.exp(-19 * (relative - 0.5)))
        return float(np.sqrt(by_strength * 0.9995 / (1 + np.exp(-22 * (likeness - 0.5)))))

    padded = [np.pad(x.astype(float), 1, mode="reflect") for x in (a, b, f)]
    artefacts = total = 0.0
    for y in range(a.shape[0]):
        for column in range(a.shape[1]):
            *sources, fused = (edge(x, y, column) for x in padded)
            for source in sources:
                weight = source[0] ** 1.5 if source[0] >= 2 else 0.0
                total += weight
                if fused[0] > sources[0][0] and fused[0] > sources[1][0]:
                    artefacts += (1 - kept(source, fused)) * weight
    return artefacts / total


def test_artefacts_pixel_by_pixel() -> None:
    a, b, f = (image(seed, 24, 19, blur=3) for seed in (14, 15, 16))
    assert score("Nabf", a, b, f) == pytest.approx(direct_nabf(a, b, f), rel=1e-9)


def test_artefacts_are_edges_no_source_has() -> None:
    a = image(14, 80, 80, blur=9)
    noisy = np.clip(a + np.random.default_rng(15).normal(0, 25, a.shape), 0, 255).astype(np.uint8)
    added, removed = score("Nabf", a, a, noisy), score("Nabf", noisy, noisy, a)
    # Noise that was added is an artefact; noise that was taken away is not.
    assert removed < added / 5
    assert score("Nabf", a, noisy, noisy) < added


def test_gradient_and_frequency_of_a_ramp_by_hand() -> None:
    ramp = np.tile(np.arange(0, 40, 4, dtype=np.uint8), (6, 1))
    assert score("AG", ramp, ramp, ramp) == pytest.approx(np.sqrt(4**2 / 2))
    assert score("SF", ramp, ramp, ramp) == pytest.approx(4.0)
    slanted = ramp + np.arange(0, 18, 3, dtype=np.uint8)[:, None]
    assert score("AG", slanted, slanted, slanted) == pytest.approx(np.sqrt((4**2 + 3**2) / 2))
    assert score("SF", slanted, slanted, slanted) == pytest.approx(5.0)


def test_evaluate_runs_the_functions_of_the_registry(three: tuple[Luma, Luma, Luma]) -> None:
    wanted = ("SF", "MI", "CC")
    scores = evaluate(*three, wanted)
    assert tuple(scores) == wanted
    assert scores == {name: score(name, *three) for name in wanted}
