"""What the Batch workspace asks the Fuse workspace to show."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.batch.controller import BatchController
from app.engine import EngineInfo
from app.pairs.edits import key_of
from core.alignment.choice import AlignChoice
from core.types import PairTransform

if TYPE_CHECKING:
    from core.io.volumes import Acceptance
    from core.pairing.plan import Match
    from core.pairing.study_pairs import SeriesPair


@dataclass(frozen=True)
class PairRequest:
    """A pair of the table to be shown in the Fuse workspace.

    Attributes:
        a, b: its files. output: file of its fused image; None while there is none.
        task, method: of the batch. resample: whether B is resampled to the size of A.
        transform: by which one was resampled onto the other; None where none was.
        align: how they will be laid on each other; None once that has been done.
        study: the two series, where the sources are volumes; accept: their accepted problems.
        large: whether the result fills the view.
    """

    a: Path
    b: Path
    _: KW_ONLY
    output: Path | None
    task: str
    method: str
    resample: bool
    large: bool = False
    transform: PairTransform | None = None
    align: AlignChoice | None = None
    study: SeriesPair | None = None
    accept: frozenset[Acceptance] = frozenset()


def pair_request(
    batch: BatchController,
    match: Match,
    output: Path | None,
    engine: EngineInfo | None,
    *,
    large: bool,
) -> PairRequest:
    """The request for a pair of the table, laid on each other as its row says.

    Args:
        output: file of its fused image; None while there is none.
        engine: of the window, which knows the default method.
    """
    key, choices = key_of(match), batch.choices
    record = batch.rows.get(key) if output is not None else None
    methods = engine.methods.get(choices.task, ()) if engine is not None else ()
    return PairRequest(
        match.a,
        match.b,
        output=output,
        task=choices.task,
        method=choices.method or next((one.name for one in methods), ""),
        resample=batch.resamples(key),
        large=large,
        transform=None if record is None else record.transform,
        align=replace(choices, align=batch.align(key)).align_choice if record is None else None,
        study=match.study,
        accept=choices.accepted,
    )
