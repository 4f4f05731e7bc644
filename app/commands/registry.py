"""The registry of all commands and their shortcuts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence

from app.widgets import theme

_PORTABLE = QKeySequence.SequenceFormat.PortableText
_NATIVE = QKeySequence.SequenceFormat.NativeText


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        id: name in settings, “group.verb”; never translated.
        text: text in menus.
        group: its group in menus, shortcut list and palette.
        keys: default shortcuts, in portable notation (“Ctrl+O”).
        needs: what must be available for the command to be enabled; see
            :meth:`CommandRegistry.provide`.
        checkable: True for a toggle.
        repeats: True when holding the key down repeats the command.
    """

    id: str
    text: str
    group: str
    keys: tuple[str, ...] = ()
    _: KW_ONLY
    icon: str = ""
    needs: frozenset[str] = frozenset()
    checkable: bool = False
    repeats: bool = False


def plain(text: str) -> str:
    """A menu text without mnemonic and ellipsis."""
    return text.rstrip("…").replace("&", "")


def normal(key: str) -> str:
    """A shortcut in normalised portable notation; "" where it is empty or invalid."""
    sequence = QKeySequence.fromString(key, _PORTABLE)
    # Qt's stubs lack indexing.
    keys = [sequence[place].key() for place in range(sequence.count())]  # type: ignore[index]
    return "" if Qt.Key.Key_unknown in keys else sequence.toString(_PORTABLE)


def native(keys: Iterable[str]) -> str:
    """Shortcuts in the system's native notation."""
    return ", ".join(QKeySequence(key, _PORTABLE).toString(_NATIVE) for key in keys)


class CommandRegistry(QObject):
    """Commands and their actions, in the order they were added."""

    keys_changed = Signal()
    """Shortcuts have changed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._commands: dict[str, Command] = {}
        self._actions: dict[str, QAction] = {}
        self._provided: dict[str, frozenset[str]] = {}
        self._wired: dict[str, int] = {}
        self._providing = False

    # --- commands --------------------------------------------------------------------------

    def add(self, command: Command) -> QAction:
        """Create the action of a command.

        Raises:
            ValueError: the name is in use, or a shortcut is in use or invalid.
        """
        if command.id in self._commands:
            raise ValueError(f"two commands are called {command.id}")
        for key in command.keys:
            owner = self.owner(key)
            if not normal(key) or owner:
                raise ValueError(f"{command.id}: key {key} belongs to {owner or 'nobody'}")
        action = QAction(command.text, self)
        action.setObjectName(plain(command.text))
        action.setData(command.id)
        action.setCheckable(command.checkable)
        action.setAutoRepeat(command.repeats)
        if command.icon:
            theme.set_icon(action, command.icon)
        self._commands[command.id] = command
        self._actions[command.id] = action
        self._give(command.id, tuple(normal(key) for key in command.keys))
        action.setEnabled(not command.needs)
        # A text may be set later, e.g. for window presets.
        action.changed.connect(lambda: self._describe(command.id))
        return action

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def __contains__(self, command: str) -> bool:
        return command in self._commands

    def command(self, name: str) -> Command:
        """The command called ``name``.

        Raises:
            KeyError: there is no such command.
        """
        return self._commands[name]

    def action(self, name: str) -> QAction:
        """The action of a command.

        Raises:
            KeyError: there is no such command.
        """
        return self._actions[name]

    def title(self, name: str) -> str:
        """Title of a command outside menus; also its accessible name."""
        return plain(self._actions[name].text())

    def actions(self) -> list[QAction]:
        """All actions."""
        return list(self._actions.values())

    def groups(self) -> dict[str, list[Command]]:
        """Visible commands, by group."""
        found: dict[str, list[Command]] = {}
        for command in self:
            if self._actions[command.id].isVisible():
                found.setdefault(command.group, []).append(command)
        return found

    # --- availability ----------------------------------------------------------------------

    def provide(self, present: Iterable[str], by: str = "") -> None:
        """Enable the commands whose needs are all met, disable the others.

        Args:
            present: what is available now.
            by: name of the provider; each one replaces only what it provided itself.
        """
        now = frozenset(present)
        if now == self._provided.get(by):
            return
        self._provided[by] = now
        there = frozenset().union(*self._provided.values())
        self._providing = True
        for command in self:
            if command.needs:
                self._actions[command.id].setEnabled(command.needs <= there)
        self._providing = False

    def mark_wired(self) -> None:
        """Record the current number of connections of each action; see :meth:`retire_unwired`."""
        self._wired = {name: self._listeners(name) for name in self._actions}

    def retire_unwired(self) -> None:
        """Hide (and so disable) the commands without new connections since :meth:`mark_wired`.

        So commands of workspaces that do not exist yet are not shown, and have no shortcuts.
        """
        for name, action in self._actions.items():
            # Invisible actions are disabled by Qt, including their shortcuts.
            action.setVisible(self._listeners(name) > self._wired.get(name, 0))

    def _listeners(self, name: str) -> int:
        action = self._actions[name]
        return sum(action.receivers(signal) for signal in ("2triggered(bool)", "2toggled(bool)"))

    # --- keys ------------------------------------------------------------------------------

    def keys_of(self, name: str) -> tuple[str, ...]:
        """The current shortcuts of a command, in portable notation."""
        return tuple(key.toString(_PORTABLE) for key in self._actions[name].shortcuts())

    def key_of(self, name: str) -> str:
        """The first shortcut of a command in native notation; "" without one."""
        return native(self.keys_of(name)[:1])

    def defaults(self, name: str) -> tuple[str, ...]:
        """The default shortcuts of a command."""
        return tuple(normal(key) for key in self._commands[name].keys)

    def owner(self, key: str, besides: str = "") -> str:
        """The command (other than ``besides``) whose shortcut conflicts with ``key``; "" for none.

        Key sequences (“Ctrl+K, O”) also conflict if one is a prefix of the other, since the longer
        one could never be completed.
        """
        wanted = normal(key)
        if not wanted:
            return ""
        for name in self._commands:
            if name != besides and any(clashes(wanted, other) for other in self.keys_of(name)):
                return name
        return ""

    def set_keys(self, name: str, keys: Iterable[str]) -> None:
        """Set the shortcuts of a command, which may be none.

        Raises:
            ValueError: a shortcut is invalid, or in use by another command.
        """
        wanted = tuple(dict.fromkeys(normal(key) for key in keys))
        for key in wanted:
            owner = self.owner(key, besides=name)
            if not key or owner:
                raise ValueError(f"{name}: key {key!r} belongs to {owner or 'nobody'}")
        if wanted != self.keys_of(name):
            self._give(name, wanted)
            self.keys_changed.emit()

    def changed_keys(self) -> dict[str, tuple[str, ...]]:
        """Commands whose shortcuts differ from the defaults, with their shortcuts."""
        return {
            command.id: self.keys_of(command.id)
            for command in self
            if self.keys_of(command.id) != self.defaults(command.id)
        }

    def apply_keys(self, changed: Mapping[str, Iterable[str]]) -> list[str]:
        """Set all shortcuts to the defaults, overridden by ``changed``.

        Unknown commands, invalid shortcuts and conflicting ones are ignored.

        Returns:
            The names of the commands whose shortcuts could not be set.
        """
        chosen = {
            name: tuple(dict.fromkeys(filter(None, map(normal, keys))))
            for name, keys in changed.items()
            if name in self._commands
        }
        refused: list[str] = []
        final: dict[str, tuple[str, ...]] = {}
        # The user's shortcuts take precedence over conflicting defaults.
        for name in (*chosen, *(n for n in self._commands if n not in chosen)):
            wanted = chosen.get(name, self.defaults(name))
            taken = [key for keys in final.values() for key in keys]
            final[name] = tuple(k for k in wanted if not any(clashes(k, t) for t in taken))
            if name in chosen and final[name] != wanted:
                refused.append(name)
        before = [self.keys_of(name) for name in self._commands]
        for name in self._commands:
            self._give(name, final[name])
        if before != [self.keys_of(name) for name in self._commands]:
            self.keys_changed.emit()
        return refused

    def _give(self, name: str, keys: tuple[str, ...]) -> None:
        action = self._actions[name]
        action.setShortcuts([QKeySequence(key, _PORTABLE) for key in keys])
        self._describe(name)

    def _describe(self, name: str) -> None:
        if self._providing:  # affects neither title nor shortcuts
            return
        action, title = self._actions[name], self.title(name)
        if action.iconText() != title:
            action.setIconText(title)
        keys = native(self.keys_of(name))
        tip = f"{title} ({keys})" if keys else title
        if action.toolTip() != tip:
            action.setToolTip(tip)


def clashes(one: str, other: str) -> bool:
    """True when two shortcuts conflict: they are equal, or one is a prefix of the other."""
    first, second = one.split(", "), other.split(", ")
    length = min(len(first), len(second))
    return first[:length] == second[:length]
