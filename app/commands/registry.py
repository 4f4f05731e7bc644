"""All commands of the window by name, with their keys: the one place keys are looked up in."""

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
    """What the registry knows of a command.

    Attributes:
        id: name in settings, “group.verb”; never translated.
        text: what menus show.
        group: heading it stands under in menus, key sheet and palette.
        keys: default keys, in portable spelling (“Ctrl+O”).
        needs: what must be there for the command to make sense; see
        :meth:`CommandRegistry.provide`.
        checkable: True for a switch.
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
    """A menu text without what only menus need."""
    return text.rstrip("…").replace("&", "")


def normal(key: str) -> str:
    """A key in the one spelling settings and comparisons use; "" for no key at all."""
    sequence = QKeySequence.fromString(key, _PORTABLE)
    # Qt's stubs know nothing of indexing.
    keys = [sequence[place].key() for place in range(sequence.count())]  # type: ignore[index]
    return "" if Qt.Key.Key_unknown in keys else sequence.toString(_PORTABLE)


def native(keys: Iterable[str]) -> str:
    """Keys as this system writes them."""
    return ", ".join(QKeySequence(key, _PORTABLE).toString(_NATIVE) for key in keys)


class CommandRegistry(QObject):
    """Commands and their actions, in the order they were added."""

    keys_changed = Signal()
    """Some command has other keys now."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._commands: dict[str, Command] = {}
        self._actions: dict[str, QAction] = {}
        self._provided: dict[str, frozenset[str]] = {}
        self._wired: dict[str, int] = {}
        self._providing = False

    # --- commands --------------------------------------------------------------------------

    def add(self, command: Command) -> QAction:
        """Make the action of a command.

        Raises:
            ValueError: its name is taken, or one of its keys is another's or is no key.
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
        # A text may be set later, when it is known what a preset does.
        action.changed.connect(lambda: self._describe(command.id))
        return action

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def __contains__(self, command: str) -> bool:
        return command in self._commands

    def command(self, name: str) -> Command:
        """The command called ``name``.

        Raises:
            KeyError: there is none.
        """
        return self._commands[name]

    def action(self, name: str) -> QAction:
        """The action of a command.

        Raises:
            KeyError: there is none.
        """
        return self._actions[name]

    def title(self, name: str) -> str:
        """What a command is called wherever it is not a menu entry; also its accessible name."""
        return plain(self._actions[name].text())

    def actions(self) -> list[QAction]:
        """All actions."""
        return list(self._actions.values())

    def groups(self) -> dict[str, list[Command]]:
        """Commands a person can use in this window, by group."""
        found: dict[str, list[Command]] = {}
        for command in self:
            if self._actions[command.id].isVisible():
                found.setdefault(command.group, []).append(command)
        return found

    # --- availability ----------------------------------------------------------------------

    def provide(self, present: Iterable[str], by: str = "") -> None:
        """Enable the commands whose needs are all there, disable the others.

        Args:
            present: what there is now.
            by: who says so; each provider speaks for itself only.
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
        """Remember how many listen to each action now; see :meth:`retire_unwired`."""
        self._wired = {name: self._listeners(name) for name in self._actions}

    def retire_unwired(self) -> None:
        """Hide (and so disable) the commands nobody has connected to since :meth:`mark_wired`.

        A command whose workspace is not there yet is neither shown nor has a key that does
        nothing.
        """
        for name, action in self._actions.items():
            # Qt takes an invisible action as disabled, its keys included.
            action.setVisible(self._listeners(name) > self._wired.get(name, 0))

    def _listeners(self, name: str) -> int:
        action = self._actions[name]
        return sum(action.receivers(signal) for signal in ("2triggered(bool)", "2toggled(bool)"))

    # --- keys ------------------------------------------------------------------------------

    def keys_of(self, name: str) -> tuple[str, ...]:
        """The keys of a command now, in portable spelling."""
        return tuple(key.toString(_PORTABLE) for key in self._actions[name].shortcuts())

    def key_of(self, name: str) -> str:
        """The first key of a command as this system writes it; "" where it has none."""
        return native(self.keys_of(name)[:1])

    def defaults(self, name: str) -> tuple[str, ...]:
        """The keys a command has as delivered."""
        return tuple(normal(key) for key in self._commands[name].keys)

    def owner(self, key: str, besides: str = "") -> str:
        """Which command (other than ``besides``) has ``key``; "" for none.

        Of two keys that are sequences (“Ctrl+K, O”) one that begins the other is taken too: it
        would never let the longer one be finished.
        """
        wanted = normal(key)
        if not wanted:
            return ""
        for name in self._commands:
            if name != besides and any(clashes(wanted, other) for other in self.keys_of(name)):
                return name
        return ""

    def set_keys(self, name: str, keys: Iterable[str]) -> None:
        """Give a command other keys (none at all is allowed).

        Raises:
            ValueError: a key is no key, or another command's.
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
        """The commands whose keys are not those delivered, with their keys."""
        return {
            command.id: self.keys_of(command.id)
            for command in self
            if self.keys_of(command.id) != self.defaults(command.id)
        }

    def apply_keys(self, changed: Mapping[str, Iterable[str]]) -> list[str]:
        """Set all keys: those delivered, with ``changed`` over them.

        Names and keys that this version does not know, and keys that clash, are left out.

        Returns:
            The names of commands whose wish could not be granted.
        """
        chosen = {
            name: tuple(dict.fromkeys(filter(None, map(normal, keys))))
            for name, keys in changed.items()
            if name in self._commands
        }
        refused: list[str] = []
        final: dict[str, tuple[str, ...]] = {}
        # What the person chose comes first; a default that clashes with it gives way.
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
        if self._providing:  # changes neither title nor keys
            return
        action, title = self._actions[name], self.title(name)
        if action.iconText() != title:
            action.setIconText(title)
        keys = native(self.keys_of(name))
        tip = f"{title} ({keys})" if keys else title
        if action.toolTip() != tip:
            action.setToolTip(tip)


def clashes(one: str, other: str) -> bool:
    """True when two keys cannot both work: they are equal, or one begins the other."""
    first, second = one.split(", "), other.split(", ")
    length = min(len(first), len(second))
    return first[:length] == second[:length]
