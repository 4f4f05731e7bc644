"""The record of a batch on disk, so that a run can go on after anything.

One SQLite file in the output folder. Every transaction is on disk before the next step relies on
it (``synchronous=FULL``): a row is recorded as begun before its files are written, and as done
after they are: files are on disk when they appear, and the folders they appeared in before rows are
recorded as done. A row that was begun and whose files are there was finished, since files appear
whole.
The file is locked while a run is on; the lock ends with the process, however it ends.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import FusionError, InputError, OutputError, Said
from core.io.atomic import sync_folder
from core.io.decoded import file_error
from core.io.known_folders import MANIFEST_NAME as MANIFEST_NAME
from core.said import from_data, to_data

_FORMAT = "1"
_GROUP, _INTERVAL = 16, 0.25
_BLOCK = 1 << 18

_SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE rows (
        key TEXT PRIMARY KEY, a TEXT NOT NULL, b TEXT NOT NULL, target TEXT NOT NULL,
        state TEXT NOT NULL, text TEXT NOT NULL DEFAULT '',
        stamp_a TEXT NOT NULL DEFAULT '', stamp_b TEXT NOT NULL DEFAULT '',
        size INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
        metrics TEXT NOT NULL DEFAULT '{}', notes TEXT NOT NULL DEFAULT '[]')""",
)


@dataclass(frozen=True)
class Stamp:
    """What a source file was: bytes, time of change in ns, SHA-256 ("" when not taken)."""

    size: int
    mtime_ns: int
    digest: str = ""

    @classmethod
    def of(cls, path: Path, *, digest: bool = False) -> Stamp:
        """Stamp of the file ``path``; InputError when it cannot be read."""
        try:
            stat = path.stat()
            text = ""
            if digest:
                with path.open("rb") as stream:
                    text = _digest(stream)
        except OSError as error:
            raise file_error(path, error) from error
        return cls(stat.st_size, stat.st_mtime_ns, text)

    def still_fits(self, path: Path) -> bool:
        """Whether ``path`` is what it was: same size and time, else same size and content."""
        now = Stamp.of(path)
        if now.size != self.size:
            return False
        if now.mtime_ns == self.mtime_ns:
            return True
        return bool(self.digest) and Stamp.of(path, digest=True).digest == self.digest


def _digest(stream: BinaryIO) -> str:
    # Not hashlib.file_digest: it fills a quarter of a megabyte with zeros first, for any file.
    digest = hashlib.sha256(usedforsecurity=False)
    while block := stream.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True)
class Record:
    """What the manifest knows of a row.

    ``state``: ``begun``, ``done`` or ``failed``. ``size``: bytes of the fused picture's file.
    """

    key: str
    a: Path
    b: Path
    target: Path
    state: str
    text: str = ""
    stamps: tuple[Stamp, Stamp] | None = None
    size: int = 0
    seconds: float = 0.0
    metrics: Mapping[str, float] | None = None
    notes: tuple[str, ...] = ()


class Manifest:
    """An open manifest. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """Open the one in ``folder``, or make it.

        Raises:
            InputError: it is damaged, or of another version.
            OutputError: another run holds it, or it cannot be written.
        """
        self.path = folder / MANIFEST_NAME
        self._lock = threading.Lock()
        self._waiting: list[Record] = []
        self._flushed = time.monotonic()
        self._db: sqlite3.Connection | None = None
        try:
            with self._explained():
                self._open()
        except FusionError:
            self._shut()
            raise

    def _open(self) -> None:
        self._db = sqlite3.connect(
            self.path, timeout=1.0, isolation_level=None, check_same_thread=False
        )
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        self._db.execute("BEGIN EXCLUSIVE")
        tables = {row[0] for row in self._db.execute("SELECT name FROM sqlite_master")}
        if not tables:
            for statement in _SCHEMA:
                self._db.execute(statement)
            self._db.execute("INSERT INTO meta VALUES ('format', ?)", (_FORMAT,))
        self._db.execute("COMMIT")
        verdict = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(str(verdict).splitlines()[-1])
        if self.meta().get("format") != _FORMAT:
            raise InputError(
                Said("The record of this batch ({0})", self.path),
                "it was written by another version of the program",
                "Finish it with that version, or choose another output folder.",
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            raise self._error(error) from error

    def _error(self, error: Exception) -> FusionError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        what = Said("The record of this batch ({0})", self.path)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return OutputError(
                Said("The folder {0}", self.path.parent),
                "another batch is writing to it just now",
                "Wait until it has ended, or choose another folder.",
            )
        if code == sqlite3.SQLITE_FULL:
            return DiskFull(what, "the disk is full", "Free some space, then go on.")
        unwritable = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR)
        if code in (*unwritable, sqlite3.SQLITE_PERM):
            why = Said("it cannot be written ({0})", error)
            return OutputError(what, why, "Choose another folder.")
        return InputError(
            what,
            Said("it is damaged ({0})", error),
            Said(
                "Finished pictures are safe. Delete {0} and begin anew, or choose another output "
                "folder.",
                self.path.name,
            ),
        )

    def _run(self, sql: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        if self._db is None:
            raise sqlite3.ProgrammingError("the manifest is closed")
        return self._db.execute(sql, values).fetchall()

    def meta(self) -> dict[str, str]:
        """Version, settings and other facts of the run."""
        with self._lock, self._explained():
            return {str(key): str(value) for key, value in self._run("SELECT * FROM meta")}

    def settings(self) -> dict[str, str]:
        """Settings of the recorded run; empty for a new one."""
        with self._explained():
            found: dict[str, str] = json.loads(self.meta().get("settings", "{}"))
        return found

    def set_meta(self, **values: str) -> None:
        """Record facts of the run."""
        with self._lock, self._explained():
            self._many("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))

    def begin_anew(self) -> None:
        """Forget all rows."""
        with self._lock, self._explained():
            self._waiting.clear()
            self._run("DELETE FROM rows")
            self._run("DELETE FROM meta WHERE key != 'format'")

    def records(self) -> dict[str, Record]:
        """All rows by key."""
        self.flush()
        with self._lock, self._explained():
            columns = "key, a, b, target, state, text, stamp_a, stamp_b, size, seconds"
            rows = self._run(f"SELECT {columns}, metrics, notes FROM rows")
            return {str(row[0]): _record(row) for row in rows}

    def begin(self, records: Sequence[Record]) -> None:
        """Record that these rows are being worked on: on disk when this returns."""
        self._write(records)

    def end(self, record: Record, *, now: bool = False) -> None:
        """Record how a row ended; within a quarter of a second, or ``now``."""
        self._waiting.append(record)
        self.tick(now=now)

    def tick(self, *, now: bool = False) -> None:
        """Write what waits if it has waited long enough."""
        overdue = time.monotonic() - self._flushed > _INTERVAL
        if self._waiting and (now or overdue or len(self._waiting) >= _GROUP):
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        self._write(())

    def close(self) -> None:
        """Write what waits and let go of the file."""
        try:
            if self._db is not None:
                self.flush()
        finally:
            self._shut()

    def _shut(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _write(self, records: Sequence[Record]) -> None:
        """Write what waits, then ``records``, in one transaction."""
        with self._lock, self._explained():
            self._flushed = time.monotonic()
            number = len(self._waiting)  # others may add to it meanwhile
            records = [*self._waiting[:number], *records]
            if records:
                self._settle(records)
                marks = ", ".join("?" * 12)
                sql = f"INSERT OR REPLACE INTO rows VALUES ({marks})"
                self._many(sql, [_values(record) for record in records])
            del self._waiting[:number]

    def _settle(self, records: Sequence[Record]) -> None:
        """Make sure that finished files are still there under their names after a power cut."""
        done = (self.path.parent / r.target for r in records if r.state == "done")
        for folder in {path.resolve().parent for path in done}:
            sync_folder(folder)

    def _many(self, sql: str, values: Sequence[Sequence[object]]) -> None:
        if self._db is None:
            raise sqlite3.ProgrammingError("the manifest is closed")
        self._db.execute("BEGIN")
        try:
            self._db.executemany(sql, values)
            self._db.execute("COMMIT")
        except sqlite3.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


class DiskFull(OutputError):
    """No row can be written any more: the run stops and can go on later."""


def _text(path: Path) -> str:
    # JSON keeps names that are no valid Unicode, which SQLite's text would refuse.
    return json.dumps(os.fspath(path))


def _kept_text(text: str) -> str:
    """``text`` for the table: as JSON where its template and values are known."""
    if isinstance(text, Said):
        return json.dumps(to_data(text))
    return text.encode("utf-8", "replace").decode()


def _read_text(kept: str) -> str:
    """What :func:`_kept_text` was given; records of older versions hold plain texts."""
    try:
        return from_data(json.loads(kept))
    except (ValueError, RecursionError):
        return kept


def _values(record: Record) -> tuple[object, ...]:
    stamps = ["", ""]
    if record.stamps is not None:
        stamps = [json.dumps([s.size, s.mtime_ns, s.digest]) for s in record.stamps]
    return (
        record.key, _text(record.a), _text(record.b), _text(record.target), record.state,
        _kept_text(record.text), *stamps, record.size, record.seconds,
        json.dumps(dict(record.metrics or {})), json.dumps([to_data(n) for n in record.notes]),
    )  # fmt: skip


def _record(row: Sequence[object]) -> Record:
    stamps = None
    if row[6] and row[7]:
        stamps = (Stamp(*json.loads(str(row[6]))), Stamp(*json.loads(str(row[7]))))
    a, b, target = (Path(json.loads(str(text))) for text in row[1:4])
    return Record(
        str(row[0]), a, b, target,
        state=str(row[4]),
        text=_read_text(str(row[5])),
        stamps=stamps,
        size=int(str(row[8])),
        seconds=float(str(row[9])),
        metrics=json.loads(str(row[10])),
        notes=tuple(from_data(note) for note in json.loads(str(row[11]))),
    )  # fmt: skip
