"""The lines of the Info tab."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from app.fuse.info_tab import Rows
from app.fuse.messages import reason_of
from app.fuse.results import Loaded, Outcome, Sources
from app.fuse.state import FuseState
from app.i18n.numbers import number
from app.i18n.translate import translate
from app.viewer.display_state import Window
from app.viewer.painter import short
from core.tasks import get_task


def _tr(text: str) -> str:
    return QCoreApplication.translate("info", text)


def rows_of(session: FuseState) -> Rows:
    """Everything worth knowing of sources and result."""
    rows: Rows = []
    task = session.task
    sources = session.sources
    for title, side, asked, window in (
        (f"A – {translate(task.label_a)}", sources.a, sources.asked[0], session.window_of("a")),
        (f"B – {translate(task.label_b)}", sources.b, sources.asked[1], session.window_of("b")),
    ):
        if side is not None:
            rows.append((title, _source(side, window or side.image.window)))
        elif asked is not None:
            rows.append((title, _not_shown(asked, sources)))
    if session.outcome is not None:
        rows.append((_tr("Result"), _result(session.outcome, session.is_stale)))
        provenance = session.outcome.result.provenance
        if provenance:
            rows.append((_tr("Provenance"), _provenance(provenance)))
        timings = session.outcome.result.timings
        if timings:
            lines = [
                (translate(stage), f"{number(seconds, '.3f')} s")
                for stage, seconds in timings.items()
            ]
            rows.append((_tr("Timings"), lines))
    return rows or [(_tr("Nothing is open"), [])]


def _provenance(entries: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is written into files; the names of its entries in the person's language."""
    names = {
        "software": _tr("Software"),
        "task": _tr("Task"),
        "method": _tr("Method"),
        "weights_sha256": _tr("Weights (SHA-256)"),
        "source_a": _tr("Source A"),
        "source_b": _tr("Source B"),
        "window_a": _tr("Window of A"),
        "window_b": _tr("Window of B"),
        "result": _tr("Read from"),
        "notice": _tr("Notice"),
    }
    notice = _tr("Research use only – AI-generated image")
    return [
        (names.get(key, key), notice if key == "notice" else value)
        for key, value in entries.items()
    ]


def _depth(bits: int) -> str:
    return _tr("float") if bits == 32 else _tr("{0} bit").format(bits)


def _range(window: Window, unit: str) -> str:
    return f"{short(window[0])} – {short(window[1])} {unit}".strip()


def _not_shown(path: Path, sources: Sources) -> list[tuple[str, str]]:
    """A file that is selected and not on screen, and why."""
    trouble = sources.trouble
    state = _tr("being read") if trouble is None else _tr("not shown")
    lines = [(_tr("File"), path.name), (_tr("Folder"), str(path.parent)), (_tr("State"), state)]
    if trouble is not None:
        lines.append((_tr("Reason"), reason_of(trouble, path, sources.asked)))
    return lines


def _source(side: Loaded, window: Window) -> list[tuple[str, str]]:
    image = side.image
    lines = [
        (_tr("File"), image.name or _tr("computed")),
        (_tr("Folder"), str(image.origin.parent) if isinstance(image.origin, Path) else ""),
        (_tr("Size"), f"{image.width} × {image.height}"),
        (_tr("Depth"), _depth(image.bit_depth)),
        (_tr("Channels"), _tr("RGB") if image.data.shape[2] == 3 else _tr("grey")),
        (_tr("Range"), _range(image.window, image.unit)),
    ]
    if window != image.window:
        lines.append((_tr("Window chosen"), _range(window, image.unit)))
    if image.spacing is not None:
        down, across = image.spacing
        lines.append((_tr("Pixel"), f"{number(across, '.3g')} × {number(down, '.3g')} mm"))
    else:
        lines.append((_tr("Pixel"), _tr("size in mm not known")))
    lines += [(_tr("Note"), translate(note)) for note in image.notes]
    return [(name, value) for name, value in lines if value]


def _making(outcome: Outcome) -> list[tuple[str, str]]:
    """On what a result was made, and how long it took."""
    device = outcome.result.device
    said = ": ".join(filter(None, (translate(device.label), translate(device.reason))))
    lines = [(_tr("Device"), said)]
    if outcome.is_stored:
        return lines
    return [*lines, (_tr("Duration"), f"{number(outcome.seconds, '.2f')} s")]


def _result(outcome: Outcome, stale: bool) -> list[tuple[str, str]]:
    result = outcome.result
    lines = [
        (_tr("Method"), outcome.method_title),
        (_tr("Kind"), _tr("model") if outcome.is_model else _tr("classical")),
        (_tr("Task"), translate(get_task(result.task).title)),
        *_making(outcome),
        (_tr("Depth"), _depth(result.bit_depth)),
        (_tr("State"), _tr("stale: something changed since") if stale else _tr("up to date")),
    ]
    for name, closeness in zip((_tr("Â, PSNR"), _tr("B̂, PSNR")), outcome.recon_psnr, strict=True):
        if closeness is not None:
            lines.append((name, f"{number(closeness, '.2f')} dB"))
    return lines + [(_tr("Note"), translate(note)) for note in result.notes]
