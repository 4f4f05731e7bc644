"""Data-parallel training: the context of this process, alone or in a process group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

import torch
import torch.distributed as dist
from torch import Tensor

from core.device import is_out_of_memory
from core.errors import FusionError, InputError, Message

_TEXT = 64
"""Bytes of a text that are compared between processes: a SHA-256 in hexadecimal digits."""


class ProcessLost(FusionError):
    """Another process of the run ended, or cannot be reached."""


@contextmanager
def reaching_others() -> Iterator[None]:
    """Turn what torch raises in communication into :class:`ProcessLost`.

    gloo and NCCL raise plain ``RuntimeError``, so the place in the code tells what it is about.
    """
    try:
        yield
    except (RuntimeError, ValueError) as error:
        if is_out_of_memory(error):
            raise
        raise ProcessLost(
            Message("Training with several processes"),
            Message("one of them ended, or could not be reached"),
            Message("Start the command again: it goes on from the last checkpoint."),
        ) from error


class NextAction(IntEnum):
    """What a process wants to do next; the smallest value of all processes prevails."""

    ABORT = 0
    """End without a pack; the run can be resumed."""
    FINISH = 1
    """End with a pack."""
    CONTINUE = 2


@dataclass(frozen=True)
class DistributedContext:
    """Rank of this process in its process group; the default is a single process.

    Every process draws the same crops and processes its share of them. Gradients and reported
    losses are averaged over all processes, so that the run equals that of one process with the
    whole batch up to rounding. Only rank 0 validates, writes files and obeys the run control.

    Attributes:
        rank, size: rank of the process and number of processes.
        device: device of this process; "" chooses one as for a single process.
    """

    rank: int = 0
    size: int = 1
    device: str = ""

    @property
    def is_leader(self) -> bool:
        """Whether this is rank 0, which writes the files."""
        return self.rank == 0

    def check_divisible(self, batch: int) -> None:
        """Raise InputError if ``batch`` is not divisible by the number of processes."""
        if batch % self.size:
            raise InputError(
                Message("Batch {0}", batch),
                Message("it cannot be divided among {0} processes", self.size),
                Message("Give a multiple of {0}.", self.size),
            )

    def part(self, batch: int) -> slice:
        """The slice of ``batch`` crops of this process; ``batch`` is a multiple of ``size``."""
        each = batch // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace every gradient by its mean over all processes."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        with reaching_others():
            dist.all_reduce(flat)
        flat /= self.size
        begin = 0
        for gradient in gradients:
            end = begin + gradient.numel()
            gradient.copy_(flat[begin:end].view_as(gradient))
            begin = end

    def average(self, values: Mapping[str, float], device: str) -> dict[str, float]:
        """Means of the values over all processes."""
        if self.size == 1:
            return dict(values)
        means = torch.tensor(list(values.values()), dtype=torch.float32, device=device)
        with reaching_others():
            dist.all_reduce(means)
        return dict(zip(values, (means / self.size).tolist(), strict=True))

    def agree_on(self, action: NextAction, device: str) -> NextAction:
        """The action of all processes: the minimum over their requests.

        The request of every rank counts: a scheduler may tell any of them to end, and the others
        would otherwise wait for it in a collective operation.
        """
        if self.size == 1:
            return action
        actions = torch.tensor([int(action)], device=device)
        with reaching_others():
            dist.all_reduce(actions, dist.ReduceOp.MIN)
            return NextAction(int(actions.item()))

    def of_leader(self, number: int, device: str) -> int:
        """The ``number`` of rank 0, on every process."""
        if self.size == 1:
            return number
        theirs = torch.tensor([number], device=device)
        with reaching_others():
            dist.broadcast(theirs, 0)
            return int(theirs.item())

    def of_all(self, texts: Sequence[str], device: str) -> list[tuple[str, ...]]:
        """The ``texts`` of every process, by rank; equally many everywhere, cut to 64 bytes."""
        if self.size == 1:
            return [tuple(texts)]
        rows = [list(text.encode()[:_TEXT].ljust(_TEXT, b"\0")) for text in texts]
        own = torch.tensor(rows, dtype=torch.uint8, device=device)
        everybody = [torch.empty_like(own) for _ in range(self.size)]
        with reaching_others():
            dist.all_gather(everybody, own)
            return [tuple(_text(row) for row in one.tolist()) for one in everybody]


def _text(row: list[int]) -> str:
    return bytes(row).rstrip(b"\0").decode(errors="replace")
