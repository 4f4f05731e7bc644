"""Archives that the user sets up: what is accepted, and how they are kept."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from core.archive import (
    DicomNode,
    TlsFiles,
    WebNode,
    find_node,
    keep_node,
    list_nodes,
    node_file,
    remove_node,
    warning_of,
)
from core.errors import InputError, NodeExists

DICOM = DicomNode(name="pacs", host="pacs.example.org", port=11112, title="PACS")
MOVING = DicomNode(
    name="old",
    host="192.0.2.7",
    title="OLD",
    own_title="ME",
    tls=TlsFiles(authority=Path("ca.pem"), certificate=Path("own.pem"), key=Path("own.key")),
    retrieve_by="move",
    listen_address="192.0.2.8",
    listen_port=11113,
)
WEB = WebNode(name="Web", url="https://pacs.example.org/dicom-web/", user="me", password="secret-1")


def test_what_is_kept_is_what_was_set_up() -> None:
    assert list_nodes() == ()
    for node in (WEB, MOVING, DICOM):
        keep_node(node)
    assert list_nodes() == (MOVING, DICOM, WEB)
    assert find_node("old") == MOVING
    remove_node("pacs")
    assert list_nodes() == (MOVING, WEB)


@pytest.mark.skipif(os.name != "posix", reason="other systems have other permissions")
def test_only_the_owner_reads_the_file_with_passwords() -> None:
    keep_node(WEB)
    assert stat.S_IMODE(node_file().stat().st_mode) == 0o600
    keep_node(DICOM)
    assert stat.S_IMODE(node_file().stat().st_mode) == 0o600


def test_a_password_is_shown_nowhere() -> None:
    assert "secret-1" not in repr(WEB) + str(WEB) + WEB.address


def test_a_name_is_given_once_and_can_be_changed() -> None:
    keep_node(DICOM)
    keep_node(WEB)
    with pytest.raises(NodeExists):
        keep_node(DicomNode(name="Web", host="x", title="X"))
    changed = DicomNode(name="pacs 2", host="x", title="X")
    keep_node(changed, replaces="pacs")
    assert list_nodes() == (changed, WEB)
    with pytest.raises(NodeExists):
        keep_node(DicomNode(name="Web", host="x", title="X"), replaces="pacs 2")
    with pytest.raises(InputError, match="there are: pacs 2, Web"):
        find_node("pacs")


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\xff\xfe", b'{"format": "other"}', b'{"format": "unifusion archives"}'],
)
def test_a_damaged_list_is_told_and_not_written_over(content: bytes) -> None:
    node_file().parent.mkdir(parents=True)
    node_file().write_bytes(content)
    with pytest.raises(InputError, match="not a list of archives"):
        list_nodes()
    with pytest.raises(InputError):
        keep_node(DICOM)
    assert node_file().read_bytes() == content


def test_a_list_of_a_newer_version_is_left_alone() -> None:
    node_file().parent.mkdir(parents=True)
    node_file().write_text('{"format": "unifusion archives", "version": 2, "archives": []}')
    with pytest.raises(InputError, match="newer version"):
        list_nodes()


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"name": "a\nb"},
        {"host": ""},
        {"host": "http://pacs"},
        {"port": 0},
        {"port": 65536},
        {"title": ""},
        {"title": "SEVENTEEN-LETTERS"},
        {"title": "BACK\\SLASH"},
        {"title": "ÄRCHIV"},
        {"own_title": " "},
        {"retrieve_by": "store"},
        {"retrieve_by": "move"},
        {"retrieve_by": "move", "listen_address": "everywhere", "listen_port": 104},
        {"retrieve_by": "move", "listen_address": "127.0.0.1"},
        {
            "retrieve_by": "move",
            "listen_address": "127.0.0.1",
            "listen_port": 104,
            "tls": TlsFiles(),
        },
    ],
)
def test_a_node_that_cannot_be_reached_is_refused(changes: dict[str, object]) -> None:
    given = {"name": "pacs", "host": "pacs", "title": "PACS"} | changes
    with pytest.raises(InputError) as caught:
        DicomNode(**given)  # type: ignore[arg-type]
    assert caught.value.remedy


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pacs/dicom-web",
        "ftp://pacs",
        "https://",
        "http://a b",
        "http://x:99999",
        "http://x?a=b",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="no address of DICOMweb"):
        WebNode(name="web", url=url)


def test_a_password_within_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(InputError) as caught:
        WebNode(name="web", url="https://me:secret-1@pacs.example.org/dicom-web")
    assert "secret-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("node", "warned"),
    [
        (DICOM, True),
        (MOVING, False),
        (WEB, False),
        (DicomNode(name="own", host="127.0.0.1", title="X"), False),
        (WebNode(name="own", url="http://localhost:8042/dicom-web"), False),
        (WebNode(name="far", url="http://pacs.example.org/dicom-web"), True),
    ],
)
def test_what_can_be_read_on_the_way_is_warned_of(node: DicomNode | WebNode, warned: bool) -> None:
    assert bool(warning_of(node)) is warned
