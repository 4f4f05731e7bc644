"""The plan of a batch, made before any image is read: rows, names of results, problems."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path

from core.batch.naming import (
    fill,
    length_problem,
    safe_folder,
    same_name_key,
    split_template,
)
from core.batch.row_record import RowRecord, RowState
from core.batch.settings import AS_SOURCES, FLAGS, PER_ROW, WINDOWS, BatchSettings
from core.errors import InputError, Message
from core.io.atomic import output_error
from core.io.writer import WRITE_SUFFIXES
from core.pairing.folders import Match, PairingPlan
from core.tasks import get_task
from core.windows import check_window, window_text

RECONSTRUCTIONS, FIGURES, THUMBNAILS = "_reconstructions", "_figures", "_thumbnails"
"""Folders below the output folder for files besides the fused images."""

ResampleChoices = Mapping[tuple[Path, Path], bool]
"""Whether B is resampled, by the two files of single rows; the options hold for all others."""


@dataclass(frozen=True, kw_only=True)
class BatchOptions(BatchSettings):
    """Options of a run: the settings of its results, the output folder, and limits.

    Attributes:
        out: folder for results and the manifest; made if missing.
        resume: resume the run recorded in ``out``, if any; failed rows are retried.
        retry_crashed: also retry rows at which the program crashed.
        workers: 1 to 64; pairs that are read, and pairs that are written, while one is fused.
            Fewer are used where more than one pair per core is no faster.
        in_flight: the most pairs in progress at once; 0 for two per worker and one more.
        memory: approximate bytes of decoded images at once, and as many again for the networks of
            small ones; one pair is always admitted.
    """

    out: Path
    resume: bool = False
    retry_crashed: bool = False
    workers: int = 2
    in_flight: int = 0
    memory: int = 2 * 2**30

    @property
    def suffix(self) -> str:
        """Suffix of results, with the dot."""
        of_template = split_template(self.template)[1]
        return f".{self.format.lower().lstrip('.')}" if self.format else of_template or ".png"

    @property
    def most_in_flight(self) -> int:
        """The most pairs in progress at once."""
        return self.in_flight or 2 * self.workers + 1

    def settings(self) -> dict[str, str]:
        """Settings that affect results, as they are recorded and compared when a run is resumed."""
        body, _ = split_template(self.template)
        return {
            "task": self.task,
            "method": self.method,
            "template": body,
            "format": self.suffix,
            "depth": str(self.depth or AS_SOURCES),
            **{key: _yes(getattr(self, flag)) for flag, key in FLAGS.items()},
            **{
                key: window_text(getattr(self, name))
                for name, key in WINDOWS.items()
                if getattr(self, name) is not None
            },
        }

    def check(self) -> None:
        """Check all options.

        Raises:
            InputError: one is unknown or out of range, or two contradict each other.
        """
        get_task(self.task)
        for window in self.windows:
            check_window(window)
        _, of_template = split_template(self.template)
        if self.suffix not in WRITE_SUFFIXES:
            known = ", ".join(suffix[1:] for suffix in WRITE_SUFFIXES)
            raise InputError(
                Message("Unknown format “{0}”", self.format),
                remedy=Message("Choose one of: {0}.", known),
            )
        if self.format and of_template and of_template != self.suffix:
            raise InputError(
                Message("Name template “{0}”", self.template),
                Message("its suffix is not the format {0}", self.format),
                Message("Leave out one of the two."),
            )
        most = 32 if self.suffix in (".tif", ".tiff") else 16 if self.suffix == ".png" else 8
        if self.depth not in (None, 8, 16, 32) or (self.depth or 8) > most:
            raise InputError(
                Message("{0} bits", self.depth),
                Message("{0} holds at most {1} bits", self.suffix[1:].upper(), most),
                Message("Choose 8, 16 or 32 bits and a format that holds them; TIFF holds all."),
            )
        if not 1 <= self.workers <= 64 or self.in_flight < 0 or self.memory < 1:
            raise InputError(
                Message("{0} workers", self.workers), remedy=Message("Choose 1 to 64.")
            )
        try:
            is_file = self.out.exists() and not self.out.is_dir()
        except OSError as error:
            raise output_error(self.out, error) from error
        if is_file:
            raise InputError(
                str(self.out), Message("it is a file"), Message("Choose a folder for the results.")
            )


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One pair of a batch.

    Attributes:
        key: identifies the two files in every run; see :func:`row_key`.
        match: the pair.
        target: path of the fused image below the output folder.
        problem: why this row cannot be fused, or "".
        note: remark on its name, or "".
        resample: whether B is resampled to the size of A where they differ; None: as in the
            options.
        is_own: the files under its names are those of an earlier run of this row, and may be
            replaced.
    """

    key: str
    match: Match
    target: Path
    _: KW_ONLY
    problem: str = ""
    note: str = ""
    resample: bool | None = None
    is_own: bool = False

    def record(self, state: RowState, text: str = "") -> RowRecord:
        """A record of this row in ``state``, of which nothing else is known yet."""
        a, b = self.match.a, self.match.b
        return RowRecord(self.key, a, b, self.target, state, text=text, resample=self.resample)


@dataclass(frozen=True)
class BatchPlan:
    """Options and rows, in the order of work.

    Reorder rows with :func:`dataclasses.replace`; their names stay the same. To retry failed rows,
    run the whole plan again with ``options.resume``: finished rows are skipped without being read,
    and table and contact sheet stay complete.
    """

    options: BatchOptions
    rows: tuple[BatchRow, ...]

    def outputs(self, row: BatchRow) -> tuple[Path, ...]:
        """Paths of all images of a finished ``row``, the fused one first."""
        options, stem = self.options, row.target.with_suffix("")
        paths = [row.target]
        if options.reconstructions:
            for side in "ab":
                name = f"{stem.name}_reconstruction_{side}{options.suffix}"
                paths.append(RECONSTRUCTIONS / stem.parent / name)
        if options.figures:
            paths.append(FIGURES / stem.parent / f"{stem.name}.png")
        return tuple(options.out / path for path in paths)

    def resamples(self, row: BatchRow) -> bool:
        """Whether B of ``row`` is resampled to the size of A where they differ."""
        return self.options.resample if row.resample is None else row.resample

    def overwrites(self, row: BatchRow) -> bool:
        """Whether files that exist under the names of ``row`` may be replaced."""
        return self.options.overwrite or row.is_own

    def thumbnail(self, row: BatchRow) -> Path:
        """Path below the output folder of the strip of ``row`` for the contact sheet."""
        return THUMBNAILS / row.target.with_suffix(".jpg")


def row_key(match: Match) -> str:
    """32 hex digits that identify the two files of a pair, in order, by their absolute paths."""
    # Surrogates keep names apart that are no valid Unicode.
    text = "\0".join(os.path.abspath(path) for path in (match.a, match.b))  # noqa: PTH100
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def plan_rows(
    pairing: PairingPlan,
    options: BatchOptions,
    known: Mapping[str, RowRecord] | None = None,
    own: ResampleChoices | None = None,
) -> BatchPlan:
    """Plan a row for every active pair of ``pairing``.

    Rows of the same name are numbered in the order of the plan (``x``, ``x_2``, …).

    Args:
        known: records of an earlier run, by key: those rows keep their names and choices.
        own: whether B is resampled, for rows with a choice of their own.

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
            target = _free(wanted, taken)
            if target != wanted:
                note = Message("numbered: another result is called {0}", wanted.name)
        taken.add(same_name_key(target))
        recorded = record.resample if record is not None else None
        resample = own.get((match.a, match.b), recorded)
        rows.append(BatchRow(key, match, target, note=note, resample=resample))
    plan = BatchPlan(options, tuple(rows))
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
    return folder / stem.with_name(stem.name + options.suffix)


def row_problem(row: BatchRow, plan: BatchPlan, sources: set[str]) -> str:
    """Why ``row`` cannot be written, or would replace one of ``sources`` (real paths); else ""."""
    path = plan.options.out / row.target
    if problem := length_problem((*plan.outputs(row), plan.options.out / plan.thumbnail(row))):
        return problem
    if os.path.realpath(path) in sources:
        return Message("the result would replace a source; choose another folder or template")
    if path.is_dir():
        return Message("there is a folder of that name; choose another template")
    return ""


def _free(wanted: Path, taken: set[str]) -> Path:
    number, path = 1, wanted
    while same_name_key(path) in taken:
        number += 1
        path = wanted.with_name(f"{wanted.stem}_{number}{wanted.suffix}")
    return path


def _yes(value: bool) -> str:
    return "yes" if value else "no"


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
