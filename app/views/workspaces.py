"""The workspaces of the window: a page each, made when it is first shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QLabel, QStackedWidget, QTabBar, QVBoxLayout, QWidget

WORKSPACES: tuple[str, ...] = ("fuse", "batch", "train", "evaluate")


class Page(QWidget):
    """One workspace beside Fuse. It looks after its own work and threads."""

    busy_changed = Signal()
    """Work began or ended; see :attr:`busy`."""

    @property
    def busy(self) -> str:
        """What is under way, as a person would say it ("Fusing 120 pairs"), or ""."""
        return ""

    def shutdown(self) -> None:
        """Stop work at a point from which it can go on, and wait for its threads."""


class Placeholder(Page):
    """Says what a workspace will do, and how to do it today."""

    def __init__(self, title: str, text: str, command: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        heading = QLabel(title)
        heading.setObjectName("pageTitle")
        self.text = QLabel(text)
        self.text.setWordWrap(True)
        self.command = QLabel(command)
        self.command.setObjectName("command")
        self.command.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(48, 48, 48, 48)
        layout.setSpacing(12)
        layout.addWidget(heading)
        layout.addWidget(self.text)
        layout.addWidget(self.command, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addStretch(1)


PageMaker = Callable[[], Page]


class Workspaces(QStackedWidget):
    """Pages by name, with tabs to choose them."""

    chosen = Signal(str)
    busy_changed = Signal()

    def __init__(
        self, fuse: QWidget, makers: Mapping[str, PageMaker], parent: QWidget | None = None
    ) -> None:
        """
        Args:
            fuse: the page shown at first.
            makers: one for every other workspace, called when the page is first needed.
        """
        super().__init__(parent)
        self._makers = dict(makers)
        self.pages: dict[str, Page] = {}
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setAccessibleName(self.tr("Workspaces"))
        titles = (self.tr("Fuse"), self.tr("Batch"), self.tr("Train"), self.tr("Evaluate"))
        for number, title in enumerate(titles, 1):
            self.addWidget(fuse if number == 1 else QWidget())
            self.tabs.addTab(title)
        self.tabs.currentChanged.connect(lambda index: self.show_page(WORKSPACES[index]))

    def minimumSizeHint(self) -> QSize:
        """Of the page on show: the widest of the others does not hold the window open."""
        page = self.currentWidget()
        return page.minimumSizeHint() if page is not None else super().minimumSizeHint()

    @property
    def current(self) -> str:
        """Name of the page on show."""
        return WORKSPACES[self.currentIndex()]

    @property
    def busy(self) -> tuple[str, ...]:
        """What the pages are doing, in words."""
        return tuple(page.busy for page in self.pages.values() if page.busy)

    def page(self, name: str) -> Page:
        """The page of a workspace other than Fuse, made if it was not there yet."""
        if name not in self.pages:
            page = self.pages[name] = self._makers[name]()
            page.busy_changed.connect(self.busy_changed)
            index = WORKSPACES.index(name)
            empty, shown = self.widget(index), self.currentIndex() == index
            assert empty is not None  # one was put there for every workspace
            self.insertWidget(index, page)
            self.removeWidget(empty)
            empty.deleteLater()
            if shown:
                self.setCurrentIndex(index)
        return self.pages[name]

    def show_page(self, name: str) -> None:
        """Show a workspace."""
        index = WORKSPACES.index(name)
        if name != "fuse":
            self.page(name)
        if index != self.currentIndex():
            self.setCurrentIndex(index)
            self.updateGeometry()
            self.tabs.setCurrentIndex(index)
            self.chosen.emit(name)

    def shutdown(self) -> None:
        """Stop the work of every page and wait for its threads."""
        for page in self.pages.values():
            page.shutdown()
