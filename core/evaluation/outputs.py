"""Files that an evaluation must not write over: what it reads, and pictures of any kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from core.batch.manifest import MANIFEST_NAME
from core.batch.report import REGISTRATION_NAME
from core.errors import Message, OutputError
from core.evaluation.plan import EvaluationPlan
from core.evaluation.result import EvaluationResult, PairDescription
from core.io.reader import is_image
from core.io.writer import check_target


def check_outputs(
    outputs: Sequence[Path], sources: Iterable[Path], read: Iterable[Path] = ()
) -> None:
    """Refuse ``outputs`` that would replace what is read or each other.

    Args:
        outputs: files to write.
        sources: pictures of pairs, with their ground truth.
        read: other files that are read: results, tables, programs.

    Raises:
        OutputError: an output is one of these files, also by a link; it is a picture that is
            there; or two outputs are the same file.
    """
    _check_distinct(outputs)
    there = [path for path in outputs if path.is_file()]
    if not there:
        return
    sources, read = list(sources), list(read)
    for path in there:
        check_target(path, protect=[one for one in sources if _is_same(path, one)])
        if any(_is_same(path, one) for one in read):
            raise _refused(path, Message("it is one of the files that are read for this"))
        if is_image(path):
            raise _refused(path, Message("it is a picture, which no table or report replaces"))


def sources_of(pairs: Iterable[PairDescription]) -> list[Path]:
    """Both sources and the ground truth of all ``pairs``."""
    return [path for pair in pairs for path in (pair.a, pair.b, pair.truth) if path is not None]


def files_of(plan: EvaluationPlan) -> list[Path]:
    """The files that the options of ``plan`` name, and records of batches; without results."""
    folders = [plan.sources, *(Path(c.value) for c in plan.methods if c.kind == "folder")]
    named = [*plan.downstream, Path(plan.group_by)]
    named += [one / name for one in folders for name in (MANIFEST_NAME, REGISTRATION_NAME)]
    named += [] if plan.quoted is None else [plan.quoted]
    return named + [Path(choice.value) for choice in plan.methods if choice.kind == "pack"]


def check_report(result: EvaluationResult, path: Path, read: Sequence[Path] = ()) -> None:
    """Refuse to write a report of ``result`` over a file that it is about.

    Args:
        read: other files that are read for it: tables of groups, of other tasks, of quoted means.

    Raises:
        OutputError: as in :func:`check_outputs`.
    """
    fused = (score.fused for scores in result.methods for score in scores.pairs)
    files = [*(one for one in fused if one is not None), *read]
    check_outputs([path], sources_of(result.pairs), files)


def _check_distinct(outputs: Sequence[Path]) -> None:
    for index, path in enumerate(outputs):
        for other in outputs[:index]:
            if path.resolve() == other.resolve() or _is_same(path, other):
                raise _refused(path, Message("another output has the same name"))


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):
        return False


def _refused(path: Path, why: Message) -> OutputError:
    return OutputError(Message("Cannot write {0}", path), why, Message("Use another name."))
