"""Long-running work on worker threads, reported by signals on the GUI thread."""

from app.workers.errors import as_fusion_error, details_of
from app.workers.runner import Job, Runner, running_threads

__all__ = ["Job", "Runner", "as_fusion_error", "details_of", "running_threads"]
