"""How the listed pairs of pictures are laid on each other, while the list is there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from PySide6.QtCore import QObject, Signal

from app.fuse.state import FuseState
from app.i18n.translate import tr
from app.pairs.edits import PairKey
from core.alignment.choice import AlignChoice
from core.types import PairTransform


class PairAlignments(QObject):
    """What was chosen or accepted for each listed pair; pairs of volumes are none of them.

    A choice is kept until the pair is opened, and then what came of it.
    """

    changed = Signal(object)
    """Keys of pairs."""

    def __init__(
        self,
        session: FuseState,
        is_listed: Callable[[PairKey], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._is_listed = is_listed
        self._choices: dict[PairKey, AlignChoice] = {}
        self._transforms: dict[PairKey, PairTransform] = {}
        self._undo: tuple[Mapping[PairKey, AlignChoice], Mapping[PairKey, PairTransform]] | None
        self._undo = None
        session.sources_changed.connect(self._follow)

    def choice(self, key: PairKey) -> AlignChoice | None:
        """What is to be done once a pair is opened; None where its transform is known."""
        return self._choices.get(key)

    def transform(self, key: PairKey) -> PairTransform | None:
        """By which one source of a pair is resampled onto the other; also of the swapped pair."""
        turned = self._transforms.get(key[::-1])
        return self._transforms.get(key) or (None if turned is None else turned.swapped())

    def choose(self, keys: Collection[PairKey], choice: AlignChoice) -> None:
        """Lay these pairs on each other anew, from when they are opened; see :meth:`undo`."""
        self._undo = dict(self._choices), dict(self._transforms)
        for key in keys:
            self._transforms.pop(key, None)
            self._choices.pop(key, None)
            if choice.way != "none":
                self._choices[key] = choice
        self.changed.emit(list(keys))

    def undo(self) -> None:
        """Take the last :meth:`choose` back."""
        if self._undo is None:
            return
        before = {*self._choices, *self._transforms}
        choices, transforms = self._undo
        self._undo = None
        self._choices, self._transforms = dict(choices), dict(transforms)
        self.changed.emit(list(before | {*choices, *transforms}))

    def keep_only(self, keys: Collection[PairKey]) -> None:
        """Forget all other pairs, except those that were swapped."""
        for kept in (self._choices, self._transforms):
            for key in [key for key in kept if key not in keys and key[::-1] not in keys]:
                del kept[key]

    def text(self, key: PairKey) -> str:
        """A line on how a pair is laid on each other; "" where it is taken as it lies."""
        by, choice = self.transform(key), self.choice(key)
        if choice is not None:
            return tr("Rig: {0}").format(choice.name)
        if by is None:
            return ""
        texts = {
            "registered": tr("Aligned: registered"),
            "file": tr("Aligned by a file: {0}").format(by.name),
            "rig": tr("Rig: {0}").format(by.name),
            "hand": tr("Aligned by hand"),
        }
        doubt = f" – {tr('doubtful')}" if by.is_doubtful else ""
        return f"{texts[by.origin]}{doubt}"

    def _follow(self) -> None:
        """Keep what the pair on screen was read with."""
        sources = self._session.sources
        key = sources.key
        if sources.pair is None or sources.slice is not None or key is None:
            return
        if not self._is_listed(key):
            return
        before = self.text(key)
        self._choices.pop(key, None)
        self._transforms.pop(key[::-1], None)
        if sources.transform is None:
            self._transforms.pop(key, None)
        else:
            self._transforms[key] = sources.transform
        if self.text(key) != before:
            self.changed.emit([key])
