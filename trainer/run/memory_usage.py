"""How much memory is used and free, of the process and of a device, and what a step takes of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor

from core import available_memory
from trainer.optimization.bilevel import BilevelStep

_BEAT = 0.005
"""Seconds between two looks at what the process holds."""


def used_bytes(device: str) -> int:
    """Bytes in use: by torch on a GPU, resident in the process on a CPU; 0 when unknown."""
    if device.startswith("cuda"):
        return int(torch.cuda.memory_reserved(device))
    held = available_memory.process_memory()
    return held.used if held is not None else 0


def free_bytes(device: str) -> int:
    """Bytes that could be had; 0 when the system does not tell."""
    return available_memory.available_bytes(device) or 0


def held_bytes(step: BilevelStep) -> int:
    """What a step keeps between two of its kind: weights, gradients, averages, Adam's moments."""
    network, average = step.network, step.ema.module
    tensors = [*network.parameters(), *network.buffers(), *average.parameters(), *average.buffers()]
    trained = [*step.phi, *step.theta]
    return _bytes(tensors) + 3 * _bytes(trained)


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors)


class Peak:
    """The most memory that work within :meth:`watched` took beyond what was taken before.

    Two measures, of which neither is ever too large by much: what autograd keeps for its way back,
    counted tensor by tensor, and by how much the process (or what torch holds of a GPU) grew. The
    second one misses what the process had taken before and given back to no one but itself, so
    that it alone would say nothing after the first time.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._saved = self._most_saved = self._grown = 0
        self._owners: Counter[int] = Counter()

    @property
    def saved(self) -> int:
        """Bytes kept for the way back, at most."""
        return self._most_saved

    @property
    def grown(self) -> int:
        """Bytes by which what is held grew, at most; 0 when unknown."""
        return self._grown

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Measure what goes on within."""
        with ExitStack() as stack:
            stack.enter_context(torch.autograd.graph.saved_tensors_hooks(self._pack, _unpack))
            stack.enter_context(self._growth())
            yield

    @contextmanager
    def _growth(self) -> Iterator[None]:
        device = self._device
        if device.startswith("cuda"):
            before = torch.cuda.memory_allocated(device)
            torch.cuda.reset_peak_memory_stats(device)
            yield
            self._grown = max(self._grown, torch.cuda.max_memory_allocated(device) - before)
            return
        before, over = used_bytes(device), threading.Event()

        def look() -> None:
            while not over.wait(_BEAT):
                self._grown = max(self._grown, used_bytes(device) - before)

        thread = threading.Thread(target=look, name="memory", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _pack(self, tensor: Tensor) -> _Saved:
        return _Saved(self, tensor)

    def take(self, storage: torch.UntypedStorage) -> None:
        """A tensor of ``storage`` is kept; one storage counts once."""
        self._owners[storage.data_ptr()] += 1
        if self._owners[storage.data_ptr()] == 1:
            self._saved += storage.nbytes()
            self._most_saved = max(self._most_saved, self._saved)

    def give(self, storage: torch.UntypedStorage) -> None:
        """A tensor of ``storage`` is no longer kept."""
        self._owners[storage.data_ptr()] -= 1
        if not self._owners[storage.data_ptr()]:
            self._saved -= storage.nbytes()


class _Saved:
    """A tensor that autograd keeps; it is given back when the graph lets go of it."""

    def __init__(self, peak: Peak, tensor: Tensor) -> None:
        self.tensor, self._peak = tensor, peak
        peak.take(tensor.untyped_storage())

    def __del__(self) -> None:
        self._peak.give(self.tensor.untyped_storage())


def _unpack(saved: _Saved) -> Tensor:
    return saved.tensor
