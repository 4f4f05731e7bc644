"""Memory used and available, of the process and of a device, and the peak memory of a step."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor

from core import available_memory
from trainer.optimization.bilevel import BilevelStep

_POLL_INTERVAL = 0.005
"""Seconds between two measurements of the memory of the process."""


def used_bytes(device: str) -> int:
    """Bytes in use, reserved by torch on a GPU or resident on a CPU; 0 if unknown."""
    if device.startswith("cuda"):
        return int(torch.cuda.memory_reserved(device))
    held = available_memory.process_memory()
    return held.used if held is not None else 0


def free_bytes(device: str) -> int:
    """Available bytes; 0 if the system does not report them."""
    return available_memory.available_bytes(device) or 0


def persistent_bytes(step: BilevelStep) -> int:
    """Bytes that persist between steps: weights, gradients, averages and Adam's moments."""
    network, average = step.network, step.ema.module
    tensors = [*network.parameters(), *network.buffers(), *average.parameters(), *average.buffers()]
    trained = [*step.phi, *step.theta]
    return _bytes(tensors) + 3 * _bytes(trained)


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors)


class PeakMemory:
    """Peak memory of the code within :meth:`measure`, in excess of what was used before.

    There are two measures, and neither overestimates by much: the tensors that autograd saves for
    the backward pass, and the growth of the process (or of torch's GPU memory). The second one
    misses memory that the allocator had obtained and freed before, so that it would be of no use
    after the first step.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._saved = self._peak_saved = self._grown = 0
        self._owners: Counter[int] = Counter()

    @property
    def saved(self) -> int:
        """Peak bytes saved for the backward pass."""
        return self._peak_saved

    @property
    def grown(self) -> int:
        """Peak growth in bytes of the memory in use; 0 if unknown."""
        return self._grown

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Measure the code within the block."""
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

        def poll() -> None:
            while not over.wait(_POLL_INTERVAL):
                self._grown = max(self._grown, used_bytes(device) - before)

        thread = threading.Thread(target=poll, name="memory", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _pack(self, tensor: Tensor) -> _SavedTensor:
        return _SavedTensor(self, tensor)

    def retain(self, storage: torch.UntypedStorage) -> None:
        """Count a saved tensor of ``storage``; every storage counts once."""
        self._owners[storage.data_ptr()] += 1
        if self._owners[storage.data_ptr()] == 1:
            self._saved += storage.nbytes()
            self._peak_saved = max(self._peak_saved, self._saved)

    def release(self, storage: torch.UntypedStorage) -> None:
        """Discount a tensor of ``storage`` that autograd has released."""
        self._owners[storage.data_ptr()] -= 1
        if not self._owners[storage.data_ptr()]:
            self._saved -= storage.nbytes()


class _SavedTensor:
    """A tensor saved by autograd; discounted when the graph releases it."""

    def __init__(self, peak: PeakMemory, tensor: Tensor) -> None:
        self.tensor, self._peak = tensor, peak
        peak.retain(tensor.untyped_storage())

    def __del__(self) -> None:
        self._peak.release(self.tensor.untyped_storage())


def _unpack(saved: _SavedTensor) -> Tensor:
    return saved.tensor
