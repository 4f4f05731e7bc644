"""Preparations for training on a worker thread."""

from __future__ import annotations

import importlib

from app.workers.background_import import import_in_background
from core.device import usable_cores


def import_optimisers() -> None:
    """Import the modules that torch imports when the first optimiser is created."""
    import_in_background(lambda: importlib.import_module("torch._dynamo"))()


def leave_a_core() -> None:
    """Leave one core to the GUI and to a concurrent fusion."""
    import torch

    torch.set_num_threads(max(1, min(torch.get_num_threads(), usable_cores() - 1)))
