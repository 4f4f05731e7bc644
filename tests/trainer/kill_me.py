"""A training run in a process of its own: ``python kill_me.py DATA OUT [STEP]`` (see test_loop).

With STEP, the process is killed in the middle of that step (0-based), between its two levels.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook

from core.packs.format import read_manifest
from tests.trainer.runs import CONFIG
from trainer.events import Finished, Saved, Started
from trainer.run.loop import RunPlan, train


def _die_in(step: int) -> None:
    descents = 0

    def count(_optimiser: Optimizer, _args: Any, _kwargs: Any) -> None:
        nonlocal descents
        descents += 1
        if descents == 2 * step + 1:
            os.kill(os.getpid(), signal.SIGKILL)

    register_optimizer_step_post_hook(count)


if __name__ == "__main__":
    data, out = Path(sys.argv[1]), Path(sys.argv[2])
    if len(sys.argv) > 3:
        _die_in(int(sys.argv[3]))
    for event in train(CONFIG, RunPlan(data, out, device="cpu")):
        if isinstance(event, Started | Saved | Finished):
            print(type(event).__name__, event.step, flush=True)  # noqa: T201
    print(read_manifest(out).weights_sha256, flush=True)  # noqa: T201
