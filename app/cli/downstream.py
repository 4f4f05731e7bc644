"""``unifusion downstream``: how useful the results of fusion methods are to other tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import note, reported
from app.cli.downstream_options import DownstreamOptions, takes_options

downstream_app = typer.Typer(help="Tasks on fused pictures: detection and segmentation.")


@downstream_app.callback()
def _root() -> None:
    """Tasks on fused pictures."""


@downstream_app.command()
@takes_options
def detect(
    options: DownstreamOptions,
    *,
    labels: Annotated[
        Path | None,
        typer.Option(help="folder of YOLO (txt) or VOC (xml) boxes, or a COCO file (json)"),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="pictures per step")] = 2,
) -> None:
    """Fine-tune a detector on each method's pictures; mAP on those held out, the same for all."""
    with reported():
        from app.cli import downstream_runs as runs
        from trainer.downstream.detection import (
            DetectionPlan,
            DetectorFinished,
            fine_tune_detector,
        )

        known = runs.labelled_dataset(options)
        chosen = runs.chosen_labels(options, labels, known, known.boxes if known else None)
        runs.check_table(options.table, chosen.folder, [options.weights])
        scores: dict[str, dict[str, float]] = {}
        for name, folder in runs.method_folders(options.method).items():
            plan = runs.plan_of(DetectionPlan, options, chosen, name, folder, batch=batch)
            event = runs.run_to_end(
                name, options.steps, lambda progress, p=plan: fine_tune_detector(p, progress),
                DetectorFinished,
            )  # fmt: skip
            note(f"{name}: scored on {event.images} pictures held out")
            scores[name] = {"mAP50": event.scores.map50, "mAP": event.scores.map}
        runs.show_table(scores, ("mAP50", "mAP"))
        if options.table is not None:
            runs.write_table(options.table, scores)


@downstream_app.command()
@takes_options
def segment(
    options: DownstreamOptions,
    *,
    labels: Annotated[
        Path | None, typer.Option(help="folder of masks whose values are the numbers of classes")
    ] = None,
    ignore: Annotated[
        int | None, typer.Option(help="value of pixels that do not count; 255, or the data set's")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="pictures per step")] = 4,
) -> None:
    """Fine-tune a segmentation network on each method's pictures; mIoU on those held out."""
    with reported():
        from app.cli import downstream_runs as runs
        from trainer.downstream.segmentation import (
            SegmentationPlan,
            SegmenterFinished,
            fine_tune_segmenter,
        )

        known = runs.labelled_dataset(options)
        masks = None if known is None else known.masks
        chosen = runs.chosen_labels(options, labels, known, masks)
        if ignore is None:
            ignore = 255 if masks is None else masks.ignore
        runs.check_table(options.table, chosen.folder, [options.weights])
        scores: dict[str, dict[str, float]] = {}
        for name, folder in runs.method_folders(options.method).items():
            plan = runs.plan_of(
                SegmentationPlan, options, chosen, name, folder, batch=batch, ignore=ignore
            )
            event = runs.run_to_end(
                name, options.steps, lambda progress, p=plan: fine_tune_segmenter(p, progress),
                SegmenterFinished,
            )  # fmt: skip
            note(f"{name}: scored on {event.images} pictures held out")
            found = event.scores
            by_class = {f"IoU {chosen.names[i]}": value for i, value in found.by_class.items()}
            scores[name] = {"mIoU": found.miou, "accuracy": found.accuracy, **by_class}
        runs.show_table(scores, list(next(iter(scores.values()))))
        if options.table is not None:
            runs.write_table(options.table, scores)
