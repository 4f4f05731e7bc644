"""Jobs of a queueing system, each of which is a worker: a scheduler of its own in this program.

The file that describes them (``--cluster slurm.toml``); only ``system`` must be there:

    system = "slurm"              # slurm, pbs or lsf
    jobs = 8                      # how many; each is a worker on some computer
    cores = 4                     # of each
    memory = "16GB"               # of each
    walltime = "04:00:00"
    queue = "short"               # partition, queue
    account = "imaging"           # project that pays
    device = "cpu"                # cpu, cuda, auto
    host = "login1"               # this computer, as the jobs reach it
    interface = "ib0"             # or its network interface, instead of host
    certificates = "/home/me/certificates"   # the jobs read them there, too
    directives = ["--gres=gpu:1"] # further lines of the job script's head
    prologue = ["module load python"]        # lines before the worker starts
    python = "/home/me/venv/bin/python"      # with this program; else the present one
    log_folder = "logs"           # what the jobs say; else nowhere
    patience = 3600               # seconds to wait for the first job
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from core.cluster.address import LOOPBACK, ClusterAddress, is_loopback
from core.cluster.certificates import security, tls_files
from core.cluster.errors import ClusterError
from core.cluster.extra import jobqueue
from core.cluster.loop_thread import LoopThread
from core.messages import Message

_CLASSES = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "lsf": "LSFCluster"}
_PAYERS = {"slurm": "account", "pbs": "account", "lsf": "project"}
_CLOSE_SECONDS = 20
_WALLTIMES = {
    # Slurm also takes minutes, and days before hours.
    "slurm": r"\d+(:[0-5]\d){0,2}|\d+-\d{1,2}(:[0-5]\d){0,2}",
    "pbs": r"\d+(:[0-5]\d){2}",
    "lsf": r"\d+:[0-5]\d(:[0-5]\d)?",
}


@dataclass(frozen=True, config=ConfigDict(extra="forbid"), kw_only=True)
class ClusterJobs:
    """A description of jobs, as the module describes it."""

    system: Literal["slurm", "pbs", "lsf"]
    jobs: int = 1
    cores: int = 1
    memory: str = "4GB"
    walltime: str = "01:00:00"
    queue: str = ""
    account: str = ""
    device: str = "cpu"
    host: str = ""
    interface: str = ""
    certificates: str = ""
    directives: tuple[str, ...] = ()
    prologue: tuple[str, ...] = ()
    python: str = ""
    log_folder: str = ""
    patience: float = 3600.0

    @classmethod
    def read(cls, path: Path) -> ClusterJobs:
        """The description in the file at ``path``.

        Raises:
            ClusterError: it cannot be read, or something in it is unknown or wrong.
        """
        what = Message("The description of jobs {0}", path)
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8"))
            made: ClusterJobs = TypeAdapter(cls).validate_python(found)
        except OSError as error:
            raise ClusterError(
                what,
                error.strerror or str(error),
                Message("Check that the file is there and may be read."),
            ) from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ClusterError(
                what,
                Message("{0}: {1}", where, first["msg"]),
                Message("“docs/cluster.md” tells all entries."),
            ) from error
        except (ValueError, RecursionError) as error:
            raise ClusterError(
                what, Message("it is no TOML ({0})", error), Message("“docs/cluster.md” shows one.")
            ) from error
        made.check(what)
        return made

    def check(self, what: str) -> None:
        """Check what its entries say together; ``what`` is named in errors.

        Raises:
            ClusterError: they cannot be used.
        """
        for is_fine, why, remedy in self._values():
            if not is_fine:
                raise ClusterError(what, why, remedy)
        if self.host and self.interface:
            raise ClusterError(
                what, Message("it names both a host and an interface"),
                Message("Leave one of the two out."),
            )  # fmt: skip
        is_here = is_loopback(self.host or LOOPBACK) and not self.interface
        if not self.certificates and not is_here:
            raise ClusterError(
                what, Message("it names no certificates, without which only this computer is used"),
                Message(
                    "Make them with “unifusion cluster certificates DIR” in a folder that the "
                    "jobs see, and name it there."
                ),
            )  # fmt: skip

    def _values(self) -> Iterator[tuple[bool, Message, Message]]:
        """For each entry whether its value is possible, and what is said if it is not."""
        for name, number, most in (("jobs", self.jobs, 10_000), ("cores", self.cores, 4096)):
            yield (
                1 <= number <= most,
                Message("{0}: {1} is not possible", name, number),
                Message("Choose 1 to {0}.", most),
            )
        size = re.fullmatch(r"(\d+(?:\.\d+)?) ?[kKMGT](i?B)?", self.memory)
        yield (
            size is not None and float(size[1]) > 0,
            Message("memory: “{0}” is no size", self.memory),
            Message("Write it like 16GB."),
        )
        yield (
            re.fullmatch(_WALLTIMES[self.system], self.walltime) is not None
            and re.search("[1-9]", self.walltime) is not None,
            Message("walltime: “{0}” is no time that {1} takes", self.walltime, self.system),
            Message("Write hours, minutes and seconds, like 04:00:00."),
        )
        yield (
            re.fullmatch(r"cpu|auto|cuda(:\d+)?", self.device) is not None,
            Message("device: there is no “{0}”", self.device),
            Message("Choose cpu, cuda or auto."),
        )
        yield (
            0 < self.patience < math.inf,
            Message("patience: {0} is no number of seconds", self.patience),
            Message("Choose how long to wait for the first job, like 3600."),
        )

    @property
    def _walltime(self) -> str:
        hours, *rest = self.walltime.split(":")
        # LSF counts minutes.
        return f"{hours}:{rest[0]}" if self.system == "lsf" and len(rest) == 2 else self.walltime

    @property
    def folder(self) -> Path | None:
        """Where the certificates are."""
        return Path(self.certificates).expanduser() if self.certificates else None

    def arguments(self) -> dict[str, Any]:
        """What dask-jobqueue is given, but for the scheduler in this program.

        Raises:
            ClusterError: the certificates cannot be used.
        """
        extra = ["--device", self.device]
        if self.folder is not None:
            tls_files(self.folder, "worker")
            extra += ["--certificates", str(self.folder.absolute())]
        found: dict[str, Any] = {
            "cores": self.cores,
            "processes": 1,
            "memory": self.memory,
            "walltime": self._walltime,
            "python": self.python or sys.executable,
            "worker_command": "core.cluster.job_worker",
            "worker_extra_args": extra,
            "job_extra_directives": list(self.directives),
            "job_script_prologue": list(self.prologue),
            "job_name": "unifusion",
            "log_directory": self.log_folder or None,
            "death_timeout": 60,
        }
        if self.queue:
            found["queue"] = self.queue
        if self.account:
            found[_PAYERS[self.system]] = self.account
        return found

    def script(self, address: ClusterAddress, name: str = "NAME") -> str:
        """What the queueing system is given for one job of the scheduler at ``address``.

        Raises:
            ClusterMissing: Dask is not installed. ClusterError: the certificates cannot be used.
        """
        kind = getattr(jobqueue(), _CLASSES[self.system]).job_cls
        protocol = f"{address.scheme}://"
        job = kind(scheduler=str(address), name=name, protocol=protocol, **self.arguments())
        return str(job.job_script())

    @contextmanager
    def submitted(self) -> Iterator[ClusterAddress]:
        """Run a scheduler and submit the jobs; they are ended, or taken back, at the end.

        Raises:
            ClusterMissing: Dask is not installed.
            ClusterError: the queueing system is not there, or refuses the jobs.
        """
        kind = getattr(jobqueue(), _CLASSES[self.system]).job_cls
        with self._scheduler_settings(), LoopThread("unifusion-jobs") as loop:
            scheduler = loop.call(self._scheduler()).result()
            submitted: list[Any] = []
            try:
                address = ClusterAddress.parse(scheduler.address)
                protocol = f"{address.scheme}://"
                for number in range(self.jobs):
                    job = kind(
                        scheduler=str(address), name=f"job-{number}", protocol=protocol,
                        **self.arguments(),
                    )  # fmt: skip
                    loop.call(_started(job)).result()
                    submitted.append(job)
                yield address
            finally:
                loop.call(_ended(submitted, scheduler)).exception()

    async def _scheduler(self) -> Any:
        """A scheduler in this program."""
        from core.cluster.nodes import PlainScheduler, started

        where: dict[str, Any] = {"host": self.host or LOOPBACK}
        if self.interface:
            where = {"interface": self.interface}
        what = Message("A scheduler at {0}", self.interface or self.host or LOOPBACK)
        remedy = Message("Name an address or an interface of this computer.")
        keys = security(self.folder, "scheduler")
        try:
            scheduler = PlainScheduler(
                **where, port=0, dashboard=False, security=keys,
                protocol="tcp://" if self.folder is None else "tls://",
            )  # fmt: skip
        except (OSError, ValueError) as error:  # there is no such interface
            raise ClusterError(what, str(error), remedy) from error
        return await started(scheduler, what, remedy)

    @staticmethod
    @contextmanager
    def _scheduler_settings() -> Iterator[None]:
        import dask.config as config

        from core.cluster.serving import SCHEDULER_SETTINGS

        with config.set(SCHEDULER_SETTINGS):
            yield


async def _started(job: Any) -> None:
    try:
        await job.start()
    except Exception as error:  # of any kind, as the commands of queueing systems fail
        said = " ".join(str(error).split())
        raise ClusterError(
            Message("A job of the queueing system"),
            Message("it cannot be submitted ({0})", said[:300]),
            Message("Check the description of the jobs, and whether this computer may submit."),
        ) from error


async def _ended(jobs: Sequence[Any], scheduler: Any) -> None:
    """End jobs, or take them back, and the scheduler."""
    for job in jobs:
        with contextlib.suppress(Exception):
            await job.close()
    with contextlib.suppress(Exception):
        await asyncio.wait_for(scheduler.close(), _CLOSE_SECONDS)
