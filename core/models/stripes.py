"""How a network is walked through: the whole picture at once, or stripe by stripe.

Attention statistics are global over the picture, so independent tiles would change the answer.
A stripe-wise walk is exact: it first gathers the statistics of a block over all stripes, then
applies them stripe by stripe, and gives every local layer the rows it needs beyond its stripe.
What it computes is the same up to rounding; what it needs besides its inputs and outputs is the
memory of one stripe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial, reduce
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from core.models.blocks import Block, Correlation, LearnedMixing

_UNIT = 16
"""Stripes begin and end on multiples of 16 pixels: whole rows at every resolution there is."""


class Walk(Protocol):
    """What a network asks of the way it is walked through."""

    def block(self, block: Block, x: Tensor, other: Tensor) -> Tensor:
        """``block(x, other)``: N×C×H×W each → N×C×H×W."""

    def local(self, layers: Callable[..., Tensor], *inputs: Tensor, reach: int) -> Tensor:
        """``layers(*inputs)`` where no output depends on input over ``reach`` pixels away.

        Inputs and output are N×·×H×W of one picture at any resolutions; pixels are the picture's.
        """


class Whole:
    """Everything at once: the quickest for small pictures, and for training."""

    def block(self, block: Block, x: Tensor, other: Tensor) -> Tensor:
        """Call the block."""
        result: Tensor = block(x, other)
        return result

    def local(self, layers: Callable[..., Tensor], *inputs: Tensor, reach: int) -> Tensor:
        """Call the layers."""
        return layers(*inputs)


WHOLE = Whole()


class _Stripe(NamedTuple):
    """Rows ``first`` to ``last`` of a picture, and those seen around them, in units."""

    first: int
    last: int
    seen_first: int
    seen_last: int
    units: int

    def seen(self, picture: Tensor) -> Tensor:
        scale = picture.shape[2] // self.units
        return picture[:, :, self.seen_first * scale : self.seen_last * scale]

    def inner(self, seen: Tensor) -> Tensor:
        scale = seen.shape[2] // (self.seen_last - self.seen_first)
        start = (self.first - self.seen_first) * scale
        return seen[:, :, start : start + (self.last - self.first) * scale]

    def put(self, whole: Tensor, part: Tensor) -> None:
        scale = whole.shape[2] // self.units
        whole[:, :, self.first * scale : self.last * scale] = part


class Stripes:
    """Stripe by stripe, for inference.

    Args:
        height: of the picture in pixels, a multiple of 16.
        rows: pixels in the height of a stripe; rounded up to a multiple of 16.
        between: called before every stripe; may raise to stop.
    """

    def __init__(self, height: int, rows: int, between: Callable[[], None] = lambda: None) -> None:
        self._units = height // _UNIT
        self._rows = max(1, -(-rows // _UNIT))
        self._between = between

    def _stripes(self, reach: int) -> Iterator[_Stripe]:
        margin = -(-reach // _UNIT)
        for first in range(0, self._units, self._rows):
            self._between()
            last = min(first + self._rows, self._units)
            seen = max(0, first - margin), min(self._units, last + margin)
            yield _Stripe(first, last, *seen, self._units)

    def block(self, block: Block, x: Tensor, other: Tensor) -> Tensor:
        """Statistics over all stripes, then the block stripe by stripe."""
        weights = self._weights(block, x, other)
        return self.local(partial(block.attend, weights), x, other, reach=_UNIT)

    def _weights(self, block: Block, x: Tensor, other: Tensor) -> Tensor:
        if isinstance(block.attention, LearnedMixing):
            return block.attention.weights()
        parts = (
            block.correlate(stripe.seen(x), stripe.seen(other), stripe.inner)
            for stripe in self._stripes(_UNIT)
        )
        return block.attention.weigh(reduce(Correlation.plus, parts))

    def local(self, layers: Callable[..., Tensor], *inputs: Tensor, reach: int) -> Tensor:
        """The layers on each stripe and its surroundings, which are cut off again."""
        whole: Tensor | None = None
        for stripe in self._stripes(reach):
            seen = layers(*(stripe.seen(picture) for picture in inputs))
            if whole is None:
                scale = seen.shape[2] // (stripe.seen_last - stripe.seen_first)
                whole = seen.new_empty(
                    (*seen.shape[:2], self._units * scale, seen.shape[3])
                ).contiguous(memory_format=torch.channels_last)
            stripe.put(whole, stripe.inner(seen))
        if whole is None:
            return layers(*inputs)
        return whole
