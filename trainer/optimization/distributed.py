"""Several processes that train one network together, or one that trains alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

import torch
import torch.distributed as dist
from torch import Tensor

from core.errors import InputError, Message


class Wish(IntEnum):
    """What a process wants next: the smaller one prevails."""

    LEAVE = 0
    """End without a pack; the run can be gone on with."""
    FINISH = 1
    """End with a pack."""
    TRAIN = 2


@dataclass(frozen=True)
class DistributedContext:
    """This process among those that train together; the default is alone.

    Every process draws the same crops and takes its share of them; gradients and reported losses
    are means over all, so that the run is that of one process with the whole batch, up to rounding.
    Only the leader judges, writes and is steered.

    Attributes:
        rank, size: place and number of processes. device: to run on, "" to choose as alone.
    """

    rank: int = 0
    size: int = 1
    device: str = ""

    @property
    def leads(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def check_divisible(self, batch: int) -> None:
        """Raise InputError if ``batch`` crops cannot be shared out evenly."""
        if batch % self.size:
            raise InputError(
                Message("Batch {0}", batch),
                Message("it cannot be divided among {0} processes", self.size),
                Message("Give a multiple of {0}.", self.size),
            )

    def part(self, batch: int) -> slice:
        """Which of ``batch`` crops are this process's; ``batch`` is a multiple of ``size``."""
        each = batch // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace every gradient by its mean over all processes."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        begin = 0
        for gradient in gradients:
            end = begin + gradient.numel()
            gradient.copy_(flat[begin:end].view_as(gradient))
            begin = end

    def average(self, values: Mapping[str, float], device: str) -> dict[str, float]:
        """Means of numbers over all processes."""
        if self.size == 1:
            return dict(values)
        means = torch.tensor(list(values.values()), dtype=torch.float32, device=device)
        dist.all_reduce(means)
        return dict(zip(values, (means / self.size).tolist(), strict=True))

    def agree_on(self, wish: Wish, device: str) -> Wish:
        """What all processes do next: the least of their wishes.

        Everyone's counts: a scheduler may tell any of them to end, and the others would wait for
        it in vain.
        """
        if self.size == 1:
            return wish
        wishes = torch.tensor([int(wish)], device=device)
        dist.all_reduce(wishes, dist.ReduceOp.MIN)
        return Wish(int(wishes.item()))

    def agrees(self, number: int, device: str) -> bool:
        """Whether ``number`` is the leader's, for every process."""
        if self.size == 1:
            return True
        theirs = torch.tensor([number], device=device)
        dist.broadcast(theirs, 0)
        apart = torch.tensor([int(theirs.item() != number)], device=device)
        dist.all_reduce(apart)
        return not apart.item()
