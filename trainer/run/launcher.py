"""Starts or joins the processes of a distributed run: on one machine, several, or by torchrun."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.context import SpawnProcess
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch._C._distributed_c10d import TCPStore

from core.device import choose_device
from core.errors import Cancelled, FusionError, InputError, Message
from trainer.config.config import TrainConfig
from trainer.config.run_plan import RunPlan
from trainer.optimization.distributed import DistributedContext, ProcessLost, reaching_others
from trainer.run.loop import train

_RENDEZVOUS_TIMEOUT = timedelta(minutes=5)
_TIMEOUT = timedelta(hours=24)
"""Of collective operations: the leader validates and saves while the others wait."""


@dataclass(frozen=True)
class _Rendezvous:
    """Address of the store that the processes of a run connect to, and how many there are."""

    host: str
    port: int
    size: int
    devices: int


@contextmanager
def process_group(
    config: TrainConfig, plan: RunPlan, devices: int = 1, nodes: int = 1
) -> Iterator[DistributedContext]:
    """The group of processes that train ``config``, with the rank of this one.

    One device on one node needs no other process. Under ``torchrun``, its ranks are used. Otherwise
    this process spawns ``devices`` − 1 workers, which end with the block; on several nodes the same
    command must be started on each, with NODE_RANK, MASTER_ADDR and MASTER_PORT set.

    Raises:
        InputError: the numbers do not fit this machine, or the rank of the node is not set.
        FusionError: another process ended, or did not connect.
    """
    if devices < 1 or nodes < 1:
        what = Message("{0} devices on {1} nodes", devices, nodes)
        raise InputError(
            what, Message("there must be at least one"), Message("Choose 1 or more of each.")
        )
    wanted = plan.device_of(config)
    if "RANK" in os.environ and "WORLD_SIZE" in os.environ:
        with _under_torchrun(wanted) as world:
            yield world
    elif devices * nodes == 1:
        yield DistributedContext()
    else:
        DistributedContext(0, devices * nodes).check_divisible(config.batch)
        with _spawned(config, plan, devices, nodes) as world:
            yield world


@contextmanager
def _under_torchrun(wanted: str) -> Iterator[DistributedContext]:
    devices = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    _check_devices(wanted, devices)
    device = _device(wanted, int(os.environ.get("LOCAL_RANK", "0")), devices)
    try:
        _join_group(device)
        yield DistributedContext(dist.get_rank(), dist.get_world_size(), device)
    finally:
        _destroy_group()


@contextmanager
def _spawned(
    config: TrainConfig, plan: RunPlan, devices: int, nodes: int
) -> Iterator[DistributedContext]:
    node, host, port = _place(nodes)
    _check_devices(plan.device_of(config), devices)
    first = node * devices
    store: TCPStore | None = None
    if first == 0:
        # Created before the workers start, so that on one machine the system can choose the port.
        store = _listening(host, port, devices * nodes)
        port = store.port
    meeting = _Rendezvous(host, port, devices * nodes, devices)
    context = mp.get_context("spawn")
    others = [
        context.Process(target=_worker, args=(config, plan, meeting, first + local), daemon=True)
        for local in range(1, devices)
    ]
    threads = torch.get_num_threads()
    try:
        for process in others:
            process.start()
        yield _join_at_store(plan.device_of(config), meeting, first, store)
    finally:
        torch.set_num_threads(threads)
        _stop(others)
        _destroy_group()


def _listening(host: str, port: int, size: int) -> TCPStore:
    try:
        return TCPStore(host, port, size, True, timeout=_RENDEZVOUS_TIMEOUT, wait_for_workers=False)
    except RuntimeError as error:
        raise InputError(
            Message("MASTER_PORT {0}", port),
            Message("this machine cannot listen there"),
            Message("Choose another one above 1024, the same on every node."),
        ) from error


def _stop(others: list[SpawnProcess]) -> None:
    """Wait for workers that finish with the last step; kill those that still wait for this one."""
    for process in others:
        if process.pid is None:
            continue
        process.join(2)
        process.kill()  # they ignore SIGTERM, see _worker
        process.join()


def _place(nodes: int) -> tuple[int, str, int]:
    """(rank of this node, host and port of the first node); from the environment if several."""
    if nodes == 1:
        return 0, "127.0.0.1", 0
    rank = _number(nodes, "NODE_RANK", range(nodes))
    host = os.environ.get("MASTER_ADDR", "")
    if not host:
        raise _misplaced(nodes, Message("{0} is not set", "MASTER_ADDR"))
    port = _number(nodes, "MASTER_PORT", range(1, 1 << 16))
    _check_address(host)
    return rank, host, port


def _number(nodes: int, name: str, allowed: range) -> int:
    """A number of the environment."""
    text = os.environ.get(name, "")
    if not text:
        raise _misplaced(nodes, Message("{0} is not set", name))
    number = int(text) if text.strip().isascii() and text.strip().isdigit() else -1
    if number not in allowed:
        limits = (allowed.start, allowed.stop - 1)
        raise _misplaced(
            nodes, Message("{0} is “{1}”, not a number from {2} to {3}", name, text, *limits)
        )
    return number


def _misplaced(nodes: int, why: Message) -> InputError:
    return InputError(
        Message("{0} nodes", nodes),
        why,
        Message(
            "Set NODE_RANK (0 on the first node), MASTER_ADDR and MASTER_PORT on every node, "
            "or start the command by torchrun."
        ),
    )


def _check_address(host: str) -> None:
    """Refuse a name that does not exist: torch would try for five minutes."""
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        raise InputError(
            Message("MASTER_ADDR {0}", host),
            Message("this machine does not know it ({0})", error.strerror or error),
            Message("Give the name or address of the machine with NODE_RANK 0."),
        ) from error


def _check_devices(wanted: str, devices: int) -> None:
    """Refuse more processes than this machine has GPUs: NCCL hangs with two processes on one."""
    if choose_device(wanted).name == "cpu":
        return
    if devices > torch.cuda.device_count():
        raise InputError(
            Message("{0} devices", devices),
            Message("this machine has {0}", torch.cuda.device_count()),
            Message("Give fewer, or --device cpu."),
        )
    if devices > 1 and ":" in wanted:
        raise InputError(
            Message("{0} devices", devices),
            Message("“{0}” names a single one", wanted),
            Message("Give --device cuda; the first of them are taken."),
        )


def _device(wanted: str, local: int, devices: int) -> str:
    """The device of this process: the one named, or that of its local rank."""
    device = choose_device(wanted).name
    if device == "cpu":
        return device
    if devices > 1:
        device = f"cuda:{local}"
    torch.cuda.set_device(device)
    return device


def _backend(device: str) -> str:
    """nccl between GPUs where torch has it (not on Windows), otherwise gloo, which can do both."""
    return "nccl" if device != "cpu" and dist.is_nccl_available() else "gloo"


def _join_at_store(
    wanted: str, meeting: _Rendezvous, rank: int, store: TCPStore | None
) -> DistributedContext:
    device = _device(wanted, rank % meeting.devices, meeting.devices)
    if device == "cpu":
        torch.set_num_threads(max(1, torch.get_num_threads() // meeting.devices))
    if store is None:
        with reaching_others():
            store = TCPStore(
                meeting.host, meeting.port, meeting.size, False, timeout=_RENDEZVOUS_TIMEOUT
            )
    _join_group(device, store=store, rank=rank, world_size=meeting.size)
    return DistributedContext(rank, meeting.size, device)


def _join_group(device: str, **place: Any) -> None:
    """Initialise the default group at the store and rank in ``place``, or in the environment."""
    # The default arguments of its functions hold the group that exists at the first import. If that
    # happens later (torch.optim does it), the group and its threads outlive destroy_process_group,
    # and the process sometimes aborts at exit.
    importlib.import_module("torch.distributed.nn")
    with reaching_others():
        dist.init_process_group(_backend(device), timeout=_TIMEOUT, **place)


def _destroy_group() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def _worker(config: TrainConfig, plan: RunPlan, meeting: _Rendezvous, rank: int) -> None:
    """Main function of a spawned process: trains, but shows and writes nothing."""
    # Only the leader decides when to stop: a scheduler or terminal signals all processes at once,
    # and one that leaves by itself would break the current step of the others.
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        for _ in train(
            config, plan, world=_join_at_store(plan.device_of(config), meeting, rank, None)
        ):
            pass
        _destroy_group()
    except Cancelled:
        _destroy_group()  # the leader was asked to stop
    except ProcessLost:
        sys.exit(1)  # the process that ended, or the leader, says why
    except FusionError as error:
        print(f"unifusion, process {rank}: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
