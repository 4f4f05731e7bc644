"""The pairs of a batch as a text that a person can edit: TOML, series by their keys."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.alignment.aligning import check_choice
from core.alignment.choice import AlignChoice
from core.batch.manifest import MANIFEST_NAME, BatchManifest
from core.batch.row_choice import NO_CHOICE, OwnChoices, RowChoice
from core.errors import InputError, Message
from core.pairing.plan import Match, PairingPlan
from core.pairing.study_pairs import could_be_source, paired_by_hand, short_key
from core.types import SeriesHeader

_HEAD = """\
# Pairs of a batch of UniFusion Studio: unifusion batch SOURCES -o OUT --plan THIS_FILE
# Change a and b, leave a pair out by “use = false”, or add one. Series are named by their keys, or
# by the beginnings of these; pictures by their files. “align” is for single pairs: “register”,
# “none”, or “rig NAME”.
"""
_FIELDS = frozenset({"a", "b", "use", "align"})
_LEAST_KEY = 4
"""Characters by which a series may be named."""


@dataclass(frozen=True)
class EditedPairs:
    """Pairs as a plan says.

    Attributes:
        pairing: them; what was proposed and is not in the plan is excluded.
        own: what is chosen for single pairs.
        missing: how many pairs of the plan are not among the files.
    """

    pairing: PairingPlan
    own: OwnChoices
    missing: int = 0


def plan_text(pairing: PairingPlan, own: OwnChoices | None = None) -> str:
    """The pairs as TOML, with all series that could be A or B as comments. Nobody is named."""
    own = own or {}
    series = _series_of(pairing)
    lines = [_HEAD]
    if series:
        lines += ["# Series, by patient:", *_listed(series.values()), ""]
    for match in pairing.matches:
        choice = own.get((match.a, match.b), NO_CHOICE)
        lines += ["[[pair]]", *_sources(match), f"use = {'false' if match.excluded else 'true'}"]
        lines += [f"align = {json.dumps(choice.align)}"] if choice.align else []
        lines.append("")
    return "\n".join(lines)


def _series_of(pairing: PairingPlan) -> dict[str, SeriesHeader]:
    """All series by their keys; of those of no pair, what may be A or B."""
    paired = [one for m in pairing.matches if m.study is not None for one in (m.study.a, m.study.b)]
    others = [one for one in pairing.series if could_be_source(one)]
    return {one.key: one for one in (*paired, *others)}


def _listed(series: Iterable[SeriesHeader]) -> Iterator[str]:
    for one in sorted(series, key=lambda one: (one.patient, one.modality, one.number or 0)):
        patient = f"patient {short_key(one.patient)}" if one.patient else "patient unknown"
        yield f"#   {one.key}  {_told(one)}  {patient}"


def _told(series: SeriesHeader) -> str:
    return f"{series.modality} {'×'.join(map(str, reversed(series.shape)))}"


def _sources(match: Match) -> Iterator[str]:
    study = match.study
    if study is None:
        yield f"a = {json.dumps(str(match.a), ensure_ascii=False)}"
        yield f"b = {json.dumps(str(match.b), ensure_ascii=False)}"
        return
    for side, one in (("a", study.a), ("b", study.b)):
        is_open = study.equals and study.open_side == side
        also = f"; as good: {', '.join(s.key for s in study.equals)}" if is_open else ""
        yield f'{side} = "{one.key}"  # {_told(one)}{also}'


def read_plan(path: Path, pairing: PairingPlan) -> EditedPairs:
    """The pairs of a plan file.

    Args:
        pairing: what is among the files, and what is proposed of it.

    Raises:
        InputError: it cannot be read, or names something that is not there.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            Message("The plan {0}", path),
            Message("it cannot be read as text"),
            Message("Write one by --write-plan FILE, and edit that."),
        ) from error
    return edited_pairs(text, pairing, name=str(path))


def edited_pairs(
    text: str, pairing: PairingPlan, *, name: str = "", resumes: bool = False
) -> EditedPairs:
    """The pairs of a plan.

    Args:
        pairing: what is among the files, and what is proposed of it.
        name: of the file, for errors.
        resumes: it is that of an earlier run: what is not there any more is left out, and pairs of
            series that it does not know are added.

    Raises:
        InputError: it is no plan, or names something that is not there.
    """
    found = _Finder(pairing, Message("The plan {0}", name))
    matches: dict[tuple[Path, Path], Match] = {}
    own: dict[tuple[Path, Path], RowChoice] = {}
    missing = 0
    for number, row in enumerate(_rows(text, found), start=1):
        try:
            match = found.match(number, row)
        except InputError:
            if not resumes:
                raise
            missing += 1
            continue
        key = match.a, match.b
        if key in matches and not resumes:
            raise found.error(number, Message("an earlier pair has the same a and b"))
        matches.setdefault(key, match)
        if row.get("align"):
            own[key] = RowChoice(align=found.align(number, row["align"]))
    used = {frozenset(key) for key in matches}
    known = {match.a for match in matches.values()} | {match.b for match in matches.values()}
    rest = [
        m if resumes and m.a not in known else replace(m, excluded=True)
        for m in pairing.matches
        if frozenset((m.a, m.b)) not in used
    ]
    every = (*matches.values(), *rest)
    there = {path for match in every for path in (match.a, match.b)}
    loose = tuple(item for item in pairing.leftovers if item.path not in there)
    return EditedPairs(replace(pairing, matches=every, leftovers=loose), own, missing)


def recorded_pairs(pairing: PairingPlan) -> str:
    """The pairs for the record of a run; "" without studies, whose files are paired by name."""
    return plan_text(pairing) if any(m.study is not None for m in pairing.matches) else ""


def resumed_pairs(folder: Path, pairing: PairingPlan) -> PairingPlan:
    """The pairs of the run that is recorded in ``folder``, which may have been edited, with those
    that have come since; ``pairing`` itself where there is none.

    Raises:
        InputError: the record is damaged. OutputError: that run is in progress.
    """
    if not (folder / MANIFEST_NAME).is_file():
        return pairing
    manifest = BatchManifest(folder)
    try:
        text = manifest.meta().get("pairs", "")
    finally:
        manifest.close()
    return edited_pairs(text, pairing, resumes=True).pairing if text else pairing


def _rows(text: str, found: _Finder) -> list[Mapping[str, Any]]:
    try:
        rows = tomllib.loads(text).get("pair")
    except tomllib.TOMLDecodeError as error:
        raise found.error(0, Message.plain(str(error))) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise found.error(0, Message("it has no [[pair]]"))
    return rows


class _Finder:
    """Finds what a plan names among series and files."""

    def __init__(self, pairing: PairingPlan, subject: str) -> None:
        self._subject = subject
        self._series = _series_of(pairing)
        self._proposed = {(m.a, m.b): m for m in pairing.matches}
        self._folders = {key: m.folder for m in pairing.matches for key in _keys(m)}

    def error(self, number: int, why: str) -> InputError:
        """Of pair ``number``, from 1; 0 for the whole file."""
        if number:
            why = Message("[[pair]] number {0}: {1}", number, why)
        return InputError(
            self._subject, why, Message("Write one anew by --write-plan FILE, and compare.")
        )

    def align(self, number: int, text: object) -> str:
        """How a pair is laid on each other."""
        try:
            choice = AlignChoice.of_text(str(text))
            check_choice(choice)
        except InputError as error:
            raise self.error(number, error.message) from error
        return choice.text()

    def match(self, number: int, row: Mapping[str, Any]) -> Match:
        """A pair of the plan.

        Raises:
            InputError: it names something that is not there.
        """
        unknown = sorted(row.keys() - _FIELDS)
        if unknown:
            raise self.error(number, Message("“{0}” is none of a, b, use, align", unknown[0]))
        use = row.get("use", True)
        if not isinstance(use, bool):
            raise self.error(number, Message("“use” is true or false"))
        a, b = (self._source(number, side, row.get(side)) for side in ("a", "b"))
        match = self._pair(number, a, b)
        return replace(match, excluded=not use)

    def _source(self, number: int, side: str, value: object) -> SeriesHeader | Path:
        if not isinstance(value, str) or not value.strip():
            raise self.error(number, Message("“{0}” is missing", side))
        named = [
            one for key, one in self._series.items()
            if key == value or (len(value) >= _LEAST_KEY and key.startswith(value))
        ]  # fmt: skip
        if len(named) == 1:
            return named[0]
        if named:
            raise self.error(number, Message("several series have keys that begin with {0}", value))
        path = Path(os.path.abspath(Path(value).expanduser()))  # noqa: PTH100
        if not path.is_file():
            text = Message("{0} is neither the key of a series among these files nor a file", value)
            raise self.error(number, text)
        return path

    def _pair(self, number: int, a: SeriesHeader | Path, b: SeriesHeader | Path) -> Match:
        file_a, file_b = (one if isinstance(one, Path) else one.files[0] for one in (a, b))
        if a is b or (isinstance(a, Path) and a == b):
            raise self.error(number, Message("a and b are the same"))
        known = self._proposed.get((file_a, file_b))
        turned = self._proposed.get((file_b, file_a))
        if known is None and turned is not None:
            known = turned.swapped()
        if known is not None:
            # In the plan, so it is chosen.
            study = None if known.study is None else replace(known.study, equals=())
            return replace(known, study=study)
        if isinstance(a, Path) or isinstance(b, Path):
            if isinstance(a, Path) != isinstance(b, Path):
                raise self.error(number, Message("one is a series, the other a picture"))
            return Match(file_a.stem, file_a, file_b, Message("as the plan says"))
        study = paired_by_hand(a, b)
        if "DICOM" in (a.kind, b.kind):
            return Match.of_series(study)
        folder = self._folders.get(a.key, Path())
        return Match(file_a.stem, file_a, file_b, study.reason, folder, study=study)


def _keys(match: Match) -> tuple[str, ...]:
    return () if match.study is None else (match.study.a.key, match.study.b.key)
