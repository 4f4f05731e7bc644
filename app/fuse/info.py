"""The rows of the Info tab."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app.fuse.info_tab import Rows
from app.fuse.messages import reason_of
from app.fuse.pane_texts import source_title
from app.fuse.results import LoadedSource, Outcome, Sources
from app.fuse.retention import retention_rows
from app.fuse.slice_view import SliceView
from app.fuse.state import FuseState
from app.fuse.volume_info import derivation_rows, geometry_rows, series_rows
from app.i18n.numbers import number
from app.i18n.translate import tr, translate
from app.viewer.painter import short
from core.tasks import get_task
from core.types import NETWORK_NOTICE, RESEARCH_NOTICE, SourceSide
from core.windows import Window


def rows_of(session: FuseState) -> Rows:
    """Details of sources and result, in groups."""
    rows: Rows = []
    sources = session.sources
    sides: tuple[SourceSide, SourceSide] = ("a", "b")
    for place, (name, side) in enumerate(zip(sides, (sources.a, sources.b), strict=True)):
        title = f"{name.upper()} – {source_title(session, name)}"
        asked, window = sources.requested[place], session.window_of(name)
        if side is not None and sources.slice is not None:
            lines = series_rows(sources.slice, place, window or side.image.window)
            rows.append((title, lines))
        elif side is not None:
            rows.append((title, _source(side, window or side.image.window)))
        elif asked is not None:
            rows.append((title, _not_shown(asked, sources)))
    if sources.slice is not None:
        rows += _of_slice(sources.slice)
    if session.outcome is not None:
        rows.append((tr("Result"), _result(session.outcome, session.is_stale)))
        if session.retention is not None:
            rows.append((tr("Lost in the fused picture"), retention_rows(session.retention)))
        provenance = session.outcome.result.provenance
        if provenance:
            rows.append((tr("Provenance"), _provenance(provenance)))
        timings = session.outcome.result.timings
        if timings:
            lines = [
                (translate(stage), f"{number(seconds, '.3f')} s")
                for stage, seconds in timings.items()
            ]
            rows.append((tr("Timings"), lines))
    return rows or [(tr("Nothing is open"), [])]


def _of_slice(view: SliceView) -> Rows:
    rows: Rows = [(tr("Slice"), geometry_rows(view))]
    for letter, derivation in zip("AB", view.volumes.derivations, strict=True):
        if derivation is not None:
            rows.append((tr("SUV of {0}").format(letter), derivation_rows(derivation)))
    return rows


def _provenance(entries: Mapping[str, str]) -> list[tuple[str, str]]:
    """The provenance that is written to files, with translated names."""
    names = {
        "software": tr("Software"),
        "task": tr("Task"),
        "method": tr("Method"),
        "weights_sha256": tr("Weights (SHA-256)"),
        "source_a": tr("Source A"),
        "source_b": tr("Source B"),
        "window_a": tr("Window of A"),
        "window_b": tr("Window of B"),
        "registration": tr("Registration"),
        "result": tr("Read from"),
        "notice": tr("Notice"),
    }
    notices = {
        RESEARCH_NOTICE: tr("Research use only"),
        NETWORK_NOTICE: tr("Research use only – AI-generated image"),
    }
    return [
        (names.get(key, key), notices.get(value, value) if key == "notice" else value)
        for key, value in entries.items()
    ]


def _depth(bits: int) -> str:
    return tr("float") if bits == 32 else tr("{0} bit").format(bits)


def _range(window: Window, unit: str) -> str:
    return f"{short(window[0])} – {short(window[1])} {unit}".strip()


def _not_shown(path: Path, sources: Sources) -> list[tuple[str, str]]:
    """Rows for a file that is selected but not on screen."""
    error = sources.error
    state = tr("being read") if error is None else tr("not shown")
    side = sources.requested.index(path)
    if sources.names[side]:
        lines = [(tr("Series"), sources.names[side]), (tr("State"), state)]
    else:
        lines = [(tr("File"), path.name), (tr("Folder"), str(path.parent)), (tr("State"), state)]
    if error is not None:
        lines.append((tr("Reason"), reason_of(error, path, sources.requested)))
    return lines


def _source(side: LoadedSource, window: Window) -> list[tuple[str, str]]:
    image = side.image
    lines = [
        (tr("File"), image.name or tr("computed")),
        (tr("Folder"), str(image.origin.parent) if isinstance(image.origin, Path) else ""),
        (tr("Size"), f"{image.width} × {image.height}"),
        (tr("Depth"), _depth(image.bit_depth)),
        (tr("Channels"), tr("RGB") if image.data.shape[2] == 3 else tr("grey")),
        (tr("Range"), _range(image.window, image.unit)),
    ]
    if window != image.window:
        lines.append((tr("Window chosen"), _range(window, image.unit)))
    if image.spacing is not None:
        down, across = image.spacing
        lines.append((tr("Pixel"), f"{number(across, '.3g')} × {number(down, '.3g')} mm"))
    else:
        lines.append((tr("Pixel"), tr("size in mm not known")))
    lines += [(tr("Note"), translate(note)) for note in image.notes]
    return [(name, value) for name, value in lines if value]


def _making(outcome: Outcome) -> list[tuple[str, str]]:
    """Rows for device and duration of a fusion."""
    device = outcome.result.device
    text = ": ".join(filter(None, (translate(device.label), translate(device.reason))))
    lines = [(tr("Device"), text)]
    if outcome.is_stored:
        return lines
    return [*lines, (tr("Duration"), f"{number(outcome.seconds, '.2f')} s")]


def _result(outcome: Outcome, stale: bool) -> list[tuple[str, str]]:
    result = outcome.result
    lines = [
        (tr("Method"), outcome.method_title),
        (tr("Kind"), tr("model") if outcome.is_model else tr("classical")),
        (tr("Task"), translate(get_task(result.task).title)),
        *_making(outcome),
        (tr("Depth"), _depth(result.bit_depth)),
        (tr("State"), tr("stale: something changed since") if stale else tr("up to date")),
    ]
    for name, closeness in zip((tr("Â, PSNR"), tr("B̂, PSNR")), outcome.recon_psnr, strict=True):
        if closeness is not None:
            lines.append((name, f"{number(closeness, '.2f')} dB"))
    return lines + [(tr("Note"), translate(note)) for note in result.notes]
