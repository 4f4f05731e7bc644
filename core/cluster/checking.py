"""What a worker is asked before it is given any work, and why it may be refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.cluster.identity import ProgramIdentity, TaskMethod
from core.errors import FusionError
from core.messages import Message


@dataclass(frozen=True)
class WorkerQuestion:
    """What the submitter wants to know.

    Attributes:
        identity: of the submitter, with the packs of ``methods``.
        methods: that will be used.
        files: some of the sources, with their sizes in bytes here.
    """

    identity: ProgramIdentity
    methods: tuple[TaskMethod, ...] = ()
    files: tuple[tuple[Path, int], ...] = ()

    @classmethod
    def of(cls, methods: Sequence[TaskMethod], files: Sequence[Path] = ()) -> WorkerQuestion:
        """The question of this program; ``files`` that cannot be read here are left out."""
        sizes = []
        for path in files:
            try:
                sizes.append((path.absolute(), path.stat().st_size))
            except OSError:
                continue  # its row fails wherever it is read
        return cls(ProgramIdentity.own(methods), tuple(methods), tuple(sizes))


@dataclass(frozen=True)
class WorkerAnswer:
    """What a worker says.

    Attributes:
        identity: its own, for the same methods.
        unseen: files that it does not see, or sees with another size.
    """

    identity: ProgramIdentity
    unseen: tuple[Path, ...] = ()


def answered(question: WorkerQuestion) -> WorkerAnswer:
    """The answer of this program."""
    unseen = tuple(path for path, size in question.files if _size(path) != size)
    return WorkerAnswer(ProgramIdentity.own(question.methods), unseen)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def refusal(question: WorkerQuestion, answer: WorkerAnswer) -> str:
    """Why a worker with this answer gets no work, without a full stop; "" where it does."""
    mine, theirs = question.identity, answer.identity
    if mine.version != theirs.version:
        return Message("it has version {0}, and here is {1}", theirs.version, mine.version)
    if mine.code != theirs.code:
        return Message(
            "it has version {0}, too, but its engine differs ({1} there, {2} here)",
            theirs.version,
            theirs.code[:8] or "–",
            mine.code[:8] or "–",
        )
    for (task, method), own, other in zip(question.methods, mine.packs, theirs.packs, strict=True):
        name = Path(method).name or Message("the pack for {0}", task)
        if own and not other:
            return Message("it does not have the pack {0}", name)
        if own != other:
            return Message(
                "its pack {0} is another one ({1} there, {2} here)", name, other[:8], own[:8] or "–"
            )
    if answer.unseen:
        return Message(
            "it does not see {0} as it is here: the folder is not shared with it under this path",
            answer.unseen[0],
        )
    return ""


def unanswered(error: BaseException) -> str:
    """Why a worker that did not answer, but raised, gets no work, without a full stop."""
    said = str(error) if isinstance(error, FusionError) else f"{type(error).__name__}: {error}"
    return Message("it cannot be asked what it is ({0})", said.rstrip("."))
