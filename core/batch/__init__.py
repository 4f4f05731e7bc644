"""Fuses folders of pairs into a folder of results, in runs that can be interrupted at any time."""

from core.batch.events import BatchEvent, BatchFinished, ClusterNews, RowEvent, Tally
from core.batch.manifest import MANIFEST_NAME
from core.batch.naming import FIELDS
from core.batch.options import BatchOptions
from core.batch.plan import BatchPlan, BatchRow, preview
from core.batch.queue_order import QueueOrder
from core.batch.resume import FoundRun, find_run, plan_batch
from core.batch.row_preview import PairHeader, image_size, inspect_pair
from core.batch.row_record import ENDED, RowRecord, RowState
from core.batch.runner import run_batch
from core.batch.settings import DEFAULT_TEMPLATE

__all__ = [
    "DEFAULT_TEMPLATE",
    "ENDED",
    "FIELDS",
    "MANIFEST_NAME",
    "BatchEvent",
    "BatchFinished",
    "BatchOptions",
    "BatchPlan",
    "BatchRow",
    "ClusterNews",
    "FoundRun",
    "PairHeader",
    "QueueOrder",
    "RowEvent",
    "RowRecord",
    "RowState",
    "Tally",
    "find_run",
    "image_size",
    "inspect_pair",
    "plan_batch",
    "preview",
    "run_batch",
]
