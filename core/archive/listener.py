"""What arrives from an archive, and where it arrives for C-MOVE.

The port is open at the address that the user has set, while it retrieves, and for the archive that
it retrieves from.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from core.archive.association import connection_handlers, cut
from core.archive.contexts import listen_contexts
from core.archive.nodes import DicomNode
from core.archive.protocol import Receive
from core.archive.quiet import silence
from core.archive.records import ArchivedSeries
from core.archive.tls import server_context
from core.errors import ArchiveError, Message, OutputError

if TYPE_CHECKING:
    from pynetdicom.events import Event

_STORED, _NO_ROOM, _NOT_ASKED_FOR = 0x0000, 0xA700, 0xA900
"""Status of C-STORE (PS3.4 B.2.3)."""
_JOIN_SECONDS = 2.0


class Receiver:
    """Hands on what arrives, if it was asked for.

    Attributes:
        on_arrival: called at every arrival.
    """

    def __init__(self, receive: Receive, series: ArchivedSeries, wanted: set[str]) -> None:
        """
        Args:
            receive: told of each image.
            series: that is retrieved.
            wanted: UIDs of the images; empty for all of the series.
        """
        self._receive, self._series, self._wanted = receive, series, wanted
        self._refusal: BaseException | None = None
        self._lock = threading.Lock()
        self.on_arrival: Callable[[], None] = lambda: None

    def handlers(self) -> list[Any]:
        """Handlers of pynetdicom's events."""
        from pynetdicom import evt

        return [(evt.EVT_C_STORE, self._arrived)]

    def raise_refusal(self) -> None:
        """
        Raises:
            Exception: what ``receive`` raised.
        """
        if self._refusal is not None:
            raise self._refusal

    def _arrived(self, event: Event) -> int:
        with self._lock:
            self.on_arrival()
            uid = str(getattr(event.request, "AffectedSOPInstanceUID", ""))
            if self._refusal is not None:
                return _NO_ROOM
            if self._wanted and uid not in self._wanted:
                return _NOT_ASKED_FOR
            try:
                self._receive(uid, event.encoded_dataset())
            # Handlers of pynetdicom may not raise; whoever waits for the end raises it.
            except BaseException as error:
                self._refusal = error
                return _NO_ROOM if isinstance(error, OutputError) else _NOT_ASKED_FOR
            return _STORED


class Listener:
    """Listens for images while it is entered."""

    def __init__(self, node: DicomNode, receiver: Receiver, kinds: Sequence[str]) -> None:
        """
        Args:
            node: archive that is asked to send.
            receiver: of what it sends.
            kinds: SOP classes to accept; empty for the usual ones.
        """
        self._node, self._receiver, self._kinds = node, receiver, kinds
        self._server: Any = None

    def __enter__(self) -> Self:
        silence()
        from pynetdicom import AE

        node = self._node
        entity = AE(ae_title=node.own_title)
        entity.require_called_aet = True
        entity.require_calling_aet = [node.title]
        for kind, syntaxes in listen_contexts(self._kinds):
            entity.add_supported_context(kind, list(syntaxes))
        context = None if node.tls is None else server_context(node.tls)
        try:
            self._server = entity.start_server(
                (node.listen_address, node.listen_port),
                block=False,
                ssl_context=context,
                evt_handlers=[*self._receiver.handlers(), *connection_handlers()],
            )
        except OSError as error:
            raise _cannot_listen(node, error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        left = list(self._server.active_associations)
        cut(left)
        for association in left:
            association.join(timeout=_JOIN_SECONDS)
        self._server.shutdown()


def _cannot_listen(node: DicomNode, error: OSError) -> ArchiveError:
    if error.errno == errno.EADDRNOTAVAIL:
        why = Message("it is not an address of this computer")
    elif error.errno == errno.EADDRINUSE:
        why = Message("another program uses this port")
    else:
        why = Message.plain(error.strerror or str(error))
    return ArchiveError(
        Message("Cannot listen at {0}, port {1}", node.listen_address, node.listen_port),
        why,
        Message("Choose another address or port for C-MOVE, or retrieve by C-GET."),
    )
