"""Classical fusion methods: references for the models, and a first result without a model.

Every method is a pure function ``fuse(a, b)`` of two float32 arrays H×W×C (C = 1 or 3) in [0, 1]
that returns a float32 array of the same shape in [0, 1]. Any size from 1×1 is accepted. All five
are symmetric: exchanging the sources changes the result by rounding errors only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial

import numpy as np

from core.baselines.bands import fuse_in_bands
from core.baselines.exposure import fuse_exposure
from core.baselines.guided import fuse_guided
from core.baselines.pyramid import fuse_laplacian, pyramid_levels
from core.baselines.simple import fuse_average, fuse_maximum
from core.errors import InputError, Message, SizeMismatch
from core.types import FloatArray

__all__ = ["BASELINES", "Baseline"]


@dataclass(frozen=True)
class Baseline:
    """One classical method.

    Attributes:
        name: short name, used on the command line.
        title: display name.
        reference: publication of the method.
        method: the function without input checks; use :meth:`fuse`.
        reach: rows above and below that a row of the result depends on; None for all rows.
        alignment: bands of rows must start at a multiple of this number.
    """

    name: str
    title: str
    reference: str
    method: Callable[[FloatArray, FloatArray], FloatArray]
    _: KW_ONLY
    reach: int | None = 0
    alignment: int = 1

    def fuse(self, a: FloatArray, b: FloatArray, piece: int = 0) -> FloatArray:
        """Fuse ``a`` and ``b`` (float32 H×W×C in [0, 1]); returns the same shape in [0, 1].

        Values outside [0, 1] are clipped. The inputs are not modified.

        Args:
            piece: approximate number of pixels to process at a time, for methods that support it;
                0 processes the whole image.

        Raises:
            SizeMismatch: height or width differ.
            InputError: not H×W×1 or H×W×3, no pixels, NaN or Inf, or the channels differ.
        """
        if a.ndim != 3 or b.ndim != 3 or a.shape[2] not in (1, 3) or a.size == 0:
            why = Message("expected height×width×1 or 3, got {0}, {1}", a.shape, b.shape)
            raise InputError(
                Message.plain(self.title),
                why,
                Message("Give two pictures as arrays of that shape."),
            )
        if a.shape[:2] != b.shape[:2]:
            raise SizeMismatch((a.shape[1], a.shape[0]), (b.shape[1], b.shape[0]))
        if a.shape != b.shape:
            raise InputError(
                self.title,
                Message("one picture has {0} channels and the other {1}", a.shape[2], b.shape[2]),
                Message("Convert both to grey or both to colour first."),
            )
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            raise InputError(
                self.title,
                Message("a picture holds values that are not numbers"),
                Message("Replace them by finite values first."),
            )
        unit_a, unit_b = _clip_to_unit(a), _clip_to_unit(b)
        rows = piece // a.shape[1]
        if self.reach is None or not piece or rows >= len(a):
            fused = self.method(unit_a, unit_b)
        else:
            method = self.method
            if method is fuse_laplacian:  # as many levels as for the whole image
                method = partial(fuse_laplacian, levels=pyramid_levels(*a.shape[:2]))
            fused = fuse_in_bands(
                method,
                unit_a,
                b=unit_b,
                rows=max(1, rows),
                reach=self.reach,
                alignment=self.alignment,
            )
        fused = np.ascontiguousarray(fused.reshape(a.shape), dtype=np.float32)
        return np.clip(fused, 0.0, 1.0, out=fused)


def _clip_to_unit(image: FloatArray) -> FloatArray:
    """``image`` clipped to [0, 1]; not copied if it is within the range."""
    image = image.astype(np.float32, copy=False)
    if image.min() >= 0 and image.max() <= 1:
        return image
    return np.clip(image, 0.0, 1.0)


_ALL = (
    Baseline("average", Message("Average"), "the pixel-wise mean", fuse_average),
    Baseline("maximum", Message("Maximum"), "the pixel-wise maximum", fuse_maximum),
    Baseline(
        "laplacian",
        Message("Laplacian pyramid"),
        "Burt and Adelson, The Laplacian pyramid as a compact image code, IEEE Trans. Commun. 1983",
        fuse_laplacian,
        reach=192,
        alignment=32,
    ),
    Baseline(
        "guided",
        Message("Guided filter"),
        "Li, Kang and Hu, Image fusion with guided filtering, IEEE Trans. Image Process. 2013",
        fuse_guided,
        reach=112,
    ),
    Baseline(
        "mertens",
        Message("Exposure fusion"),
        "Mertens, Kautz and Van Reeth, Exposure fusion, Pacific Graphics 2007",
        fuse_exposure,
        reach=None,  # its pyramid goes down to one pixel
    ),
)

BASELINES: dict[str, Baseline] = {baseline.name: baseline for baseline in _ALL}
if len(BASELINES) != len(_ALL):
    raise RuntimeError("two baselines share a name")
