"""Tiling strategies for inference: the whole image at once, or strip by strip.

Attention statistics are global over the image, so independent tiles would change the result.
Computation in strips is exact: it first accumulates the statistics of a block over all strips, then
applies the attention strip by strip, and gives every local layer the margin it needs. The result is
the same up to rounding; the memory needed in addition to inputs and outputs is that of one strip.
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
"""Strips begin and end at multiples of 16 pixels, which are whole rows at every resolution."""
_BLOCK_FINER = 2
"""Blocks have a smaller receptive field than adapters, and need more memory per pixel."""
_CORRELATE_REACH, _ATTEND_REACH = 1, 2
"""Receptive field radius of a block in pixels of its maps, for statistics and for the result."""


class TilingStrategy(Protocol):
    """Executes the layers of a network on the whole image or in parts."""

    def block(self, block: Block, x: Tensor, other: Tensor, *, spend: bool = False) -> Tensor:
        """``block(x, other)``: N×C×H×W each → N×C×H×W.

        ``spend``: the result may be written to ``x``.
        """

    def local(
        self,
        layers: Callable[..., Tensor],
        *inputs: Tensor,
        reach: int,
        over: Tensor | None = None,
        finer: int = 1,
    ) -> Tensor:
        """``layers(*inputs)``, where outputs depend on inputs up to ``reach`` pixels away.

        Inputs and output are N×·×H×W of one image at any resolution; ``reach`` is in image pixels.

        Args:
            over: one of the inputs, of the output's shape, to which the result may be written.
            finer: factor by which strips may be smaller, for layers with a large memory per pixel
                and a small receptive field.
        """

    def forget(self, spent: Tensor) -> None:
        """``spent`` is no longer used, and its memory may be freed although others refer to it."""


class WholeImage:
    """No tiling: fastest for small images; required for training."""

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
        """Keep it: the backward pass needs it."""


WHOLE_IMAGE = WholeImage()


class _Stripe(NamedTuple):
    """Rows ``first`` to ``last`` of an image of ``height``, and those including the margin."""

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
    """Strip by strip, for inference.

    Args:
        height: height of the image in pixels, a multiple of 16.
        rows: height of a strip in pixels; rounded up to a multiple of 16.
        between: called before every strip; may raise to cancel.
        after: called after every pass over all strips, when no temporaries exist.
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
        """The strips, with a margin of ``margin`` pixels above and below."""
        rows = max(1, -(-self._rows // (_UNIT * finer))) * _UNIT
        for first in range(0, self._height, rows):
            self._between()
            last = min(first + rows, self._height)
            seen = max(0, first - margin), min(self._height, last + margin)
            yield _Stripe(first, last, *seen, self._height)
        self._after()

    def block(self, block: Block, x: Tensor, other: Tensor, *, spend: bool = False) -> Tensor:
        """Accumulate the statistics over all strips, then apply the block strip by strip."""
        attend = partial(block.attend, self._weights(block, x, other))
        reach = _ATTEND_REACH * self._grain(x)
        over = x if spend else None
        return self.local(attend, x, other, reach=reach, over=over, finer=_BLOCK_FINER)

    def _grain(self, *maps: Tensor) -> int:
        """Image pixels per row of the coarsest of ``maps``."""
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
        """Apply the layers to each strip with its margin, which is then removed."""
        whole = over
        grain = self._grain(*inputs)
        margin = -(-reach // grain) * grain  # whole rows of every map
        # A strip of an input may be overwritten only when no later strip reads it.
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
        """Free its memory."""
        spent.set_(spent.new_empty(0).untyped_storage(), 0, (0,), (0,))
