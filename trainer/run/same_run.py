"""Whether the processes of a run, perhaps on several machines, are about to train the same thing.

What differs between machines (another version, other pictures, a folder that is not shared) would
otherwise average gradients of different runs, or be noticed only when the run is resumed.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from core import __version__
from core.errors import InputError, Message
from core.io.atomic import output_error
from trainer.config.config import TrainConfig
from trainer.config.run_plan import RunPlan
from trainer.optimization.distributed import DistributedContext
from trainer.run_folder.checkpoint import settings_text


@contextmanager
def same_command(
    config: TrainConfig, plan: RunPlan, world: DistributedContext, device: str
) -> Iterator[Path | None]:
    """Check that all processes are of one version and have the same settings.

    Yields:
        A file of the run folder, which every process can see while the block lasts if the folder is
        shared; None for a single process.

    Raises:
        InputError: a process differs from the first one. ProcessLost: one of them ended.
        OutputError: the leader cannot write the file.
    """
    if world.size == 1:
        yield None
        return
    name = f"shared-{uuid.uuid4().hex}" if world.is_leader else ""
    seen = plan.run_folder / name
    if world.is_leader:
        try:
            seen.touch()
        except OSError as error:
            raise output_error(seen, error) from error
    try:
        settings = hashlib.sha256(settings_text(config).encode()).hexdigest()
        of_all = world.of_all((name, __version__, torch.__version__, settings), device)
        for rank, (_, version, library, theirs) in enumerate(of_all):
            _, first_version, first_library, ours = of_all[0]
            programs = (version, first_version)
            _check_equal(rank, Message("UniFusion {0}, not {1}", *programs), *programs)
            libraries = (library, first_library)
            _check_equal(rank, Message("torch {0}, not {1}", *libraries), *libraries)
            _check_equal(rank, Message("other settings"), theirs, ours)
        yield plan.run_folder / of_all[0][0]
    finally:
        if world.is_leader:
            seen.unlink(missing_ok=True)


def _check_equal(rank: int, what: str, value: str, first: str) -> None:
    if value != first:
        raise InputError(
            Message("Process {0} of this run", rank),
            Message("it differs from the first process: {0}", what),
            Message("Give every machine the same program, pictures and command."),
        )


def check_same_start(
    world: DistributedContext, device: str, shared: Path, found: tuple[str, str, str, str]
) -> None:
    """Check that all processes see the run folder, and that they start from the same.

    Args:
        shared: what :func:`same_command` yielded.
        found: step of the checkpoint, starting pack, hash of the DINOv3 file, hash of the pictures.

    Raises:
        InputError: a process found something else. ProcessLost: one of them ended.
    """
    of_all = world.of_all((str(shared.exists()), *found), device)
    sees, step, start, backbone, pictures = of_all[0]
    for rank, theirs in enumerate(of_all):
        if theirs[:2] != (sees, step):
            raise InputError(
                str(shared.parent),
                Message("process {0} does not find the same folder there", rank),
                Message("Let all nodes see one and the same folder."),
            )
        _check_equal(rank, Message("another starting pack"), theirs[2], start)
        _check_equal(rank, Message("another DINOv3 file"), theirs[3], backbone)
        _check_equal(rank, Message("other pictures"), theirs[4], pictures)
