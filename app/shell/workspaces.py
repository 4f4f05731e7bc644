"""The workspaces of the window: one page each, created when it is first shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QSize, Signal, SignalInstance
from PySide6.QtWidgets import QStackedWidget, QTabBar, QWidget

from app.widgets.page import Page

WORKSPACES: tuple[str, ...] = ("fuse", "batch", "train", "evaluate")


PageMaker = Callable[[], Page]


class Workspaces(QStackedWidget):
    """A stack of pages by name, with tabs to choose them."""

    chosen = Signal(str)
    busy_changed = Signal()
    tabs_changed = Signal()
    """The title of a tab, and with it the tabs' width, has changed."""

    def __init__(
        self, fuse: QWidget, makers: Mapping[str, PageMaker], parent: QWidget | None = None
    ) -> None:
        """
        Args:
            fuse: the page shown at first.
            makers: factory of every other page, called when the page is first needed.
        """
        super().__init__(parent)
        self._makers = dict(makers)
        self._also: list[Callable[[], str]] = []
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
        """Minimum size of the current page: wider pages must not enlarge the window."""
        page = self.currentWidget()
        return page.minimumSizeHint() if page is not None else super().minimumSizeHint()

    @property
    def current(self) -> str:
        """Name of the current page."""
        return WORKSPACES[self.currentIndex()]

    @property
    def busy(self) -> tuple[str, ...]:
        """Descriptions of the work under way."""
        busy = (*(page.busy for page in self.pages.values()), *(also() for also in self._also))
        return tuple(text for text in busy if text)

    def watch(self, busy: Callable[[], str], changed: SignalInstance) -> None:
        """Count other work as well.

        Args:
            busy: what is in progress, in words; "" for nothing.
            changed: emitted when that may have changed.
        """
        self._also.append(busy)
        changed.connect(self.busy_changed)

    def page(self, name: str) -> Page:
        """The page of a workspace other than Fuse, created if necessary."""
        if name not in self.pages:
            page = self.pages[name] = self._makers[name]()
            page.busy_changed.connect(self.busy_changed)
            index = WORKSPACES.index(name)
            page.title_changed.connect(partial(self._show_title, index))
            empty, shown = self.widget(index), self.currentIndex() == index
            assert empty is not None  # there is one for every workspace
            self.insertWidget(index, page)
            self.removeWidget(empty)
            empty.deleteLater()
            if shown:
                self.setCurrentIndex(index)
        return self.pages[name]

    def _show_title(self, index: int, title: str) -> None:
        if self.tabs.tabText(index) != title:
            self.tabs.setTabText(index, title)
            self.tabs_changed.emit()

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
        """Stop the work of every page and wait for their threads."""
        for page in self.pages.values():
            page.shutdown()
