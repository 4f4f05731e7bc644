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

_STRIP_MULTIPLE = 16
"""Strips begin and end at multiples of 16 pixels, which are whole rows at every resolution."""
_BLOCK_STRIP_DIVISOR = 2
"""Blocks have a smaller receptive field than adapters, and need more memory per pixel."""
_CORRELATE_REACH, _ATTEND_REACH = 1, 2
"""Receptive field radius of a block in pixels of its maps, for statistics and for the result."""


class TilingStrategy(Protocol):
    """Executes the layers of a network on the whole image or in parts."""

    def block(self, block: Block, x: Tensor, other: Tensor, *, inplace: bool = False) -> Tensor:
        """``block(x, other)``: N×C×H×W each → N×C×H×W.

        ``inplace``: the result may be written to ``x``.
        """

    def local(
        self,
        layers: Callable[..., Tensor],
        *inputs: Tensor,
        reach: int,
        out: Tensor | None = None,
        strip_divisor: int = 1,
    ) -> Tensor:
        """``layers(*inputs)``, where outputs depend on inputs up to ``reach`` pixels away.

        Inputs and output are N×·×H×W of one image at any resolution, or inputs N×·×1×1 of the whole
        image; ``reach`` is in image pixels.

        Args:
            out: one of the inputs, of the output's shape, to which the result may be written.
            strip_divisor: factor by which strips may be smaller, for layers with a small receptive
                field that need much memory per pixel.
        """

    def release(self, tensor: Tensor) -> None:
        """``tensor`` is no longer used, and its memory may be freed although others refer to it."""


class WholeImage:
    """No tiling: fastest for small images; required for training."""

    def block(self, block: Block, x: Tensor, other: Tensor, *, inplace: bool = False) -> Tensor:
        """Call the block."""
        result: Tensor = block(x, other)
        return result

    def local(
        self,
        layers: Callable[..., Tensor],
        *inputs: Tensor,
        reach: int,
        out: Tensor | None = None,
        strip_divisor: int = 1,
    ) -> Tensor:
        """Call the layers."""
        return layers(*inputs)

    def release(self, tensor: Tensor) -> None:
        """Keep it: the backward pass needs it."""


WHOLE_IMAGE = WholeImage()


class _Strip(NamedTuple):
    """Rows ``first`` to ``last`` of an image of ``height``, and those including the margin."""

    first: int
    last: int
    padded_first: int
    padded_last: int
    height: int

    def crop(self, image: Tensor) -> Tensor:
        if image.shape[2] == 1:  # one value for the whole image, as whether it shows night
            return image
        each = self.height // image.shape[2]
        return image[:, :, self.padded_first // each : self.padded_last // each]

    def trim(self, padded: Tensor) -> Tensor:
        each = (self.padded_last - self.padded_first) // padded.shape[2]
        start = (self.first - self.padded_first) // each
        return padded[:, :, start : start + (self.last - self.first) // each]

    def write(self, whole: Tensor, part: Tensor) -> None:
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

    def _strips(self, margin: int, strip_divisor: int = 1) -> Iterator[_Strip]:
        """The strips, with a margin of ``margin`` pixels above and below."""
        rows = max(1, -(-self._rows // (_STRIP_MULTIPLE * strip_divisor))) * _STRIP_MULTIPLE
        for first in range(0, self._height, rows):
            self._between()
            last = min(first + rows, self._height)
            padded = max(0, first - margin), min(self._height, last + margin)
            yield _Strip(first, last, *padded, self._height)
        self._after()

    def block(self, block: Block, x: Tensor, other: Tensor, *, inplace: bool = False) -> Tensor:
        """Accumulate the statistics over all strips, then apply the block strip by strip."""
        attend = partial(block.attend, self._weights(block, x, other))
        reach = _ATTEND_REACH * self._downsampling(x)
        out = x if inplace else None
        return self.local(
            attend, x, other, reach=reach, out=out, strip_divisor=_BLOCK_STRIP_DIVISOR
        )

    def _downsampling(self, *maps: Tensor) -> int:
        """Image pixels per row of the coarsest of ``maps`` that have more than one."""
        rows = [each.shape[2] for each in maps if each.shape[2] > 1]
        return max((self._height // count for count in rows), default=self._height)

    def _weights(self, block: Block, x: Tensor, other: Tensor) -> Tensor:
        if isinstance(block.attention, LearnedMixing):
            return block.attention.weights()
        downsampling = self._downsampling(x)
        parts = (
            block.correlate(strip.crop(x), strip.crop(other), strip.trim)
            for strip in self._strips(_CORRELATE_REACH * downsampling, _BLOCK_STRIP_DIVISOR)
        )
        return block.attention.attention_weights(reduce(AttentionStatistics.plus, parts))

    def local(
        self,
        layers: Callable[..., Tensor],
        *inputs: Tensor,
        reach: int,
        out: Tensor | None = None,
        strip_divisor: int = 1,
    ) -> Tensor:
        """Apply the layers to each strip with its margin, which is then removed."""
        whole = out
        downsampling = self._downsampling(*inputs)
        margin = -(-reach // downsampling) * downsampling  # whole rows of every map
        # A strip of an input may be overwritten only when no later strip reads it.
        pending: deque[tuple[_Strip, Tensor]] = deque()
        for strip in self._strips(margin, strip_divisor):
            padded = layers(*(strip.crop(image) for image in inputs))
            if whole is None:
                each = (strip.padded_last - strip.padded_first) // padded.shape[2]
                whole = padded.new_empty(
                    (*padded.shape[:2], self._height // each, padded.shape[3])
                ).contiguous(memory_format=torch.channels_last)
            pending.append((strip, strip.trim(padded)))
            unread = self._height if strip.last == self._height else strip.last - margin
            while pending and (out is None or pending[0][0].last <= unread):
                done, part = pending.popleft()
                done.write(whole, part)
        if whole is None:
            return layers(*inputs)
        return whole

    def release(self, tensor: Tensor) -> None:
        """Free its memory."""
        tensor.set_(tensor.new_empty(0).untyped_storage(), 0, (0,), (0,))
