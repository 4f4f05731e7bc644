"""``unifusion archive``: sets up archives, searches them, retrieves and sends."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from datetime import datetime
from pathlib import Path

import typer

from app.cli.console import DONE, SOME_FAILED, TerminalProgress, note, say
from app.cli.fused_output import PictureOutput
from core.archive import (
    MOST_STUDIES,
    Archive,
    ArchivedSeries,
    ArchivedStudy,
    ArchiveNode,
    DicomNode,
    RetrievedSeries,
    StudyQuery,
    TlsFiles,
    WebNode,
    archive_of,
    find_node,
    keep_node,
    list_nodes,
    node_file,
    retrieve_series,
    send_files,
    warning_of,
)
from core.errors import InputError
from core.fusion.volume_targets import VolumeTarget
from core.progress import Progress

PASSWORD = "UNIFUSION_ARCHIVE_PASSWORD"
"""Variable that holds the password where nobody can be asked."""
_MOST_REASONS = 5


@dataclass(frozen=True)
class NodeOptions:
    """An archive as it was typed."""

    name: str
    _: KW_ONLY
    url: str = ""
    user: str = ""
    host: str = ""
    port: int = 104
    title: str = ""
    own_title: str = "UNIFUSION"
    tls: bool = False
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    move: str = ""

    def node(self, password: str = "") -> ArchiveNode:
        """
        Raises:
            InputError: an option is missing, wrong, or of the other kind of archive.
        """
        if bool(self.url) == bool(self.host):
            raise InputError(
                self.name,
                "an archive has either --url (DICOMweb) or --host and --title (DICOM)",
                "Give one of them.",
            )
        files = (self.authority, self.certificate, self.key)
        authority, certificate, key = (None if one is None else one.absolute() for one in files)
        tls = TlsFiles(authority=authority, certificate=certificate, key=key)
        if self.url:
            return WebNode(name=self.name, url=self.url, user=self.user, password=password, tls=tls)
        address, port = _address(self.move)
        return DicomNode(
            name=self.name,
            host=self.host,
            port=self.port,
            title=self.title,
            own_title=self.own_title,
            tls=tls if self.tls or any(files) else None,
            retrieve_by="move" if self.move else "get",
            listen_address=address,
            listen_port=port,
        )


def _address(text: str) -> tuple[str, int]:
    if not text:
        return "", 0
    address, _, port = text.rpartition(":")
    if not port.isdigit():
        raise InputError(f"--move {text}", "the port is missing", "Write it as 192.0.2.8:11112.")
    return address.strip("[]"), int(port)


def set_up(options: NodeOptions, *, replace: bool) -> None:
    """Keep an archive; asks for the password where there is a user.

    Raises:
        InputError: an option is wrong, or there is an archive of that name.
    """
    options.node()
    node = options.node(_password() if options.user else "")
    known = any(one.name == node.name for one in list_nodes())
    keep_node(node, replaces=node.name if replace and known else "")
    _warn(node)
    say(f"{node.name}: {node.address}, kept in {node_file()}")


def _password() -> str:
    if PASSWORD in os.environ:
        return os.environ[PASSWORD]
    if not sys.stdin.isatty():
        raise InputError(
            "The password", "nobody can be asked for it here", f"Set the variable {PASSWORD}."
        )
    return str(typer.prompt("Password", hide_input=True))


def print_nodes() -> None:
    """Print one line per archive."""
    for node in list_nodes():
        lock = "encrypted" if node.is_encrypted else "not encrypted"
        if isinstance(node, WebNode):
            say(f"{node.name:20} DICOMweb  {node.address}, {lock}")
        else:
            way = f"C-{node.retrieve_by.upper()}"
            say(f"{node.name:20} DICOM     {node.address} as {node.own_title}, {way}, {lock}")
    say(f"Archives are kept in {node_file()}")


def _warn(node: ArchiveNode) -> None:
    if text := warning_of(node):
        note(text)


def echo(name: str) -> None:
    """
    Raises:
        ArchiveError: it does not answer, and why.
    """
    node = find_node(name)
    with TerminalProgress() as progress:
        archive_of(node).echo(progress)
    _warn(node)
    say(f"{node.name} answers ({node.address})")


def query_of(
    patient: str,
    patient_id: str,
    accession: str,
    since: datetime | None,
    until: datetime | None,
    *,
    modality: str,
) -> StudyQuery:
    """What is looked for, as it was typed."""
    return StudyQuery(
        patient_name=patient,
        patient_id=patient_id,
        accession=accession,
        first=since.date() if since else None,
        last=until.date() if until else None,
        modality=modality,
    )


def search(name: str, query: StudyQuery, *, as_json: bool) -> None:
    """Print studies that match, with their series."""
    node = find_node(name)
    archive = archive_of(node)
    with TerminalProgress() as progress:
        found = archive.find_studies(query, MOST_STUDIES, progress)
        rows = [(one, archive.find_series(one.uid, progress)) for one in found.studies]
    _warn(node)
    if found.more:
        note(f"There are more; the first {MOST_STUDIES} are listed. Say more of what you look for.")
    if as_json:
        listed = [asdict(one) | {"series_list": [asdict(s) for s in many]} for one, many in rows]
        say(json.dumps(listed, ensure_ascii=False))
        return
    for study, many in rows:
        _print_study(study, many)
    say("1 study" if len(rows) == 1 else f"{len(rows)} studies")


def _print_study(study: ArchivedStudy, series: Sequence[ArchivedSeries]) -> None:
    day = f"{study.date[:4]}-{study.date[4:6]}-{study.date[6:]}" if len(study.date) == 8 else "-"
    say(f"{day}  {study.patient_name or '-'}  {study.patient_id or '-'}  {study.description}")
    say(f"  study {study.uid}")
    for one in series:
        images = "images unknown" if one.images is None else f"{one.images} images"
        number = "-" if one.number is None else one.number
        say(f"  {number:>4}  {one.modality or '-':4} {images:>12}  {one.description}")
        say(f"        series {one.uid}")


def retrieve(name: str, study: str, query: StudyQuery, out: Path, series: Sequence[str]) -> int:
    """Retrieve one study into a folder.

    Returns:
        An exit code.

    Raises:
        InputError: none or several studies match, or one has no such series.
        FusionError: nothing arrived, or the folder cannot be written.
    """
    node = find_node(name)
    archive = archive_of(node)
    with TerminalProgress() as progress:
        uid = study or _only_study(archive, query, progress).uid
        listed = archive.find_series(uid, progress)
        chosen = [one for one in listed if not series or one.uid in series]
        unknown = set(series) - {one.uid for one in listed}
        if not chosen or unknown:
            raise InputError(
                ", ".join(sorted(unknown)) or uid,
                f"{node.name} has no such {'series in this study' if unknown else 'study'}",
                "Look at unifusion archive find.",
            )
        done = retrieve_series(archive, chosen, out, progress)
    _warn(node)
    for one in done:
        _print_retrieved(one)
    return DONE if all(one.is_whole for one in done) else SOME_FAILED


def _print_retrieved(one: RetrievedSeries) -> None:
    if one.folder is not None:
        say(f"{one.folder}: {one.arrived} images ({one.series.modality})")
        return
    kind = one.series.modality or "series"
    say(
        f"{kind} {one.series.uid}: {one.arrived} of {one.expected} images arrived, so it "
        f"is not shown yet: {one.why}. Give the command again to go on."
    )


def _only_study(archive: Archive, query: StudyQuery, progress: Progress) -> ArchivedStudy:
    if query == StudyQuery():
        raise InputError(
            "The study", "nothing says which one", "Give its UID, or --name, --id, --accession, …"
        )
    found = archive.find_studies(query, 2, progress)
    if len(found.studies) == 1:
        return found.studies[0]
    raise InputError(
        "The study",
        "there are several that match" if found.studies else "there is none that matches",
        "Look at unifusion archive find, and give its UID.",
    )


def check_sending(name: str, target: PictureOutput | VolumeTarget, progress: Progress) -> None:
    """Refuse to send, before anything is calculated, what cannot be.

    Raises:
        InputError: there is no such archive, or the target is none that archives take.
        ArchiveError: it does not answer.
    """
    node = find_node(name)
    if not (isinstance(target, VolumeTarget) and target.is_dicom):
        raise InputError(
            f"--send {name}",
            "archives take DICOM only",
            "Name a folder or a .dcm file, and leave out --slice and --png.",
        )
    archive_of(node).echo(progress)


def send(name: str, paths: Sequence[Path]) -> int:
    """Send files and folders.

    Returns:
        An exit code.

    Raises:
        FusionError: nothing could be sent.
    """
    node = find_node(name)
    with TerminalProgress() as progress:
        sent = send_files(archive_of(node), paths, progress)
    _warn(node)
    counts = Counter(one.state for one in sent)
    reasons = Counter(str(one.why) for one in sent if one.why)
    for why, count in reasons.most_common(_MOST_REASONS):
        first = next(one for one in sent if one.why == why)
        more = f" and {count - 1} more" if count > 1 else ""
        note(f"{first.path}{more}: {why}")
    taken = counts["stored"] + counts["warned"]
    say(f"{node.name}: {taken} of {len(sent)} files stored")
    return DONE if taken == len(sent) else SOME_FAILED
