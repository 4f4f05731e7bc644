"""One level of the two-dimensional wavelet transform with the discrete Meyer wavelet."""

from __future__ import annotations

import numpy as np

from core.types import Plane

# First half of the low-pass filter, which is symmetric about its next sample: the 62 taps of the
# usual finite approximation ("dmey" in MATLAB and PyWavelets), whose last one is zero.
_HALF = (
    (-1.0099999569414e-12, 8.5194596367962e-09, -1.1119449525953e-08, -1.0798819539622e-08)
    + (6.0669757413511e-08, -1.0866516536736e-07, 8.2006806503865e-08, 1.1783004497664e-07)
    + (-5.5063405652523e-07, 1.1307947017917e-06, -1.4895492164972e-06, 7.3675728859037e-07)
    + (3.2054419133448e-06, -1.6312699734553e-05, 6.5543059305751e-05, -6.0115023435161e-04)
    + (-2.7046721246437e-03, 2.2025341009110e-03, 6.0458140973233e-03, -6.3877183184972e-03)
    + (-1.1061496392513e-02, 1.5270015130935e-02, 1.7423434103730e-02, -3.2130793990212e-02)
    + (-2.4348745906078e-02, 6.3739024322802e-02, 3.0655091960824e-02, -1.3284520043623e-01)
    + (-3.5087555656258e-02, 4.4459300275758e-01)
)
_CENTRE = 7.4458559231881e-01
_LOW = np.array([*_HALF, _CENTRE, *_HALF[::-1], 0.0])
_HIGH = _LOW[::-1] * np.where(np.arange(len(_LOW)) % 2, -1.0, 1.0)


def _halved(plane: Plane, taps: Plane) -> Plane:
    """Every other sample of the rows, filtered; their ends are mirrored."""
    reach, length = len(taps) - 1, plane.shape[1]
    extended = np.pad(plane, ((0, 0), (reach, reach)), mode="symmetric")
    count = (length + reach) // 2
    result = np.zeros((plane.shape[0], count))
    for start, tap in enumerate(taps, start=1):
        result += tap * extended[:, start : start + 2 * count : 2]
    return result


def meyer_transform(plane: Plane) -> Plane:
    """The four parts of a transform as [[approximation, horizontal], [vertical, diagonal]].

    Each part has ⌊(n + 61) / 2⌋ samples along a side of n. "Horizontal" are the details of
    horizontal edges, so they are high-pass along the columns.
    """
    low, high = (_halved(plane, taps).T for taps in (_LOW, _HIGH))
    approximation, horizontal = (_halved(low, taps).T for taps in (_LOW, _HIGH))
    vertical, diagonal = (_halved(high, taps).T for taps in (_LOW, _HIGH))
    return np.block([[approximation, horizontal], [vertical, diagonal]])
