"""The scheduler and the workers, as programs that run until they are told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

from core.cluster.address import DEFAULT_PORT, LOOPBACK, MOST_PORT, ClusterAddress, is_loopback
from core.cluster.certificates import security
from core.cluster.errors import ClusterError, ClusterLost
from core.cluster.extra import distributed
from core.cluster.reach import check_reach
from core.cluster.worker_plan import PlannedWorker
from core.messages import Message

FROZEN_AFTER = 30.0
"""Seconds without a sign of life after which a worker is given up."""
SCHEDULER_SETTINGS: dict[str, Any] = {
    "distributed.scheduler.worker-ttl": f"{FROZEN_AFTER:.0f}s",
    # Rows are only ever sent to one worker, and what becomes of them then is up to the submitter.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.active-memory-manager.start": False,
}
"""Dask's settings of a scheduler."""
_WORKER = {
    # Results are small or taken at once: there is nothing to write to disk.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    # Files of odd formats are read by a child process.
    "distributed.worker.daemon": False,
}
_CLOSE_SECONDS = 5.0


@dataclass(frozen=True)
class SchedulerOptions:
    """Where a scheduler listens.

    Attributes:
        host: name or address of this computer; the loopback address unless asked for.
        port: 0 for any that is free.
        certificates: their folder; demanded wherever others can reach it.
        frozen_after: seconds without a sign of life after which a worker is given up.
    """

    host: str = LOOPBACK
    port: int = DEFAULT_PORT
    _: KW_ONLY
    certificates: Path | None = None
    frozen_after: float = FROZEN_AFTER

    @property
    def address(self) -> ClusterAddress:
        """Where it listens."""
        return ClusterAddress("tcp" if self.certificates is None else "tls", self.host, self.port)


def serve_scheduler(options: SchedulerOptions, tell: Callable[[str], None]) -> None:
    """Run a scheduler until SIGINT or SIGTERM.

    Args:
        tell: receives its address once it listens.

    Raises:
        ClusterMissing: Dask is not installed.
        ClusterError: others could reach it without certificates, or it cannot listen there.
    """
    if not 0 <= options.port <= MOST_PORT:
        raise ClusterError(
            Message("The port {0}", options.port),
            remedy=Message("Choose 1 to {0}, or 0 for any that is free.", MOST_PORT),
        )
    options.address.check(options.certificates)
    distributed()
    keys = security(options.certificates, "scheduler")
    import dask.config as config

    settings = {
        **SCHEDULER_SETTINGS,
        "distributed.scheduler.worker-ttl": f"{options.frozen_after}s",
    }
    with config.set(settings):
        asyncio.run(_scheduler(options, keys, tell))


async def _scheduler(options: SchedulerOptions, keys: Any, tell: Callable[[str], None]) -> None:
    from core.cluster.nodes import PlainScheduler, started

    stop = _stop_event()
    address = options.address
    scheduler = await started(
        PlainScheduler(
            host=options.host, port=options.port, protocol=f"{address.scheme}://", security=keys,
            dashboard=False,
        ),
        Message("A scheduler at {0}", address),
        Message("Choose an address of this computer with --host, or another --port."),
    )  # fmt: skip
    try:
        tell(scheduler.address)
        await stop.wait()
    finally:
        await _quietly(scheduler.close())


def serve_workers(
    address: ClusterAddress,
    certificates: Path | None,
    plans: Sequence[PlannedWorker],
    *,
    tell: Callable[[str], None],
    host: str = "",
    memory: int = 0,
    name: str = "",
) -> None:
    """Run the workers of this computer until SIGINT, SIGTERM or the end of the scheduler.

    A process that dies, or takes more memory than it may, is started again.

    Args:
        host: address of this computer, as the scheduler reaches it; "" to find it out.
        memory: bytes for all of them together; 0 for all of this computer.
        name: of a job; several workers of one are numbered.

    Raises:
        ClusterMissing: Dask is not installed. ClusterError: the scheduler cannot be used.
        ClusterLost: it is gone.
    """
    address.check(certificates)
    if host:
        # It listens there, too, and runs what it is sent.
        ClusterAddress(address.scheme, host, address.port).check(certificates)
    distributed()
    check_reach(address, certificates, "worker")
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "critical")  # of the worker processes
    import dask.config as config

    with config.set(_WORKER):
        asyncio.run(
            _workers(
                address, security(certificates, "worker"), plans, tell=tell, host=host,
                memory=memory, name=name,
            )
        )  # fmt: skip


async def _workers(
    address: ClusterAddress,
    keys: Any,
    plans: Sequence[PlannedWorker],
    *,
    tell: Callable[[str], None],
    host: str,
    memory: int,
    name: str,
) -> None:
    from distributed import Nanny
    from distributed.system import MEMORY_LIMIT

    from core.cluster.nodes import PlainWorker, started

    stop, own = _stop_event(), f"{socket.gethostname()}-{os.getpid()}"
    nannies = [
        Nanny(
            str(address),
            nthreads=plan.slots,
            resources=plan.resources,
            security=keys,
            host=host or (LOOPBACK if is_loopback(address.host) else None),
            memory_limit=(memory or MEMORY_LIMIT) // len(plans),
            worker_class=PlainWorker,
            env=plan.environment,
            name=name if name and len(plans) == 1 else f"{name or own}-{number}",
            silence_logs=logging.CRITICAL,
        )
        for number, plan in enumerate(plans)
    ]
    try:
        what = Message("The workers at {0}", host or socket.gethostname())
        remedy = Message("Choose an address of this computer with --host.")
        await asyncio.gather(*(started(nanny, what, remedy) for nanny in nannies))
        for nanny, plan in zip(nannies, plans, strict=True):
            tell(f"{nanny.worker_address} ({plan.device}, {plan.slots})")
        ends = [asyncio.ensure_future(_finished(nanny)) for nanny in nannies]
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait([stopped, *ends], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not stop.is_set():
            raise ClusterLost(
                Message("The scheduler at {0}", address),
                Message("it is gone, so that the workers of this computer have ended"),
                Message("Start it, then start them again."),
            )
    finally:
        await asyncio.gather(*(_quietly(nanny.close(timeout=_CLOSE_SECONDS)) for nanny in nannies))


async def _finished(node: Any) -> None:
    await node.finished()


async def _quietly(work: Coroutine[Any, Any, Any]) -> None:
    with contextlib.suppress(Exception):
        await asyncio.wait_for(work, 2 * _CLOSE_SECONDS)


def _stop_event() -> asyncio.Event:
    """Set when the program is asked to end."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in _signals():
        with contextlib.suppress(NotImplementedError):  # Windows; Ctrl-C is raised there
            loop.add_signal_handler(number, stop.set)
    return stop


def _signals() -> Iterator[signal.Signals]:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            yield getattr(signal, name)


def cuda_devices() -> int:
    """How many CUDA devices there are, asked in a process of its own: torch takes memory."""
    done = subprocess.run(
        [sys.executable, "-c", "import torch; print(torch.cuda.device_count())"],
        capture_output=True,
        text=True,
        check=False,
    )
    return int(done.stdout) if done.stdout.strip().isdecimal() else 0
