"""What an error of HTTP means for whoever looks for images."""

from __future__ import annotations

import ssl

from core.archive.nodes import WebNode
from core.archive.tls import distrust
from core.errors import (
    ArchiveAway,
    ArchiveError,
    ArchiveTimeout,
    CertificateWrong,
    ConnectionBroken,
    LoginRefused,
    Message,
)

_UNKNOWN_USER, _FORBIDDEN, _NOT_THERE = 401, 403, 404


def http_error(node: WebNode, error: Exception) -> ArchiveError:
    """The error for one of requests, or for an answer that is none of DICOMweb.

    The text of ``error`` is not repeated: the address in it may hold what was searched for.
    """
    from requests import exceptions

    if isinstance(error, exceptions.SSLError):
        return _certificate(node, error)
    if isinstance(error, exceptions.ConnectTimeout):
        return _away(node)
    if isinstance(error, exceptions.Timeout):
        return ArchiveTimeout(
            node.name,
            Message("it has not answered in time"),
            Message("Try again; what has arrived is kept."),
        )
    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return _status(node, error.response.status_code)
    if isinstance(error, exceptions.TooManyRedirects):
        return ArchiveError(
            node.name,
            Message("it refers to another address, which was not followed"),
            Message("Enter the address that the services are at."),
        )
    if isinstance(error, exceptions.ChunkedEncodingError):
        return ConnectionBroken(
            node.name,
            Message("it ended the connection before everything was done"),
            Message("Try again; what has arrived is kept."),
        )
    if isinstance(error, exceptions.ConnectionError):
        return _away(node)
    return ArchiveError(
        node.name,
        Message("its answer is not one of DICOMweb"),
        Message("Check the address; Orthanc has its services at …/dicom-web."),
    )


def _away(node: WebNode) -> ArchiveAway:
    return ArchiveAway(
        node.name,
        Message("nothing answers at {0}", node.url),
        Message("Check that the archive is running, the address, and the firewall between."),
    )


def _status(node: WebNode, code: int) -> ArchiveError:
    if code == _UNKNOWN_USER:
        return LoginRefused(
            node.name,
            Message("it does not accept user and password"),
            Message("Check them, and whether the archive wants them at all."),
        )
    if code == _FORBIDDEN:
        return LoginRefused(
            node.name,
            Message("it does not let {0} do this", node.user or Message("this program")),
            Message("Ask who looks after the archive for the right to do it."),
        )
    if code == _NOT_THERE:
        return ArchiveError(
            node.name,
            Message("it has no such service or image at {0}", node.url),
            Message("Check the address; Orthanc has its services at …/dicom-web."),
        )
    return ArchiveError(
        node.name,
        Message("it reports a failure (HTTP {0})", code),
        Message("Try again; if it stays, tell who looks after the archive."),
    )


def _certificate(node: WebNode, error: BaseException) -> CertificateWrong:
    """The reason lies inside the errors of requests and urllib3."""
    seen: list[BaseException] = [error]
    for one in seen:
        if isinstance(one, ssl.SSLError):
            return distrust(one, node.name)
        inner = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        seen += [e for e in inner if isinstance(e, BaseException) and e not in seen]
    return distrust(ssl.SSLError("handshake"), node.name)
