"""What goes wrong with other computers."""

from __future__ import annotations

from core.errors import FusionError


class ClusterError(FusionError):
    """The cluster cannot be used as it was asked for."""


class ClusterLost(ClusterError):
    """The scheduler, or every worker that can be used, is gone; what is done stays done."""


class ClusterMissing(ClusterError):
    """The libraries of the extra are not installed."""
