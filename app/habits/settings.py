"""What the window remembers from one start to the next, in one small file a person can read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

from app.theme import Appearance

APPEARANCES: tuple[Appearance, ...] = ("system", "light", "dark")
LANGUAGES = ("system", "en", "de")
_FILE = "settings.ini"


class _Memory:
    """As much of QSettings as is used here, without a file."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}

    def value(self, name: str, default: object = None) -> object:
        return self._values.get(name, default)

    def setValue(self, name: str, value: object) -> None:
        self._values[name] = value

    def remove(self, name: str) -> None:
        self._values.pop(name, None)

    def sync(self) -> None:
        """There is nothing to write."""

    def status(self) -> QSettings.Status:
        return QSettings.Status.NoError


class Settings(QObject):
    """Typed access to ``settings.ini``. What is missing or damaged reads as its default.

    Qt writes the file as a whole, in the background, and never leaves half of one.
    """

    changed = Signal(str)
    """Name of what was set."""

    def __init__(self, folder: Path | None, parent: QObject | None = None) -> None:
        """
        Args:
            folder: where the file is, or will be; None remembers nothing beyond this run.
        """
        super().__init__(parent)
        self.folder = folder
        self._store: QSettings | _Memory = _Memory()
        if folder is not None:
            self._store = QSettings(str(folder / _FILE), QSettings.Format.IniFormat)
            self._store.setAtomicSyncRequired(True)

    @property
    def is_damaged(self) -> bool:
        """True when the file is there and could not be understood."""
        return self._store.status() == QSettings.Status.FormatError

    @property
    def is_kept(self) -> bool:
        """False when the last writing failed: the folder cannot be written."""
        return self._store.status() != QSettings.Status.AccessError

    def sync(self) -> None:
        """Write now what is still to be written."""
        self._store.sync()

    # --- choices ---------------------------------------------------------------------------

    @property
    def appearance(self) -> Appearance:
        """Light, dark, or as the system has it."""
        return cast(Appearance, self._choice("look/appearance", APPEARANCES))

    def set_appearance(self, appearance: Appearance) -> None:
        """Choose an appearance."""
        self._set("look/appearance", appearance)

    @property
    def language(self) -> str:
        """“en”, “de”, or “system”."""
        return self._choice("look/language", LANGUAGES)

    def set_language(self, language: str) -> None:
        """Choose a language; it takes effect at the next start."""
        self._set("look/language", language)

    @property
    def acknowledged(self) -> bool:
        """True once somebody said they know that this is for research only."""
        return self._flag("first/acknowledged", False)

    def acknowledge(self) -> None:
        """Keep that."""
        self._set("first/acknowledged", True)

    @property
    def keeps_recent(self) -> bool:
        """Whether opened files are listed."""
        return self._flag("recent/kept", True)

    def set_keeps_recent(self, kept: bool) -> None:
        """Switch the list of recent files on or off."""
        self._set("recent/kept", kept)

    @property
    def reopens(self) -> bool:
        """Whether a start without files shows the last session instead of a sample."""
        return self._flag("session/reopens", False)

    def set_reopens(self, reopens: bool) -> None:
        """Choose what a start without files shows."""
        self._set("session/reopens", reopens)

    # --- the rest --------------------------------------------------------------------------

    def keys(self) -> dict[str, tuple[str, ...]]:
        """Keys a person has changed, by command."""
        try:
            found = json.loads(str(self._store.value("keys/changed", "{}")))
            return {str(name): tuple(map(str, keys)) for name, keys in found.items()}
        except (ValueError, TypeError, AttributeError):
            return {}

    def set_keys(self, changed: Mapping[str, tuple[str, ...]]) -> None:
        """Keep changed keys."""
        self._set("keys/changed", json.dumps({n: list(k) for n, k in changed.items()}))

    def text(self, name: str) -> str:
        """A text kept under ``name``, or ""."""
        value = self._store.value(name, "")
        return value if isinstance(value, str) else ""

    def set_text(self, name: str, text: str) -> None:
        """Keep a text; "" forgets it."""
        if text:
            self._set(name, text)
        else:
            self._store.remove(name)
            self.changed.emit(name)

    def blob(self, name: str) -> QByteArray:
        """Bytes kept under ``name`` (a window's geometry), or none."""
        value = self._store.value(name)
        return value if isinstance(value, QByteArray) else QByteArray()

    def set_blob(self, name: str, value: QByteArray) -> None:
        """Keep bytes."""
        self._set(name, value)

    def _choice(self, name: str, known: tuple[str, ...]) -> str:
        value = self.text(name)
        return value if value in known else known[0]

    def _flag(self, name: str, default: bool) -> bool:
        value = str(self._store.value(name, default)).lower()
        return value == "true" if value in ("true", "false") else default

    def _set(self, name: str, value: object) -> None:
        if self._store.value(name) != value:
            self._store.setValue(name, value)
            self.changed.emit(name)
