"""Scores one method on one pair, or finds its scores among those kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from core.errors import FusionError, InputError, Message
from core.evaluation.cache import KeptScores, ScoreCache, cache_key
from core.evaluation.methods import FusedImage, Method, ResultFolder, sources_identity
from core.evaluation.plan import EvaluationPlan
from core.evaluation.result import FusionCost, PairDescription, PairScore
from core.io.pair_notes import notes_of
from core.io.pairs import read_pair
from core.io.reader import read_image
from core.io.values import seen_as
from core.metrics import METRICS, Luma, evaluate_timed, psnr_pair, ssim_pair, to_luma8
from core.missing_data import comparable
from core.progress import Progress
from core.types import SourcePair

TRUTH_METRICS: tuple[str, ...] = ("PSNR_gt", "SSIM_gt")
"""Additional columns for pairs with ground truth; higher is better in both."""
_TRUTH_VERSION = 1


def versions_of(columns: Sequence[str]) -> dict[str, int]:
    """Versions of metrics and of the columns against ground truth."""
    return {name: METRICS[name].version if name in METRICS else _TRUTH_VERSION for name in columns}


class PairSources:
    """The sources of a pair, read when they are first needed."""

    def __init__(self, pair: PairDescription, plan: EvaluationPlan) -> None:
        self._pair, self._plan = pair, plan
        self.notes: tuple[str, ...] = ()
        self.problem: FusionError | None = None

    def read(self) -> SourcePair:
        """The sources.

        Raises:
            FusionError: they cannot be read; the same error every time.
        """
        if self.problem is not None:
            raise self.problem
        try:
            return self._read
        except FusionError as error:
            self.problem = error
            raise

    @cached_property
    def _read(self) -> SourcePair:
        plan = self._plan
        pair = self._pair
        read = read_pair(
            pair.a, pair.b, task=plan.task, windows=plan.windows, transform=pair.transform
        )
        self.notes = notes_of(read)
        return read

    @cached_property
    def lumas(self) -> tuple[Luma, Luma]:
        """8-bit luma of A and B, H×W."""
        read = self.read()
        return to_luma8(read.a.normalised()), to_luma8(read.b.normalised())


@dataclass(frozen=True)
class FoundScore:
    """A score that needs no work: it is known, or cannot be had.

    Attributes:
        notes: on the sources.
    """

    score: PairScore
    notes: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether there are values."""
        return self.score.error is None


@dataclass(frozen=True)
class MissingScore:
    """A score that is to be found out.

    Attributes:
        key: under which it is kept.
        kept: what is known of it; None for nothing.
    """

    key: str
    kept: KeptScores | None = None


@dataclass(frozen=True)
class Scorer:
    """Scores methods on pairs by ``metrics``, with what ``cache`` holds if that is not None.

    :meth:`score` does all; with workers of a cluster, :meth:`look_up` and :meth:`keep` are done by
    whoever has the cache, and :meth:`measure` by a worker.
    """

    plan: EvaluationPlan
    metrics: tuple[str, ...]
    cache: ScoreCache | None
    progress: Progress
    _fused_before: set[str] = field(default_factory=set)
    """Names of the methods that have fused in this run."""

    def score(
        self, pair: PairDescription, method: Method, sources: PairSources
    ) -> tuple[PairScore, bool] | None:
        """The score and whether all of it was known; None if the method has no result.

        Raises:
            OutputError: the scores cannot be kept. Cancelled: by the progress.
        """
        found = self.look_up(pair, method)
        if found is None:
            return None
        if isinstance(found, FoundScore):
            sources.notes = sources.notes or found.notes
            return found.score, found.is_known
        try:
            place = self.image_place(found)
            scores = self.measure(pair, method, sources, found, place)
            return self.keep(pair, method, found, scores), False
        except FusionError as error:
            return PairScore(pair.name, {}, error=error.message), False

    def look_up(self, pair: PairDescription, method: Method) -> FoundScore | MissingScore | None:
        """What is known of a method on a pair; None if the method has no result."""
        try:
            identity = method.identity(pair)
            if identity is None:
                return None
            key = cache_key(
                sources_identity(pair, self.plan.task, self.plan.windows), identity, pair.name
            )
        except FusionError as error:
            return FoundScore(PairScore(pair.name, {}, error=error.message))
        columns = self._columns(pair)
        kept = None if self.cache is None else self.cache.get(key, versions_of(columns))
        path = self._where(key, pair, method)
        lacks_image = self._keeps and path is not None and not path.is_file()
        if kept is None or lacks_image or any(name not in kept.values for name in columns):
            return MissingScore(key, kept)
        return FoundScore(_pair_score(pair, kept, columns, path), kept.notes)

    def image_place(self, missing: MissingScore) -> Path | None:
        """Where the fused image that is missing is to be kept; None if it is not."""
        if self.cache is None or not self.plan.keep_images:
            return None
        return self.cache.image_path(missing.key)

    @property
    def _keeps(self) -> bool:
        return self.cache is not None and self.plan.keep_images

    def _columns(self, pair: PairDescription) -> tuple[str, ...]:
        return self.metrics if pair.truth is None else (*self.metrics, *TRUTH_METRICS)

    def _where(self, key: str, pair: PairDescription, method: Method) -> Path | None:
        """Where the fused image lies, or would be kept."""
        if isinstance(method, ResultFolder):
            return method.results[pair.name]
        return self.cache.image_path(key) if self.cache is not None else None

    def measure(
        self,
        pair: PairDescription,
        method: Method,
        sources: PairSources,
        missing: MissingScore,
        place: Path | None,
    ) -> KeptScores:
        """Fuse, and score by what is not known.

        Args:
            place: where the fused image is kept; None for nowhere. A result that was read stays
                where it is.

        Raises:
            FusionError: it cannot be fused or scored. Cancelled: by the progress.
        """
        read, kept = sources.read(), missing.kept
        fused = method.fuse(pair, read, place, self.progress)
        cost = self._cost(fused, method)
        known: dict[str, float] = {}
        if kept is not None:
            known = dict(kept.values)
            cost = kept.cost if kept.cost.seconds is not None and cost.is_first else cost
        names = [name for name in self.metrics if name not in known]
        evaluation = evaluate_timed(*_comparable(read, sources.lumas, fused), names)
        values = known | evaluation.values
        if pair.truth is not None and any(name not in known for name in TRUTH_METRICS):
            values |= _against_truth(read, fused.luma, pair.truth)
        milliseconds = (kept.milliseconds if kept else {}) | evaluation.milliseconds
        return KeptScores(values, milliseconds, cost, sources.notes)

    def keep(
        self, pair: PairDescription, method: Method, missing: MissingScore, scores: KeptScores
    ) -> PairScore:
        """The score, which is now known.

        Raises:
            OutputError: it cannot be kept.
        """
        columns = self._columns(pair)
        if self.cache is not None:
            self.cache.put(missing.key, scores, versions_of(columns))
        is_kept = self._keeps or isinstance(method, ResultFolder)
        path = self._where(missing.key, pair, method) if is_kept else None
        return _pair_score(pair, scores, columns, path)

    def _cost(self, fused: FusedImage, method: Method) -> FusionCost:
        """What the fusion took, and whether it was the method's first one."""
        name = method.description.name
        is_first = fused.cost.seconds is not None and name not in self._fused_before
        self._fused_before.add(name)
        return replace(fused.cost, is_first=is_first)


def _pair_score(
    pair: PairDescription, kept: KeptScores, columns: Sequence[str], path: Path | None
) -> PairScore:
    return PairScore(
        pair.name,
        {name: kept.values[name] for name in columns},
        seconds=kept.cost.seconds,
        peak_bytes=kept.cost.peak_bytes,
        device_peak_bytes=kept.cost.device_peak_bytes,
        is_first=kept.cost.is_first,
        elsewhere=kept.cost.elsewhere,
        milliseconds={
            name: kept.milliseconds[name] for name in columns if name in kept.milliseconds
        },
        fused=path if path is not None and path.is_file() else None,
    )


def _comparable(
    read: SourcePair, lumas: tuple[Luma, Luma], fused: FusedImage
) -> tuple[Luma, Luma, Luma]:
    """A, B and fused luma where both sources hold data; sizes that differ are left to metrics."""
    a, b = lumas
    if fused.luma.shape != a.shape:
        return a, b, fused.luma
    a, b, luma = comparable(read, a, b, fused.luma)
    return a, b, luma


def _against_truth(pair: SourcePair, fused: Luma, path: Path) -> dict[str, float]:
    truth = to_luma8(seen_as(read_image(path), pair.a).normalised())
    if truth.shape != fused.shape:
        raise InputError(
            str(path),
            Message(
                "the ground truth is {0}×{1} pixels and the result {2}×{3}",
                *truth.shape[1::-1],
                *fused.shape[1::-1],
            ),
            Message("Check that both belong to this pair."),
        )
    truth, fused = comparable(pair, truth, fused)
    return {"PSNR_gt": psnr_pair(truth, fused), "SSIM_gt": ssim_pair(truth, fused)}
