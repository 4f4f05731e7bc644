"""The dialog in which archives are set up and tested."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.archive.service import ArchiveService, follow
from app.archive.tasks import ArchiveListing, NodeForm
from app.i18n.translate import translate
from app.widgets.cards import Card
from app.widgets.forms import centre_labels
from core.errors import FusionError

_MOST_PORT = 65535


class NodeDialog(QDialog):
    """A list of archives, and the form of the selected one."""

    def __init__(self, service: ArchiveService, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._service = service
        self._editing = ""
        self._forms: dict[str, NodeForm] = {}
        self.setWindowTitle(self.tr("Set up archives"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(760)
        self.names = QListWidget()
        self.names.setAccessibleName(self.tr("Archives"))
        self.names.setMaximumWidth(190)
        self.message = Card(closable=True)
        self._make_fields()
        self._make_buttons()
        self._lay_out()
        self.names.currentTextChanged.connect(self._chosen)
        for box in (self.encrypted, self.move_):
            box.toggled.connect(self._update)
        self.kind.currentIndexChanged.connect(self._update)
        service.listed.connect(self._listed)
        self._show(NodeForm())
        service.refresh()

    def _make_fields(self) -> None:
        self.kind = QComboBox()
        self.kind.addItems([self.tr("DICOM (DIMSE)"), "DICOMweb"])
        self.kind.setAccessibleName(self.tr("Kind"))
        self.name, self.host, self.title = (QLineEdit() for _ in range(3))
        self.own_title, self.url, self.user = (QLineEdit() for _ in range(3))
        self.password, self.listen_address = QLineEdit(), QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.host.setPlaceholderText("pacs.example.org")
        self.url.setPlaceholderText("https://pacs.example.org/dicom-web")
        self.listen_address.setPlaceholderText("192.0.2.8")
        self.port, self.listen_port = QSpinBox(), QSpinBox()
        for box in (self.port, self.listen_port):
            box.setRange(1, _MOST_PORT)
        self.encrypted = QCheckBox(self.tr("Encrypted (TLS)"))
        self.move_ = QCheckBox(self.tr("Retrieve by C-MOVE: the archive connects to this computer"))
        self.authority, self.certificate, self.key = (QLineEdit() for _ in range(3))

    def _make_buttons(self) -> None:
        self.new = QPushButton(self.tr("New"))
        self.remove = QPushButton(self.tr("Remove"))
        self.test = QPushButton(self.tr("Test connection"))
        self.save = QPushButton(self.tr("Save"))
        for button in (self.new, self.remove, self.test, self.save):
            button.setAutoDefault(False)
        self.new.clicked.connect(self._begin)
        self.remove.clicked.connect(self._remove)
        self.test.clicked.connect(self._test)
        self.save.clicked.connect(self._save)

    def _lay_out(self) -> None:
        form = self._form = QFormLayout()
        form.addRow(self.tr("Kind"), self.kind)
        form.addRow(self.tr("Name"), self.name)
        form.addRow(self.tr("Host"), self.host)
        form.addRow(self.tr("Port"), self.port)
        form.addRow(self.tr("Title (AET) of the archive"), self.title)
        form.addRow(self.tr("Title (AET) of this program"), self.own_title)
        form.addRow("", self.encrypted)
        form.addRow("", self.move_)
        form.addRow(self.tr("Listen at address"), self.listen_address)
        form.addRow(self.tr("Listen at port"), self.listen_port)
        form.addRow(self.tr("Address"), self.url)
        form.addRow(self.tr("User"), self.user)
        form.addRow(self.tr("Password"), self.password)
        self._files: list[QWidget] = []
        for title, field in (
            (self.tr("Authority (PEM)"), self.authority),
            (self.tr("Own certificate (PEM)"), self.certificate),
            (self.tr("Its key (PEM)"), self.key),
        ):
            form.addRow(title, self._with_button(title, field))
        _name_fields(form)
        centre_labels(form)
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addWidget(self.names)
        below = QHBoxLayout()
        below.addWidget(self.new)
        below.addWidget(self.remove)
        left.addLayout(below)
        right.addLayout(form)
        acts = QHBoxLayout()
        acts.addStretch(1)
        acts.addWidget(self.test)
        acts.addWidget(self.save)
        right.addLayout(acts)
        both = QHBoxLayout()
        both.addLayout(left)
        both.addLayout(right, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(both)
        layout.addWidget(self.message)
        layout.addWidget(buttons)

    def _with_button(self, title: str, field: QLineEdit) -> QWidget:
        whole = QWidget()
        field.setAccessibleName(title)
        button = QPushButton(self.tr("Choose…"))
        button.setAutoDefault(False)
        button.setAccessibleDescription(title)
        button.clicked.connect(lambda: self._choose(title, field))
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(field, 1)
        row.addWidget(button)
        self._files.append(whole)
        return whole

    def _choose(self, title: str, field: QLineEdit) -> None:
        dialog = QFileDialog(self, title, field.text())
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(field.setText)
        dialog.open()

    # --- the form --------------------------------------------------------------------------

    @property
    def form(self) -> NodeForm:
        """What is typed."""
        return NodeForm(
            web=self.kind.currentIndex() == 1,
            name=self.name.text(),
            url=self.url.text(),
            user=self.user.text(),
            password=self.password.text(),
            host=self.host.text(),
            port=self.port.value(),
            title=self.title.text(),
            own_title=self.own_title.text(),
            encrypted=self.encrypted.isChecked(),
            authority=self.authority.text(),
            certificate=self.certificate.text(),
            key=self.key.text(),
            move=self.move_.isChecked(),
            listen_address=self.listen_address.text(),
            listen_port=self.listen_port.value(),
        )

    def _show(self, form: NodeForm) -> None:
        self._editing = form.name
        self.kind.setCurrentIndex(int(form.web))
        for field, text in (
            (self.name, form.name),
            (self.url, form.url),
            (self.user, form.user),
            (self.password, form.password),
            (self.host, form.host),
            (self.title, form.title),
            (self.own_title, form.own_title),
            (self.authority, form.authority),
            (self.certificate, form.certificate),
            (self.key, form.key),
            (self.listen_address, form.listen_address),
        ):
            field.setText(text)
        self.port.setValue(form.port)
        self.listen_port.setValue(form.listen_port)
        self.encrypted.setChecked(form.encrypted)
        self.move_.setChecked(form.move)
        self.remove.setEnabled(bool(form.name))
        self._update()

    def _update(self) -> None:
        web, moves = self.kind.currentIndex() == 1, self.move_.isChecked()
        dicom = (self.host, self.port, self.title, self.own_title, self.encrypted, self.move_)
        for field in dicom:
            self._form.setRowVisible(field, not web)
        for field in (self.listen_address, self.listen_port):
            self._form.setRowVisible(field, moves and not web)
        for field in (self.url, self.user, self.password):
            self._form.setRowVisible(field, web)
        for row in self._files:
            self._form.setRowVisible(row, web or self.encrypted.isChecked())

    def _begin(self) -> None:
        self.names.setCurrentRow(-1)
        self._show(NodeForm())
        self.name.setFocus()

    def _chosen(self, name: str) -> None:
        if name in self._forms:
            self._show(self._forms[name])

    # --- what the buttons do ---------------------------------------------------------------

    def _listed(self, listing: ArchiveListing) -> None:
        self._forms = {row.form.name: row.form for row in listing.rows}
        wanted = self._editing
        self.names.clear()
        self.names.addItems(list(self._forms))
        for row in range(self.names.count()):
            if self.names.item(row).text() == wanted or not wanted:
                self.names.setCurrentRow(row)
                break

    def _save(self) -> None:
        form, before = self.form, self._editing
        self._editing = form.name.strip()

        def failed(error: FusionError) -> None:
            self._editing = before
            self._failed(error)

        follow(self._service.keep(form, before), self._saved, failed)

    def _saved(self, listing: ArchiveListing) -> None:
        row = next((one for one in listing.rows if one.form.name == self._editing), None)
        text = self.tr("Saved. Nothing was connected.")
        self.message.show_message(f"{text} {row.warning if row else ''}".strip())

    def _remove(self) -> None:
        name, self._editing = self._editing, ""
        self._show(NodeForm())
        follow(self._service.remove(name), lambda _: self.message.hide(), self._failed)

    def _test(self) -> None:
        self.test.setEnabled(False)
        self.message.show_message(self.tr("Asking the archive…"))
        job = follow(self._service.echo(self.form), self._answered, self._failed)
        job.cancelled.connect(lambda: self.test.setEnabled(True))

    def _answered(self, address: str) -> None:
        self.test.setEnabled(True)
        self.message.show_message(self.tr("{0} answers.").format(address))

    def _failed(self, error: FusionError) -> None:
        self.test.setEnabled(True)
        self.message.show_message(translate(error.message))


def _name_fields(form: QFormLayout) -> None:
    """Give each field the text of its label, for screen readers."""
    for row in range(form.rowCount()):
        label = form.itemAt(row, QFormLayout.ItemRole.LabelRole)
        item = form.itemAt(row, QFormLayout.ItemRole.FieldRole)
        title = label.widget() if label is not None else None
        field = item.widget() if item is not None else None
        if isinstance(title, QLabel) and field is not None:
            field.setAccessibleName(title.text())
