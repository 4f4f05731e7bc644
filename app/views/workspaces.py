"""The workspaces of the window: Fuse, and pages for those that are on their way."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QStackedWidget, QTabBar, QVBoxLayout, QWidget

WORKSPACES: tuple[str, ...] = ("fuse", "batch", "train", "evaluate")


class Placeholder(QWidget):
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


class Workspaces(QStackedWidget):
    """Pages by name, with tabs to choose them."""

    chosen = Signal(str)

    def __init__(self, fuse: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setAccessibleName(self.tr("Workspaces"))
        titles = (self.tr("Fuse"), self.tr("Batch"), self.tr("Train"), self.tr("Evaluate"))
        pages = {"fuse": fuse, **self._placeholders()}
        for number, (name, title) in enumerate(zip(WORKSPACES, titles, strict=True), 1):
            self.addWidget(pages[name])
            self.tabs.addTab(title)
            self.tabs.setTabToolTip(number - 1, f"{title} (Ctrl+{number})")
        self.tabs.currentChanged.connect(lambda index: self.show_page(WORKSPACES[index]))

    def _placeholders(self) -> dict[str, QWidget]:
        return {
            "batch": Placeholder(
                self.tr("Batch"),
                self.tr(
                    "Fusing whole folders, with a report that can be resumed, is not in this "
                    "version of the window yet. The command line does it:"
                ),
                "unifusion batch FOLDER --task mif --out RESULTS",
            ),
            "train": Placeholder(
                self.tr("Train"),
                self.tr(
                    "Training a model pack with live curves is not in this version of the window "
                    "yet. The command line trains, pauses and resumes:"
                ),
                "unifusion train --help",
            ),
            "evaluate": Placeholder(
                self.tr("Evaluate"),
                self.tr(
                    "Comparing methods over whole folders is not in this version of the window "
                    "yet. The figures of the pair on show are under Metrics in the Fuse "
                    "workspace; for folders there is the command line:"
                ),
                "unifusion evaluate --help",
            ),
        }

    @property
    def current(self) -> str:
        """Name of the page on show."""
        return WORKSPACES[self.currentIndex()]

    def show_page(self, name: str) -> None:
        """Show a workspace."""
        index = WORKSPACES.index(name)
        if index != self.currentIndex():
            self.setCurrentIndex(index)
            self.tabs.setCurrentIndex(index)
            self.chosen.emit(name)
