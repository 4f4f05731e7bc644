"""Scores kept from one evaluation to the next, so that one that was cut short goes on."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any, TypeVar

import platformdirs

from core.errors import Message, OutputError
from core.evaluation.result import NO_COST, FusionCost
from core.messages import from_data, to_data

CACHE_NAME = "scores.sqlite"
CACHE_VARIABLE = "UNIFUSION_CACHE"
"""Environment variable with the folder of :func:`default_cache`."""
_FORMAT = 3
_Found = TypeVar("_Found")
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS images (
        key TEXT PRIMARY KEY, seconds REAL, peak INTEGER, device_peak INTEGER,
        is_first INTEGER NOT NULL, notes TEXT NOT NULL, elsewhere INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE IF NOT EXISTS scores (
        key TEXT NOT NULL, metric TEXT NOT NULL, version INTEGER NOT NULL, value REAL,
        milliseconds REAL, PRIMARY KEY (key, metric))""",
    f"PRAGMA user_version = {_FORMAT}",
)


def default_cache() -> Path:
    """Where scores are kept unless another folder is chosen: the cache folder of the user."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    return Path(platformdirs.user_cache_dir("unifusion", appauthor=False)) / "evaluation"


@dataclass(frozen=True)
class KeptScores:
    """Scores of a fused image; a value is NaN where the metric is undefined."""

    values: dict[str, float]
    milliseconds: dict[str, float]
    cost: FusionCost = NO_COST
    notes: tuple[str, ...] = ()


def cache_key(*parts: str) -> str:
    """A key that is equal if all that determines a fused image and its scores is equal.

    A hash: the cache holds no names of files.
    """
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class ScoreCache:
    """An SQLite file of scores by fused image and metric.

    What :meth:`put` was given survives the end of the program at any moment. A cache that cannot be
    read is made anew.
    """

    def __init__(self, folder: Path) -> None:
        """Open the cache in ``folder``, or create it.

        Raises:
            OutputError: it cannot be written.
        """
        self.folder = folder
        self._path = folder / CACHE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                self._db = _opened(self._path)
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._make_anew()
        except (OSError, sqlite3.Error) as error:
            raise self._unwritable(error) from error

    def _make_anew(self) -> None:
        """Open an empty cache in place of a damaged one.

        Its journal goes too: SQLite would replay it into the new file.
        """
        if hasattr(self, "_db"):
            self._db.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(CACHE_NAME + suffix).unlink(missing_ok=True)
        self._db = _opened(self._path)

    def _unwritable(self, error: Exception) -> OutputError:
        return OutputError(
            str(self.folder),
            Message("scores cannot be kept there ({0})", error),
            Message("Choose another folder."),
        )

    def _despite_damage(self, work: Callable[[], _Found]) -> _Found:
        """What ``work`` returns, a second time on a new file where it finds the file damaged.

        Damage beyond the first pages is noticed only by who reads or writes there.

        Raises:
            OutputError: the file cannot be read or written.
        """
        try:
            try:
                return work()
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._make_anew()
                return work()
        except (OSError, sqlite3.Error) as error:
            raise self._unwritable(error) from error

    def get(self, key: str, versions: Mapping[str, int]) -> KeptScores | None:
        """What is known of an image; None if nothing is.

        Args:
            versions: the metrics, each with the version of which a score counts. The scores found
                may be of some of them only, in this order.

        Raises:
            OutputError: the file cannot be read.
        """
        return self._despite_damage(lambda: self._found(key, versions))

    def _found(self, key: str, versions: Mapping[str, int]) -> KeptScores | None:
        image = self._db.execute(
            "SELECT seconds, peak, device_peak, is_first, notes, elsewhere FROM images "
            "WHERE key = ?",
            (key,),
        ).fetchone()
        if image is None:
            return None
        try:
            return self._decoded(key, image, versions)
        except (ValueError, TypeError, KeyError) as error:
            raise sqlite3.DataError("a row is damaged") from error

    def _decoded(self, key: str, image: tuple[Any, ...], versions: Mapping[str, int]) -> KeptScores:
        rows = {
            metric: (nan if value is None else float(value), milliseconds)
            for metric, version, value, milliseconds in self._db.execute(
                "SELECT metric, version, value, milliseconds FROM scores WHERE key = ?", (key,)
            )
            if versions.get(metric) == version
        }
        found = [metric for metric in versions if metric in rows]
        seconds, peak, device_peak, is_first, notes, elsewhere = image
        return KeptScores(
            {metric: rows[metric][0] for metric in found},
            {metric: float(rows[metric][1]) for metric in found if rows[metric][1] is not None},
            FusionCost(seconds, peak, device_peak, bool(is_first), bool(elsewhere)),
            tuple(map(from_data, json.loads(notes))),
        )

    def put(self, key: str, scores: KeptScores, versions: Mapping[str, int]) -> None:
        """Keep the scores of an image, beside those of other metrics that are there.

        Args:
            versions: of the metrics in ``scores``.

        Raises:
            OutputError: they cannot be written.
        """
        rows = [
            (
                key,
                metric,
                versions[metric],
                None if value != value else value,
                scores.milliseconds.get(metric),
            )
            for metric, value in scores.values.items()
        ]
        cost = scores.cost
        image = (
            key,
            cost.seconds,
            cost.peak_bytes,
            cost.device_peak_bytes,
            int(cost.is_first),
            json.dumps([to_data(note) for note in scores.notes]),
            int(cost.elsewhere),
        )

        def write() -> None:
            with self._db:
                self._db.execute(
                    "INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?, ?, ?, ?)", image
                )
                self._db.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?)", rows)

        self._despite_damage(write)

    def image_path(self, key: str) -> Path:
        """Where the fused image of ``key`` is kept, if it is."""
        return self.folder / "images" / key[:2] / f"{key}.png"

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is to blame, rather than a full disk, a lock or a missing permission."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # of Python's own: a text that is not UTF-8, or a row of other values
        return isinstance(error, sqlite3.OperationalError | sqlite3.DataError)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=10.0, check_same_thread=False)
    try:
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL"):
            db.execute(statement).fetchall()
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 2:  # before scores were measured on clusters
            with db:
                db.execute("ALTER TABLE images ADD COLUMN elsewhere INTEGER NOT NULL DEFAULT 0")
                db.execute(f"PRAGMA user_version = {_FORMAT}")
        elif version not in (0, _FORMAT):
            db.execute("DROP TABLE IF EXISTS images")
            db.execute("DROP TABLE IF EXISTS scores")
        with db:
            for statement in _SCHEMA:
                db.execute(statement)
    except BaseException:
        db.close()
        raise
    return db
