"""Resuming a run: compares the plan with the record of an earlier run and with the files."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path

from core import salted
from core.alignment.aligning import kept_digest
from core.alignment.choice import AlignChoice
from core.batch.manifest import MANIFEST_NAME, BatchManifest, RowRecord
from core.batch.options import BatchOptions
from core.batch.plan import (
    FIGURES,
    RECONSTRUCTIONS,
    REPORTS,
    THUMBNAILS,
    BatchPlan,
    BatchRow,
    differences,
    plan_rows,
    settings_of_rows,
    settings_of_run,
)
from core.batch.recovery import is_complete, is_done, record_crashes
from core.batch.row_choice import OwnChoices
from core.batch.row_files import remove_staging
from core.batch.row_record import result_size
from core.data_folder import settings_folder
from core.errors import FusionError, InputError, Message, OutputError
from core.fusion.slice_store import store_beside
from core.io.atomic import remove_parts
from core.pairing.folders import PairingPlan


@dataclass(frozen=True)
class FoundRun:
    """A run recorded in an output folder.

    Attributes:
        total, done, failed: numbers of all, finished and failed rows.
        differences: settings that differ from those asked for and prevent resuming, as phrases.
        changed: number of finished rows whose sources have changed; they are fused again.
        settings: those it was started with, from :meth:`BatchOptions.settings`.
        adopted: settings that differ, but only affect rows that are not finished, as phrases.
    """

    total: int
    done: int
    _: KW_ONLY
    failed: int
    differences: tuple[str, ...] = ()
    changed: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    adopted: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether all rows are finished and up to date."""
        return self.done >= self.total and not self.changed


def find_run(options: BatchOptions) -> FoundRun | None:
    """The run recorded in ``options.out``, or None.

    Raises:
        InputError: the record is damaged. OutputError: that run is in progress.
    """
    if not (options.out / MANIFEST_NAME).is_file():
        return None
    manifest = BatchManifest(options.out)
    try:
        record_crashes(manifest, options)
        return _describe(manifest, options, check_sources=True)
    finally:
        manifest.close()


def _describe(
    manifest: BatchManifest, options: BatchOptions, *, check_sources: bool = False
) -> FoundRun | None:
    settings = manifest.settings()
    if not settings:
        return None
    records = manifest.records().values()
    done = [record for record in records if is_done(record, options)]
    failed = sum(record.state in ("failed", "crashed") for record in records)
    total = int(manifest.meta().get("total", len(records)))
    mine, theirs = options.settings(), settings
    changed = 0
    if check_sources:
        changed = sum(bool(_is_out_of_date(record, options)) for record in done)
    return FoundRun(
        total,
        len(done),
        failed=failed,
        differences=tuple(differences(settings_of_run(mine), settings_of_run(theirs))),
        changed=changed,
        settings=settings,
        adopted=tuple(differences(settings_of_rows(mine), settings_of_rows(theirs))),
    )


def _is_out_of_date(record: RowRecord, options: BatchOptions) -> bool:
    # Records of volumes do not name their files; the next run compares them.
    if record.study is None and _changed(record, (record.a,), (record.b,)):
        return True
    return bool(_kept_anew(record, options.align_choice_by(record.choice.align)))


def plan_batch(
    pairing: PairingPlan, options: BatchOptions, own: OwnChoices | None = None
) -> BatchPlan:
    """Plan ``pairing``; rows of a run that is resumed keep their names.

    Args:
        own: of rows with a choice of their own; it is recorded.

    Raises:
        InputError: an option is invalid, the output folder holds another run, its record is
            damaged, or its studies cannot be found again.
        OutputError: another run is in progress in that folder.
    """
    options.check()
    known: Mapping[str, RowRecord] = {}
    if (options.out / MANIFEST_NAME).is_file() and (options.resume or not options.overwrite):
        manifest = BatchManifest(options.out)
        try:
            check_run(manifest, options)
            known = manifest.records()
            if options.resume:
                _check_names(known, options)
        finally:
            manifest.close()
    return plan_rows(pairing, options, known, own)


def _check_names(known: Mapping[str, RowRecord], options: BatchOptions) -> None:
    """Refuse to go on with studies whose names, salted hashes, are others in each process."""
    if not salted.is_kept() and any(record.study is not None for record in known.values()):
        raise InputError(
            Message("The batch in {0}", options.out),
            Message(
                "its studies cannot be found again, because the folder of settings {0} cannot be "
                "written",
                settings_folder(),
            ),
            Message("Make it writable, or name another one by UNIFUSION_HOME, and begin anew."),
        )


def check_run(manifest: BatchManifest, options: BatchOptions) -> None:
    """Refuse to mix two runs in one folder.

    Raises:
        InputError: a run is recorded, and ``options`` neither resume nor overwrite it, or would
            resume it with other settings.
    """
    found = _describe(manifest, options)
    if found is None or (options.overwrite and not options.resume):
        return
    if not options.resume:
        raise InputError(
            Message("The folder {0}", options.out),
            _share(found),
            Message(
                "Go on with it (--resume), begin anew (--overwrite), or choose another folder."
            ),
        )
    if found.differences:
        raise InputError(
            Message("The batch in {0}", options.out),
            Message(
                "it was begun with other settings ({0})", Message.joined("; ", found.differences)
            ),
            Message(
                "Use those again, choose another folder, or begin anew (--overwrite, no --resume)."
            ),
        )


def _share(found: FoundRun) -> Message:
    if found.total == 1:
        return Message("it holds a batch of one pair")
    return Message.plural(
        "it holds a batch of which {0} of {1} pairs is done",
        "it holds a batch of which {0} of {1} pairs are done",
        found.done,
        found.total,
    )


def next_step(
    row: BatchRow, record: RowRecord | None, plan: BatchPlan
) -> tuple[BatchRow, RowRecord]:
    """The next step of ``row``, given its record and which files exist.

    Returns:
        The row, with ``is_own`` set where its files may be replaced, and its new record: ``queued``
        (last and alone if it has strikes), ``skipped``, ``failed``, or ``done`` for a row that is
        finished but not recorded as such.
    """
    options, own = plan.options, replace(row, is_own=True)
    if row.problem:
        return row, row.record("failed", row.problem)
    if record is None or record.target != row.target:
        return row, _new(row, plan.outputs(row), options)
    if record.state == "crashed" or record.strikes:
        return own, _suspect(row, record, plan)
    target = options.out / row.target
    if not target.exists():
        text = Message("its result is gone: made again") if record.state == "done" else ""
        return own, row.record("queued", text)
    if record.state == "failed":  # the fused image is written last, so this one is not its own
        return row, _new(row, (target,), options)
    changed = (
        _changed(record, *row.match.files)
        or _aligned_anew(row, record)
        or _kept_anew(record, plan.align_choice(row))
    )
    if changed:
        return own, row.record("queued", changed)
    if record.state == "begun":
        complete = is_complete(target, options)
        return own, _finished(record, target) if complete else row.record("queued")
    if record.size != result_size(target):
        text = Message("done before; someone changed the result since, it was kept")
        return row, _skipped(row, record, text)
    return row, _skipped(row, record, Message("done before"))


def _skipped(row: BatchRow, record: RowRecord, text: str) -> RowRecord:
    return replace(row.record("skipped", text), alignment=record.alignment, metrics=record.metrics)


def _suspect(row: BatchRow, record: RowRecord, plan: BatchPlan) -> RowRecord:
    """The next step of a row during which the program died."""
    options = plan.options
    changed = _changed(record, *row.match.files)
    if record.state == "crashed" and not changed and not options.retry_crashed:
        return row.record("failed", record.text)
    if is_done(record, options) and not changed:
        return _finished(record, options.out / row.target)
    text = Message("the program was ended while it worked on this pair: tried last and by itself")
    return replace(row.record("queued", changed or text), strikes=record.strikes)


def _finished(record: RowRecord, target: Path) -> RowRecord:
    """The record of a row that was finished, but not recorded as such."""
    return replace(record, state="done", text="", strikes=0, size=result_size(target))


def _new(row: BatchRow, targets: Sequence[Path], options: BatchOptions) -> RowRecord:
    target = next((path for path in targets if path.exists()), None)
    if target is not None and not options.overwrite:
        refused = OutputError(
            Message("Cannot write {0}", target),
            Message("there is a file of that name"),
            Message("Use another template or folder, or allow overwriting."),
        )
        return row.record("failed", refused.message)
    return row.record("queued")


def _aligned_anew(row: BatchRow, record: RowRecord) -> str:
    """A text that says that another way of bringing it onto each other was chosen, or ""."""
    if (row.choice.align or "") == (record.choice.align or ""):
        return ""
    return Message("another registration was chosen for it: fused again")


def _kept_anew(record: RowRecord, choice: AlignChoice) -> str:
    """A text that says that the rig or file it was laid by holds another transform now, or ""."""
    before = (record.alignment or {}).get("kept", "")
    try:
        is_same = not before or before == kept_digest(choice)
    except InputError:  # gone: what was made by it stays
        is_same = True
    return "" if is_same else Message("its rig or transform file changed since: fused again")


def _changed(record: RowRecord, a: tuple[Path, ...], b: tuple[Path, ...]) -> str:
    """A text that names the sources that have changed, or ""."""
    if record.stamps is None:
        return Message("its sources may have changed since: fused again")
    sides = []
    for side, paths, stamp in zip("AB", (a, b), record.stamps, strict=True):
        try:
            if not stamp.still_fits(*paths):
                sides.append(side)
        except FusionError:
            return Message("a source cannot be read or was changed since: fused again")
    if len(sides) == 2:
        return Message("A and B changed since: fused again")
    return Message("{0} changed since: fused again", sides[0]) if sides else ""


def clean_up(plan: BatchPlan, records: Mapping[str, RowRecord]) -> int:
    """Remove temporary files that earlier runs left behind; returns their number.

    This includes folders of recorded rows that are not in ``plan``, and folders of additional files
    that are not written this time. Call it only while the manifest is open, which locks out other
    runs.
    """
    out = plan.options.out
    targets = (*(row.target for row in plan.rows), *(r.target for r in records.values()))
    below = {target.parent for target in targets} | {Path()}
    for target in targets:
        # The program ended between the result and the end of what it was made of.
        left = store_beside(out / target)
        with contextlib.suppress(OSError):  # a name that is too long fails its row later
            if left.is_dir() and (out / target).exists():
                shutil.rmtree(left, ignore_errors=True)
    remove_staging(out)
    tops = (Path(), Path(RECONSTRUCTIONS), Path(FIGURES), Path(THUMBNAILS), Path(REPORTS))
    return sum(remove_parts(out / top / path) for top in tops for path in below)
