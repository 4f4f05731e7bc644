"""The plan of a batch, made before any image is read: rows, names of results, problems."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path

from core.alignment.aligning import check_choice
from core.alignment.choice import AlignChoice
from core.batch.naming import (
    fill,
    length_problem,
    safe_folder,
    same_name_key,
    split_template,
)
from core.batch.options import BatchOptions
from core.batch.row_choice import NO_CHOICE, OwnChoices, RowChoice
from core.batch.row_record import RowRecord, RowState
from core.batch.settings import PER_ROW
from core.errors import InputError, Message
from core.fusion.study_problems import study_problem
from core.pairing.folders import Match, PairingPlan
from core.pairing.study_pairs import SeriesPair, label

RECONSTRUCTIONS, FIGURES, THUMBNAILS = "_reconstructions", "_figures", "_thumbnails"
REPORTS = "_reports"
OWN_FOLDERS = (RECONSTRUCTIONS, FIGURES, THUMBNAILS, REPORTS)
"""Folders below the output folder for files besides the fused images."""

VOLUME_SUFFIX = ".nii.gz"
"""Of results of two volumes."""


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One pair of a batch.

    Attributes:
        key: identifies the two files in every run; see :func:`row_key`.
        match: the pair.
        target: path of the fused image below the output folder.
        problem: why this row cannot be fused, or "".
        note: remark on its name, or "".
        choice: what holds for it instead of the options.
        is_own: the files under its names are those of an earlier run of this row, and may be
            replaced.
    """

    key: str
    match: Match
    target: Path
    _: KW_ONLY
    problem: str = ""
    note: str = ""
    choice: RowChoice = NO_CHOICE
    is_own: bool = False

    @property
    def stem(self) -> str:
        """Name of the result without its suffix."""
        if self.match.study is None:
            return self.target.stem
        return self.target.name.removesuffix(VOLUME_SUFFIX)

    @property
    def thumbnail_stem(self) -> str:
        """Name of its strip, which that of no other row is."""
        return self.target.stem if self.match.study is None else self.target.name

    def record(self, state: RowState, text: str = "") -> RowRecord:
        """A record of this row in ``state``, of which nothing else is known yet."""
        a, b = self.named_sources
        study: dict[str, str] | None = None if self.match.study is None else {}
        return RowRecord(
            self.key, a, b, self.target, state, text=text, choice=self.choice, study=study
        )

    @property
    def named_sources(self) -> tuple[Path, Path]:
        """The sources for records; of DICOM their keys, since folders often name a person."""
        study = self.match.study
        if study is None or "DICOM" not in (study.a.kind, study.b.kind):
            return self.match.a, self.match.b
        return Path(label(study.a)), Path(label(study.b))


@dataclass(frozen=True)
class BatchPlan:
    """Options and rows, in the order of work.

    Reorder rows with :func:`dataclasses.replace`; their names stay the same. To retry failed rows,
    run the whole plan again with ``options.resume``: finished rows are skipped without being read,
    and table and contact sheet stay complete.
    """

    options: BatchOptions
    rows: tuple[BatchRow, ...]
    excluded: tuple[Match, ...] = ()
    """Pairs that a person left out."""

    @property
    def pairing(self) -> PairingPlan:
        """The pairs of all rows, and those that were left out."""
        return PairingPlan((*(row.match for row in self.rows), *self.excluded))

    def outputs(self, row: BatchRow) -> tuple[Path, ...]:
        """Paths of all files of a finished ``row``, the fused image first."""
        options, stem = self.options, row.target.parent / row.stem
        paths = [row.target]
        if options.reconstructions and row.match.study is None:
            for side in "ab":
                name = f"{stem.name}_reconstruction_{side}{options.suffix}"
                paths.append(RECONSTRUCTIONS / stem.parent / name)
        if options.figures:
            paths.append(FIGURES / stem.parent / f"{stem.name}.png")
        if self.writes_report(row):
            paths.append(REPORTS / stem.parent / f"{stem.name}.pdf")
        return tuple(options.out / path for path in paths)

    def writes_report(self, row: BatchRow) -> bool:
        """Whether a report on ``row`` is written; it is the last of its outputs then."""
        return self.options.reports and row.match.study is not None

    def resamples(self, row: BatchRow) -> bool:
        """Whether B of ``row`` is resampled to the size of A where they differ."""
        chosen = row.choice.resample
        return self.options.resample if chosen is None else chosen

    def align_choice(self, row: BatchRow) -> AlignChoice:
        """How the sources of ``row`` are brought onto each other.

        Raises:
            InputError: it is none.
        """
        return self.options.align_choice_by(row.choice.align)

    @property
    def aligns(self) -> bool:
        """Whether any row is brought onto each other."""
        return any(self.align_choice(row).way != "none" for row in self.rows)

    def overwrites(self, row: BatchRow) -> bool:
        """Whether files that exist under the names of ``row`` may be replaced."""
        return self.options.overwrite or row.is_own

    def thumbnail(self, row: BatchRow) -> Path:
        """Path below the output folder of the strip of ``row`` for the contact sheet."""
        return THUMBNAILS / row.target.with_name(f"{row.thumbnail_stem}.jpg")


def row_key(match: Match) -> str:
    """32 hex digits that identify the two files of a pair, in order, by their absolute paths."""
    # Surrogates keep names apart that are no valid Unicode.
    parts = [os.path.abspath(path) for path in (match.a, match.b)]  # noqa: PTH100
    if match.study is not None:
        parts += (match.study.a.key, match.study.b.key)  # a file may hold several series
    text = "\0".join(parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def plan_rows(
    pairing: PairingPlan,
    options: BatchOptions,
    known: Mapping[str, RowRecord] | None = None,
    own: OwnChoices | None = None,
) -> BatchPlan:
    """Plan a row for every active pair of ``pairing``.

    Rows of the same name are numbered in the order of the plan (``x``, ``x_2``, …).

    Args:
        known: records of an earlier run, by key: those rows keep their names and choices.
        own: of rows with a choice of their own; it goes before the recorded one.

    Raises:
        InputError: an option is invalid.
    """
    options.check()
    known, own = known or {}, own or {}
    taken = {same_name_key(record.target) for record in known.values()}
    sources = {os.path.realpath(p) for match in pairing.matches for p in (match.a, match.b)}
    rows: list[BatchRow] = []
    keys: set[str] = set()
    for index, match in enumerate(pairing.active, start=1):
        key = row_key(match)
        if key in keys:
            continue
        keys.add(key)
        record, note = known.get(key), ""
        target = record.target if record is not None else None
        if target is None:
            wanted = preview(match, options, index)
            target = _free(wanted, taken, _suffix(match, options))
            if target != wanted:
                note = Message("numbered: another result is called {0}", wanted.name)
        taken.add(same_name_key(target))
        choice = own.get((match.a, match.b), NO_CHOICE)
        if record is not None:
            choice = choice.over(record.choice)
        rows.append(BatchRow(key, match, target, note=note, choice=choice))
    plan = BatchPlan(options, tuple(rows), tuple(m for m in pairing.matches if m.excluded))
    return replace(
        plan, rows=tuple(replace(row, problem=row_problem(row, plan, sources)) for row in rows)
    )


def preview(match: Match, options: BatchOptions, index: int) -> Path:
    """Path of the result of ``match`` below the output folder, as pair number ``index``.

    Raises:
        InputError: the template is invalid.
    """
    body, _ = split_template(options.template)
    stem = fill(body, match, options.task, options.method, index)
    folder = safe_folder(match.folder) if options.keep_tree else Path()
    return folder / stem.with_name(stem.name + _suffix(match, options))


def _suffix(match: Match, options: BatchOptions) -> str:
    """Of the result: that of a picture or of a volume, or "" for a folder."""
    if match.study is None:
        return options.suffix
    return "" if options.volume_folders else VOLUME_SUFFIX


def row_problem(row: BatchRow, plan: BatchPlan, sources: set[str]) -> str:
    """Why ``row`` cannot be written, or would replace one of ``sources`` (real paths); else ""."""
    path = plan.options.out / row.target
    study = row.match.study
    if problem := _align_problem(row.choice.align):
        return problem
    if study is not None and (problem := _study_problem(study, row, plan)):
        return problem
    if problem := length_problem((*plan.outputs(row), plan.options.out / plan.thumbnail(row))):
        return problem
    if os.path.realpath(path) in sources:
        return Message("the result would replace a source; choose another folder or template")
    if path.is_dir() and not _makes_folder(row, plan.options):
        return Message("there is a folder of that name; choose another template")
    return ""


def _align_problem(align: str | None) -> str:
    """Why a row cannot be brought onto each other as it is chosen for it; "" for nothing."""
    if not align:
        return ""
    try:
        check_choice(AlignChoice.of_text(align))
    except InputError as error:
        return error.message
    return ""


def _study_problem(study: SeriesPair, row: BatchRow, plan: BatchPlan) -> str:
    options = plan.options
    accepted = options.not_registered or plan.align_choice(row).way != "none"
    return study_problem(study, accept=options.accepted, not_registered=accepted)


def _makes_folder(row: BatchRow, options: BatchOptions) -> bool:
    return row.match.study is not None and options.volume_folders


def _free(wanted: Path, taken: set[str], suffix: str) -> Path:
    number, path = 1, wanted
    stem = wanted.name.removesuffix(suffix)
    while same_name_key(path) in taken:
        number += 1
        path = wanted.with_name(f"{stem}_{number}{suffix}")
    return path


_WORDS: dict[str, Message] = {
    str(word): word
    for word in (
        Message("task"),
        Message("method"),
        Message("template"),
        Message("format"),
        Message("depth"),
        Message("folder tree"),
        Message("resample"),
        Message("reconstructions"),
        Message("figures"),
        Message("metrics"),
        Message("window of A"),
        Message("window of B"),
        Message("slices"),
        Message("DICOM"),
        Message("corner of the notice"),
        Message("patient's identity"),
        Message("UIDs of the sources hidden"),
        Message("reports"),
        Message("SUV"),
        Message("palette of A"),
        Message("missing slices"),
        Message("uneven slices"),
        Message("not registered"),
        Message("registration"),
        Message("registered onto"),
        Message("crop"),
        Message("as they are where registration fails"),
        Message("register"),
        Message("yes"),
        Message("no"),
        Message("none"),
        Message("as the sources"),
    )
}
"""Keys and values of :meth:`BatchOptions.settings` that are translated."""


def _word(text: str | None) -> str:
    return _WORDS.get(text or "none", text or "")


def settings_of_run(settings: Mapping[str, str]) -> dict[str, str]:
    """Those of ``settings`` that all rows of a run share."""
    return {key: value for key, value in settings.items() if key not in PER_ROW}


def settings_of_rows(settings: Mapping[str, str]) -> dict[str, str]:
    """Those of ``settings`` that may change when a run is resumed."""
    return {key: value for key, value in settings.items() if key in PER_ROW}


def differences(mine: Mapping[str, str], theirs: Mapping[str, str]) -> Sequence[str]:
    """Phrases for the settings that differ between ``mine`` (now) and ``theirs`` (then)."""
    return [
        Message("{0}: {1} then, {2} now", *map(_word, (key, theirs.get(key), mine.get(key))))
        for key in dict.fromkeys((*mine, *theirs))
        if mine.get(key, "") != theirs.get(key, "")
    ]
