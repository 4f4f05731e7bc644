"""How an archive is reached: a DICOM application entity, or a DICOMweb server."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from core.errors import InputError, Message

RetrieveWay = Literal["get", "move"]
RETRIEVE_WAYS: tuple[RetrieveWay, ...] = ("get", "move")
OWN_TITLE = "UNIFUSION"
"""The application entity title of this program, where none is chosen."""
DICOM_PORT, DICOM_TLS_PORT = 104, 2762
"""Ports registered for DICOM."""

_LONGEST_NAME, _LONGEST_TITLE = 60, 16


@dataclass(frozen=True, kw_only=True)
class TlsFiles:
    """Files of an encrypted connection, PEM. The certificate of the archive is always checked.

    Attributes:
        authority: certificates of those who may vouch for the archive; None for the system's.
        certificate: of this program, where the archive asks for one.
        key: its private key, without a password; None where it is in the same file.
    """

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if self.key is not None and self.certificate is None:
            raise InputError(
                Message("The key {0}", self.key),
                Message("the certificate that belongs to it is missing"),
                Message("Name its file too."),
            )


@dataclass(frozen=True, kw_only=True)
class DicomNode:
    """An archive that speaks DICOM's own protocol (DIMSE).

    Attributes:
        name: by which a person finds it; unique in the list.
        host, port: where it listens.
        title: its application entity title.
        own_title: that of this program, which most archives want to know beforehand.
        tls: files of the encrypted connection; None for one that is not encrypted.
        retrieve_by: C-GET, or C-MOVE, for which the archive connects to this program.
        listen_address, listen_port: of C-MOVE: where this program listens while it retrieves.
    """

    name: str
    host: str
    port: int = DICOM_PORT
    title: str
    own_title: str = OWN_TITLE
    tls: TlsFiles | None = None
    retrieve_by: RetrieveWay = "get"
    listen_address: str = ""
    listen_port: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", _name(self.name))
        host = self.host.strip()
        if not host or any(c.isspace() or c == "/" for c in host):
            raise InputError(
                Message("The host “{0}”", self.host),
                Message("it is no name or address of a computer"),
                Message("Write it as archive.example.org or 192.0.2.7."),
            )
        object.__setattr__(self, "host", host)
        object.__setattr__(self, "title", _title(self.title))
        object.__setattr__(self, "own_title", _title(self.own_title))
        _check_port(self.port)
        if self.retrieve_by not in RETRIEVE_WAYS:
            raise InputError(
                Message("Retrieving by “{0}”", self.retrieve_by),
                Message("there is no such way"),
                Message("Choose get or move."),
            )
        if self.retrieve_by == "move":
            self._check_listening()

    def _check_listening(self) -> None:
        try:
            ipaddress.ip_address(self.listen_address.strip())
        except ValueError:
            raise InputError(
                Message("The address to listen at “{0}”", self.listen_address),
                Message(
                    "for C-MOVE the archive connects to this computer, at one of its addresses"
                ),
                Message("Name that IP address and a port, or retrieve by C-GET."),
            ) from None
        _check_port(self.listen_port)
        if self.tls is not None and self.tls.certificate is None:
            raise InputError(
                self.name,
                Message("for C-MOVE with TLS this program needs a certificate of its own"),
                Message("Name its file, or retrieve by C-GET."),
            )

    @property
    def is_encrypted(self) -> bool:
        """Whether nobody on the way can read what is sent."""
        return self.tls is not None

    @property
    def address(self) -> str:
        """For a person: title, host and port."""
        return f"{self.title}@{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class WebNode:
    """An archive that speaks DICOMweb (QIDO-RS, WADO-RS, STOW-RS).

    Attributes:
        name: by which a person finds it; unique in the list.
        url: of the services, http or https, to which ``/studies`` is appended.
        user, password: of HTTP basic authentication; "" without.
        tls: files of https.
    """

    name: str
    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    tls: TlsFiles = field(default_factory=TlsFiles)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", _name(self.name))
        url = self.url.strip().rstrip("/")
        try:
            parts = urlsplit(url)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname)
            valid = valid and parts.port != 0 and not (parts.query or parts.fragment)
        except ValueError:
            valid = False
        if not valid or any(c.isspace() for c in url):
            raise InputError(
                Message("The address “{0}”", self.url),
                Message("it is no address of DICOMweb"),
                Message("Write it as https://archive.example.org/dicom-web."),
            )
        if parts.username is not None:
            raise InputError(
                Message("The address at {0}", parts.hostname),
                Message("user and password in it would be shown with it"),
                Message("Leave them out of the address, and give them by themselves."),
            )
        object.__setattr__(self, "url", url)
        if self.password and not self.user:
            raise InputError(
                self.name, Message("there is a password without a user"), Message("Name the user.")
            )

    @property
    def is_encrypted(self) -> bool:
        """Whether nobody on the way can read what is sent."""
        return self.url.startswith("https:")

    @property
    def address(self) -> str:
        """For a person: the URL."""
        return self.url


ArchiveNode = DicomNode | WebNode


def warning_of(node: ArchiveNode) -> str:
    """That the connection is not encrypted; "" where it is, or stays on this computer."""
    host = node.host if isinstance(node, DicomNode) else urlsplit(node.url).hostname or ""
    if node.is_encrypted or is_loopback(host):
        return ""
    return Message(
        "Not encrypted: names and images can be read on the way to {0}. Use TLS where the archive "
        "offers it.",
        node.name,
    )


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this computer itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InputError(
            Message("The name “{0}”", name),
            Message("a name has 1 to {0} printable characters", _LONGEST_NAME),
            Message("Choose another name."),
        )
    return name


def _title(title: str) -> str:
    title = title.strip()
    letters = title.isascii() and title.isprintable() and "\\" not in title
    if not title or len(title) > _LONGEST_TITLE or not letters:
        raise InputError(
            Message("The title “{0}”", title),
            Message(
                "an application entity title has 1 to {0} characters of ASCII and no backslash",
                _LONGEST_TITLE,
            ),
            Message("Ask who looks after the archive what it is called."),
        )
    return title


def _check_port(port: int) -> None:
    if not 1 <= port <= 65535:
        raise InputError(
            Message("The port {0}", port),
            Message("ports are from 1 to 65535"),
            Message("DICOM is mostly at {0}, 4242 or 11112.", DICOM_PORT),
        )
