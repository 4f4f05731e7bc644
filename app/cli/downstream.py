"""``unifusion downstream``: how well detectors work on the results of fusion methods."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.console import TerminalProgress, note, reported, say
from core.errors import InputError

if TYPE_CHECKING:
    from trainer.downstream.detection import DetectionPlan
    from trainer.downstream.detection_scores import DetectionScores

downstream_app = typer.Typer(help="Tasks on fused pictures: detection.")


@downstream_app.callback()
def _root() -> None:
    """Tasks on fused pictures."""


@downstream_app.command()
def detect(
    *,
    method: Annotated[list[str], typer.Option(help="NAME=FOLDER of fused pictures; repeatable")],
    labels: Annotated[
        Path, typer.Option(help="folder of YOLO (txt) or VOC (xml) boxes, or a COCO file (json)")
    ],
    names: Annotated[str, typer.Option(help="comma-separated names of the classes, in order")],
    steps: Annotated[int, typer.Option(min=1, help="training steps for each method")] = 500,
    batch: Annotated[int, typer.Option(min=1, help="pictures per step")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="seed of everything random")] = 0,
    weights: Annotated[
        Path | None, typer.Option(help="weights to start from; else random ones")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="folder of states, to go on with when interrupted")
    ] = None,
    width: Annotated[int, typer.Option(min=64, help="short side in the detector")] = 320,
    table: Annotated[Path | None, typer.Option("--csv", help="write the scores there")] = None,
) -> None:
    """Fine-tune a detector on each method's pictures; mAP on those held out, the same for all."""
    with reported():
        from trainer.downstream.detection import DetectionPlan

        folders = _folders(method)
        classes = tuple(name.strip() for name in names.split(",") if name.strip())
        if state is not None:
            state.mkdir(parents=True, exist_ok=True)
        rows = []
        for name, folder in folders.items():
            plan = DetectionPlan(
                folder, labels, classes, checkpoint=state / f"{name}.pt" if state else None,
                weights=weights, steps=steps, batch=batch, seed=seed, width=width,
            )  # fmt: skip
            rows.append((name, _run(name, plan)))
        _show(rows)
        if table is not None:
            _write(table, rows)


def _folders(methods: list[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for text in methods:
        name, equals, folder = text.partition("=")
        if not equals or not name or not Path(folder).is_dir() or "/" in name:
            raise InputError(
                f"--method {text}", "it is no NAME=FOLDER of a folder that exists", "Check it."
            )
        if name in found:
            raise InputError(f"--method {text}", "the name was given twice", "Choose another.")
        found[name] = Path(folder)
    return found


def _run(name: str, plan: DetectionPlan) -> DetectionScores:
    from trainer.downstream.detection import (
        DetectorFinished,
        DetectorStepped,
        fine_tune_detector,
    )

    with TerminalProgress() as progress:
        for event in fine_tune_detector(plan, progress):
            progress.clear()
            match event:
                case DetectorStepped():
                    if event.step % 50 == 0:
                        note(f"{name}: step {event.step} of {plan.steps}, loss {event.loss:.3f}")
                case DetectorFinished():
                    note(f"{name}: scored on {event.images} pictures held out")
                    return event.scores
    raise AssertionError("a run ends with its scores")


def _show(rows: list[tuple[str, DetectionScores]]) -> None:
    width = max(len("method"), *(len(name) for name, _ in rows))
    say(f"{'method':{width}}   mAP50     mAP")
    for name, scores in rows:
        say(f"{name:{width}}  {scores.map50:6.4f}  {scores.map:6.4f}")


def _write(path: Path, rows: list[tuple[str, DetectionScores]]) -> None:
    from core.io.atomic import atomic_write

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("method", "mAP50", "mAP"))
    writer.writerows((name, scores.map50, scores.map) for name, scores in rows)
    atomic_write(path, text.getvalue().encode())
