"""Associations with an archive, and what is said when there is none (PS3.7, PS3.8)."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.archive.nodes import DicomNode
from core.archive.quiet import silence, without_traceback
from core.archive.tls import client_context, distrust
from core.archive.watch import Watch
from core.errors import (
    ArchiveAway,
    ArchiveError,
    ArchiveTimeout,
    AssociationRefused,
    CertificateWrong,
    ConnectionBroken,
    ContextRefused,
    Message,
    WrongTitle,
)
from core.progress import Progress

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pynetdicom.association import Association
    from pynetdicom.pdu import A_ASSOCIATE_RJ
    from pynetdicom.presentation import PresentationContext

CONNECT_SECONDS, NEGOTIATE_SECONDS, SILENT_SECONDS = 5.0, 10.0, 30.0
"""How long an archive may take to be reached, to answer a request for an association, and to send
the next thing."""
SUCCESS, CANCELLED_STATUS = 0x0000, 0xFE00
PENDING = (0xFF00, 0xFF01)
_OUT_OF_RESOURCES = range(0xA700, 0xA800)
_DESTINATION_UNKNOWN = 0xA801
_USER, _ACSE = 1, 2
_CALLED_UNKNOWN, _CALLING_UNKNOWN = 7, 3


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What an association is for.

    Attributes:
        contexts: abstract syntaxes with the transfer syntaxes of each.
        needed: abstract syntax without which there is no use in it; "" for any.
        received: abstract syntaxes of what the archive is to send back (C-GET).
        handlers: as :meth:`pynetdicom.AE.associate` takes them.
    """

    contexts: Sequence[tuple[str, tuple[str, ...]]]
    needed: str = ""
    received: Iterable[str] = ()
    handlers: Sequence[tuple[Any, Any]] = ()


class StatusFailure(ArchiveError):
    """An archive answered with a status that is a failure."""


class Session:
    """An association that stands, under the eyes of a :class:`~core.archive.watch.Watch`.

    Attributes:
        association: of pynetdicom.
    """

    def __init__(self, node: DicomNode, association: Association, watch: Watch) -> None:
        self.association = association
        self._node, self._watch = node, watch

    def beat(self) -> None:
        """Something came from the archive.

        Raises:
            Cancelled: by the user.
        """
        self._watch.beat()

    def heard(self) -> None:
        """As :meth:`beat`, for other threads: it raises nothing."""
        self._watch.heard()

    def code(self, status: Dataset) -> int:
        """The status of a response.

        Raises:
            ArchiveTimeout, ConnectionBroken: there is none.
            Cancelled: by the user.
        """
        self.beat_or_broken("Status" in status)
        return int(status.Status)

    def beat_or_broken(self, answered: bool) -> None:
        """As :meth:`beat`; where nothing came, why not.

        Raises:
            ArchiveTimeout, ConnectionBroken: nothing came.
            Cancelled: by the user.
        """
        if not answered and not self._watch.is_cancelled:
            raise silent(self._node) if self._watch.is_silent else broken(self._node)
        self._watch.beat()


@contextlib.contextmanager
def associated(node: DicomNode, proposal: Proposal, progress: Progress) -> Iterator[Session]:
    """An association with ``node``, released at the end, aborted at an error.

    Raises:
        ArchiveError: there is none, and why; or it ended too early.
        Cancelled: by ``progress``.
    """
    silence()
    from pynetdicom import AE, build_context, build_role, evt

    context = None if node.tls is None else client_context(node.tls)
    addresses = _resolved(node)
    entity = AE(ae_title=node.own_title)
    entity.connection_timeout = CONNECT_SECONDS
    entity.acse_timeout = NEGOTIATE_SECONDS
    # The watch sees to these, and to the user, at once.
    entity.dimse_timeout = None
    entity.network_timeout = None
    opened: list[Association] = []
    refused: list[A_ASSOCIATE_RJ] = []
    asked: dict[str, Any] = {
        "contexts": [build_context(kind, list(syntaxes)) for kind, syntaxes in proposal.contexts],
        "ae_title": node.title,
        "ext_neg": [build_role(kind, scp_role=True) for kind in dict.fromkeys(proposal.received)],
        "tls_args": None if context is None else (context, node.host),
        "evt_handlers": [
            (evt.EVT_CONN_OPEN, lambda event: opened.append(event.assoc)),
            (evt.EVT_PDU_RECV, lambda event: _note_refusal(event.pdu, refused)),
            *connection_handlers(),
            *proposal.handlers,
        ],
    }
    with Watch(progress, lambda: cut(opened), SILENT_SECONDS) as watch:
        for address in addresses:
            association = entity.associate(address, node.port, **asked)
            if opened or watch.is_cancelled:
                break
        try:
            if not association.is_established:
                watch.beat()
                raise _refusal(node, association, refused, address)
            if proposal.needed:
                _check_context(node, association, proposal.needed)
            yield Session(node, association, watch)
            if association.is_established:
                association.release()
        finally:
            if association.is_established:
                association.abort()
            # Its thread ends by itself; nobody is to meet it later.
            if association.is_alive():
                association.join(timeout=NEGOTIATE_SECONDS)


def connection_handlers() -> list[Any]:
    """Handlers for connections of this program, whoever asked for them.

    They end without a traceback, and acknowledge what arrives at once, where the system can be told
    to. Else each image waits 40 ms for it: archives send in small pieces, of which the last one is
    held back until those before are acknowledged. 88 slices took 5.6 s instead of 0.9 s.
    """
    from pynetdicom import evt

    def acknowledge(event: Any) -> None:
        quick = getattr(socket, "TCP_QUICKACK", None)
        under = event.assoc.dul.socket
        if quick is not None and under is not None and under.socket is not None:
            with contextlib.suppress(OSError):
                under.socket.setsockopt(socket.IPPROTO_TCP, quick, 1)

    # The system forgets it whenever something is sent.
    return [
        (evt.EVT_CONN_OPEN, lambda event: without_traceback(event.assoc)),
        (evt.EVT_DATA_RECV, acknowledge),
        (evt.EVT_DATA_SENT, acknowledge),
    ]


def cut(opened: Sequence[Association]) -> None:
    """End the connections under associations, so that whoever waits for them wakes up."""
    for association in opened:
        under = association.dul.socket
        if under is not None and under.socket is not None:
            with contextlib.suppress(OSError):
                # That of the connection, also where it is encrypted.
                socket.socket.shutdown(under.socket, socket.SHUT_RDWR)
        association.dimse.msg_queue.put((None, None))


def _resolved(node: DicomNode) -> tuple[str, ...]:
    """The numeric addresses of the host, at least one.

    An archive may listen at one of them only, as many do at that of IPv4 where “localhost” is that
    of IPv6 first.
    """
    try:
        found = socket.getaddrinfo(node.host, node.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ArchiveAway(
            node.name,
            Message("the name {0} is not known in this network", node.host),
            Message("Check the host, and whether this computer is in the network of the archive."),
        ) from error
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


def _check_context(node: DicomNode, association: Association, needed: str) -> None:
    if not any(one.abstract_syntax == needed for one in association.accepted_contexts):
        raise not_offered(node, needed)


def not_offered(node: DicomNode, needed: str) -> ContextRefused:
    """The error for a service that an archive does not offer."""
    from pydicom.uid import UID

    return ContextRefused(
        node.name,
        Message("it does not offer the service “{0}”", UID(needed).name),
        Message(
            "Ask who looks after the archive to allow it for {0}, or reach the archive another "
            "way (C-MOVE instead of C-GET, or DICOMweb).",
            node.own_title,
        ),
    )


def _note_refusal(pdu: object, refused: list[A_ASSOCIATE_RJ]) -> None:
    from pynetdicom.pdu import A_ASSOCIATE_RJ

    if isinstance(pdu, A_ASSOCIATE_RJ):
        refused.append(pdu)


def _refusal(
    node: DicomNode, association: Association, refused: Sequence[A_ASSOCIATE_RJ], address: str
) -> ArchiveError:
    """Why there is no association.

    Args:
        refused: what the archive answered. pynetdicom itself forgets it where the archive closes
            the connection before the thread that waits for the answer runs on.
    """
    rejected: Sequence[PresentationContext] = association.rejected_contexts
    if refused:
        return _rejection(node, refused[0])
    if association.is_aborted and rejected:
        return not_offered(node, str(rejected[0].abstract_syntax))
    return _unconnected(node, address)


def _rejection(node: DicomNode, answer: A_ASSOCIATE_RJ) -> AssociationRefused:
    source, reason = answer.source, answer.reason_diagnostic
    if source == _USER and reason == _CALLED_UNKNOWN:
        return WrongTitle(
            node.name,
            Message("no archive there is called {0}", node.title),
            Message("Check its title; capitals and small letters differ."),
        )
    if source == _USER and reason == _CALLING_UNKNOWN:
        return WrongTitle(
            node.name,
            Message("it does not know this program as {0}", node.own_title),
            Message(
                "Ask who looks after the archive to enter this computer under that title, or use "
                "the title that is entered."
            ),
        )
    if source not in (_USER, _ACSE):
        return AssociationRefused(
            node.name, Message("it is busy"), Message("Try again in a few minutes.")
        )
    return AssociationRefused(
        node.name,
        Message("it refuses associations, and does not say why"),
        Message(
            "Ask who looks after the archive whether {0} may connect from this computer.",
            node.own_title,
        ),
    )


def _unconnected(node: DicomNode, address: str) -> ArchiveError:
    """Why there is no connection: pynetdicom tells only its log, so it is tried once more."""
    try:
        with socket.create_connection((address, node.port), timeout=CONNECT_SECONDS) as plain:
            if node.tls is not None:
                with client_context(node.tls).wrap_socket(plain, server_hostname=node.host) as lock:
                    lock.settimeout(CONNECT_SECONDS)
                    # A certificate that is missing is told only after the handshake.
                    lock.recv(1)
    except TimeoutError:
        pass
    except OSError as error:
        return _connection_error(node, error)
    return _speechless(node)


def _connection_error(node: DicomNode, error: OSError) -> ArchiveError:
    import ssl

    if isinstance(error, ssl.SSLError):
        return distrust(error, node.name)
    if isinstance(error, ConnectionResetError) and node.tls is not None:
        return CertificateWrong(
            Message("No encrypted connection to {0}", node.name),
            Message("it ended the connection"),
            Message("Check that the archive expects TLS at this port, and whose certificates."),
        )
    return away(node, error.strerror or "")


def away(node: DicomNode, why: str) -> ArchiveAway:
    """The error for an archive that does not answer at all."""
    reason = Message("nothing answers at {0}, port {1}", node.host, node.port)
    return ArchiveAway(
        node.name,
        Message("{0} ({1})", reason, why) if why else reason,
        Message("Check that the archive is running, host and port, and the firewall between."),
    )


def _speechless(node: DicomNode) -> ArchiveError:
    """Something listens there, but it does not take part."""
    if node.tls is None:
        remedy = Message("Check the port, and whether the archive expects TLS there.")
    else:
        remedy = Message("Check the port, and whether the archive asks for a certificate.")
    return ArchiveTimeout(
        node.name, Message("what listens there does not answer as a DICOM archive"), remedy
    )


def silent(node: DicomNode) -> ArchiveTimeout:
    """The error for an archive that stopped talking."""
    return ArchiveTimeout(
        node.name,
        Message("it has not said anything for {0} seconds", int(SILENT_SECONDS)),
        Message("Try again; what has arrived is kept."),
    )


def broken(node: DicomNode) -> ConnectionBroken:
    """The error for a connection that the archive ended."""
    return ConnectionBroken(
        node.name,
        Message("it ended the connection before everything was done"),
        Message("Try again; what has arrived is kept."),
    )


def failure(node: DicomNode, code: int) -> ArchiveError:
    """The error for a status that is none of success (PS3.7 annex C).

    The comment of the archive is not repeated, since it may name a patient.
    """
    if code in _OUT_OF_RESOURCES:
        return ArchiveError(
            node.name,
            Message("it has no room or memory left (status {0:04X})", code),
            Message("Ask for less at once, or tell who looks after the archive."),
        )
    if code == _DESTINATION_UNKNOWN:
        return WrongTitle(
            node.name,
            Message("it does not know where {0} is, to send images there", node.own_title),
            Message(
                "Ask who looks after the archive to enter this title with address and port of this "
                "computer, or retrieve by C-GET."
            ),
        )
    return StatusFailure(
        node.name,
        Message("it reports a failure (status {0:04X})", code),
        Message("Try again; if it stays, tell who looks after the archive."),
    )


def check_open(session: Session) -> None:
    """Refuse to go on with an association that has ended.

    Raises:
        ArchiveTimeout, ConnectionBroken: it has.
        Cancelled: by the user.
    """
    session.beat_or_broken(session.association.is_established)
