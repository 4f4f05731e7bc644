"""The last result in the settings folder, so that it is on screen again after a restart."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.evaluate.settings import EvaluationChoices
from app.preferences.scan_names import may_be_scan
from core.evaluation.result import (
    EvaluationResult,
    MethodDescription,
    MethodScores,
    PairDescription,
    PairScore,
    QuotedMeans,
    SetColumn,
)
from core.messages import Message, from_data, to_data
from core.progress import Progress
from core.types import PairTransform
from core.types.transform_data import transform_of_record, transform_record

_FILE, _VERSION = "evaluation_result.json", 1
_TEXTS = ("problems", "notes")
_PATHS = ("a", "b", "truth", "fused")


def save_result(
    folder: Path, choices: EvaluationChoices, result: EvaluationResult, progress: Progress
) -> None:
    """Write ``result`` to the settings folder, atomically.

    Results of scans are not kept, nor is an earlier one: their files may be named after patients.

    Raises:
        OutputError: it cannot be written.
    """
    from core.io.atomic import atomic_write

    path = folder / _FILE
    if any(may_be_scan(source) for pair in result.pairs for source in (pair.a, pair.b)):
        path.unlink(missing_ok=True)
        return
    data = {"version": _VERSION, "choices": choices.as_json(), "result": _plain(result)}
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write(path, json.dumps(data).encode())


def load_result(
    folder: Path, progress: Progress
) -> tuple[EvaluationChoices, EvaluationResult] | None:
    """The last result with the choices it is of; None if none can be read."""
    try:
        data = json.loads((folder / _FILE).read_bytes())
        if data["version"] != _VERSION:
            return None
        return EvaluationChoices.from_json(data["choices"]), _result(data["result"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _plain(value: Any) -> Any:
    """``value`` as JSON values; NaN stays NaN."""
    if isinstance(value, str):
        return to_data(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if isinstance(value, PairTransform):
        return transform_record(value)
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return {field.name: _plain(getattr(value, field.name)) for field in fields}
    return value


def _result(data: Mapping[str, Any]) -> EvaluationResult:
    known = _known(EvaluationResult, data)
    known["methods"] = tuple(map(_scores, data["methods"]))
    known["pairs"] = tuple(map(_pair, data["pairs"]))
    known["set_columns"] = tuple(
        SetColumn(**_known(SetColumn, one)) for one in data.get("set_columns", ())
    )
    known["quoted"] = tuple(
        QuotedMeans(**_known(QuotedMeans, one)) for one in data.get("quoted", ())
    )
    return EvaluationResult(**known)


def _pair(data: Mapping[str, Any]) -> PairDescription:
    known = _known(PairDescription, data)
    if known.get("transform") is not None:
        known["transform"] = transform_of_record(known["transform"])
    return PairDescription(**known)


def _scores(data: Mapping[str, Any]) -> MethodScores:
    known = _known(MethodScores, data)
    known["method"] = MethodDescription(**_known(MethodDescription, data["method"]))
    known["pairs"] = tuple(map(_score, data["pairs"]))
    return MethodScores(**known)


def _score(data: Mapping[str, Any]) -> PairScore:
    known = _known(PairScore, data)
    error = data.get("error")
    known["error"] = None if error is None else Message.plain(from_data(error))
    return PairScore(**known)


def _known(kind: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of ``kind`` in ``data``, without those of other versions."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        if field.name not in data:
            continue
        value = data[field.name]
        if field.name in _PATHS:
            value = None if value is None else Path(value)
        elif field.name in _TEXTS:
            value = tuple(map(from_data, value))
        elif isinstance(value, list):
            value = tuple(value)
        found[field.name] = value
    return found
