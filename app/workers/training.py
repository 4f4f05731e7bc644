"""Preparations for training on a worker thread."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

from app.workers.background_import import import_in_background
from core.device import usable_cores


def import_optimisers() -> None:
    """Import the modules that torch imports when the first optimiser is created."""
    import_in_background(lambda: importlib.import_module("torch._dynamo"))()


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
