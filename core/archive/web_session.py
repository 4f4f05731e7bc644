"""The HTTP session of an archive: nothing of the surroundings is used, nothing is followed."""

from __future__ import annotations

from typing import Any

import requests

from core.archive.nodes import WebNode
from core.archive.tls import check_files

# Both may stand in a query as they are (RFC 3986 3.4), and some servers do not decode them.
_WILDCARDS = (("%2A", "*"), ("%3F", "?"))


class ArchiveSession(requests.Session):
    """Keeps its connection; no proxies, no passwords of ``.netrc``, no redirects."""

    def __init__(self, node: WebNode) -> None:
        """
        Raises:
            CertificateWrong: a file of the node cannot be used.
        """
        super().__init__()
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
