"""Pairs of an evaluation on a worker of a cluster."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from functools import cache
from pathlib import Path

from core.cluster.tasks import WantedProgress
from core.cluster.worker_plan import DEVICE_VARIABLE
from core.errors import FusionError, OutputError
from core.evaluation.cache import KeptScores
from core.evaluation.methods import EngineMethod, ExternalProgram, Method, ResultFolder
from core.evaluation.plan import EvaluationPlan
from core.evaluation.result import MethodDescription, PairDescription
from core.evaluation.scoring import MissingScore, PairSources, Scorer
from core.fusion.opening import open_engine
from core.fusion.protocol import CheckedEngine
from core.messages import Message


@dataclass(frozen=True)
class RemoteEngineMethod:
    """What a worker needs to know of a :class:`core.evaluation.methods.EngineMethod`."""

    description: MethodDescription
    task: str
    method: str
    version: str


RemoteMethod = RemoteEngineMethod | ResultFolder | ExternalProgram


@dataclass(frozen=True)
class ScoreJob:
    """What all pairs of an evaluation share.

    Attributes:
        token: of this run; the first fusion of a method in it is marked on each worker.
        plan: only task, metrics and windows count.
        engines: methods that need an engine.
        images: send the fused images back.
    """

    token: str
    plan: EvaluationPlan
    engines: tuple[str, ...]
    _: KW_ONLY
    images: bool = False


@dataclass(frozen=True)
class ScoreItem:
    """A pair with all methods whose scores are missing.

    Attributes:
        place: of the pair among all pairs.
    """

    place: int
    pair: PairDescription
    methods: tuple[tuple[RemoteMethod, MissingScore], ...]


@dataclass(frozen=True)
class MeasuredScore:
    """What a worker found out about a method on a pair: scores, or why there are none.

    Attributes:
        image: the fused image as a PNG file; empty unless it was asked for.
    """

    scores: KeptScores | None = None
    error: Message | None = None
    image: bytes = b""


@dataclass(frozen=True)
class ScoreAnswer:
    """What a worker found out about a pair, by method in the order that was asked for."""

    place: int
    scores: tuple[MeasuredScore, ...]
    notes: tuple[str, ...]


def score_pairs(job: ScoreJob, items: tuple[ScoreItem, ...]) -> tuple[ScoreAnswer, ...]:
    """Score a pair by all methods; the other ones are not begun.

    Raises:
        Cancelled: nobody waits for it. FusionError: this worker cannot score any pair.
    """
    return (_scored(_scorer(job), job, items[0]),)


def _scored(scorer: Scorer, job: ScoreJob, item: ScoreItem) -> ScoreAnswer:
    sources = PairSources(item.pair, scorer.plan)
    measured = []
    for method, missing in item.methods:
        scorer.progress.check()
        try:
            with _image_place(job.images and not isinstance(method, ResultFolder)) as place:
                scores = scorer.measure(item.pair, _here(method, job), sources, missing, place)
                image = place.read_bytes() if place is not None else b""
            measured.append(MeasuredScore(scores, image=image))
        except OutputError:
            raise  # its disk is full, or the like: others can do it
        except FusionError as error:
            measured.append(MeasuredScore(error=error.message))
    return ScoreAnswer(item.place, tuple(measured), sources.notes)


@contextmanager
def _image_place(wanted: bool) -> Iterator[Path | None]:
    if not wanted:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="unifusion-") as folder:
        yield Path(folder) / "fused.png"


def _here(method: RemoteMethod, job: ScoreJob) -> Method:
    if not isinstance(method, RemoteEngineMethod):
        return method
    engine = _engine(job.engines)
    return EngineMethod(engine, method.task, method.method, method.description, method.version)


_lock = threading.Lock()
_scorers: dict[str, Scorer] = {}


def _scorer(job: ScoreJob) -> Scorer:
    """The scorer of this process for the run; that of an earlier run is dropped."""
    with _lock:
        if job.token not in _scorers:
            _scorers.clear()
            metrics = job.plan.checked_metrics()
            _scorers[job.token] = Scorer(job.plan, metrics, None, WantedProgress())
        return _scorers[job.token]


@cache
def _engine(methods: tuple[str, ...]) -> CheckedEngine:
    return open_engine(methods, os.environ.get(DEVICE_VARIABLE, "cpu"))
