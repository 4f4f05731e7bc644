"""How a network is walked through: the whole image at once, or stripe by stripe.

Attention statistics are global over the image, so independent tiles would change the answer.
A stripe-wise walk is exact: it first gathers the statistics of a block over all stripes, then
applies them stripe by stripe, and gives every local layer the rows it needs beyond its stripe.
What it computes is the same up to rounding; what it needs besides its inputs and outputs is the
memory of one stripe.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial, reduce
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from core.models.blocks import AttentionStatistics, Block, LearnedMixing

_UNIT = 16
"""Stripes begin and end on multiples of 16 pixels: whole rows at every resolution there is."""
_BLOCK_FINER = 2
"""Blocks look less far than adapters, and take more memory for each pixel."""
_CORRELATE_REACH, _ATTEND_REACH = 1, 2
"""Pixels of its own maps over which a block looks, for its statistics and for its result."""


class TilingStrategy(Protocol):
    """What a network asks of the way it is walked through."""

    def block(self, block: Block, x: Tensor, other: Tensor, *, spend: bool = False) -> Tensor:
        """``block(x, other)``: N×C×H×W each → N×C×H×W.

        ``spend``: the result may be written over ``x``.
        """

    def local(
        self,
        layers: Callable[..., Tensor],
        *inputs: Tensor,
        reach: int,
        over: Tensor | None = None,
        finer: int = 1,
    ) -> Tensor:
        """``layers(*inputs)`` where no output depends on input over ``reach`` pixels away.

        Inputs and output are N×·×H×W of one image at any resolutions; pixels are the image's.

        Args:
            over: one of the inputs, of the output's shape, that the result may be written over.
            finer: how many times smaller pieces may be, for layers that take much memory a pixel
                and do not look far.
        """

    def forget(self, spent: Tensor) -> None:
        """``spent`` is not looked at any more, whoever still holds it."""


class WholeImage:
    """Everything at once: the quickest for small images, and for training."""

    def block(self, block: Block, x: Tensor, other: Tensor, *, spend: bool = False) -> Tensor:
        """Call the block."""
        result: Tensor = block(x, other)
        return result

    def local(
        self,
        layers: Callable[..., Tensor],
        *inputs: Tensor,
        reach: int,
        over: Tensor | None = None,
        finer: int = 1,
    ) -> Tensor:
        """Call the layers."""
        return layers(*inputs)

    def forget(self, spent: Tensor) -> None:
        """Keep it: training looks at it once more."""


WHOLE_IMAGE = WholeImage()


class _Stripe(NamedTuple):
    """Rows ``first`` to ``last`` of an image of ``height``, and those seen around them."""

    first: int
    last: int
    seen_first: int
    seen_last: int
    height: int

    def seen(self, image: Tensor) -> Tensor:
        each = self.height // image.shape[2]
        return image[:, :, self.seen_first // each : self.seen_last // each]

    def inner(self, seen: Tensor) -> Tensor:
        each = (self.seen_last - self.seen_first) // seen.shape[2]
        start = (self.first - self.seen_first) // each
        return seen[:, :, start : start + (self.last - self.first) // each]

    def put(self, whole: Tensor, part: Tensor) -> None:
        each = self.height // whole.shape[2]
        whole[:, :, self.first // each : self.last // each] = part


class StripTiling:
    """Stripe by stripe, for inference.

    Args:
        height: of the image in pixels, a multiple of 16.
        rows: pixels in the height of a stripe; rounded up to a multiple of 16.
        between: called before every stripe; may raise to stop.
        after: called after every walk through all stripes, when no temporary is left.
    """

    def __init__(
        self,
        height: int,
        rows: int,
        between: Callable[[], None] = lambda: None,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        self._height, self._rows, self._between, self._after = height, rows, between, after

    def _stripes(self, margin: int, finer: int = 1) -> Iterator[_Stripe]:
        """Stripes, and ``margin`` pixels seen on either side of them."""
        rows = max(1, -(-self._rows // (_UNIT * finer))) * _UNIT
        for first in range(0, self._height, rows):
            self._between()
            last = min(first + rows, self._height)
            seen = max(0, first - margin), min(self._height, last + margin)
            yield _Stripe(first, last, *seen, self._height)
        self._after()

    def block(self, block: Block, x: Tensor, other: Tensor, *, spend: bool = False) -> Tensor:
        """Statistics over all stripes, then the block stripe by stripe."""
        attend = partial(block.attend, self._weights(block, x, other))
        reach = _ATTEND_REACH * self._grain(x)
        over = x if spend else None
        return self.local(attend, x, other, reach=reach, over=over, finer=_BLOCK_FINER)

    def _grain(self, *maps: Tensor) -> int:
        """Pixels of the image that a row of the coarsest of ``maps`` stands for."""
        return max(self._height // each.shape[2] for each in maps)

    def _weights(self, block: Block, x: Tensor, other: Tensor) -> Tensor:
        if isinstance(block.attention, LearnedMixing):
            return block.attention.weights()
        grain = self._grain(x)
        parts = (
            block.correlate(stripe.seen(x), stripe.seen(other), stripe.inner)
            for stripe in self._stripes(_CORRELATE_REACH * grain, _BLOCK_FINER)
        )
        return block.attention.attention_weights(reduce(AttentionStatistics.plus, parts))

    def local(
        self,
        layers: Callable[..., Tensor],
        *inputs: Tensor,
        reach: int,
        over: Tensor | None = None,
        finer: int = 1,
    ) -> Tensor:
        """The layers on each stripe and its surroundings, which are cut off again."""
        whole = over
        grain = self._grain(*inputs)
        margin = -(-reach // grain) * grain  # whole rows of every map
        # Over an input nothing is written before the stripes that see it have been worked out.
        waiting: deque[tuple[_Stripe, Tensor]] = deque()
        for stripe in self._stripes(margin, finer):
            seen = layers(*(stripe.seen(image) for image in inputs))
            if whole is None:
                each = (stripe.seen_last - stripe.seen_first) // seen.shape[2]
                whole = seen.new_empty(
                    (*seen.shape[:2], self._height // each, seen.shape[3])
                ).contiguous(memory_format=torch.channels_last)
            waiting.append((stripe, stripe.inner(seen)))
            unseen = self._height if stripe.last == self._height else stripe.last - margin
            while waiting and (over is None or waiting[0][0].last <= unseen):
                done, part = waiting.popleft()
                done.put(whole, part)
        if whole is None:
            return layers(*inputs)
        return whole

    def forget(self, spent: Tensor) -> None:
        """Give its memory back."""
        spent.set_(spent.new_empty(0).untyped_storage(), 0, (0,), (0,))
