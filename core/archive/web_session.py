"""The HTTP session of an archive: nothing of the surroundings is used, nothing is followed."""

from __future__ import annotations

import contextlib
import socket
import weakref
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from core.archive.nodes import WebNode
from core.archive.tls import check_files

# Both may stand in a query as they are (RFC 3986 3.4), and some servers do not decode them.
_WILDCARDS = (("%2A", "*"), ("%3F", "?"))


class ArchiveSession(requests.Session):
    """Keeps its connection; no proxies, no passwords of ``.netrc``, no redirects.

    Its connections can be ended from another thread, see :meth:`cut`.
    """

    def __init__(self, node: WebNode) -> None:
        """
        Raises:
            CertificateWrong: a file of the node cannot be used.
        """
        super().__init__()
        self._opened: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(self._opened))
        check_files(node.tls)
        self.trust_env = False
        self.max_redirects = 0
        if node.tls.authority is not None:
            self.verify = str(node.tls.authority)
        if node.tls.certificate is not None:
            own = str(node.tls.certificate)
            self.cert = own if node.tls.key is None else (own, str(node.tls.key))
        if node.user:
            self.auth = (node.user, node.password)

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        """Send with wildcards as they are."""
        address, mark, query = (request.url or "").partition("?")
        for written, meant in _WILDCARDS:
            query = query.replace(written, meant)
        request.url = address + mark + query
        return super().send(request, **more)

    def cut(self) -> None:
        """End all connections, so that whoever waits for them wakes up with an error."""
        for under in list(self._opened):
            with contextlib.suppress(OSError):
                # That of the connection, also where it is encrypted.
                socket.socket.shutdown(under, socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """Tells of each connection that is opened."""

    def __init__(self, opened: weakref.WeakSet[socket.socket]) -> None:
        self._opened = opened
        super().__init__()

    def init_poolmanager(self, *given: Any, **more: Any) -> None:
        """As of requests, with connections that are told of."""
        super().init_poolmanager(*given, **more)
        opened = self._opened

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                opened.add(self.sock)

        class Encrypted(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                opened.add(self.sock)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class EncryptedPool(HTTPSConnectionPool):
            ConnectionCls = Encrypted

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}
