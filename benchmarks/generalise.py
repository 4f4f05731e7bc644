"""Scores by group of pairs, with intervals, and of packs trained without a group on that group.

    python benchmarks/generalise.py --data DIR --out benchmarks/results/generalise.md

DIR holds val/TASK/a and val/TASK/b. Groups are what stands before the first underscore of the names
of pairs: modalities, cameras, data sets. A mean over all pairs weighs groups by their size and
hides a group that a pack fails on; so every group stands by itself, with a bootstrap interval.
Compared are the embedded packs, ``--pack TASK=FILE``, the classical methods, and the means of
published networks (``benchmarks/peers.toml``) where these are over the pairs of the group.

``--without TASK:GROUP=FILE`` adds a pack that was trained without a group, scored on that group
alone: what the pack is worth on people or cameras it has never seen. ``--train TASK`` trains these
packs, one for each group of the task that has training pairs in DIR/train/TASK, by the task's
recipe (or ``--recipe FILE``) without files of the group; groups that the recipe leaves out anyway
need none:

    python benchmarks/generalise.py --data DIR --out FILE --train mif --steps 2500 --runs RUNS

A run that was interrupted goes on from its checkpoint in RUNS; a pack that is there is not trained
again. ``--init TASK=FILE`` gives the pack that the runs start from. Only one that has not learnt
from the group either is fair, so the report names it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.cli.score_table import render_groups
from core.baselines import BASELINES
from core.evaluation.groups import BY_PREFIX, grouped_summary
from core.evaluation.plan import EvaluationPlan, MethodChoice
from core.evaluation.result import EvaluationFinished, EvaluationResult
from core.evaluation.run import evaluate_plan
from core.io import atomic_write
from core.packs.format import SUFFIX, read_manifest
from core.packs.registry import Catalogue
from core.pairing.folders import pair_folders
from core.tasks import TASKS
from resources import PACKS
from trainer.config import recipes
from trainer.config.config import TrainConfig
from trainer.config.run_plan import RunPlan
from trainer.config.settings_file import load_config
from trainer.events import Validated
from trainer.run.loop import train

METRICS = ("MI", "VIF", "Qabf", "Qy", "CC", "SSIM")
PEERS = Path(__file__).with_name("peers.toml")
HEAD = """# Scores by group

Means over the pairs of each group in the validation data, with their 95 % bootstrap interval; 8-bit
luma, higher is better. The embedded medical pack learnt from no PET, of which there is one subject,
the infrared pack not from LLVIP: these rows are of groups that they have not seen.

    python benchmarks/generalise.py --data DIR --out FILE
"""


@dataclass(frozen=True)
class WithoutGroup:
    """A pack that was trained without the pairs of a group."""

    task: str
    group: str
    pack: Path

    @property
    def name(self) -> str:
        """Its name in tables."""
        return f"trained without {self.group}"


@dataclass(frozen=True)
class Training:
    """Settings of the runs without a group: of the recipe, and what replaces its values."""

    data: Path
    runs: Path
    recipe: Path | None = None
    steps: int | None = None
    init: dict[str, str] = field(default_factory=dict)

    def leaves_out(self, task: str, group: str) -> bool:
        """Whether the recipe learns from no pair of ``group`` anyway."""
        return f"{group}_*" in self.base(task).exclude

    def base(self, task: str) -> TrainConfig:
        """The settings of the recipe of ``task``."""
        path = self.recipe or recipes.path_of(task)
        if path is None:
            raise SystemExit(f"{task} has no recipe: give --recipe FILE")
        base = load_config(path)
        if base.task != task:
            raise SystemExit(f"{path} is for {base.task}, not for {task}")
        return base

    def config(self, task: str, group: str) -> TrainConfig:
        """The settings of the run of ``task`` without ``group``."""
        base = self.base(task)
        return replace(
            base,
            steps=self.steps or base.steps,
            exclude=(*base.exclude, f"{group}_*"),
            init=self.init.get(task, base.init),
            checkpoint_every=min(base.checkpoint_every, 50),
        )


def groups_of(folder: Path) -> tuple[str, ...]:
    """The groups of the pairs in a folder, by name."""
    names = (files.name.partition("_") for files in pair_folders(folder).matches)
    return tuple(sorted({prefix for prefix, underscore, _ in names if underscore}))


def train_without(training: Training, task: str, group: str) -> WithoutGroup:
    """Train the pack of ``task`` without ``group``, unless it is there.

    Raises:
        SystemExit: a pack of other settings is there.
    """
    config = training.config(task, group)
    out = training.runs / f"{task}-without-{group}{SUFFIX}"
    if out.is_file():
        record = read_manifest(out).training
        learnt = (record.config.get("steps"), tuple(record.config.get("exclude", ())))
        if learnt != (config.steps, config.exclude):
            raise SystemExit(f"{out} was trained by other settings: give another --runs")
        return WithoutGroup(task, group, out)
    training.runs.mkdir(parents=True, exist_ok=True)
    plan = RunPlan(
        training.data / "train" / task,
        out,
        validation=training.data / "val" / task,
        title=f"{TASKS[task].title} without {group}",
        data_used=(f"{task} pairs without {group}_*",),
        keep="last",  # choosing a step by the left out group would be learning from it
    )
    for event in train(config, plan):
        if isinstance(event, Validated):
            print(f"{out.stem}: step {event.step} of {config.steps}", flush=True)
    return WithoutGroup(task, group, out)


def scored(
    data: Path, task: str, packs: Sequence[str], without: Sequence[WithoutGroup], cache: Path | None
) -> EvaluationResult:
    """All methods over the validation pairs of a task, in groups."""
    methods = [MethodChoice("pack", pack) for pack in packs]
    methods += [MethodChoice("classical", name) for name in BASELINES]
    methods += [MethodChoice("pack", str(one.pack), one.name) for one in without]
    plan = EvaluationPlan(
        data / "val" / task,
        methods,
        METRICS,
        task=task,
        device="cpu",
        cache=cache,
        quoted=PEERS,
        group_by=BY_PREFIX,
    )
    for event in evaluate_plan(plan):
        if isinstance(event, EvaluationFinished):
            return event.result
    raise RuntimeError("the evaluation did not finish")


def section(result: EvaluationResult, task: str, without: Sequence[WithoutGroup]) -> str:
    """The report of one task, as Markdown."""
    apart = {one.name for one in without}
    known = tuple(scores for scores in result.methods if scores.method.name not in apart)
    lines = [f"## {TASKS[task].title} ({task})", ""]
    lines += [render_groups(replace(result, methods=known), "markdown"), ""]
    if without:
        lines += ["### Groups that a pack has not seen", ""]
        lines += [*(_described(one) for one in without), "", *_table_apart(result, without), ""]
    return "\n".join(lines)


def _described(one: WithoutGroup) -> str:
    """What the pack learnt from."""
    record = read_manifest(one.pack).training
    left_out = ", ".join(map(str, record.config.get("exclude", ()))) or "nothing"
    start = record.parent or "nothing"
    return (
        f"- `{one.pack.stem}`: {record.steps} steps, {record.pairs} pairs, without {left_out}, "
        f"started from {start}"
    )


def _table_apart(result: EvaluationResult, without: Sequence[WithoutGroup]) -> list[str]:
    """For each group the first pack, the pack without the group and the classical methods."""
    lines = [f"| {' | '.join(('group', 'method', *METRICS))} |"]
    lines.append(f"| --- | --- |{' --- |' * len(METRICS)}")
    summaries = {found.group: found for found in grouped_summary(result)}
    for one in without:
        wanted = (result.methods[0].method.name, one.name, *BASELINES)
        rows = {row.method.name: row for row in summaries[one.group].rows}
        for name in wanted:
            cells = (rows[name].cells[metric] for metric in METRICS)
            values = (f"{cell.text} {cell.interval}".strip() for cell in cells)
            lines.append(f"| {' | '.join((one.group, name, *values))} |")
    return lines


def _assigned(texts: Sequence[str]) -> dict[str, str]:
    """``KEY=VALUE`` arguments."""
    found = dict(text.partition("=")[::2] for text in texts)
    if not all(found.values()):
        raise SystemExit(f"write KEY=FILE: {', '.join(texts)}")
    return found


def _without(texts: Sequence[str]) -> Iterator[WithoutGroup]:
    for key, value in _assigned(texts).items():
        task, _, group = key.partition(":")
        if task not in TASKS or not group:
            raise SystemExit(f"write TASK:GROUP=FILE: {key}")
        yield WithoutGroup(task, group, Path(value))


def main() -> None:
    """Train what is asked for, score, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--task", choices=tuple(TASKS), nargs="*", default=tuple(TASKS))
    parser.add_argument("--pack", action="append", default=[], metavar="TASK=FILE")
    parser.add_argument("--without", action="append", default=[], metavar="TASK:GROUP=FILE")
    parser.add_argument("--train", choices=tuple(TASKS), nargs="*", default=())
    parser.add_argument("--recipe", type=Path)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--runs", type=Path, help="folder of the trained packs")
    parser.add_argument("--init", action="append", default=[], metavar="TASK=FILE")
    parser.add_argument("--cache", type=Path, help="folder to keep scores in")
    options = parser.parse_args()
    if options.train and options.runs is None:
        parser.error("--train needs --runs DIR")
    without = list(_without(options.without))
    training = Training(
        options.data, options.runs or Path(), options.recipe, options.steps, _assigned(options.init)
    )
    for task in options.train:
        learnt = set(groups_of(options.data / "train" / task))
        for group in groups_of(options.data / "val" / task):
            if group in learnt and not training.leaves_out(task, group):
                without.append(train_without(training, task, group))
    parts = [HEAD]
    for task in options.task:
        embedded = Catalogue([PACKS]).find("", task).manifest.name
        packs = [embedded, *(file for key, file in _pairs(options.pack) if key == task)]
        apart = [one for one in without if one.task == task]
        parts.append(section(scored(options.data, task, packs, apart, options.cache), task, apart))
        print(parts[-1], flush=True)
    atomic_write(options.out, "\n".join(parts).encode())


def _pairs(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        key, equals, value = text.partition("=")
        if key not in TASKS or not equals or not value:
            raise SystemExit(f"write TASK=FILE: {text}")
        yield key, value


if __name__ == "__main__":
    main()
