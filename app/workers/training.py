"""Preparations for training on a worker thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.device import usable_cores


@contextmanager
def one_core_left() -> Iterator[None]:
    """Leave one core to the window and to a concurrent fusion within the block."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, usable_cores() - 1)))
    try:
        yield
    finally:
        torch.set_num_threads(before)
