"""``unifusion downstream``: how useful the results of fusion methods are to other tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import note, reported
from app.cli.options import DatasetOption, SplitOption

downstream_app = typer.Typer(help="Tasks on fused pictures: detection and segmentation.")

_Method = Annotated[list[str], typer.Option(help="NAME=FOLDER of fused pictures; repeatable")]
_Names = Annotated[str, typer.Option(help="comma-separated names of the classes, in order")]
_Data = Annotated[
    Path | None, typer.Option(help="folder of the data set, whose labels are then used")
]
_Steps = Annotated[int, typer.Option(min=1, help="training steps for each method")]
_Batch = Annotated[int, typer.Option(min=1, help="pictures per step")]
_Seed = Annotated[int, typer.Option(min=0, help="seed of everything random")]
_Weights = Annotated[
    Path | None, typer.Option(help="weights of the network or its backbone; else random ones")
]
_State = Annotated[
    Path | None, typer.Option(help="folder of states, to go on with when interrupted")
]
_Width = Annotated[int, typer.Option(min=64, help="short side in the network")]
_Csv = Annotated[
    Path | None, typer.Option("--csv", help="write the scores there, for evaluate --downstream")
]


@downstream_app.callback()
def _root() -> None:
    """Tasks on fused pictures."""


@downstream_app.command()
def detect(
    *,
    method: _Method,
    labels: Annotated[
        Path | None,
        typer.Option(help="folder of YOLO (txt) or VOC (xml) boxes, or a COCO file (json)"),
    ] = None,
    names: _Names = "",
    dataset: DatasetOption = "",
    data: _Data = None,
    split: SplitOption = "",
    steps: _Steps = 500,
    batch: _Batch = 2,
    seed: _Seed = 0,
    weights: _Weights = None,
    state: _State = None,
    width: _Width = 320,
    table: _Csv = None,
) -> None:
    """Fine-tune a detector on each method's pictures; mAP on those held out, the same for all."""
    with reported():
        from app.cli import downstream_runs as runs
        from trainer.downstream.detection import (
            DetectionPlan,
            DetectorFinished,
            fine_tune_detector,
        )

        known = runs.labelled_dataset(dataset, data, split)
        chosen = (
            runs.given_labels(labels, names)
            if known is None
            else runs.dataset_labels(known, known.boxes, data, split)
        )
        runs.check_table(table, chosen.folder, [weights])
        scores: dict[str, dict[str, float]] = {}
        for name, folder in runs.method_folders(method).items():
            plan = DetectionPlan(
                folder, chosen.folder, chosen.names, checkpoint=runs.state_of(state, name),
                weights=weights, stems=chosen.stems, steps=steps, batch=batch, seed=seed,
                width=width,
            )  # fmt: skip
            event = runs.run_to_end(
                name, steps, lambda progress, p=plan: fine_tune_detector(p, progress),
                DetectorFinished,
            )  # fmt: skip
            note(f"{name}: scored on {event.images} pictures held out")
            scores[name] = {"mAP50": event.scores.map50, "mAP": event.scores.map}
        runs.show_table(scores, ("mAP50", "mAP"))
        if table is not None:
            runs.write_table(table, scores)


@downstream_app.command()
def segment(
    *,
    method: _Method,
    labels: Annotated[
        Path | None, typer.Option(help="folder of masks whose values are the numbers of classes")
    ] = None,
    names: _Names = "",
    ignore: Annotated[
        int | None, typer.Option(help="value of pixels that do not count; 255, or the data set's")
    ] = None,
    dataset: DatasetOption = "",
    data: _Data = None,
    split: SplitOption = "",
    steps: _Steps = 500,
    batch: _Batch = 4,
    seed: _Seed = 0,
    weights: _Weights = None,
    state: _State = None,
    width: _Width = 320,
    table: _Csv = None,
) -> None:
    """Fine-tune a segmentation network on each method's pictures; mIoU on those held out."""
    with reported():
        from app.cli import downstream_runs as runs
        from trainer.downstream.segmentation import (
            SegmentationPlan,
            SegmenterFinished,
            fine_tune_segmenter,
        )

        known = runs.labelled_dataset(dataset, data, split)
        masks = None if known is None else known.masks
        chosen = (
            runs.given_labels(labels, names)
            if known is None
            else runs.dataset_labels(known, masks, data, split)
        )
        if ignore is None:
            ignore = 255 if masks is None else masks.ignore
        runs.check_table(table, chosen.folder, [weights])
        scores: dict[str, dict[str, float]] = {}
        for name, folder in runs.method_folders(method).items():
            plan = SegmentationPlan(
                folder, chosen.folder, chosen.names, checkpoint=runs.state_of(state, name),
                weights=weights, stems=chosen.stems, steps=steps, batch=batch, seed=seed,
                width=width, ignore=ignore,
            )  # fmt: skip
            event = runs.run_to_end(
                name, steps, lambda progress, p=plan: fine_tune_segmenter(p, progress),
                SegmenterFinished,
            )  # fmt: skip
            note(f"{name}: scored on {event.images} pictures held out")
            found = event.scores
            by_class = {f"IoU {chosen.names[i]}": value for i, value in found.by_class.items()}
            scores[name] = {"mIoU": found.miou, "accuracy": found.accuracy, **by_class}
        runs.show_table(scores, list(next(iter(scores.values()))))
        if table is not None:
            runs.write_table(table, scores)
