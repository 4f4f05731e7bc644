"""Settings of the GUI, stored in an INI file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import cast

from PySide6.QtCore import QByteArray, QObject, QSettings, QTimer, Signal

from app.i18n import language
from app.widgets.theme import Appearance
from app.workers import Runner
from core.errors import FusionError, Message, OutputError
from core.progress import Progress

APPEARANCES: tuple[Appearance, ...] = ("system", "light", "dark")
_FILE = "settings.ini"
_DELAY_MS = 100
"""Delay in which changes are collected before they are written."""


class Settings(QObject):
    """Typed access to ``settings.ini``. Missing or damaged values are read as their defaults.

    The file is read once; changes are written on a worker thread, since QSettings blocks until they
    are on disk. QSettings writes atomically, and keeps what other processes wrote under other keys
    meanwhile.
    """

    changed = Signal(str)
    """Name of the setting that was changed."""
    failed = Signal(object)
    """An OutputError: changes cannot be written. Emitted for the first one only."""

    def __init__(self, folder: Path | None, parent: QObject | None = None) -> None:
        """
        Args:
            folder: folder of the file; None stores nothing beyond this run.
        """
        super().__init__(parent)
        self.folder = folder
        self._values: dict[str, object] = {}
        self._status = QSettings.Status.NoError
        self._unwritten: dict[str, object] = {}
        """Pending values by name; None removes the setting."""
        self._said = False
        self._runner: Runner | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_DELAY_MS)
        self._soon.timeout.connect(self._write_soon)
        if folder is not None:
            store = _opened(folder / _FILE)
            self._values = {name: store.value(name) for name in store.allKeys()}
            self._status = store.status()

    @property
    def is_damaged(self) -> bool:
        """True when the file exists and cannot be parsed."""
        return self._status == QSettings.Status.FormatError

    def sync(self) -> None:
        """Write pending changes, and wait for it."""
        self._soon.stop()
        if self._runner is not None:
            self._runner.shutdown()
            self._runner = None
        if self.folder is not None and self._unwritten:
            try:
                _write(self.folder / _FILE, self._unwritten)
            except OutputError as error:
                self._fail(error)
            else:
                self._unwritten = {}

    def _keep(self, name: str, value: object) -> None:
        """Set ``value``; None removes the setting."""
        if value is None:
            self._values.pop(name, None)
        else:
            self._values[name] = value
        if self.folder is not None:
            self._unwritten[name] = value
            self._soon.start()
        self.changed.emit(name)

    def _write_soon(self) -> None:
        if self.folder is None or not self._unwritten:
            return
        if self._runner is None:
            self._runner = Runner("settings", self)
        changes = dict(self._unwritten)
        job = self._runner.submit(partial(_write, self.folder / _FILE, changes))
        job.finished.connect(partial(self._write_finished, changes))
        job.failed.connect(self._fail)

    def _write_finished(self, changes: Mapping[str, object], _answer: object) -> None:
        for name, value in changes.items():
            # It may have been set again meanwhile.
            if name in self._unwritten and self._unwritten[name] is value:
                del self._unwritten[name]

    def _fail(self, error: FusionError) -> None:
        # What could not be written is tried again with the next change.
        if not self._said:
            self._said = True
            self.failed.emit(error)

    # --- choices ---------------------------------------------------------------------------

    @property
    def appearance(self) -> Appearance:
        """Light, dark, or that of the system."""
        return cast(Appearance, self._choice("look/appearance", APPEARANCES))

    def set_appearance(self, appearance: Appearance) -> None:
        """Set the appearance."""
        self._set("look/appearance", appearance)

    @property
    def language(self) -> str:
        """An available language, or "system"."""
        return self._choice("look/language", ("system", *language.available()))

    def set_language(self, language: str) -> None:
        """Set the language; it takes effect at the next start."""
        self._set("look/language", language)

    @property
    def acknowledged(self) -> bool:
        """True once the user has acknowledged that the program is for research only."""
        return self._flag("first/acknowledged", False)

    def acknowledge(self) -> None:
        """Store the acknowledgement."""
        self._set("first/acknowledged", True)

    @property
    def keeps_recent(self) -> bool:
        """Whether recent files are listed."""
        return self._flag("recent/kept", True)

    def set_keeps_recent(self, kept: bool) -> None:
        """Switch the list of recent files on or off."""
        self._set("recent/kept", kept)

    @property
    def export_folder(self) -> str:
        """Folder of the last save or export; "" before the first one."""
        return self.text("export/folder")

    def set_export_folder(self, folder: str) -> None:
        """Set the folder of the last save or export."""
        self.set_text("export/folder", folder)

    @property
    def reopens(self) -> bool:
        """Whether a start without files opens the last session instead of a sample."""
        return self._flag("session/reopens", False)

    def set_reopens(self, reopens: bool) -> None:
        """Set what a start without files opens."""
        self._set("session/reopens", reopens)

    @property
    def fuses_on_change(self) -> bool:
        """Whether a change of window or palette fuses the pair again."""
        return self._flag("fuse/on_change", False)

    def set_fuses_on_change(self, fuses: bool) -> None:
        """Set whether a change of window or palette fuses the pair again."""
        self._set("fuse/on_change", fuses)

    @property
    def checks_alignment(self) -> bool:
        """Whether pairs that are opened are looked at, and aligning them is offered."""
        return self._flag("registration/check", True)

    def set_checks_alignment(self, checks: bool) -> None:
        """Set whether pairs that are opened are looked at."""
        self._set("registration/check", checks)

    # --- the rest --------------------------------------------------------------------------

    def keys(self) -> dict[str, tuple[str, ...]]:
        """Shortcuts changed by the user, by command."""
        try:
            found = json.loads(str(self._values.get("keys/changed", "{}")))
            return {str(name): tuple(map(str, keys)) for name, keys in found.items()}
        except (ValueError, TypeError, AttributeError):
            return {}

    def set_keys(self, changed: Mapping[str, tuple[str, ...]]) -> None:
        """Store changed shortcuts."""
        self._set("keys/changed", json.dumps({n: list(k) for n, k in changed.items()}))

    def text(self, name: str) -> str:
        """The text of setting ``name``, or ""."""
        value = self._values.get(name, "")
        return value if isinstance(value, str) else ""

    def set_text(self, name: str, text: str) -> None:
        """Set a text; "" removes the setting."""
        if text:
            self._set(name, text)
        else:
            self._keep(name, None)

    def blob(self, name: str) -> QByteArray:
        """The bytes of setting ``name``, such as a window's geometry, or empty bytes."""
        value = self._values.get(name)
        return value if isinstance(value, QByteArray) else QByteArray()

    def set_blob(self, name: str, value: QByteArray) -> None:
        """Set bytes."""
        self._set(name, value)

    def _choice(self, name: str, known: tuple[str, ...]) -> str:
        value = self.text(name)
        return value if value in known else known[0]

    def _flag(self, name: str, default: bool) -> bool:
        value = str(self._values.get(name, default)).lower()
        return value == "true" if value in ("true", "false") else default

    def _set(self, name: str, value: object) -> None:
        if self._values.get(name) != value:
            self._keep(name, value)


def _opened(path: Path) -> QSettings:
    store = QSettings(str(path), QSettings.Format.IniFormat)
    store.setAtomicSyncRequired(True)
    return store


def _write(path: Path, changes: Mapping[str, object], progress: Progress | None = None) -> None:
    """Write changes.

    Raises:
        OutputError: they are not on disk.
    """
    store = _opened(path)
    for name, value in changes.items():
        if value is None:
            store.remove(name)
        else:
            store.setValue(name, value)
    store.sync()
    # A damaged file (FormatError) is replaced.
    if store.status() == QSettings.Status.AccessError:
        raise OutputError(
            Message("Cannot write {0}", path),
            Message("the disk is full, or this is not writable"),
            Message("Free some space, or change the permissions of the folder."),
        )
