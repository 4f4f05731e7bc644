"""The worker of a job: ``python -m core.cluster.job_worker ADDRESS …``, as dask-jobqueue starts it.

It understands the options that dask-jobqueue writes into job scripts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from core.cluster.address import ClusterAddress
from core.cluster.serving import cuda_devices, serve_workers
from core.cluster.worker_plan import plan_workers
from core.errors import FusionError


def main(words: Sequence[str] | None = None) -> int:
    """Work until the scheduler ends, or the job does; returns the exit code."""
    parser = argparse.ArgumentParser(prog="job_worker", description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--name", default="")
    parser.add_argument("--nthreads", type=int, default=1)
    parser.add_argument("--memory-limit", default="")
    parser.add_argument("--certificates", type=Path)
    parser.add_argument("--device", default="cpu")
    # Others are about Dask's own worker: the certificates once more, and when to give up.
    options, _ = parser.parse_known_args(words)
    try:
        gpus = 0 if options.device == "cpu" else cuda_devices()
        serve_workers(
            ClusterAddress.parse(options.address),
            options.certificates,
            plan_workers(options.device, options.nthreads, cores=options.nthreads, gpus=gpus),
            tell=lambda text: print(f"worker {text}", flush=True),  # noqa: T201
            memory=_bytes(options.memory_limit),
            name=options.name,
        )
    except FusionError as error:
        print(f"unifusion: {error}", file=sys.stderr, flush=True)  # noqa: T201
        return 1
    return 0


def _bytes(text: str) -> int:
    from dask.utils import parse_bytes

    return int(parse_bytes(text)) if text else 0


if __name__ == "__main__":
    sys.exit(main())
