"""Certificates: contexts of encrypted connections, and what is wrong with them."""

from __future__ import annotations

import ssl
from pathlib import Path

from core.archive.nodes import TlsFiles
from core.errors import CertificateWrong, Message


def client_context(tls: TlsFiles) -> ssl.SSLContext:
    """For connections to an archive, whose certificate and host name are checked.

    Raises:
        CertificateWrong: a file cannot be used.
    """
    context = _context(ssl.Purpose.SERVER_AUTH, tls)
    if tls.certificate is not None:
        _load_own(context, tls)
    return context


def server_context(tls: TlsFiles) -> ssl.SSLContext:
    """For connections from an archive (C-MOVE), which has to show a certificate as well.

    Raises:
        CertificateWrong: a file cannot be used.
    """
    context = _context(ssl.Purpose.CLIENT_AUTH, tls)
    context.verify_mode = ssl.CERT_REQUIRED
    _load_own(context, tls)
    return context


def check_files(tls: TlsFiles) -> None:
    """Refuse files that cannot be used, before anything is sent.

    Raises:
        CertificateWrong: one is missing, no PEM, or key and certificate do not belong together.
    """
    client_context(tls)


def distrust(error: ssl.SSLError, name: str) -> CertificateWrong:
    """The error for a connection whose encryption could not be agreed on."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return untrusted(name, error.verify_message or str(error.reason))
    return CertificateWrong(
        Message("No encrypted connection to {0}", name),
        Message("the two could not agree ({0})", error.reason or type(error).__name__),
        Message(
            "Check that the archive expects TLS at this port, and whose certificates it asks for."
        ),
    )


def untrusted(name: str, reason: str) -> CertificateWrong:
    """The error for a certificate of an archive that does not hold."""
    return CertificateWrong(
        Message("The certificate of {0}", name),
        Message("it is not trusted ({0})", reason),
        Message(
            "Check host and date, and name the file of the authority that vouches for the archive. "
            "Nothing was sent."
        ),
    )


def _context(purpose: ssl.Purpose, tls: TlsFiles) -> ssl.SSLContext:
    try:
        authority = None if tls.authority is None else str(tls.authority)
        context = ssl.create_default_context(purpose, cafile=authority)
    except (OSError, ValueError) as error:
        raise _unusable(tls.authority, error) from error
    if authority is None and purpose is ssl.Purpose.CLIENT_AUTH:
        context.load_default_certs(purpose)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _load_own(context: ssl.SSLContext, tls: TlsFiles) -> None:
    assert tls.certificate is not None

    def locked() -> str:
        # Otherwise OpenSSL would ask for it on the terminal.
        raise CertificateWrong(
            Message("The key {0}", tls.key or tls.certificate),
            Message("it is protected by a password"),
            Message("Write it into a file without one that only you can read."),
        )

    try:
        context.load_cert_chain(tls.certificate, tls.key, password=locked)
    except (OSError, ValueError) as error:
        raise _unusable(tls.certificate, error) from error


def _unusable(path: Path | None, error: Exception) -> CertificateWrong:
    reason = getattr(error, "strerror", "") or str(error)
    return CertificateWrong(
        Message("The certificate {0}", path or Message("of the system")),
        Message("it cannot be used ({0})", reason),
        Message("Name a PEM file, and the key that belongs to it."),
    )
