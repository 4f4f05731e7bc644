"""Methods that are run, the cache, and evaluations that are cut short."""

from __future__ import annotations

import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PilImage

from core.batch import BatchOptions, plan_batch, run_batch
from core.errors import Cancelled, InputError, OutputError
from core.evaluation.cache import CACHE_NAME, KeptScores, ScoreCache
from core.evaluation.methods import sources_identity
from core.evaluation.peak_memory import PeakMeter
from core.evaluation.plan import EvaluationPlan, MethodChoice
from core.evaluation.result import EvaluationFinished, FusionCost, PairScored
from core.evaluation.run import evaluate_plan
from core.evaluation.tables import summarize
from core.fusion.engine import FusionEngine
from core.io.transforms import write_transform
from core.metrics import METRICS, Luma, evaluate
from core.metrics.metric import Metric
from core.packs.format import fusing_weights, read_pack
from core.packs.registry import Catalogue
from core.pairing.finder import pair_paths
from core.types import Transform
from tests.core.evaluation.test_folders import error_of, evaluated, noise, write

NAMES = ("drei", "eins", "zwei")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Three pairs in order of name."""
    folder = tmp_path / "sources"
    for index, name in enumerate(NAMES):
        write(folder / "a" / f"{name}.png", noise(index))
        write(folder / "b" / f"{name}.png", noise(index + 10))
    return folder


def program(tmp_path: Path, body: str) -> MethodChoice:
    """A program that has the paths as ``a``, ``b`` and ``out``."""
    path = tmp_path / "their program.py"
    head = "import sys, time\nfrom PIL import Image\na, b, out = sys.argv[1:]\n"
    path.write_text(head + body, encoding="utf-8")
    python = shlex.quote(sys.executable)
    return MethodChoice("command", f"{python} '{path}' {{a}} {{b}} {{out}}", "theirs")


COPY_A = "Image.open(a).save(out)\n"


def test_classical_methods_run_here(sources: Path, tmp_path: Path) -> None:
    named = MethodChoice("classical", "maximum", "brighter")
    choices = [MethodChoice("classical", "average"), named]
    plan = EvaluationPlan(sources, choices, ("MSE",), task="mif")
    average, brighter = evaluated(plan).methods
    assert (average.method.name, brighter.method.name) == ("average", "brighter")
    a, b = noise(0).astype(float), noise(10).astype(float)
    # Each source is half their difference away from the average, but for rounding to 8 bits.
    expected = ((a - b) ** 2).mean() / 4 / 255**2
    assert average.pairs[0].values["MSE"] == pytest.approx(expected, rel=1e-3)
    maximum = np.maximum(noise(0), noise(10))
    assert brighter.pairs[0].values == evaluate(noise(0), noise(10), maximum, ["MSE"])
    assert average.pairs[0].seconds is not None
    assert average.pairs[0].seconds > 0
    with pytest.raises(InputError, match=r"no task was given.*--task"):
        evaluated(EvaluationPlan(sources, choices))


def test_a_program_is_run_for_every_pair(sources: Path, tmp_path: Path) -> None:
    plan = EvaluationPlan(sources, [program(tmp_path, COPY_A)], ("CC", "MSE"))
    (theirs,) = evaluated(plan).methods
    assert [score.pair for score in theirs.pairs] == list(NAMES)
    assert theirs.pairs[2].values == evaluate(noise(2), noise(12), noise(2), ["CC", "MSE"])
    assert (theirs.method.kind, theirs.method.name) == ("command", "theirs")


def test_a_place_in_the_name_of_a_source_stays(tmp_path: Path) -> None:
    folder = tmp_path / "in {out}"
    for side in "ab":
        write(folder / side / "eins.png", noise(ord(side)))
    (theirs,) = evaluated(EvaluationPlan(folder, [program(tmp_path, COPY_A)], ("CC",))).methods
    assert list(theirs.scored()) == ["eins"]


def test_methods_of_one_name_do_not_share_their_kept_scores(sources: Path, tmp_path: Path) -> None:
    found = []
    for method in ("average", "maximum"):
        choice = MethodChoice("classical", method, "M")
        plan = EvaluationPlan(sources, [choice], ("SD",), task="mif", cache=tmp_path / "cache")
        found.append(evaluated(plan).methods[0].pairs[0].values["SD"])
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("sys.exit('no licence')\n", "it ended with code 1: no licence"),
        ("pass\n", "it wrote no picture"),
        ("open(out, 'w').write('text')\n", "it wrote something that is no picture"),
        ("Image.new('L', (3, 5)).save(out)\n", "3×5"),
        ("time.sleep(60)\n", "it had not ended after 1 seconds"),
    ],
)
def test_a_program_that_fails_costs_its_pair(
    sources: Path, tmp_path: Path, body: str, told: str
) -> None:
    body = f"if 'zwei' in a:\n    {body}else:\n    {COPY_A}"
    (theirs,) = evaluated(
        EvaluationPlan(sources, [program(tmp_path, body)], ("CC",), timeout=1.0)
    ).methods
    assert told in error_of(theirs)
    assert list(theirs.scored()) == ["drei", "eins"]


def test_what_a_program_started_ends_with_it(sources: Path, tmp_path: Path) -> None:
    """A program that hangs is ended together with the program it waits for."""
    mark = tmp_path / "pid"
    body = (
        "import subprocess\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        f"open({str(mark)!r}, 'w').write(str(child.pid))\n"
        "child.wait()\n"
    )
    choice = program(tmp_path, body)
    for name in ("eins", "zwei"):
        (sources / "a" / f"{name}.png").unlink()
    evaluated(EvaluationPlan(sources, [choice], ("CC",), timeout=1.5))
    pid, end = int(mark.read_text()), time.monotonic() + 5
    while time.monotonic() < end:
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().split()[2] == "Z":
            return
        time.sleep(0.01)
    pytest.fail("the child still runs")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("prog {a} {b}", "where {out} goes"),
        ("", "where {a}, {b}, {out} goes"),
        ("prog '{a} {b} {out}", "quotation marks"),
        ("/no/such/program {a} {b} {out}", "cannot be started"),
    ],
)
def test_command_lines_that_cannot_work(sources: Path, line: str, told: str) -> None:
    plan = EvaluationPlan(sources, [MethodChoice("command", line, "p")], ("CC",))
    if "started" in told:
        (scores,) = evaluated(plan).methods
        assert all(told in str(score.error) for score in scores.pairs)
        return
    with pytest.raises(InputError, match=told):
        evaluated(plan)


def test_what_was_scored_is_not_scored_again(sources: Path, tmp_path: Path) -> None:
    """Only a new metric, a new method and changed files are."""
    results = tmp_path / "mine"
    for name in NAMES:
        write(results / f"{name}.png", noise(30))
    choices = [MethodChoice("folder", str(results))]
    cache = tmp_path / "cache"

    def cached(metrics: tuple[str, ...], *more: MethodChoice) -> list[bool]:
        plan = EvaluationPlan(sources, [*choices, *more], metrics, task="mif", cache=cache)
        *events, last = evaluate_plan(plan)
        assert isinstance(last, EvaluationFinished)
        fresh = EvaluationPlan(sources, plan.methods, metrics, task="mif")
        for kept, new in zip(last.result.methods, evaluated(fresh).methods, strict=True):
            assert [s.values for s in kept.pairs] == [s.values for s in new.pairs]
        return [event.cached for event in events if isinstance(event, PairScored)]

    assert cached(("CC",)) == [False] * 3
    assert cached(("CC",)) == [True] * 3
    assert cached(("CC", "MI")) == [False] * 3
    assert cached(("MI",)) == [True] * 3
    assert cached(("CC",), MethodChoice("classical", "average")) == [True, False] * 3
    write(results / "eins.png", noise(31))
    assert cached(("CC",)) == [True, False, True]
    write(sources / "b" / "zwei.png", noise(32, (20, 24)) // 2)
    assert cached(("CC",)) == [True, True, False]


def test_an_undefined_score_is_kept_as_such(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path)
    cost = FusionCost(0.25, 7, 8, is_first=True, elsewhere=True)
    scores = KeptScores({"CC": float("nan"), "MI": 2.0}, {"CC": 1.0}, cost)
    cache.put("k", scores, {"CC": 1, "MI": 3})
    cache.close()
    again = ScoreCache(tmp_path)
    found = again.get("k", {"MI": 3, "CC": 1, "SSIM": 1})
    assert found is not None
    assert list(found.values) == ["MI", "CC"]
    assert np.isnan(found.values["CC"])
    assert (found.values["MI"], found.milliseconds, found.cost) == (2.0, {"CC": 1.0}, cost)
    other_version = again.get("k", {"MI": 4, "CC": 1})
    assert other_version is not None
    assert list(other_version.values) == ["CC"]
    assert again.get("l", {"CC": 1}) is None
    again.close()


@pytest.mark.parametrize("where", ["pages", "journal", "row", "text"])
def test_a_cache_that_is_damaged_beyond_its_beginning_is_made_anew(
    tmp_path: Path, where: str
) -> None:
    """It opens well; only who reads there finds out."""
    scores = KeptScores({"CC": 0.5}, {"CC": 1.0})
    cache, path = ScoreCache(tmp_path), tmp_path / CACHE_NAME
    for number in range(400):
        cache.put(f"{number:064}", scores, {"CC": 1})
    cache.close()
    if where == "row":
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE images SET notes = '[{'")
    elif where == "text":
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE images SET notes = CAST(x'ff' AS TEXT)")
    else:
        content = bytearray(path.read_bytes())
        content[4 * 4096 :] = b"\xa5" * (len(content) - 4 * 4096)
        path.write_bytes(content)
    if where == "journal":
        path.with_name(f"{CACHE_NAME}-wal").write_bytes(b"what another program left" * 99)
    again = ScoreCache(tmp_path)
    found = [again.get(f"{number:064}", {"CC": 1}) for number in range(400)]
    assert None in found
    again.put("k", scores, {"CC": 1})
    assert again.get("k", {"CC": 1}) == scores
    again.close()
    once_more = ScoreCache(tmp_path)
    assert once_more.get("k", {"CC": 1}) == scores
    once_more.close()


def test_a_damaged_page_that_is_written_to_is_made_anew(tmp_path: Path) -> None:
    scores = KeptScores({"CC": 0.5}, {})
    cache, path = ScoreCache(tmp_path), tmp_path / CACHE_NAME
    for number in range(400):
        cache.put(f"{number:064}", scores, {"CC": 1})
    cache.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    again = ScoreCache(tmp_path)
    again.put("k", scores, {"CC": 1})
    assert again.get("k", {"CC": 1}) == scores
    again.close()


def test_a_closed_cache_is_a_mistake_and_no_damage(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path)
    cache.put("k", KeptScores({"CC": 0.5}, {}), {"CC": 1})
    cache.close()
    with pytest.raises(OutputError):
        cache.get("k", {"CC": 1})
    again = ScoreCache(tmp_path)
    assert again.get("k", {"CC": 1}) is not None
    again.close()


def test_weights_that_rebuild_the_sources_do_not_fuse(tmp_path: Path) -> None:
    """ivif-compact: 121,968 of its weights rebuild; mff-compact chooses by rule."""
    counts = {}
    for task in ("ivif", "mff"):
        entry = Catalogue().find(f"{task}-compact", task)
        network, _ = read_pack(entry.path)
        own = {name: tensor.numel() for name, tensor in network.own_state().items()}
        rebuilding = sum(n for name, n in own.items() if name.startswith("reconstruction"))
        assert rebuilding > 100_000
        counts[task] = sum(own.values()) - rebuilding
        if task == "mff":
            counts[task] = 0
        assert fusing_weights(entry.path, entry.manifest.network) == counts[task]
    assert counts["ivif"] > 100_000


def test_scores_kept_before_there_were_clusters_are_of_this_computer(tmp_path: Path) -> None:
    kept, scores = ScoreCache(tmp_path), KeptScores({"CC": 0.5}, {}, FusionCost(0.25))
    kept.put("k", scores, {"CC": 1})
    kept.close()
    with closing(sqlite3.connect(tmp_path / CACHE_NAME)) as db:
        db.execute("ALTER TABLE images DROP COLUMN elsewhere")
        db.execute("PRAGMA user_version = 2")
    for _ in range(2):
        again = ScoreCache(tmp_path)
        assert again.get("k", {"CC": 1}) == scores
        again.close()


def test_only_the_metric_that_is_missing_or_changed_is_computed(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []

    def counted(metric: Metric) -> Metric:
        def function(a: Luma, b: Luma, f: Luma) -> float:
            computed.append(metric.name)
            return metric.function(a, b, f)

        return replace(metric, function=function)

    for name in ("CC", "MI"):
        monkeypatch.setitem(METRICS, name, counted(METRICS[name]))
    choices = [MethodChoice("classical", "average")]

    def events(*metrics: str) -> list[bool]:
        computed.clear()
        plan = EvaluationPlan(sources, choices, metrics, task="mif", cache=tmp_path / "cache")
        *scored, last = evaluate_plan(plan)
        assert isinstance(last, EvaluationFinished)
        for score in last.result.methods[0].pairs:
            assert list(score.values) == list(metrics)
        return [event.cached for event in scored if isinstance(event, PairScored)]

    assert events("CC") == [False] * 3
    assert events("MI", "CC") == [False] * 3
    assert computed == ["MI"] * 3
    assert events("CC", "MI") == [True] * 3
    assert not computed
    monkeypatch.setitem(METRICS, "CC", replace(METRICS["CC"], version=2))
    assert events("CC", "MI") == [False] * 3
    assert computed == ["CC"] * 3


def test_the_first_fusion_of_a_run_does_not_count_in_the_mean(
    sources: Path, tmp_path: Path
) -> None:
    body = f"import time\ntime.sleep(0.5 if 'drei' in a else 0)\n{COPY_A}"
    choice = program(tmp_path, body)
    plan = EvaluationPlan(sources, [choice], ("CC",), cache=tmp_path / "cache")
    result = evaluated(plan)
    (theirs,) = result.methods
    assert [score.is_first for score in theirs.pairs] == [True, False, False]
    seconds = [score.seconds or 0.0 for score in theirs.pairs]
    assert seconds[0] > 0.5
    assert summarize(result).rows[0].seconds == pytest.approx(sum(seconds[1:]) / 2)
    kept = evaluated(plan).methods[0]
    assert [score.is_first for score in kept.pairs] == [True, False, False]
    assert [score.seconds for score in kept.pairs] == seconds


def test_memory_of_a_program_and_of_what_it_starts_is_measured(
    sources: Path, tmp_path: Path
) -> None:
    body = (
        "import subprocess\n"
        "line = 'x = bytearray(80 * 2**20); import time; time.sleep(0.6)'\n"
        f"subprocess.run([sys.executable, '-c', line])\n{COPY_A}"
    )
    for name in ("eins", "zwei"):
        (sources / "a" / f"{name}.png").unlink()
    (theirs,) = evaluated(EvaluationPlan(sources, [program(tmp_path, body)], ("CC",))).methods
    peak = theirs.pairs[0].peak_bytes
    assert peak is not None
    assert 80 * 2**20 < peak < 400 * 2**20  # not that of this process, which is larger


def test_memory_of_a_gpu_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """With torch's functions replaced: tests run on machines without a GPU."""
    calls: list[str] = []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", calls.append)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 5 * len(device))
    with PeakMeter("cuda:1") as meter:
        assert calls == ["cuda:1"]
    assert meter.device_peak == 30
    with PeakMeter("cpu") as meter:
        pass
    assert meter.device_peak is None


def test_an_unknown_reference_is_refused_before_anything_is_scored(sources: Path) -> None:
    choices = [MethodChoice("classical", "average")]
    plan = EvaluationPlan(sources, choices, ("CC",), task="mif", reference="nobody")
    with pytest.raises(InputError, match=r"nobody.*Choose from: average"):
        next(evaluate_plan(plan))


def test_a_damaged_cache_is_made_anew(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / CACHE_NAME).write_bytes(b"no database" * 100)
    choices = [MethodChoice("classical", "average")]
    plan = EvaluationPlan(sources, choices, ("CC",), task="mif", cache=tmp_path / "cache")
    assert len(evaluated(plan).methods[0].scored()) == 3


def test_kept_images_are_what_was_scored(sources: Path, tmp_path: Path) -> None:
    choices = [MethodChoice("classical", "maximum"), program(tmp_path, COPY_A)]
    plan = EvaluationPlan(
        sources, choices, ("CC",), task="mif", cache=tmp_path / "cache", keep_images=True
    )
    for _ in range(2):
        maximum, theirs = evaluated(plan).methods
        for scores, expected in ((maximum, np.maximum(noise(0), noise(10))), (theirs, noise(0))):
            fused = scores.pairs[0].fused
            assert fused is not None
            np.testing.assert_array_equal(np.asarray(PilImage.open(fused)).squeeze(), expected)


_CUT = """
import os, signal, sys
from pathlib import Path
from core.evaluation.plan import EvaluationPlan, MethodChoice
from core.evaluation.run import evaluate_plan
plan = EvaluationPlan(Path(sys.argv[1]), [MethodChoice("folder", sys.argv[2])], ("CC",),
                      cache=Path(sys.argv[3]))
for count, _ in enumerate(evaluate_plan(plan), 1):
    if count == 2:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 on this system")
def test_an_evaluation_that_was_killed_goes_on(sources: Path, tmp_path: Path) -> None:
    results, cache = tmp_path / "mine", tmp_path / "cache"
    for name in NAMES:
        write(results / f"{name}.png", noise(30))
    paths = [str(path) for path in (sources, results, cache)]
    root = Path(__file__).parents[3]
    killed = subprocess.run(
        [sys.executable, "-c", _CUT, *paths],
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert killed.returncode == -signal.SIGKILL
    plan = EvaluationPlan(sources, [MethodChoice("folder", str(results))], ("CC",), cache=cache)
    events = [event for event in evaluate_plan(plan) if isinstance(event, PairScored)]
    assert [event.cached for event in events] == [True, True, False]


def test_results_of_a_batch_are_a_method(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    batch = plan_batch(pair_paths([sources], "mif"), BatchOptions("mif", "average", out=out))
    assert list(run_batch(batch, FusionEngine("cpu")))
    (scores,) = evaluated(EvaluationPlan(out, (), ("CC",))).methods
    assert scores.method.name == "average"
    direct = EvaluationPlan(sources, [MethodChoice("classical", "average")], ("CC",), task="mif")
    expected = [score.values["CC"] for score in evaluated(direct).methods[0].pairs]
    assert [score.values["CC"] for score in scores.pairs] == pytest.approx(expected, abs=1e-3)


def test_results_of_a_batch_are_scored_as_their_sources_were_laid(tmp_path: Path) -> None:
    """Against the moved source, not against the file; and its scores are not those without."""
    whole = np.random.default_rng(2).integers(0, 256, (80, 90)).astype(np.uint8)
    for side, part in (("a", whole[10:74, 12:76]), ("b", whole[4:78, 4:86])):
        (tmp_path / "in" / side).mkdir(parents=True)
        PilImage.fromarray(part).save(tmp_path / "in" / side / "one.png")
    write_transform(
        tmp_path / "t.tfm", Transform.of("translation", [[1, 0, 8], [0, 1, 6], [0, 0, 1]])
    )
    out = tmp_path / "out"
    options = BatchOptions("mff", "average", out=out, align=f"file {tmp_path / 't.tfm'}")
    assert list(run_batch(plan_batch(pair_paths([tmp_path / "in"]), options), FusionEngine("cpu")))
    choices = [MethodChoice("classical", "maximum"), program(tmp_path, "pass\n")]
    plan = EvaluationPlan(out, choices, ("CC",), task="mff", cache=tmp_path / "cache")
    result = evaluated(plan)
    batch, maximum, other = result.methods
    # A and the moved B are equal, so any fused picture of them correlates with both.
    assert batch.pairs[0].values["CC"] == pytest.approx(1)
    assert maximum.pairs[0].values["CC"] == pytest.approx(1)
    assert "laid on each other" in str(other.pairs[0].error)
    pair = result.pairs[0]
    assert pair.transform is not None
    assert sources_identity(pair, "mff", (None, None)) != sources_identity(
        replace(pair, transform=None), "mff", (None, None)
    )


def test_results_of_aligned_sources_are_told_against_others(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    PilImage.fromarray(np.full((20, 24), 9, np.uint8)).save(write_folder(out) / "eins.png")
    PilImage.fromarray(np.full((2, 4), 9, np.uint8)).save(
        write_folder(out / "_thumbnails") / "eins.jpg"
    )
    plan = EvaluationPlan(sources, [MethodChoice("folder", str(out), "O")], ("SD",))

    def finished() -> EvaluationFinished:
        event = [*evaluate_plan(plan)][-1]
        assert isinstance(event, EvaluationFinished)
        return event

    assert finished().problems == ()
    (scores,) = finished().result.methods
    assert scores.ignored == (), "previews of a batch belong to no pair and are none"
    (out / "registration.csv").write_text("pair\n", encoding="utf-8")
    (told,) = finished().problems
    assert told.endswith(f"Give the batch itself as the sources: --sources “{out}”.")


def write_folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def test_cancel_is_heard_while_a_program_runs(sources: Path, tmp_path: Path) -> None:
    class Soon:
        def __init__(self) -> None:
            self.end = time.monotonic() + 0.5

        def report(self, done: float, total: float, stage: str) -> None:
            pass

        def check(self) -> None:
            if time.monotonic() > self.end:
                raise Cancelled

    plan = EvaluationPlan(sources, [program(tmp_path, "time.sleep(60)\n")], ("CC",))
    start = time.monotonic()
    with pytest.raises(Cancelled):
        evaluated(plan, Soon())
    assert time.monotonic() - start < 10
