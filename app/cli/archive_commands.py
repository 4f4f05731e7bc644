"""Commands about archives: who they are, what is in them, and what goes there."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import reported

archive_app = typer.Typer(
    help="Archives (PACS): query, retrieve and send by DICOM or DICOMweb, once they are set up."
)

NodeName = Annotated[str, typer.Argument(help="archive, as it was called when it was set up")]
NamePattern = Annotated[
    str, typer.Option("--name", help="patient's name: its beginning, or with * and ?")
]
IdPattern = Annotated[str, typer.Option("--id", help="patient's ID; * and ? as in names")]
AccessionNumber = Annotated[str, typer.Option("--accession", help="accession number")]
StudyDay = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y%m%d"])]
ModalityName = Annotated[
    str, typer.Option("--modality", help="of one of the series: PT, MR, CT, …")
]


@archive_app.command("add")
def archive_add(
    name: Annotated[str, typer.Argument(help="what the archive is to be called here")],
    *,
    url: Annotated[str, typer.Option(help="DICOMweb: https://…/dicom-web")] = "",
    user: Annotated[str, typer.Option(help="DICOMweb: user; the password is asked for")] = "",
    host: Annotated[str, typer.Option(help="DICOM: name or address of the computer")] = "",
    port: Annotated[int, typer.Option(help="DICOM: port")] = 104,
    title: Annotated[str, typer.Option(help="DICOM: title (AET) of the archive")] = "",
    own_title: Annotated[
        str, typer.Option(help="DICOM: title of this program, as the archive knows it")
    ] = "UNIFUSION",
    tls: Annotated[bool, typer.Option("--tls", help="DICOM: encrypted")] = False,
    authority: Annotated[
        Path | None, typer.Option(help="PEM of who vouches for the archive; else the system's")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="PEM of this program")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM of its key, without a password")] = None,
    move: Annotated[
        str,
        typer.Option(
            "--move", metavar="ADDRESS:PORT", help="retrieve by C-MOVE, and listen there meanwhile"
        ),
    ] = "",
    replace: Annotated[bool, typer.Option("--replace", help="in place of the one so called")] = (
        False
    ),
) -> None:
    """Set up an archive. Nothing is connected before you ask for something in it."""
    with reported():
        from app.cli.archive import NodeOptions, set_up

        set_up(
            NodeOptions(
                name, url=url, user=user, host=host, port=port, title=title, own_title=own_title,
                tls=tls, authority=authority, certificate=certificate, key=key, move=move,
            ),
            replace=replace,
        )  # fmt: skip


@archive_app.command("list")
def archive_list() -> None:
    """List the archives that are set up."""
    with reported():
        from app.cli.archive import print_nodes

        print_nodes()


@archive_app.command("remove")
def archive_remove(name: NodeName) -> None:
    """Forget an archive; nothing in it is touched."""
    with reported():
        from app.cli.console import say
        from core.archive import remove_node

        remove_node(name)
        say(f"{name} is removed")


@archive_app.command("echo")
def archive_echo(name: NodeName) -> None:
    """Ask an archive whether it is there and talks to this program."""
    with reported():
        from app.cli.archive import echo

        echo(name)


@archive_app.command("find")
def archive_find(
    name: NodeName,
    *,
    patient: NamePattern = "",
    patient_id: IdPattern = "",
    accession: AccessionNumber = "",
    since: StudyDay = None,
    until: StudyDay = None,
    modality: ModalityName = "",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """List studies with their series, newest first. Names of patients are shown."""
    with reported():
        from app.cli.archive import query_of, search

        query = query_of(patient, patient_id, accession, since, until, modality=modality)
        search(name, query, as_json=as_json)


@archive_app.command("get")
def archive_get(
    name: NodeName,
    study: Annotated[str, typer.Argument(help="Study Instance UID, as find lists it")] = "",
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="folder for the series")],
    series: Annotated[
        list[str] | None, typer.Option(help="Series Instance UID; repeatable; else all")
    ] = None,
    patient: NamePattern = "",
    patient_id: IdPattern = "",
    accession: AccessionNumber = "",
    since: StudyDay = None,
    until: StudyDay = None,
    modality: ModalityName = "",
) -> None:
    """Retrieve a study, or go on with it; exit code 3 when images did not arrive."""
    with reported():
        from app.cli.archive import query_of, retrieve

        query = query_of(patient, patient_id, accession, since, until, modality=modality)
        code = retrieve(name, study, query, out, tuple(series or ()))
    raise typer.Exit(code)


@archive_app.command("send")
def archive_send(
    name: NodeName,
    paths: Annotated[list[Path], typer.Argument(help="DICOM files, or folders of them")],
) -> None:
    """Send DICOM files; exit code 3 when the archive did not take all of them."""
    with reported():
        from app.cli.archive import send

        code = send(name, paths)
    raise typer.Exit(code)
