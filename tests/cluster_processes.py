"""A real scheduler and real workers on the loopback address, each a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
_STARTS_WITHIN = 60.0


@dataclass
class Program:
    """A running command of the program, and what it has said."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    _said: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._said:
                self.lines.append(line.rstrip("\n"))
                self._said.notify_all()
        with self._said:
            self.lines.append("")
            self._said.notify_all()

    def wait_for(self, beginning: str) -> str:
        """The first line with this beginning."""
        with self._said:
            found = self._said.wait_for(
                lambda: any(line.startswith(beginning) or not line for line in self.lines),
                _STARTS_WITHIN,
            )
            lines = [line for line in self.lines if line.startswith(beginning)]
            assert found, f"it says no {beginning!r}"
            assert lines, self.lines
            return lines[0]

    def signal_all(self, number: int) -> None:
        """Send a signal to the process and all below it, the children first."""
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.process.pid)
            for one in (*parent.children(recursive=True), parent):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.send_signal(number)

    def end(self) -> None:
        """End it, whatever state it is in."""
        self.signal_all(signal.SIGKILL)
        self.process.wait(10)
        self._reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


def command(*words: object, environment: dict[str, str] | None = None) -> Program:
    """Start ``unifusion`` with ``words``."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **(environment or {})}
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *map(str, words)],
        cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return Program(process)


class ClusterProcesses:
    """A scheduler and its workers; as a context manager they end with it."""

    def __init__(
        self, folder: Path, *, frozen_after: float = 30, certificates: Path | None = None
    ) -> None:
        self._folder = folder
        self._words = () if certificates is None else ("--certificates", certificates)
        self._frozen_after = frozen_after
        self.workers: list[Program] = []
        self.scheduler = self._start(0)
        self.address = self.scheduler.wait_for("scheduler at").split()[-1]

    def _start(self, port: int) -> Program:
        return command(
            "scheduler", "--port", port, "--frozen-after", self._frozen_after, *self._words
        )

    def start_scheduler_again(self) -> None:
        """At the same address."""
        self.scheduler.end()
        self.scheduler = self._start(int(self.address.rpartition(":")[2]))
        self.scheduler.wait_for("scheduler at")

    def start_workers(self, number: int = 1, *, preload: str = "", memory: float = 0) -> None:
        """Start workers with one slot each.

        Args:
            preload: Python that is run in each worker process at its start.
        """
        environment = {}
        if preload:
            path = self._folder / f"preload{len(self.workers)}.py"
            path.write_text(preload)
            environment["DASK_DISTRIBUTED__WORKER__PRELOAD"] = str(path)
        new = [
            command(
                "worker", self.address, "--device", "cpu", "--rows", 1, "--memory", memory,
                *self._words, environment=environment,
            )
            for _ in range(number)
        ]  # fmt: skip
        self.workers += new
        for worker in new:
            worker.wait_for("worker tcp" if not self._words else "worker tls")

    def end(self) -> None:
        """End all processes."""
        for program in (*self.workers, self.scheduler):
            program.end()
        self.workers.clear()

    def __enter__(self) -> ClusterProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
