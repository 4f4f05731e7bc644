"""Files that version 0.1.0 wrote before its modules were moved, in ``tests/old_program``.

A pack (format 1), a batch of which two of three pairs are done, a run that stopped at step 10 of
12, and a session. Their folder stands in them as ``@ROOT@``.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

from core.batch import MANIFEST_NAME
from core.batch.plan import row_key
from core.pairing.plan import Match

_KEPT = Path(__file__).parent / "old_program"
_MARK = "@ROOT@"
_WRITTEN = {
    "a/pair0.png": 1795995065704014186,
    "a/pair1.png": 1795995065704628610,
    "a/pair2.png": 1795995065705197206,
    "b/pair0.png": 1795995065704332980,
    "b/pair1.png": 1795995065704904991,
    "b/pair2.png": 1795995065705464043,
}
"""When the images were written, in ns: a run knows its data by that."""


def old_files(folder: Path) -> Path:
    """The files as if they had been written in ``folder``, which is made."""
    root = shutil.copytree(_KEPT, folder)
    for name, when in _WRITTEN.items():
        os.utime(root / "data" / name, ns=(when, when))
    for path in (root / "session.json", root / "mif-run.run" / "run.json"):
        text = path.read_text("utf-8").replace(_MARK, root.as_posix())
        path.write_text(text, "utf-8")
    database = sqlite3.connect(root / "out" / MANIFEST_NAME)
    for name in ("pair0", "pair1"):
        match = Match(name, *(root / "data" / side / f"{name}.png" for side in "ab"), "")
        database.execute(
            "UPDATE rows SET key = ?, a = replace(a, ?, ?), b = replace(b, ?, ?) WHERE target = ?",
            (row_key(match), *(_MARK, root.as_posix()) * 2, f'"{name}.png"'),
        )
    database.commit()
    database.close()
    return root
