"""``unifusion batch``: fuses all pairs of folders into a folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

from app.cli.batch_plan import edited, show_plan, write_plan
from app.cli.console import DONE, SOME_FAILED, TerminalProgress, note, say
from app.cli.pair_notes import print_notes
from core.batch import (
    BatchEvent,
    BatchFinished,
    BatchOptions,
    BatchPlan,
    ClusterNews,
    RowEvent,
    RowRecord,
    Tally,
    find_run,
    plan_batch,
    run_batch,
)
from core.batch.output_folder import Stopped
from core.cluster.choice import ClusterChoice
from core.errors import InputError
from core.fusion.opening import open_engine
from core.messages import from_data
from core.pairing.dataset_descriptor import DatasetDescriptor
from core.pairing.datasets import dataset_pairs
from core.pairing.folders import PairingPlan, pair_paths
from core.printable import one_line
from core.types.transform_data import transform_data

_LISTED = 20


@dataclass(frozen=True)
class BatchCommand:
    """Options of the command in addition to :class:`core.batch.BatchOptions`."""

    sources: tuple[Path, ...]
    options: BatchOptions
    _: KW_ONLY
    device: str = "auto"
    backbone: Path | None = None
    dry_run: bool = False
    json_lines: bool = False
    series: tuple[str, ...] = ()
    """Beginnings of the keys of series to take as B instead of the best ones."""
    dataset: DatasetDescriptor | None = None
    """How the only source is laid out; None to pair by names."""
    split: str = ""
    plan: Path | None = None
    """A plan whose pairs are fused."""
    write_plan: Path | None = None
    """Where to write the pairs as a plan, instead of fusing them."""
    cluster: ClusterChoice | None = None
    """Whose workers process the pairs; None for this computer."""


def run_command(command: BatchCommand) -> int:
    """Pair the files, plan, and run the batch or print the plan.

    Returns:
        0 when all pairs are done, 3 when some failed or the disk is full.

    Raises:
        FusionError: the batch could not be started. Cancelled: Ctrl-C.
    """
    options = command.options
    options.check()
    pairing, own = edited(_paired(command), command.plan, options)
    if command.write_plan is not None:
        _tell_pairing(pairing, command)
        write_plan(command.write_plan, pairing, own)
        return DONE
    plan = plan_batch(pairing, options, own)
    _tell_adopted(options)
    _tell_pairing(pairing, command)
    if not plan.rows:
        raise InputError(
            ", ".join(map(str, command.sources[:3])),
            "no two pictures in there belong together by name, and no two series are of a pair",
            "Use folders a/ and b/, names that differ in one word, such as x_ir and x_vis, or the "
            "PET or CT and the MR of one patient.",
        )
    if command.dry_run:
        show_plan(plan, json_lines=command.json_lines)
        return DONE
    return _run(plan, command)


def _paired(command: BatchCommand) -> PairingPlan:
    options = command.options
    if command.dataset is not None:
        if len(command.sources) != 1:
            raise InputError(
                f"--dataset {command.dataset.name}",
                "it is the layout of one folder, and several sources were given",
                "Give the folder of the data set alone.",
            )
        return dataset_pairs(command.dataset, command.sources[0], command.split, [options.out])
    with _SilentProgress() as progress:
        return pair_paths(
            command.sources,
            options.task,
            skip=[options.out],
            volumes=True,
            prefer=command.series,
            progress=progress,
        )


def _run(plan: BatchPlan, command: BatchCommand) -> int:
    engine = open_engine([plan.options.method], command.device, command.backbone)
    unused = engine.unused_backbone(plan.options.task, plan.options.method)
    if unused is not None:
        note(unused)
    heard = _Heard()
    tally = Tally(len(plan.rows))
    files: tuple[Path, ...] = ()
    with _SilentProgress() as progress, _shown(plan, command) as show:
        try:
            for event in run_batch(plan, engine, progress, cluster=command.cluster):
                show(event)
                if isinstance(event, ClusterNews):
                    _tell_news(event, command)
                    continue
                tally = event.tally
                if isinstance(event, BatchFinished):
                    files = event.files
                else:
                    heard.take(event)
        except Stopped as error:
            heard.failures.append(f"{error} --resume goes on with it.")
    if not command.json_lines:
        print_notes(heard.notes)
        _summary(plan, tally, files, heard)
        for text in (*heard.doubtful.values(), *heard.lost.values()):
            say(text, sys.stderr)
    for text in heard.failures:
        say(f"failed: {text}", sys.stderr)
    return SOME_FAILED if heard.failures else DONE


def _tell_news(news: ClusterNews, command: BatchCommand) -> None:
    if news.text and not command.json_lines:
        note(news.text)


@dataclass
class _Heard:
    """What is said of single rows at the end."""

    failures: list[str] = field(default_factory=list)
    doubtful: dict[object, str] = field(default_factory=dict)
    notes: dict[object, tuple[str, ...]] = field(default_factory=dict)
    unregistered: set[object] = field(default_factory=set)
    """Those of ``doubtful`` whose registration failed."""
    lost: dict[object, str] = field(default_factory=dict)
    """Results that lose so much of a source that it is an alarm."""

    @property
    def losses(self) -> str:
        """In how many results much is lost."""
        return f"; much is lost in {len(self.lost)}" if self.lost else ""

    @property
    def registrations(self) -> str:
        """How many registrations are doubtful, and how many failed although the pair was fused."""
        doubtful = len(self.doubtful) - len(self.unregistered)
        parts = [f"{doubtful} doubtful"] if doubtful else []
        if self.unregistered:
            parts.append(f"{len(self.unregistered)} not registered")
        return f"; of the registrations {', '.join(parts)}" if parts else ""

    def take(self, event: RowEvent) -> None:
        """Remember what is to be said of a row."""
        name, record = event.row.match.name, event.record
        if record.is_lost and record.state in ("done", "skipped"):
            shares = ", ".join(
                f"{share:.0%} of {side.upper()}" for side, share in _lost(record).items()
            )
            self.lost[event.place] = f"much is lost: {name}: {shares}"
        if record.state == "failed":
            self.failures.append(f"{name}: {record.text}")
        elif record.state == "done":
            self.notes[event.place] = record.notes
        if record.state in ("done", "skipped") and record.is_doubtful:
            said = "registration is doubtful"
            if record.is_unregistered:
                said = "registration failed, fused as it lies"
                self.unregistered.add(event.place)
            self.doubtful[event.place] = f"{said}: {name}: {' '.join(record.reasons)}".rstrip(": ")


def _summary(plan: BatchPlan, tally: Tally, files: tuple[Path, ...], heard: _Heard) -> None:
    before = f", {tally.skipped} done before" if tally.skipped else ""
    left = tally.total - tally.ended
    rest = f", {left} not tried" if left else ""
    say(
        f"{plan.options.out}: {tally.done} fused{before}, {tally.failed} failed{rest}, "
        f"of {tally.total}{heard.registrations}{heard.losses}"
    )
    for path in files:
        say(str(path))


class _SilentProgress(TerminalProgress):
    """Handles Ctrl-C without showing progress, which is printed from the events."""

    def report(self, done: float, total: float, stage: str) -> None:
        """Show nothing."""


@contextmanager
def _shown(plan: BatchPlan, command: BatchCommand) -> Iterator[Any]:
    """A function that prints one event as a JSON line or a progress bar, or nothing."""
    if command.json_lines:
        yield lambda event: say(json.dumps(as_json(event)))
        return
    if not sys.stderr.isatty():
        yield lambda event: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TextColumn("{task.fields[pace]}"),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task("", total=len(plan.rows), pace="")

        def show(event: BatchEvent) -> None:
            if isinstance(event, ClusterNews):
                return
            name = event.row.match.name if isinstance(event, RowEvent) else ""
            tally = event.tally
            failed = f", {tally.failed} failed" if tally.failed else ""
            pace = f"{tally.rate:.1f}/s{failed}" if tally.rate else failed.lstrip(", ")
            bar.update(line, completed=tally.ended, description=one_line(name), pace=pace)

        yield show


def as_json(event: BatchEvent) -> dict[str, Any]:
    """An event as JSON values."""
    if isinstance(event, ClusterNews):
        return {
            "event": "cluster", "workers": event.workers, "seen": event.seen, "text": event.text
        }  # fmt: skip
    if isinstance(event, BatchFinished):
        return {
            "event": "finished",
            **_tally(event.tally),
            "failures": [{"name": row.match.name, "text": text} for row, text in event.failures],
            "files": [str(path) for path in event.files],
        }
    return {
        "event": "row",
        "place": event.place,
        "name": event.row.match.name,
        "a": str(event.row.match.a),
        "b": str(event.row.match.b),
        "state": event.record.state,
        "text": event.record.text,
        "seconds": round(event.record.seconds, 4),
        "output": str(event.output) if event.output else None,
        "notes": list(event.record.notes),
        **_registration(event.record),
        **({"lost": lost, "alarm": event.record.is_lost} if (lost := _lost(event.record)) else {}),
        **_tally(event.tally),
    }


def _registration(record: RowRecord) -> dict[str, Any]:
    """What is known of how the sources lie on each other; {} where nothing was done."""
    found = {**record.registration}
    if found:
        found |= {"reasons": list(record.reasons), "measure": str(from_data(found["measure"]))}
    by = record.transform
    moved = {} if by is None else {"transform": transform_data(by.transform), "moving": by.moving}
    return {"registration": found | moved} if found or moved else {}


def _lost(record: RowRecord) -> dict[str, float]:
    """Shares of the spots of A and of B that its result loses; {} where that is not known."""
    found = record.metrics or {}
    return {side: found[f"lost_{side}"] for side in "ab" if f"lost_{side}" in found}


def _tally(tally: Tally) -> dict[str, Any]:
    left = tally.seconds_left
    return {
        "done": tally.done,
        "failed": tally.failed,
        "skipped": tally.skipped,
        "total": tally.total,
        "rate": round(tally.rate, 3),
        "seconds_left": None if left is None else round(left, 1),
    }


def _tell_adopted(options: BatchOptions) -> None:
    found = find_run(options) if options.resume else None
    for text in found.adopted if found is not None else ():
        note(f"{text}; pairs that are done stay as they are")


def _tell_pairing(pairing: PairingPlan, command: BatchCommand) -> None:
    for text in pairing.notes:
        note(text)
    shown = pairing.leftovers if command.dry_run else pairing.leftovers[:_LISTED]
    for item in shown:
        note(f"{item.trouble}: {item.path}: {item.reason}")
    if len(shown) < len(pairing.leftovers):
        note(f"and {len(pairing.leftovers) - len(shown)} more without a partner (see --dry-run)")
