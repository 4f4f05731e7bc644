"""What a batch will do, settled before anything is read: rows, names, troubles."""

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
from core.batch.settings import AS_SOURCES, FLAGS, OF_ROWS, WINDOWS, BatchSettings
from core.errors import InputError, Message
from core.io.atomic import output_error
from core.io.writer import WRITE_SUFFIXES
from core.pairing.folders import Match, PairingPlan
from core.tasks import get_task
from core.windows import check_window, window_text

RECONSTRUCTIONS, FIGURES, THUMBNAILS = "_reconstructions", "_figures", "_thumbnails"
"""Folders below the output folder for what comes beside the fused images."""

Own = Mapping[tuple[Path, Path], bool]
"""Whether B is resampled in single rows, by their two files; the options count for all others."""


@dataclass(frozen=True, kw_only=True)
class BatchOptions(BatchSettings):
    """How a batch is run: what is chosen, and where and how hard it works.

    Attributes:
        out: folder for results and the manifest; made when missing.
        resume: go on with the run recorded in ``out``, if there is one; failed rows are tried
            again.
        retry_crashed: those the program died of as well.
        workers: pairs that are read, and as many that are written, beside one that is fused; 1 or
            more. Where more than one pair a core does not pay, fewer are taken at once.
        in_flight: pairs worked on at once, at most; 0 for two per worker and one more.
        memory: bytes of decoded images in memory at once, about, and as much again for what
            networks need for small ones; one pair is always let in.
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
        """Pairs in memory at once, at most."""
        return self.in_flight or 2 * self.workers + 1

    def settings(self) -> dict[str, str]:
        """What makes results differ: a run is only gone on with when all of it is the same."""
        body, _ = split_template(self.template)
        return {
            "task": self.task,
            "method": self.method,
            "template": body,
            "format": self.suffix,
            "depth": str(self.depth or AS_SOURCES),
            **{said: _yes(getattr(self, flag)) for flag, said in FLAGS.items()},
            **{
                said: window_text(getattr(self, name))
                for name, said in WINDOWS.items()
                if getattr(self, name) is not None
            },
        }

    def check(self) -> None:
        """Raises InputError where options are unknown, out of range or contradict each other."""
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
        key: the same in every run over the same two files.
        match: the pair and why it is one.
        target: path of the fused image below the output folder.
        problem: why this row cannot be done, or "".
        note: what a person should know about its name, or "".
        resample: whether B is resampled to the size of A where they differ; None: as the options
            say.
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
    """Options and rows, in the order they will be worked on.

    Reorder rows with :func:`dataclasses.replace`; names stay with their rows. To retry failed ones,
    run the whole plan again with ``options.resume``: finished rows are skipped without being read,
    and table and contact sheet stay whole.
    """

    options: BatchOptions
    rows: tuple[BatchRow, ...]

    def outputs(self, row: BatchRow) -> tuple[Path, ...]:
        """Every image of ``row`` that must be there when it is done, the fused one first."""
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
        """Path below the output folder of the strip shown on the contact sheet."""
        return THUMBNAILS / row.target.with_suffix(".jpg")


def row_key(match: Match) -> str:
    """Names a pair of files, in this order, wherever the program is started."""
    # JSON-like escapes keep names that are no valid Unicode apart.
    text = "\0".join(os.path.abspath(path) for path in (match.a, match.b))  # noqa: PTH100
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def plan_rows(
    pairing: PairingPlan,
    options: BatchOptions,
    known: Mapping[str, RowRecord] | None = None,
    own: Own | None = None,
) -> BatchPlan:
    """Name every active pair of ``pairing``.

    Two rows that would have one name are numbered in the order of the plan (``x``, ``x_2``, …).

    Args:
        known: rows of an earlier run, by key: they keep their names and their own settings.
        own: rows that have a setting of their own, by their two files.

    Raises:
        InputError: an option is wrong.
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
    """The name ``match`` would get as number ``index``, below the output folder.

    Raises:
        InputError: the template is wrong.
    """
    body, _ = split_template(options.template)
    stem = fill(body, match, options.task, options.method, index)
    folder = safe_folder(match.folder) if options.keep_tree else Path()
    return folder / stem.with_name(stem.name + options.suffix)


def row_problem(row: BatchRow, plan: BatchPlan, sources: set[str]) -> str:
    """Why ``row`` would harm a file that is there, or cannot be written at all, or ""."""
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
"""Names and values in :meth:`BatchOptions.settings` that are words, not names of something."""


def _worded(text: str | None) -> str:
    return _WORDS.get(text or "none", text or "")


def blocking(settings: Mapping[str, str]) -> dict[str, str]:
    """Those that all results of one run have in common."""
    return {key: value for key, value in settings.items() if key not in OF_ROWS}


def of_rows(settings: Mapping[str, str]) -> dict[str, str]:
    """Those that may change on the way, since they leave rows that are done as they are."""
    return {key: value for key, value in settings.items() if key in OF_ROWS}


def differences(mine: Mapping[str, str], theirs: Mapping[str, str]) -> Sequence[str]:
    """Settings that differ, one phrase each."""
    return [
        Message("{0}: {1} then, {2} now", *map(_worded, (key, theirs.get(key), mine.get(key))))
        for key in dict.fromkeys((*mine, *theirs))
        if mine.get(key, "") != theirs.get(key, "")
    ]
