"""What the dialogs that write files share: folder, name, and whether both can be used."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.fuse.file_dialogs import pictures_folder
from app.widgets.forms import centre_labels

_NOT_IN_NAMES = frozenset('/\\:*?"<>|')


class ExportTargetDialog(QDialog):
    """A dialog that asks where to write; subclasses say what.

    It does not block the caller. Subclasses add rows to :attr:`form`, call :meth:`lay_out`, and
    implement :meth:`update_state`.
    """

    def __init__(
        self, title: str, action: str, folder: str, name: str, parent: QWidget | None = None
    ) -> None:
        """
        Args:
            title: of the window. action: what the button says.
            folder: to begin with; "" for that of pictures.
            name: to begin with, without suffix.
        """
        super().__init__(parent)
        self.setWindowTitle(title)
        self.form = QFormLayout()
        self.folder = QLineEdit(folder or pictures_folder())
        self.folder.setAccessibleName(self.tr("Folder"))
        self.name = QLineEdit(name)
        self.name.setAccessibleName(self.tr("Name"))
        self.create_ = QPushButton(self.tr("Create folder"))
        self.create_.setAutoDefault(False)
        self.create_.clicked.connect(self._create_folder)
        self.browse = QPushButton(self.tr("Choose…"))
        self.browse.setAutoDefault(False)
        self.browse.clicked.connect(self._choose_folder)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setObjectName("hint")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = self.buttons.addButton(action, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept_plan)
        self.buttons.rejected.connect(self.reject)
        self.folder.textChanged.connect(lambda: self.update_state())
        self.name.textChanged.connect(lambda: self.update_state())

    def lay_out(self, above: list[QWidget], below: list[QWidget]) -> None:
        """Lay out the dialog: ``above`` the form with folder and name, ``below`` it the hints."""
        where = QHBoxLayout()
        where.addWidget(self.folder, 1)
        where.addWidget(self.create_)
        where.addWidget(self.browse)
        self.form.addRow(self.tr("Folder"), where)
        self.form.addRow(self.tr("Name"), self.name)
        centre_labels(self.form)
        layout = QVBoxLayout(self)
        for widget in above:
            layout.addWidget(widget)
        if above:
            layout.addSpacing(6)
        layout.addLayout(self.form)
        for widget in (*below, self.note, self.buttons):
            layout.addWidget(widget)

    @property
    def chosen_folder(self) -> Path:
        """As it is typed."""
        return Path(self.folder.text().strip()).expanduser()

    @property
    def stem(self) -> str:
        """The name as it is typed."""
        return self.name.text().strip()

    @property
    def folder_exists(self) -> bool:
        """Whether there is such a folder."""
        return bool(self.folder.text().strip()) and self.chosen_folder.is_dir()

    def is_named(self, forbidden: str = "") -> bool:
        """Whether the name can be that of a file; ``forbidden``: further signs."""
        return bool(self.stem.strip(".")) and not set(self.stem) & (_NOT_IN_NAMES | set(forbidden))

    def show_folder(self) -> None:
        """Offer to create the folder that is not there."""
        self.create_.setVisible(bool(self.folder.text().strip()) and not self.folder_exists)

    def trouble(self, *, named: bool) -> str:
        """What is wrong with folder and name; "" for nothing."""
        if not self.folder_exists:
            return self.tr("There is no such folder.")
        if not named:
            return self.tr("The name is empty or has signs files cannot have.")
        return ""

    def replaced(self, names: list[str]) -> str:
        """Says which files will be replaced; "" for none."""
        if not names:
            return ""
        return self.tr("Will be replaced: {0}").format(", ".join(names))

    def update_state(self) -> None:
        """Show what is possible with what is chosen."""
        raise NotImplementedError

    def accept_plan(self) -> None:
        """Tell what was chosen, and close."""
        raise NotImplementedError

    def _create_folder(self) -> None:
        folder = self.chosen_folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            text = self.tr("{0} cannot be created: {1}")
            self.note.setText(text.format(folder, error.strerror or error))
        else:
            self.update_state()

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("Folder to export to"), self.folder.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.open()
