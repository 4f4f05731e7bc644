"""The record of a batch on disk, from which a run can be resumed after any interruption.

One SQLite file in the output folder. Every transaction is durable before the next step relies on it
(``synchronous=FULL``). A row is recorded as begun before its files are written, and as done after
they and their folders are durable. A row that was begun and whose files exist is finished, since
files are written atomically. The file is locked during a run; the lock ends with the process.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from core.batch.output_folder import DiskFull
from core.batch.row_record import COLUMNS, FileStamp, RowRecord, row_record_of, values_of
from core.errors import FusionError, InputError, Message, OutputError
from core.io.atomic import sync_folder
from core.pairing.known_folders import MANIFEST_NAME
from core.printable import valid

__all__ = ["MANIFEST_NAME", "BatchManifest", "DiskFull", "FileStamp", "RowRecord"]

_FORMAT = "2"
_UPGRADES = {
    "1": (
        "ALTER TABLE rows ADD COLUMN strikes INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE rows ADD COLUMN own TEXT NOT NULL DEFAULT '{}'",
        "UPDATE meta SET value = '2' WHERE key = 'format'",
    ),
}
"""Statements that upgrade a record from each older format to the next."""
_GROUP, _INTERVAL = 16, 0.25
"""Finished rows that are written at once, and seconds after which fewer are."""

_SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE rows (
        key TEXT PRIMARY KEY, a TEXT NOT NULL, b TEXT NOT NULL, target TEXT NOT NULL,
        state TEXT NOT NULL, text TEXT NOT NULL DEFAULT '',
        stamp_a TEXT NOT NULL DEFAULT '', stamp_b TEXT NOT NULL DEFAULT '',
        size INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
        metrics TEXT NOT NULL DEFAULT '{}', notes TEXT NOT NULL DEFAULT '[]',
        strikes INTEGER NOT NULL DEFAULT 0, own TEXT NOT NULL DEFAULT '{}')""",
)

_PUT_ROW = (
    f"INSERT OR REPLACE INTO rows ({COLUMNS}) VALUES ({', '.join('?' * len(COLUMNS.split(', ')))})"
)


class BatchManifest:
    """An open manifest. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Open the manifest in ``folder``, or create it.

        Raises:
            InputError: it is damaged, or of an unknown format.
            OutputError: another run has opened it, or it cannot be written.
        """
        self.path = folder / MANIFEST_NAME
        self._lock = threading.Lock()
        self._pending: list[RowRecord] = []
        self._flushed = time.monotonic()
        self._db: sqlite3.Connection | None = None
        self._known: os.stat_result | None = None
        self._is_new = False
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
            self._is_new = True
            for statement in _SCHEMA:
                self._db.execute(statement)
            self._db.execute("INSERT INTO meta VALUES ('format', ?)", (_FORMAT,))
        elif "meta" in tables:
            self._upgrade()
        self._db.execute("COMMIT")
        check = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if check != "ok":
            raise sqlite3.DatabaseError(str(check).splitlines()[-1])
        self._known = self.path.stat()
        if self._run("SELECT value FROM meta WHERE key = 'format'") != [(_FORMAT,)]:
            raise InputError(
                Message("The record of this batch ({0})", self.path),
                Message("it was written by another version of the program"),
                Message("Finish it with that version, or choose another output folder."),
            )

    def _ensure_file(self) -> None:
        """Write the file again if it was removed while open; OutputError if it was replaced."""
        if self._db is None or self._known is None:
            return
        try:
            if os.path.samestat(self._known, self.path.stat()):
                return
        except FileNotFoundError:
            if not self.path.parent.is_dir():
                return  # OutputFolder reports a missing folder
            with closing(sqlite3.connect(self.path, isolation_level=None)) as copy:
                self._db.backup(copy)
            self._db.close()
            self._open()
            return
        except OSError:
            return
        raise OutputError(
            Message("The record of this batch ({0})", self.path),
            Message("it was replaced while the batch was running"),
            Message("End what else writes to this folder, then go on with the batch."),
        )

    def _upgrade(self) -> None:
        while True:
            found = self._run("SELECT value FROM meta WHERE key = 'format'")
            steps = _UPGRADES.get(str(found[0][0])) if found else None
            if steps is None:
                return
            for statement in steps:
                self._run(statement)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            raise self._error(error) from error

    def _error(self, error: Exception) -> FusionError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        what = Message("The record of this batch ({0})", self.path)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return OutputError(
                Message("The folder {0}", self.path.parent),
                Message("another batch is writing to it just now"),
                Message("Wait until it has ended, or choose another folder."),
            )
        if code == sqlite3.SQLITE_FULL:
            return DiskFull(
                what, Message("the disk is full"), Message("Free some space, then go on.")
            )
        unwritable = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR)
        if code in (*unwritable, sqlite3.SQLITE_PERM):
            why = Message("it cannot be written ({0})", error)
            return OutputError(what, why, Message("Choose another folder."))
        return InputError(
            what,
            Message("it is damaged ({0})", error),
            Message(
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
        """Format, settings and other properties of the run."""
        with self._lock, self._explained():
            return {str(key): str(value) for key, value in self._run("SELECT * FROM meta")}

    def settings(self) -> dict[str, str]:
        """Settings of the recorded run; {} for a new one."""
        with self._explained():
            found: dict[str, str] = json.loads(self.meta().get("settings", "{}"))
        return found

    def set_meta(self, **values: str) -> None:
        """Record properties of the run."""
        self._write((), values)

    def begin_anew(self) -> None:
        """Delete all rows and properties."""
        with self._lock, self._explained():
            self._pending.clear()
            self._run("DELETE FROM rows")
            self._run("DELETE FROM meta WHERE key != 'format'")

    def records(self) -> dict[str, RowRecord]:
        """All records by key."""
        self.flush()
        with self._lock, self._explained():
            rows = self._run(f"SELECT {COLUMNS} FROM rows")
            return {str(row[0]): row_record_of(row) for row in rows}

    def begin(self, records: Sequence[RowRecord], **facts: str) -> None:
        """Record rows and properties of the run; durable when this returns."""
        self._write(records, facts)

    def end(self, record: RowRecord, *, now: bool = False) -> None:
        """Record the end of a row, within a quarter of a second, or ``now``."""
        self._pending.append(record)
        self.tick(now=now)

    def tick(self, *, now: bool = False) -> None:
        """Write pending records if there are enough, or if they have waited long enough."""
        overdue = time.monotonic() - self._flushed > _INTERVAL
        if self._pending and (now or overdue or len(self._pending) >= _GROUP):
            self.flush()

    def flush(self) -> None:
        """Write pending records."""
        self._write(())

    def close(self) -> None:
        """Write pending records and close the file."""
        try:
            if self._db is not None:
                self.flush()
        finally:
            self._shut()

    def give_up(self) -> None:
        """Close the file; one that was made here and in which nothing was recorded is removed."""
        is_open = self._db is not None
        unused = self._is_new and is_open and not self._pending and self.meta().keys() == {"format"}
        self.close()
        if unused:
            self.path.unlink(missing_ok=True)

    def _shut(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _write(self, records: Sequence[RowRecord], facts: Mapping[str, str] | None = None) -> None:
        """Write pending records, ``records`` and ``facts`` in one transaction."""
        with self._lock, self._explained():
            self._flushed = time.monotonic()
            self._ensure_file()
            number = len(self._pending)  # other threads may append meanwhile
            records = [*self._pending[:number], *records]
            rows = [values_of(record) for record in records]
            kept = [(key, valid(text)) for key, text in (facts or {}).items()]
            if rows or kept:
                self._sync_folders(records)
                self._many((_PUT_ROW, rows), ("INSERT OR REPLACE INTO meta VALUES (?, ?)", kept))
            del self._pending[:number]

    def _sync_folders(self, records: Sequence[RowRecord]) -> None:
        """Sync the folders of finished rows, so that their files survive a power failure."""
        done = (self.path.parent / r.target for r in records if r.state == "done")
        for folder in {path.resolve().parent for path in done}:
            sync_folder(folder)

    def _many(self, *statements: tuple[str, Sequence[Sequence[object]]]) -> None:
        if self._db is None:
            raise sqlite3.ProgrammingError("the manifest is closed")
        self._db.execute("BEGIN")
        try:
            for sql, values in statements:
                self._db.executemany(sql, values)
            self._db.execute("COMMIT")
        except sqlite3.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
