"""Reading one file from a model hub over HTTPS, with errors explained to the user."""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message as Headers
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from core import __version__
from core.errors import DownloadError, Message

_BLOCK = 1 << 17
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIMEOUT = 30.0
"""Timeout in seconds for a server that sends nothing."""

_BY_HAND = Message("Download the file with a browser, and choose it here instead.")
_LATER = Message("Try again later, or download the file with a browser and choose it here.")
_PROXY = Message(
    "Set HTTPS_PROXY to http://USER:PASSWORD@PROXY:PORT as your network asks for it, and start "
    "the program again."
)


@dataclass(frozen=True)
class Head:
    """Declared size of a file in bytes, and SHA-256 in hex ("" if not declared)."""

    size: int
    sha256: str


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but not to a less secure URL, and keeps the first declared headers.

    The hub redirects requests for large files to its storage, which does not declare a SHA-256.
    """

    def __init__(self) -> None:
        self.size, self.sha256 = 0, ""

    def note(self, headers: Headers) -> None:
        """Keep the values that were not declared before."""
        self.sha256 = self.sha256 or _tag(headers.get("X-Linked-Etag"))
        self.size = self.size or _number(headers.get("X-Linked-Size"))

    def redirect_request(  # noqa: PLR0917 (as the base class)
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """As the base class, within these limits."""
        self.note(headers)
        if not is_protected(newurl):
            fp.close()
            raise URLError("the server sends on to an unprotected address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def is_protected(url: str) -> bool:
    """Whether ``url`` is protected from eavesdropping and tampering: HTTPS, or this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(parts.hostname))


def _is_this_machine(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def read_file(url: str) -> Iterator[Head | bytes]:
    """Yield a :class:`Head`, then the file in blocks. Blocks until data arrives.

    No token, cookie or other identification is sent. Proxies are those of the environment or the
    system, as found by :func:`urllib.request.getproxies`.

    Raises:
        DownloadError: the URL is not protected, or the download fails; includes a remedy.
    """
    host = urlsplit(url).hostname or url
    if not is_protected(url):
        raise DownloadError(
            url,
            Message(
                "the address is not protected (https), so anybody on the way could exchange the "
                "file"
            ),
            Message("Let HF_ENDPOINT begin with https://, or remove it."),
        )
    hops = _Redirects()
    agent = {"User-Agent": f"UniFusion-Studio/{__version__}"}
    try:
        opener = urllib.request.build_opener(hops)
        with opener.open(urllib.request.Request(url, headers=agent), timeout=_TIMEOUT) as reply:
            hops.note(reply.headers)
            size = hops.size or _number(reply.headers.get("Content-Length"))
            yield Head(size, hops.sha256 or _tag(reply.headers.get("ETag")))
            while block := reply.read1(_BLOCK):
                yield block
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _download_error(error, host) from error


def _tag(value: str | None) -> str:
    """The SHA-256 in an entity tag; "" for another kind of tag."""
    tag = (value or "").removeprefix("W/").strip('"').lower()
    return tag if _SHA256.fullmatch(tag) else ""


def _number(value: str | None) -> int:
    return int(value) if value and value.isdecimal() else 0


def _download_error(error: Exception, host: str) -> DownloadError:
    if isinstance(error, HTTPError):
        error.close()
        return _http_error(error.code, host)
    reason = error.reason if isinstance(error, URLError) else error
    what = Message("No connection to {0}", host)
    if "407" in str(reason) or "roxy" in str(reason) or "unnel" in str(reason):
        return DownloadError(what, Message("the proxy refuses it ({0})", reason), _PROXY)
    if isinstance(reason, ssl.SSLError):
        return DownloadError(
            what,
            Message("its certificate cannot be checked ({0})", reason),
            Message(
                "If your network looks into connections, set SSL_CERT_FILE to its certificate. "
                "Else download the file with a browser, and choose it here instead."
            ),
        )
    if isinstance(reason, socket.gaierror):
        return DownloadError(
            what,
            Message("its address cannot be found: this computer seems to be offline"),
            Message(
                "Connect it and try again, or bring the file from another computer and choose it "
                "here."
            ),
        )
    if isinstance(reason, TimeoutError):
        return DownloadError(what, Message("it does not answer"), _LATER)
    return DownloadError(
        what,
        str(getattr(reason, "strerror", None) or reason),
        Message("Look at the network connection and a firewall between, and try again."),
    )


def _http_error(code: int, host: str) -> DownloadError:
    what = Message("{0} refuses the file", host)
    if code in (401, 403):
        return DownloadError(
            what,
            Message("it asks for a login or for an agreement on its own page (answer {0})", code),
            Message(
                "Open its page in a browser, agree there, download the file, and choose it here."
            ),
        )
    if code == 407:
        return DownloadError(what, Message("the proxy wants a login (answer 407)"), _PROXY)
    if code in (404, 410):
        return DownloadError(what, Message("it is not there any more (answer {0})", code), _BY_HAND)
    return DownloadError(what, Message("it is busy or out of order (answer {0})", code), _LATER)
