"""Rigs in the window: taken for one pair or for all that are listed, kept, replaced, deleted."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QInputDialog, QMenu, QMessageBox, QWidget

from app.fuse.pairs import Pairs
from app.fuse.state import FuseState, Offer
from app.i18n.numbers import number
from app.i18n.translate import plural
from app.registration.controller import AlignController
from app.registration.pending_offer import PendingOffer
from core.types import SourceSide


class RigCommands(QObject):
    """The entries of a menu about rigs, and their questions."""

    def __init__(
        self,
        window: QWidget,
        session: FuseState,
        align: AlignController,
        pairs: Pairs,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._session = session
        self._align = align
        self._pairs = pairs
        self._pending = PendingOffer(session, self)
        self._said = ""
        """What is said of all pairs, once the one on screen has been read again."""
        self.menus: dict[str, QMenu] = {}
        self.name_dialog: QInputDialog | None = None
        self.question: QMessageBox | None = None
        align.rigs_changed.connect(self._list)
        align.rig_exists.connect(self._ask_replace)
        pairs.plan_changed.connect(self._list)
        session.sources_changed.connect(self._tell)

    def add_to(self, menu: QMenu) -> None:
        """Add the entries to a menu."""
        self.menus = {
            "take": menu.addMenu(self.tr("Take a rig")),
            "all": menu.addMenu(self.tr("Use for all listed pairs")),
            "remove": menu.addMenu(self.tr("Delete a rig")),
        }
        self._list()

    def _list(self) -> None:
        requests = {
            "take": lambda name, _onto: self._align.take_rig(name),
            "all": self.use_for_all,
            "remove": lambda name, _onto: self._align.remove_rig(name),
        }
        many = len(self._pairs.matches) > 1
        for name, menu in self.menus.items():
            menu.clear()
            for rig in self._align.rigs:
                action = menu.addAction(rig.name.replace("&", "&&"))
                onto: SourceSide = "a" if rig.moving == "b" else "b"
                action.triggered.connect(partial(self._chosen, requests[name], rig.name, onto))
            if name == "all":
                menu.addSeparator()
                action = menu.addAction(self.tr("None: as they lie"))
                action.triggered.connect(partial(self._chosen, self.use_for_all, "", "a"))
            menu.setEnabled(many if name == "all" else bool(self._align.rigs))

    def _chosen(self, then: object, name: str, onto: SourceSide, _checked: bool = False) -> None:
        assert callable(then)
        then(name, onto)

    # --- all listed pairs ------------------------------------------------------------------

    def use_for_all(self, rig: str, onto: SourceSide) -> None:
        """Lay all listed pairs on each other by a rig, or by none (""); it can be undone."""
        self._align.leave()
        count = self._pairs.use_rig(rig, onto)
        if rig:
            text = plural(
                "The rig “{0}” is used for the one listed pair.",
                "The rig “{0}” is used for all {1} listed pairs.",
                count,
            )
        else:
            text = plural(
                "The one listed pair is taken as it lies.",
                "All {1} listed pairs are taken as they lie.",
                count,
            )
        self._said = text.format(rig, number(count, ","))
        self._tell()

    def undo_all(self) -> None:
        """Lay all listed pairs on each other as before."""
        self._pairs.undo_rig()

    def _tell(self) -> None:
        sources = self._session.sources
        if self._said and sources.pair is not None and not sources.is_loading:
            text, self._said = self._said, ""
            offer = Offer(text, (("undo_rig", self.tr("Undo")),))
            self._pending.ask(sources.pair, offer)

    # --- keeping one -----------------------------------------------------------------------

    def ask_name(self) -> None:
        """Ask under which name to keep the transform."""
        state = self._align.state
        if not state.is_active or state.view is not None:
            return
        dialog = self.name_dialog = QInputDialog(self._window)
        dialog.setWindowTitle(self.tr("Keep as a rig"))
        dialog.setLabelText(self.tr("Name of the two cameras"))
        dialog.textValueSelected.connect(self._align.keep_rig)
        dialog.open()

    def _ask_replace(self, name: str) -> None:
        """Ask whether the transform so far takes the place of a rig that was kept before."""
        box = self.question = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.tr("Keep as a rig"))
        box.setText(self.tr("There is a rig “{0}”. Replace it?").format(name))
        box.setInformativeText(self.tr("Batches that use it take the new transform from now on."))
        replace = box.addButton(self.tr("Replace"), QMessageBox.ButtonRole.AcceptRole)
        other = box.addButton(self.tr("Another name…"), QMessageBox.ButtonRole.ActionRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        replace.clicked.connect(lambda: self._align.keep_rig(name, replaces=True))
        other.clicked.connect(self.ask_name)
        box.open()
