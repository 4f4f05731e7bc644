"""The table of metrics and the contact sheet of a batch."""

from __future__ import annotations

import html
from collections.abc import Mapping
from math import isnan, nan
from pathlib import Path
from urllib.parse import quote

from core.batch.comparison_images import strip_jpeg
from core.batch.manifest import RowRecord
from core.batch.output_folder import make_below
from core.batch.plan import BatchPlan, BatchRow
from core.batch.stages import pair_again
from core.errors import FusionError
from core.io.atomic import atomic_write
from core.io.csv_cells import csv_text
from core.io.reader import read_image
from core.io.values import as_stored
from core.messages import from_data
from core.metrics import METRICS
from core.printable import printable
from core.progress import Progress
from core.retention import FIGURES
from core.tasks import get_task
from core.types import notice_for

METRICS_NAME, SHEET_NAME = "metrics.csv", "contact-sheet.html"
REGISTRATION_NAME = "registration.csv"

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:78rem;padding:0 1rem;
background:#fff;color:#1b1b1f}
h1{font-size:1.4rem}figure{margin:0 0 1.4rem}img{max-width:100%;height:auto;display:block}
figcaption{margin-top:.3rem}small{color:#55555f}.bad{color:#a3001b}
@media(prefers-color-scheme:dark){body{background:#17171a;color:#e8e8ee}small{color:#a9a9b4}
.bad{color:#ff8a98}}
"""


def write_metrics(plan: BatchPlan, records: Mapping[str, RowRecord]) -> Path:
    """Write a CSV file with one line per finished row: names, files, metrics. UTF-8, atomic.

    What is lost (:data:`core.retention.FIGURES`) stands behind the metrics. Cells of metrics that
    are not defined on a picture are empty.

    Raises:
        OutputError: it cannot be written.
    """
    done = [(row, records[row.key]) for row in plan.rows if _is_done(row, records)]
    columns = list(dict.fromkeys(name for _, record in done for name in record.metrics or {}))
    rows: list[list[object]] = [["name", "result", "a", "b", *columns]]
    for row, record in done:
        scores = record.metrics or {}
        cells = (_cell(column, scores.get(column, nan)) for column in columns)
        names = (row.match.name, row.target.as_posix(), *row.named_sources)
        rows.append([*names, *cells])
    path = plan.options.out / METRICS_NAME
    atomic_write(path, csv_text(rows).encode())
    return path


def _cell(column: str, value: float) -> str:
    if isnan(value):
        return ""
    return f"{value:g}" if column in FIGURES else f"{value:.6f}"


def write_registrations(plan: BatchPlan, records: Mapping[str, RowRecord]) -> Path:
    """Write a CSV file about how each pair was brought onto each other. UTF-8, atomic.

    One line per row that was tried: name, result ("" where there is none), files, state of the row,
    where the transform is from and its kind ("" for none), verdict, similarity before and after and
    its name, spread in pixels or millimetres, and the reasons why it is not certain.

    Raises:
        OutputError: it cannot be written.
    """
    columns = ("verdict", "measure", "before", "after", "spread", "reasons")
    rows: list[list[object]] = [
        ["name", "result", "a", "b", "state", "transform", "kind", *columns]
    ]
    for row in plan.rows:
        record = records.get(row.key)
        if record is None:
            continue
        by, found = record.transform, dict(record.registration)
        found["reasons"] = " ".join(record.reasons)
        if "measure" in found:
            found["measure"] = from_data(found["measure"])
        cells = (found.get(column) for column in columns)
        result = row.target.as_posix() if record.state == "done" else ""
        said = ("", "") if by is None else (by.origin, by.transform.kind)
        names = (row.match.name, result, *row.named_sources, record.state)
        rows.append([*names, *said, *("" if cell is None else cell for cell in cells)])
    path = plan.options.out / REGISTRATION_NAME
    atomic_write(path, csv_text(rows).encode())
    return path


def write_sheet(plan: BatchPlan, records: Mapping[str, RowRecord], progress: Progress) -> Path:
    """Write an HTML page with all rows: thumbnails, names, errors. No network, no scripts.

    Missing thumbnails are made from the files.

    Raises:
        OutputError: it cannot be written. Cancelled: ``progress`` asked to stop.
    """
    task = get_task(plan.options.task)
    done = sum(_is_done(row, records) for row in plan.rows)
    parts = [
        "<!doctype html>\n<html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width,initial-scale=1'>",
        f"<title>Contact sheet</title><style>{_STYLE}</style>",
        f"<h1>{done} of {len(plan.rows)} {'pair' if len(plan.rows) == 1 else 'pairs'} fused</h1>",
        *_alarms(plan, records),
        f"<p>{_safe(task.title)}: {_safe(task.label_a)}, {_safe(task.label_b)}, fused. "
        f"Method: {_safe(plan.options.method or 'model')}.</p>",
    ]
    if task.medical:
        notice = notice_for(by_network=plan.options.by_network)
        parts.append(f"<p><strong>{notice}</strong></p>")
    for row in plan.rows:
        progress.check()
        parts.append(_entry(plan, row, records.get(row.key)))
    path = plan.options.out / SHEET_NAME
    atomic_write(path, "\n".join([*parts, "</html>\n"]).encode())
    return path


def _alarms(plan: BatchPlan, records: Mapping[str, RowRecord]) -> tuple[str, ...]:
    """A line with the number of results that lose much, if there are any."""
    count = sum(_is_done(row, records) and records[row.key].is_lost for row in plan.rows)
    text = f"Much is lost in {count} {'result' if count == 1 else 'results'}."
    return (f"<p class=bad>{text}</p>",) if count else ()


def _entry(plan: BatchPlan, row: BatchRow, record: RowRecord | None) -> str:
    title = f"<strong>{_safe(row.match.name)}</strong>"
    sources = " + ".join(path.name for path in row.named_sources)
    names = _safe(f"{sources} ({row.match.reason})")
    if record is None or record.state != "done":
        text = row.problem or (record.text if record and record.text else "not done yet")
        caption = f"{title} <small>{names}</small><br><span class=bad>{_safe(text)}</span>"
        return f"<figure><figcaption>{caption}</figcaption></figure>"
    scores = " · ".join(
        f"{_safe(name)} {'–' if isnan(value) else f'{value:.3f}'}"
        f"{'↑' if METRICS[name].direction == 'higher' else '↓'}"
        for name, value in (record.metrics or {}).items()
        if name in METRICS
    )
    image = ""
    if _have_thumbnail(plan, row, record):
        source = _safe(quote(plan.thumbnail(row).as_posix(), errors="surrogateescape"))
        image = f'<img loading=lazy alt="{_safe(row.match.name)}" src="{source}">'
    link = _safe(quote(row.target.as_posix(), errors="surrogateescape"))
    scores = " · ".join(filter(None, (scores, _lost(record))))
    caption = f"{title} <small>{names}<br>{_safe(row.target.as_posix())} {scores}</small>"
    if record.is_lost:
        caption += "<br><span class=bad>Much is lost: look at the sources, too.</span>"
    if record.is_doubtful:
        said = "Registration is doubtful."
        if record.is_unregistered:
            said = "Registration failed: fused as it lies."
        doubt = " ".join((said, *record.reasons))
        caption += f"<br><span class=bad>{_safe(doubt)}</span>"
    return f'<figure><a href="{link}">{image}</a><figcaption>{caption}</figcaption></figure>'


def _lost(record: RowRecord) -> str:
    """What its result loses of both sources; "" where that is not known."""
    found = record.metrics or {}
    if "lost_a" not in found:
        return ""
    return f"lost: {found['lost_a']:.0%} of A, {found['lost_b']:.0%} of B"


def _have_thumbnail(plan: BatchPlan, row: BatchRow, record: RowRecord) -> bool:
    path = plan.options.out / plan.thumbnail(row)
    if path.is_file():
        return True
    if row.match.study is not None:
        return False  # it is made of slices, which are no longer there
    try:
        pair = pair_again(row, plan, record.transform)
        fused = as_stored(read_image(plan.options.out / row.target))
        make_below(plan.options.out, path.parent)
        images = (image.normalised() for image in (pair.a, pair.b, fused))
        atomic_write(path, strip_jpeg(*images))
    except FusionError:
        return False
    return True


def _is_done(row: BatchRow, records: Mapping[str, RowRecord]) -> bool:
    return row.key in records and records[row.key].state == "done"


def _safe(text: str) -> str:
    return html.escape(printable(text), quote=True)
