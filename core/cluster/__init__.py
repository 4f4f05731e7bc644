"""Other computers: a scheduler, workers, and what a submitter sends them (Dask, decision 0051).

Importing this package imports nothing of Dask, connects to nothing and listens to nothing.
"""

from core.cluster.address import ClusterAddress
from core.cluster.errors import ClusterError, ClusterLost, ClusterMissing

__all__ = ["ClusterAddress", "ClusterError", "ClusterLost", "ClusterMissing"]
