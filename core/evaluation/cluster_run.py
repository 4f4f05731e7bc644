"""Scores pairs on the workers of a cluster; what is known stays with whoever asked for it."""

from __future__ import annotations

import os
import uuid
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.batch.events import ClusterNews
from core.cluster.checking import WorkerQuestion
from core.cluster.choice import ClusterChoice
from core.cluster.dispatch import Dispatcher, GroupOutcome
from core.cluster.identity import TaskMethod, named_method
from core.errors import FusionError, InputError, Message
from core.evaluation.methods import EngineMethod, ExternalProgram, Method, ResultFolder
from core.evaluation.plan import EvaluationPlan
from core.evaluation.result import PairDescription, PairScore, ScoredCell
from core.evaluation.scoring import FoundScore, MissingScore, Scorer
from core.evaluation.tasks import (
    MeasuredScore,
    RemoteEngineMethod,
    RemoteMethod,
    ScoreAnswer,
    ScoreItem,
    ScoreJob,
    score_pairs,
)
from core.io.atomic import atomic_write, output_error

_SAMPLE = 8
"""Pairs whose files every worker must see before it gets any."""
_STRIKES = 3
"""Workers that died of a pair, after which it has no scores."""


@dataclass
class _Queue:
    """Pairs that wait for a worker."""

    todo: deque[ScoreItem] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self.todo)

    def take(self, count: int) -> Sequence[ScoreItem]:
        """The next pairs."""
        return [self.todo.popleft() for _ in range(min(count, len(self.todo)))]


class ClusterScoring:
    """Scores all methods on all pairs on workers. Use once."""

    def __init__(
        self,
        scorer: Scorer,
        pairs: Sequence[PairDescription],
        methods: Sequence[Method],
        choice: ClusterChoice,
    ) -> None:
        self._scorer, self._pairs, self._methods = scorer, pairs, methods
        self._choice = choice
        self._queue = _Queue()
        self._open: dict[int, list[tuple[int, MissingScore]]] = {}
        self._losses: Counter[int] = Counter()
        self._news: deque[ScoredCell | ClusterNews] = deque()
        self._workers = (0, 0)

    def run(self) -> Iterator[ScoredCell | ClusterNews]:
        """Cells as they become known, in any order.

        Raises:
            ClusterError: the cluster cannot be used, or is gone; what is known is kept.
            OutputError: a score or an image cannot be kept. Cancelled: by the progress.
        """
        for place in range(len(self._pairs)):
            self._scorer.progress.check()
            yield from self._look_up(place)
        if not self._queue:
            return
        with self._choice.opened() as client:
            dispatcher: Dispatcher[ScoreItem, ScoreAnswer] = Dispatcher(
                client,
                self._question(),
                self._queue,
                score_pairs,
                self._job(),
                # As on one computer: what is measured beside other work takes longer.
                alone=True,
                patience=self._choice.waiting_seconds,
                tell=lambda text: self._say(dispatcher, text),
            )
            try:
                while self._queue or dispatcher.in_flight:
                    self._scorer.progress.check()
                    for outcome in dispatcher.step():
                        self._take(dispatcher, outcome)
                    self._count_workers(dispatcher)
                    while self._news:
                        yield self._news.popleft()
            finally:
                dispatcher.cancel()

    def _look_up(self, place: int) -> Iterator[ScoredCell]:
        pair = self._pairs[place]
        missing: list[tuple[int, MissingScore]] = []
        for index, method in enumerate(self._methods):
            found = self._scorer.look_up(pair, method)
            if isinstance(found, MissingScore):
                missing.append((index, found))
            elif isinstance(found, FoundScore):
                yield ScoredCell(place, index, found.score, found.is_known, found.notes)
            else:
                yield ScoredCell(place, index, None)
        if missing:
            self._open[place] = missing
            asked = tuple((_remote(self._methods[i], pair), one) for i, one in missing)
            self._queue.todo.append(ScoreItem(place, _portable_pair(pair), asked))

    def _engine_methods(self) -> list[EngineMethod]:
        return [method for method in self._methods if isinstance(method, EngineMethod)]

    def _question(self) -> WorkerQuestion:
        methods: list[TaskMethod] = [
            (method.task, _portable_name(method)) for method in self._engine_methods()
        ]
        files: list[Path] = []
        for item in list(self._queue.todo)[:_SAMPLE]:
            files += [path for path in (item.pair.a, item.pair.b, item.pair.truth) if path]
            for method, _ in item.methods:
                if isinstance(method, ResultFolder):
                    files += method.results.values()
        return WorkerQuestion.of(methods, files)

    def _job(self) -> ScoreJob:
        plan = self._scorer.plan
        own = EvaluationPlan(Path(), (), self._scorer.metrics, task=plan.task, windows=plan.windows)
        engines = tuple(_portable_name(method) for method in self._engine_methods())
        images = self._scorer.cache is not None and plan.keep_images
        return ScoreJob(uuid.uuid4().hex, own, engines, images=images)

    def _take(
        self,
        dispatcher: Dispatcher[ScoreItem, ScoreAnswer],
        outcome: GroupOutcome[ScoreItem, ScoreAnswer],
    ) -> None:
        for answer in outcome.made:
            self._news.extend(self._known(answer))
        left = list(outcome.left)
        if outcome.lost:
            name = outcome.worker.address
            if outcome.out_of_memory:
                said = Message("Worker {0} ran out of memory; its pairs go to others.", name)
            else:
                said = Message("Worker {0} is gone; its pairs go to others.", name)
            self._say(dispatcher, said)
            left = [item for item in left if not self._is_given_up(item, outcome)]
        self._queue.todo.extendleft(reversed(left))

    def _known(self, answer: ScoreAnswer) -> Iterator[ScoredCell]:
        pair, asked = self._pairs[answer.place], self._open.pop(answer.place)
        for (index, missing), measured in zip(asked, answer.scores, strict=True):
            score = self._kept(pair, self._methods[index], missing, measured)
            yield ScoredCell(answer.place, index, score, notes=answer.notes)

    def _kept(
        self, pair: PairDescription, method: Method, missing: MissingScore, measured: MeasuredScore
    ) -> PairScore:
        if measured.scores is None:
            return PairScore(pair.name, {}, error=measured.error)
        place = self._scorer.image_place(missing)
        try:
            if place is not None and measured.image:
                _write(place, measured.image)
            cost = replace(measured.scores.cost, elsewhere=True)
            return self._scorer.keep(pair, method, missing, replace(measured.scores, cost=cost))
        except FusionError as error:
            return PairScore(pair.name, {}, error=error.message)

    def _is_given_up(self, item: ScoreItem, outcome: GroupOutcome[ScoreItem, ScoreAnswer]) -> bool:
        self._losses[item.place] += outcome.begun
        if self._losses[item.place] < _STRIKES:
            return False
        pair = self._pairs[item.place]
        why = (
            Message("{0} workers ran out of memory with this pair", _STRIKES)
            if outcome.out_of_memory
            else Message("{0} workers died while they worked on this pair", _STRIKES)
        )
        remedy = Message("Evaluate it on one computer, or start a worker with more memory.")
        error = InputError(pair.name, why, remedy).message
        for index, _ in self._open.pop(item.place):
            score = PairScore(pair.name, {}, error=error)
            self._news.append(ScoredCell(item.place, index, score))
        return True

    def _count_workers(self, dispatcher: Dispatcher[ScoreItem, ScoreAnswer]) -> None:
        workers = (len(dispatcher.fit), dispatcher.seen)
        if workers != self._workers:
            self._workers = workers
            self._say(dispatcher, "")

    def _say(self, dispatcher: Dispatcher[ScoreItem, ScoreAnswer], text: str) -> None:
        self._news.append(ClusterNews(len(dispatcher.fit), dispatcher.seen, text=text))


def _remote(method: Method, pair: PairDescription) -> RemoteMethod:
    """What a worker needs of ``method`` for one pair."""
    if isinstance(method, EngineMethod):
        described, name = method.description, _portable_name(method)
        return RemoteEngineMethod(described, method.task, name, method.version)
    if isinstance(method, ResultFolder):
        results = {pair.name: _absolute(method.results[pair.name])}
        return ResultFolder(method.description, results)
    assert isinstance(method, ExternalProgram)
    return method


def _portable_name(method: EngineMethod) -> str:
    name = named_method(method.task, method.method)
    return str(_absolute(Path(name))) if name.endswith(".safetensors") else name


def _portable_pair(pair: PairDescription) -> PairDescription:
    truth = None if pair.truth is None else _absolute(pair.truth)
    return replace(pair, a=_absolute(pair.a), b=_absolute(pair.b), truth=truth)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  (links stay links)


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(path, error) from error
    atomic_write(path, data)
