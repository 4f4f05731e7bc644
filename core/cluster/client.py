"""The submitter's connection: knows the workers, and has functions called on a chosen one."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.cluster.address import ClusterAddress
from core.cluster.certificates import security
from core.cluster.errors import ClusterError, ClusterLost
from core.cluster.extra import distributed
from core.cluster.loop_thread import LoopThread
from core.cluster.reach import check_reach
from core.messages import Message

SLOT = "unifusion-slot"
"""Resource of workers that ``unifusion worker`` started: how many calls they take at once."""
_LOOK_EVERY = 0.5
"""Seconds between two looks at which workers there are."""
_STOP_SECONDS = 5.0


class TaskLost(Exception):
    """The worker died, or was given up, before it had answered."""


@dataclass(frozen=True)
class SeenWorker:
    """A worker as the scheduler knows it.

    Attributes:
        address: changes when it is started again. name: as it was given or counted.
        slots: calls that it takes at once; 0 where ``unifusion worker`` did not start it.
    """

    address: str
    name: str
    slots: int


class ClusterClient:
    """A connection to a scheduler. Its methods may be called from any thread; close it."""

    def __init__(self, address: ClusterAddress, certificates: Path | None = None) -> None:
        """
        Raises:
            ClusterMissing: Dask is not installed.
            ClusterError: the scheduler cannot be reached, or may not be used without certificates.
        """
        self.address = address
        self._distributed = distributed()
        check_reach(address, certificates, "client")
        self._security = security(certificates, "client")
        self._client: Any = None
        self._seen: Mapping[str, SeenWorker] = {}
        self._lost = threading.Event()
        self._thread = LoopThread("unifusion-cluster")
        self._call = self._thread.call
        try:
            self._call(self._connect()).result()
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise self.lost_error() from error
            raise

    async def _connect(self) -> None:
        self._client = await self._distributed.Client(
            str(self.address),
            security=self._security,
            asynchronous=True,
            set_as_default=False,
            name="unifusion",
        )
        self._watching = asyncio.ensure_future(self._watch())
        await self._look()

    async def _watch(self) -> None:
        while not self._lost.is_set():
            look = asyncio.ensure_future(self._look())
            # The connection that is lost is seen at once; the question would wait for another.
            while not look.done() and self._client.status == "running":
                await asyncio.wait([look], timeout=_LOOK_EVERY)
            if not look.done() or look.exception() is not None:
                look.cancel()
                self._lost.set()
                return
            await asyncio.sleep(max(_LOOK_EVERY, len(self._seen) / 100))

    async def _look(self) -> None:
        if self._client.status != "running":
            raise ClusterLost(str(self.address))
        identity = await self._client.scheduler.identity(n_workers=-1)
        self._seen = {
            address: SeenWorker(
                address, str(found.get("name", address)), int(found["resources"].get(SLOT, 0))
            )
            for address, found in identity["workers"].items()
        }

    @property
    def workers(self) -> Mapping[str, SeenWorker]:
        """The workers by address, as of half a second ago.

        Raises:
            ClusterLost: the scheduler is gone.
        """
        if self._lost.is_set() or self._client.status != "running":
            raise self.lost_error()
        return self._seen

    def lost_error(self) -> ClusterLost:
        """The error that the scheduler is gone."""
        return ClusterLost(
            Message("The scheduler at {0}", self.address),
            Message("it does not answer any more"),
            Message("Start it and its workers again; what is done is kept."),
        )

    def submit(
        self, worker: str, function: Callable[..., Any], *values: Any, slots: int = 1
    ) -> Future[Any]:
        """Have ``function(*values)`` called on ``worker``.

        The future raises :class:`TaskLost` where the worker died meanwhile, and what the function
        raised. Cancelling it takes the call back; one that runs learns it from
        :func:`core.cluster.tasks.is_wanted`.

        Args:
            slots: of the worker that the call takes.
        """
        return self._call(self._run(worker, function, values, slots))

    async def _run(
        self, worker: str, function: Callable[..., Any], values: tuple[Any, ...], slots: int
    ) -> Any:
        future = self._client.submit(
            function,
            *values,
            key=f"unifusion-{uuid.uuid4().hex}",
            workers=[worker],
            resources={SLOT: slots},
            retries=0,
            pure=False,
        )
        try:
            return await self._taken(future, worker)
        except self._distributed.scheduler.KilledWorker as error:
            raise TaskLost(worker) from error
        except self._distributed.client.FutureCancelledError as error:
            raise TaskLost(worker) from error
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await self._client.cancel([future], force=True)
            raise
        finally:
            future.release()

    async def _taken(self, future: Any, worker: str) -> Any:
        """What ``future`` gives.

        Dask would have the function called over and over where its answer cannot be taken.
        """
        await future.exception()  # waits until it ends, as it may
        if future.status != "finished":
            return await future  # raises why
        try:
            found = await self._client.scheduler.gather(keys=[future.key])
            if found["status"] == "OK":
                return found["data"][future.key]
            await self._look()
        except (OSError, ClusterLost) as error:
            raise TaskLost(worker) from error
        if worker not in self._seen:
            raise TaskLost(worker)
        raise ClusterError(
            Message("Its answer"),
            Message("the scheduler cannot connect to the worker"),
            Message("Check the firewall of its computer, and the address that --host names."),
        )

    def memory_deaths(self, since: float) -> set[str]:
        """Addresses of workers that were ended because they ran out of memory.

        Args:
            since: seconds since the epoch.
        """
        with contextlib.suppress(Exception):
            events = self._call(self._events()).result(_STOP_SECONDS)
            return {event["worker"] for when, event in events if when >= since}
        return set()

    async def _events(self) -> Any:
        return await self._client.get_events("worker-restart-memory")

    def close(self) -> None:
        """End the connection; calls that have not ended are taken back."""
        if not self._thread.is_running:
            return
        self._lost.set()
        with contextlib.suppress(Exception):
            self._call(self._disconnect()).result(_STOP_SECONDS)
        self._thread.close()

    async def _disconnect(self) -> None:
        if self._client is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._client.close(timeout=2), _STOP_SECONDS)

    def __enter__(self) -> ClusterClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def seconds() -> float:
    """Now, as the events of the scheduler count."""
    return time.time()
