"""The last batch in the settings folder: its pairs and choices, so that it can be resumed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.batch.settings import BatchChoices
from app.pairs.edits import PairKey
from app.preferences.hidden_paths import HiddenPath
from core.batch.row_choice import RowChoice
from core.messages import from_data, to_data
from core.progress import Progress

if TYPE_CHECKING:
    from core.batch import FoundRun
    from core.pairing.plan import PairingPlan

_FILE, _VERSION = "batch.json", 1


@dataclass(frozen=True)
class LastBatch:
    """The last batch.

    Attributes:
        sources: dropped files and folders.
        choices: settings of the run.
        pairing: its pairs, including excluded ones.
        is_open: whether it was started and has not finished.
        found: the run recorded in its output folder; not saved.
        own: what was chosen for single pairs.
        has_volumes: some pairs are series, which are to be looked for again: only their first files
            are saved.
    """

    sources: tuple[Path, ...]
    choices: BatchChoices
    pairing: PairingPlan
    is_open: bool = True
    _: KW_ONLY
    found: FoundRun | None = None
    own: Mapping[PairKey, RowChoice] = field(default_factory=dict)
    has_volumes: bool = False


def save_last_batch(folder: Path, last: LastBatch, progress: Progress) -> None:
    """Write ``last`` to the settings folder, atomically.

    Of a batch with series, whose folders are often named after patients, paths are kept as hashes.

    Raises:
        OutputError: it cannot be written.
    """
    from core.io.atomic import atomic_write

    hides = any(match.study is not None for match in last.pairing.matches)

    def kept(path: Path) -> str | list[str]:
        return _hidden(path) if hides and path.is_absolute() else str(path)

    out = last.choices.folder
    data = {
        "version": _VERSION,
        "open": last.is_open,
        "sources": [kept(path) for path in last.sources],
        "choices": {**last.choices.as_json(), "out": "" if out is None else kept(out)},
        "pairs": [
            [kept(m.a), kept(m.b), m.name, str(m.folder), to_data(m.reason), m.sure, m.excluded]
            for m in last.pairing.matches
        ],
        "volumes": hides,
        "own": [[kept(a), kept(b), choice.as_json()] for (a, b), choice in last.own.items()],
    }
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write(folder / _FILE, json.dumps(data).encode())


def load_last_batch(folder: Path, progress: Progress) -> LastBatch | None:
    """The last batch with the run in its output folder; None if none can be read."""
    from app.batch.settings import options_of
    from core.batch import find_run
    from core.errors import FusionError

    try:
        last = _from_json(json.loads((folder / _FILE).read_bytes()))
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    try:
        found = find_run(options_of(last.choices, resume=True)) if last.is_open else None
    except FusionError:  # damaged, or in use by another window
        found = None
    return replace(last, found=found)


def _from_json(data: Any) -> LastBatch:
    from core.pairing.plan import Match, PairingPlan

    if data["version"] != _VERSION:
        raise ValueError("another version wrote it")
    matches = tuple(
        Match(
            str(name), a, b, from_data(reason), Path(folder),
            sure=bool(sure), excluded=bool(excluded),
        )
        for (a, b), (_, _, name, folder, reason, sure, excluded) in _of_pairs(data["pairs"])
    )  # fmt: skip
    sources = tuple(path for kept in data["sources"] if (path := _found(kept)) is not None)
    chosen = dict(data["choices"])
    folder = _found(chosen.get("out") or "") if chosen.get("out") else None
    choices = BatchChoices.from_json({**chosen, "out": "" if folder is None else str(folder)})
    own = {pair: _choice(kept) for pair, (_, _, kept) in _of_pairs(data.get("own", ()))}
    return LastBatch(
        sources,
        choices,
        PairingPlan(matches),
        bool(data["open"]),
        own=own,
        has_volumes=data.get("volumes") is True,
    )


def _of_pairs(rows: Iterable[Any]) -> Iterator[tuple[PairKey, Any]]:
    """Those rows whose two files, which they begin with, are found again."""
    for row in rows:
        a, b = _found(row[0]), _found(row[1])
        if a is not None and b is not None:
            yield (a, b), row


def _hidden(path: Path) -> list[str]:
    hidden = HiddenPath.of(path)
    return [hidden.start, *hidden.parts]


def _found(kept: object) -> Path | None:
    """A path as it was kept; of a hidden one, if it is still there."""
    if not isinstance(kept, list):
        return Path(str(kept))
    start, *parts = map(str, kept)
    return HiddenPath(start, tuple(parts)).found()


def _choice(kept: object) -> RowChoice:
    # Earlier versions kept only whether B is resampled.
    return RowChoice(kept) if isinstance(kept, bool) else RowChoice.from_json(dict(kept))  # type: ignore[call-overload]
