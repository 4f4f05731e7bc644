"""What archives are asked for, on a worker thread. Arguments and results are plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from app.i18n.translate import translate
from core.errors import ArchiveError, InputError, Message
from core.progress import Progress

if TYPE_CHECKING:
    from core.archive import (
        ArchivedSeries,
        ArchiveNode,
        FoundStudies,
        RetrievedSeries,
        SentFile,
        TlsFiles,
    )


@dataclass(frozen=True, kw_only=True)
class NodeForm:
    """An archive as it is typed; all texts may be wrong.

    Attributes:
        web: DICOMweb instead of DICOM.
        move: retrieve by C-MOVE instead of C-GET.
        encrypted: DICOM over TLS.
    """

    web: bool = False
    name: str = ""
    url: str = ""
    user: str = ""
    password: str = ""
    host: str = ""
    port: int = 104
    title: str = ""
    own_title: str = "UNIFUSION"
    encrypted: bool = False
    authority: str = ""
    certificate: str = ""
    key: str = ""
    move: bool = False
    listen_address: str = ""
    listen_port: int = 11112

    def __repr__(self) -> str:
        return f"NodeForm({self.name!r})"

    def node(self) -> ArchiveNode:
        """
        Raises:
            InputError: something is missing or wrong.
        """
        from core.archive import DicomNode, WebNode

        if self.web:
            return WebNode(
                name=self.name,
                url=self.url,
                user=self.user.strip(),
                password=self.password,
                tls=self._tls(),
            )
        return DicomNode(
            name=self.name,
            host=self.host,
            port=self.port,
            title=self.title,
            own_title=self.own_title,
            tls=self._tls() if self.encrypted else None,
            retrieve_by="move" if self.move else "get",
            listen_address=self.listen_address.strip() if self.move else "",
            listen_port=self.listen_port if self.move else 0,
        )

    def _tls(self) -> TlsFiles:
        from core.archive import TlsFiles

        given = (text.strip() for text in (self.authority, self.certificate, self.key))
        authority, certificate, key = (Path(text).expanduser() if text else None for text in given)
        return TlsFiles(authority=authority, certificate=certificate, key=key)


@dataclass(frozen=True, kw_only=True)
class NodeRow:
    """An archive that is set up.

    Attributes:
        form: to be changed.
        address: for a person.
        warning: that it is not encrypted, or "".
    """

    form: NodeForm
    address: str
    warning: str = ""


@dataclass(frozen=True)
class Folder:
    """The private folder of retrieved studies, and the bytes in it."""

    path: Path
    size: int


@dataclass(frozen=True)
class ArchiveListing:
    """Archives that are set up, and the folder of what was retrieved."""

    rows: tuple[NodeRow, ...]
    folder: Folder


@dataclass(frozen=True, kw_only=True)
class SearchForm:
    """What is looked for, as it is typed; days as YYYY-MM-DD."""

    patient_name: str = ""
    patient_id: str = ""
    accession: str = ""
    modality: str = ""
    first: str = ""
    last: str = ""

    def __repr__(self) -> str:
        return "SearchForm()"


class InLanguage:
    """Progress whose stages are translated before a signal keeps only their text."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.check = progress.check

    def report(self, done: float, total: float, stage: str) -> None:
        """Report in the language of the window."""
        self._progress.report(done, total, translate(stage))


def list_archives(progress: Progress) -> ArchiveListing:
    """Archives that are set up."""
    from core.archive import list_nodes, retrieved_bytes, retrieved_folder

    rows = tuple(_row(node) for node in list_nodes())
    return ArchiveListing(rows, Folder(retrieved_folder(), retrieved_bytes()))


def _row(node: ArchiveNode) -> NodeRow:
    from core.archive import WebNode, warning_of

    warning = translate(warning_of(node)) if warning_of(node) else ""
    files = (
        (node.tls.authority, node.tls.certificate, node.tls.key) if node.tls else (None, None, None)
    )
    authority, certificate, key = ("" if path is None else str(path) for path in files)
    form = NodeForm(name=node.name, authority=authority, certificate=certificate, key=key)
    if isinstance(node, WebNode):
        form = replace(form, web=True, url=node.url, user=node.user, password=node.password)
    else:
        form = replace(
            form,
            host=node.host,
            port=node.port,
            title=node.title,
            own_title=node.own_title,
            encrypted=node.tls is not None,
            move=node.retrieve_by == "move",
            listen_address=node.listen_address,
            listen_port=node.listen_port or form.listen_port,
        )
    return NodeRow(form=form, address=node.address, warning=warning)


def keep_archive(form: NodeForm, replaces: str, progress: Progress) -> ArchiveListing:
    """Keep an archive, in place of the one called ``replaces``."""
    from core.archive import keep_node

    keep_node(form.node(), replaces=replaces)
    return list_archives(progress)


def remove_archive(name: str, progress: Progress) -> ArchiveListing:
    """Forget an archive."""
    from core.archive import remove_node

    remove_node(name)
    return list_archives(progress)


def echo_archive(form: NodeForm, progress: Progress) -> str:
    """Ask whether an archive answers; returns its address."""
    from core.archive import archive_of

    node = form.node()
    archive_of(node).echo(InLanguage(progress))
    return node.address


def search_archive(name: str, form: SearchForm, progress: Progress) -> FoundStudies:
    """Studies that match."""
    from core.archive import MOST_STUDIES, StudyQuery, archive_of, find_node

    query = StudyQuery(
        patient_name=form.patient_name,
        patient_id=form.patient_id,
        accession=form.accession,
        modality=form.modality,
        first=_day(form.first),
        last=_day(form.last),
    )
    archive = archive_of(find_node(name))
    return archive.find_studies(query, MOST_STUDIES, InLanguage(progress))


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InputError(
            Message("The day “{0}”", text),
            Message("it is no day"),
            Message("Write it as 2026-01-31."),
        ) from None


def series_of_study(name: str, study_uid: str, progress: Progress) -> tuple[ArchivedSeries, ...]:
    """The series of a study."""
    from core.archive import archive_of, find_node

    return archive_of(find_node(name)).find_series(study_uid, InLanguage(progress))


@dataclass(frozen=True)
class Retrieved:
    """What was retrieved, and where it is."""

    folder: Path
    series: tuple[RetrievedSeries, ...]


def retrieve_study(
    name: str, study_uid: str, chosen: frozenset[str], progress: Progress
) -> Retrieved:
    """Retrieve series of a study into the private folder.

    Args:
        chosen: UIDs of the series; empty for all.

    Raises:
        ArchiveError: the archive fails, or has none of these series: nothing is there to open.
    """
    from core.archive import archive_of, find_node, retrieve_series, study_folder

    archive, shown = archive_of(find_node(name)), InLanguage(progress)
    listed = archive.find_series(study_uid, shown)
    series = [one for one in listed if not chosen or one.uid in chosen]
    if not series:
        raise ArchiveError(
            Message("Nothing was retrieved"),
            Message("{0} does not have these images any more", name),
            Message("Search again."),
        )
    folder = study_folder(study_uid)
    return Retrieved(folder, retrieve_series(archive, series, folder, shown))


def send_to_archive(name: str, paths: Sequence[Path], progress: Progress) -> tuple[SentFile, ...]:
    """Send DICOM files and folders of them."""
    from core.archive import archive_of, find_node, send_files

    return send_files(archive_of(find_node(name)), paths, InLanguage(progress))


def clear_folder(progress: Progress) -> ArchiveListing:
    """Delete what was retrieved."""
    from core.archive import clear_retrieved

    clear_retrieved()
    return list_archives(progress)
