"""The result of one run of an ablation: scores on every validation pair, as a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from core.errors import InputError, Message
from core.io.atomic import atomic_write
from trainer.config.config import TrainConfig, train_adapter

_FORMAT = 1
_MAX_BYTES = 64_000_000

_Finite = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True)
class RunResult:
    """Scores of one finished run.

    Attributes:
        config: with which it was trained.
        scores: by name of the validation pair and metric; a metric that is not defined on a pair is
            missing there.
        steps, seconds: of training, without validation.
        pairs: number of training pairs.
        device: on which it was trained.
        data_sha256, validation_sha256: fingerprints of the files.
        software: versions.
    """

    variant: str
    config: TrainConfig
    _: KW_ONLY
    scores: Mapping[str, Mapping[str, _Finite]]
    steps: int
    seconds: float
    pairs: int
    device: str
    data_sha256: str
    validation_sha256: str
    software: Mapping[str, str] = field(default_factory=dict)

    @property
    def means(self) -> dict[str, float]:
        """By metric the mean over the validation pairs on which it is defined."""
        rows = list(self.scores.values())
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: fmean(row[name] for row in rows if name in row) for name in names}


_adapter = TypeAdapter(RunResult)


def write_result(path: Path, result: RunResult) -> None:
    """Write a result atomically.

    Raises:
        OutputError: it cannot be written.
    """
    plain: dict[str, Any] = asdict(result)
    plain["config"] = train_adapter.dump_python(result.config, mode="json")
    atomic_write(path, json.dumps({"format": _FORMAT, **plain}, indent=1).encode())


def read_result(path: Path) -> RunResult | None:
    """Read a result; None if there is none or it is damaged, so that the run is repeated.

    Raises:
        InputError: another version of this program wrote it.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        raw = json.loads(path.read_text(encoding="utf-8"))
        known = raw.pop("format") == _FORMAT
        if known:
            result = _adapter.validate_python(raw)
            return result if result.means else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    raise InputError(
        str(path),
        Message("another version of this program wrote it"),
        Message("Give another output folder."),
    )
