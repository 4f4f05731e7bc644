"""The model card of a trained pack: data, settings, results. Contains no file names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from core.io.atomic import atomic_write
from core.packs.format import PackManifest
from core.tasks import get_task
from trainer.config.objective_settings import FURTHER_TERMS
from trainer.run.departures import origin_lines
from trainer.run.score import SCORED
from trainer.run_folder.history import History

_ROWS = 12
_LISTED = (
    ("steps", "steps planned"),
    ("batch", "crops per step"),
    ("crop", "crop size"),
    ("lr_lower", "learning rate, lower level"),
    ("lr_upper", "learning rate, upper level"),
    ("lr_final", "decay to"),
    ("ema", "averaging"),
    ("bilevel", "two levels"),
    ("precision", "precision"),
    ("seed", "seed"),
    ("window_a", "values of A that are black and white"),
    ("window_b", "values of B that are black and white"),
    ("align", "how the sources were laid on each other"),
)


def write_card(
    path: Path,
    manifest: PackManifest,
    *,
    start: Mapping[str, float],
    since: int = 0,
    curves: History | None = None,
    validation: int = 0,
    notes: Sequence[str] = (),
) -> None:
    """Write the card as Markdown.

    Args:
        manifest: of the pack. start: scores before training, {} when there are none.
        since: step that ``start`` is of, where the validation pairs changed during the run.
        curves: of the run. validation: pairs scored by. notes: remarks about the run.

    Raises:
        OutputError: the file cannot be written.
    """
    parts = [_head(manifest), _origin(manifest), _data(manifest, validation)]
    if manifest.training.scores:
        parts.append(_scores(manifest.training.scores, start, since, validation))
    if curves is not None and len(curves.steps):
        parts.append(_curves(curves))
    parts.append(_settings(manifest.training.config))
    if notes:
        parts.append("## Remarks\n\n" + "\n".join(f"- {note}" for note in notes))
    atomic_write(path, ("\n\n".join(parts) + "\n").encode("utf-8"))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _head(manifest: PackManifest) -> str:
    task, record, network = get_task(manifest.task), manifest.training, manifest.network
    use = " Research use only." if task.medical else ""
    minutes = record.seconds / 60
    rows = [
        ["task", f"{task.title}: {task.description}"],
        [
            "network",
            f"{network.backbone.label}, C = {network.channels}, "
            f"heavy blocks at 1/{network.stride} resolution, {network.head} head",
        ],
        ["colour", f"{manifest.colour.mode}; chroma from {manifest.colour.chroma}"],
        ["trained", f"{record.steps} steps, {record.pairs} pairs, {minutes:.0f} minutes"],
        ["parent", record.parent or "none: from scratch"],
        ["licence", manifest.licence or "not stated"],
        ["software", ", ".join(f"{k} {v}" for k, v in record.software.items())],
        ["weights sha256", f"`{manifest.weights_sha256}`"],
    ]
    return f"# {manifest.title}\n\n`{manifest.name}`.{use}\n\n" + _table(["", ""], rows)


def _origin(manifest: PackManifest) -> str:
    return "## What is the paper's and what is not\n\n" + "\n".join(origin_lines(manifest))


def _data(manifest: PackManifest, validation: int) -> str:
    lines = [f"- {line}" for line in manifest.data]
    lines.append(f"- {manifest.training.pairs} pairs to train on, {validation} to judge by")
    return "## Data\n\n" + "\n".join(lines)


def _scores(scores: Mapping[str, float], start: Mapping[str, float], since: int, pairs: int) -> str:
    compared = f"step {since}" if since else "start"
    rows = []
    for name, value in scores.items():
        before = start.get(name)
        change = "" if before is None else f"{value - before:+.4f}"
        arrow = " ↑" if name in SCORED or "psnr" in name else ""
        shown = "" if before is None else f"{before:.4f}"
        rows.append([f"{name}{arrow}", shown, f"{value:.4f}", change])
    head = (
        f"## Scores\n\nMeans over {pairs} pairs that were not trained on, 8-bit luma; of pictures "
        "over a megapixel (1,048,576 pixels), that much in their middle.\n\n"
    )
    return head + _table(["metric", compared, "this pack", "change"], rows)


def _curves(curves: History) -> str:
    """The curves as a table of at most twelve rows."""
    names = [n for n in ("lower", "upper", "lr_lower", "lr_upper") if n in curves.series]
    count = len(curves.steps)
    places = sorted({round(i * (count - 1) / (_ROWS - 1)) for i in range(_ROWS)})
    rows = [
        [f"{curves.steps[p]:.0f}", *(f"{curves.series[n][p]:.4g}" for n in names)] for p in places
    ]
    text = "## Curves\n\n" + _table(["step", *names], rows)
    scored = [n for n in (*SCORED, "score") if n in curves.validation]
    if scored:
        count = len(curves.validation_steps)
        places = sorted({round(i * (count - 1) / (_ROWS - 1)) for i in range(_ROWS)})
        rows = [
            [f"{curves.validation_steps[p]:.0f}"]
            + [f"{curves.validation[n][p]:.4f}" for n in scored]
            for p in places
        ]
        text += "\n\n" + _table(["step", *scored], rows)
    return text


def _format_value(value: object) -> str:
    """The text of a value in a table; both ends of a window."""
    if isinstance(value, (list, tuple)):
        return " to ".join(f"{end:g}" for end in value)
    return str(value)


def _settings(config: Mapping[str, object]) -> str:
    rows = [
        [title, _format_value(config[name])]
        for name, title in _LISTED
        if config.get(name) is not None
    ]
    losses = config.get("losses")
    if isinstance(losses, Mapping):
        rows += [[f"weight of {k}", str(v)] for k, v in losses.items() if k != "source"]
    rows += [[f"weight of {name}", str(config[name])] for name in FURTHER_TERMS if config.get(name)]
    return "## Settings\n\n" + _table(["setting", "value"], rows)
