"""What an evaluation is to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from core.errors import InputError, Message
from core.evaluation.result import MethodKind
from core.metrics import MAIN_METRICS, get_metric
from core.pairing.dataset_descriptor import DatasetDescriptor
from core.tasks import get_task
from core.windows import Windows, check_window


@dataclass(frozen=True)
class MethodChoice:
    """A method to evaluate.

    Attributes:
        kind: how its fused images come about.
        value: the name of a pack, the path of a pack file or the name of a classical method; the
            folder of results; the folder of a collection, whose methods are all taken; or the
            command line of an external program with ``{a}``, ``{b}`` and ``{out}``.
        name: name in tables; "" for the method's own.
    """

    kind: MethodKind
    value: str
    name: str = ""


@dataclass(frozen=True)
class EvaluationPlan:
    """Settings of an evaluation.

    Attributes:
        sources: a folder of pairs in any layout that :mod:`core.pairing` supports, or the output
            folder of a batch, whose results are then evaluated too.
        methods: at least one, unless ``sources`` is a batch.
        metrics: names or aliases of :data:`core.metrics.METRICS`.
        task: decides first which source is A, and is needed to run packs; "" if unknown.
        windows: black and white of both sources, as in :func:`core.io.read_pair`.
        cache: folder in which scores are kept from one evaluation to the next; None for none.
        keep_images: also keep the fused images of packs, classical methods and programs in
            ``cache``, for looking at them.
        timeout: seconds an external program may take for one pair.
        device: as in :func:`core.device.choose_device`.
        dataset, split: as in :func:`core.evaluation.pairs.find_evaluation_pairs`.
        reference: name of the method that reports compare the others with; "" for none.
        downstream: files of scores of other tasks, as in
            :func:`core.evaluation.set_scores.read_set_columns`.
        quoted: file of means that were measured elsewhere, as in
            :func:`core.evaluation.set_scores.read_quoted`; None for none.
        group_by: as in :func:`core.evaluation.groups.with_groups`.
        outputs: files that will be written from the result, which must be none that is read.
    """

    sources: Path
    methods: Sequence[MethodChoice]
    metrics: Sequence[str] = MAIN_METRICS
    _: KW_ONLY
    task: str = ""
    windows: Windows = (None, None)
    cache: Path | None = None
    keep_images: bool = False
    timeout: float = 120.0
    device: str = "auto"
    dataset: DatasetDescriptor | None = None
    split: str = ""
    reference: str = ""
    downstream: Sequence[Path] = ()
    quoted: Path | None = None
    group_by: str = ""
    outputs: Sequence[Path] = ()

    def checked_metrics(self) -> tuple[str, ...]:
        """The names of the metrics without aliases and repetitions.

        Raises:
            InputError: a metric or the task is unknown, or a window is no window.
        """
        if self.task:
            get_task(self.task)
        for window in self.windows:
            check_window(window)
        names = tuple(dict.fromkeys(get_metric(name).name for name in self.metrics))
        if not names:
            raise InputError(
                Message("The evaluation"),
                Message("no metric was chosen"),
                Message("Choose one or more."),
            )
        return names
