"""An evaluation on the workers of a cluster is that of one computer."""

from __future__ import annotations

import csv
import shlex
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import app
from core.cluster.address import ClusterAddress
from core.cluster.choice import ClusterChoice
from core.cluster.jobs import ClusterJobs
from core.errors import Cancelled, OutputError
from core.evaluation import tasks
from core.evaluation.plan import EvaluationPlan, MethodChoice
from core.evaluation.result import (
    EvaluationFinished,
    EvaluationResult,
    MethodDescription,
    PairDescription,
    PairScore,
    PairScored,
)
from core.evaluation.run import EvaluationEvent, evaluate_plan
from core.evaluation.scoring import MissingScore
from core.evaluation.tasks import RemoteEngineMethod, ScoreItem, ScoreJob, score_pairs
from tests.cluster_processes import ClusterProcesses
from tests.core.evaluation.test_folders import noise, write

pytest.importorskip("distributed")

NAMES = ("drei", "eins 1,ü;%", "vier", "zwei")
NOBODY = ClusterChoice("tcp://127.0.0.1:9")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterChoice]:
    with ClusterProcesses(tmp_path_factory.mktemp("cluster")) as started:
        started.start_workers(2)
        yield ClusterChoice(started.address)


@pytest.fixture
def plan(tmp_path: Path) -> EvaluationPlan:
    """Four pairs with ground truth of some, one that cannot be read, and methods of every kind."""
    folder, done = tmp_path / "sources", tmp_path / "theirs"
    for index, name in enumerate(NAMES):
        write(folder / "a" / f"{name}.png", noise(index))
        write(folder / "b" / f"{name}.png", noise(index + 10))
        if index:
            write(folder / "gt" / f"{name}.png", noise(index + 20))
            write(done / f"{name}.png", noise(index + 30))
    (folder / "a" / f"{NAMES[2]}.png").write_bytes(b"no picture")
    program = tmp_path / "copy.py"
    program.write_text("import sys, shutil\nshutil.copy(sys.argv[1], sys.argv[3])\n")
    copies = f"{shlex.quote(sys.executable)} {shlex.quote(str(program))} {{a}} {{b}} {{out}}"
    methods = [
        MethodChoice("pack", "average"),
        MethodChoice("pack", "guided"),
        MethodChoice("pack", "mif-compact"),
        MethodChoice("folder", str(done), "theirs"),
        MethodChoice("command", copies, "copies"),
    ]
    return EvaluationPlan(
        folder, methods, ("MI", "SSIM"), task="mif", cache=tmp_path / "cache", keep_images=True
    )


def _run(plan: EvaluationPlan, cluster: ClusterChoice | None) -> list[EvaluationEvent]:
    return list(evaluate_plan(plan, cluster=cluster))


def _result(events: list[EvaluationEvent]) -> EvaluationResult:
    assert isinstance(events[-1], EvaluationFinished)
    return events[-1].result


def _cells(result: EvaluationResult) -> list[tuple[object, ...]]:
    """What tables show, without times and memory."""

    def cell(score: PairScore) -> tuple[object, ...]:
        image = score.fused.read_bytes() if score.fused is not None else None
        return score.pair, dict(score.values), score.error, image

    rows = [(m.method, tuple(map(cell, m.pairs)), m.missing, m.problems) for m in result.methods]
    return [*rows, result.pairs, result.metrics, tuple(result.settings.items())]


def test_tables_are_those_of_one_computer_bit_for_bit(
    plan: EvaluationPlan, tmp_path: Path, cluster: ClusterChoice
) -> None:
    there = _result(_run(plan, cluster))
    here = _result(_run(replace(plan, cache=tmp_path / "other"), None))
    assert _cells(there) == _cells(here)
    assert [len(method.scored()) for method in there.methods] == [3, 3, 3, 2, 3]
    pack = there.methods[2]
    assert all((score.seconds or 0) > 0 for score in pack.scored().values())
    assert 1 <= sum(score.is_first for score in pack.pairs) <= 2, "once on each worker"


def test_the_command_with_a_description_of_jobs(
    plan: EvaluationPlan, tmp_path: Path, cluster: ClusterChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs are those of the workers that run already; test_jobs has some of a queueing system."""
    pytest.importorskip("dask_jobqueue")
    submitted: list[ClusterJobs] = []

    @contextmanager
    def running(jobs: ClusterJobs) -> Iterator[ClusterAddress]:
        submitted.append(jobs)
        yield ClusterAddress.parse(cluster.scheduler)

    monkeypatch.setattr(ClusterJobs, "submitted", running)
    described = tmp_path / "slurm.toml"
    described.write_text("system = 'slurm'\njobs = 2\npatience = 60\n")
    words = ["evaluate", f"--sources={plan.sources}", "--task=mif", "--metrics=MI"]
    words += ["--method=average", "--method=guided", f"--csv={tmp_path / 'scores.csv'}"]
    words += [f"--cache={tmp_path / 'kept'}", f"--cluster={described}"]
    first = CliRunner().invoke(app, words)
    assert first.exit_code == 0, first.output
    assert [jobs.jobs for jobs in submitted] == [2]
    assert "mean time of a fusion on workers of a cluster" in first.output
    assert "on this machine" not in first.output
    there = _values(tmp_path / "scores.csv")
    # What is known says where it was measured; only one method is fused here.
    again = CliRunner().invoke(app, [*words[:-1], "--method=laplacian"])
    assert again.exit_code == 0, again.output
    assert "on this machine, and of some pairs on workers of a cluster" in again.output
    here = CliRunner().invoke(app, [*words[:-2], f"--cache={tmp_path / 'own'}"])
    assert "mean time of a fusion on this machine, without" in here.output
    assert _values(tmp_path / "scores.csv") == there


def _values(path: Path) -> list[tuple[str, ...]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return [(row["method"], row["picture"], row["MI"]) for row in csv.DictReader(stream)]


def test_scores_stay_with_who_asked(plan: EvaluationPlan, cluster: ClusterChoice) -> None:
    """One that was cut short goes on; what is known needs no worker, here or there."""
    with closing(evaluate_plan(plan, cluster=cluster)) as events:
        scored = [next(event for event in events if isinstance(event, PairScored))]
    assert not scored[0].cached
    events = _run(plan, cluster)
    cached = [event.cached for event in events if isinstance(event, PairScored)]
    assert 1 <= sum(cached) < len(cached)
    (plan.sources / "a" / f"{NAMES[2]}.png").unlink()  # would be tried again each time
    again = [e for e in _run(plan, NOBODY) if isinstance(e, PairScored)]
    assert len(again) == 14
    assert all(event.cached for event in again)
    assert all(e.cached for e in _run(plan, None) if isinstance(e, PairScored))


class _StopsAfter:
    """Progress that is cancelled once something was scored."""

    def __init__(self) -> None:
        self.reported = False

    def report(self, done: float, total: float, stage: str) -> None:
        self.reported = self.reported or done > 0

    def check(self) -> None:
        if self.reported:
            raise Cancelled


@pytest.mark.long
def test_it_can_be_cancelled(plan: EvaluationPlan, cluster: ClusterChoice) -> None:
    with pytest.raises(Cancelled):
        list(evaluate_plan(plan, _StopsAfter(), cluster))
    assert len(_result(_run(plan, cluster)).pairs) == 4


@pytest.mark.long
def test_a_pair_of_which_workers_die_costs_its_scores(
    plan: EvaluationPlan, tmp_path: Path, cluster: ClusterChoice
) -> None:
    """One dies of it each time; of another one a worker dies once, and its pair is scored."""
    program = tmp_path / "kills.py"
    program.write_text(
        "import os, pathlib, shutil, signal, sys\n"
        f"once = pathlib.Path({str(tmp_path / 'once')!r})\n"
        "if 'drei' in sys.argv[1] or ('zwei' in sys.argv[1] and not once.exists()):\n"
        "    if 'zwei' in sys.argv[1]: once.touch()\n"
        "    os.kill(os.getppid(), signal.SIGKILL)\n"
        "shutil.copy(sys.argv[1], sys.argv[3])\n"
    )
    line = f"{shlex.quote(sys.executable)} {shlex.quote(str(program))} {{a}} {{b}} {{out}}"
    events = _run(replace(plan, methods=[MethodChoice("command", line, "kills")]), cluster)
    scores = {score.pair: score for score in _result(events).methods[0].pairs}
    assert scores[NAMES[1]].error is None
    assert scores["zwei"].error is None
    assert "3 workers died" in str(scores["drei"].error)
    told = [event.text for event in events if getattr(event, "text", "")]
    assert sum("is gone" in text for text in told) >= 4


def test_a_worker_that_cannot_write_scores_nothing(
    plan: EvaluationPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pairs are left for others, in place of an error for each."""
    name = NAMES[0]
    pair = PairDescription(name, *(plan.sources / side / f"{name}.png" for side in "ab"))
    described = MethodDescription("average", "classical")
    method = RemoteEngineMethod(described, "mif", "average", "")
    item = ScoreItem(0, pair, ((method, MissingScore("key")),))
    job = ScoreJob("run", plan, ("average",), images=True)
    assert score_pairs(job, (item,))[0].scores[0].image.startswith(b"\x89PNG")
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setattr(tasks, "_image_place", lambda wanted: nullcontext(blocked / "fused.png"))
    with pytest.raises((OutputError, NotADirectoryError, FileExistsError)):
        score_pairs(job, (item,))
