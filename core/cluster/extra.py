"""Dask, which is an extra: imported when it is asked for, and never before."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

from core.cluster.errors import ClusterMissing
from core.messages import Message

EXTRA = "unifusion-studio[cluster]"
_QUIET: dict[str, Any] = {
    # The program tells in its own words what happens.
    # Each name is there since Dask has a level of its own for it.
    "logging": dict.fromkeys(
        (
            "distributed",
            "distributed.client",
            "distributed.gc",
            "tornado",
            "tornado.application",
            "asyncio",
        ),
        "critical",
    ),
    # Stacks of all threads, sampled a hundred times a second.
    "distributed.worker.profile.enabled": False,
    # A scheduler that is there answers at once; one that is gone is to be told soon.
    "distributed.comm.timeouts.connect": "10s",
    "distributed.comm.retry.count": 0,
    # Looks at itself fifty times a second, and at disk and interpreter: 7 % of a core, idle.
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.tick.limit": "30s",
    "distributed.admin.system-monitor.interval": "2s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.system-monitor.gil.enabled": False,
}


def distributed() -> ModuleType:
    """The module ``distributed``, quiet.

    Raises:
        ClusterMissing: it is not installed.
    """
    return _imported("distributed")


def jobqueue() -> ModuleType:
    """The module ``dask_jobqueue``.

    Raises:
        ClusterMissing: it is not installed.
    """
    distributed()
    return _imported("dask_jobqueue")


def _imported(name: str) -> ModuleType:
    try:
        import dask.config

        dask.config.set(_QUIET)
        module = importlib.import_module(name)
    except ImportError as error:
        raise missing(error.name or name) from error
    return module


def missing(package: str) -> ClusterMissing:
    """The error that ``package`` is not installed."""
    if getattr(sys, "frozen", False):
        return ClusterMissing(
            Message("Work on other computers"),
            Message("this program was built without the libraries for it"),
            Message('Install it with pip: pip install "{0}".', EXTRA),
        )
    return ClusterMissing(
        Message("Work on other computers"),
        Message("{0} is not installed", package),
        Message('Run: pip install "{0}".', EXTRA),
    )
