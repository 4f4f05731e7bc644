"""Whether a scheduler is there, and whether both sides accept each other's certificates."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from core.cluster.address import ClusterAddress
from core.cluster.certificates import Role, client_context, tls_files
from core.cluster.errors import ClusterError
from core.messages import Message

_SECONDS = 10.0
_EXPIRED = 10
"""OpenSSL's ``X509_V_ERR_CERT_HAS_EXPIRED``."""


def check_reach(
    address: ClusterAddress, certificates: Path | None, role: Role, seconds: float = _SECONDS
) -> None:
    """Connect once and hear the first byte: Dask itself only says that it timed out.

    Raises:
        ClusterError: nobody answers there, a certificate is refused, or it is no scheduler.
    """
    address.check(certificates)
    context = None if certificates is None else client_context(tls_files(certificates, role))
    try:
        with socket.create_connection((address.host, address.port), timeout=seconds) as plain:
            if context is None:
                heard = plain.recv(1)
            else:
                with context.wrap_socket(plain, server_hostname=address.host) as secure:
                    # Whether our certificate is refused is told with the first answer.
                    heard = secure.recv(1)
    except ssl.SSLError as error:
        raise _certificate_error(address, error) from error
    except ConnectionResetError as error:
        raise _certificate_error(address, error) from error
    except TimeoutError as error:
        raise _away(
            address, Message("nobody answers within {0} seconds", round(seconds))
        ) from error
    except OSError as error:
        raise _away(
            address, Message("nobody answers there ({0})", error.strerror or error)
        ) from error
    if not heard:
        raise _away(address, Message("what answers there is no scheduler with this encryption"))


def _away(address: ClusterAddress, why: str) -> ClusterError:
    return ClusterError(
        Message("The scheduler at {0}", address),
        why,
        Message("Start it with “unifusion scheduler”, and check host, port and firewall."),
    )


def _certificate_error(address: ClusterAddress, error: OSError) -> ClusterError:
    reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
    said = str(reason).lower().replace("_", " ")
    if isinstance(error, ssl.SSLCertVerificationError):
        why = Message("its certificate is not of our authority ({0})", error.verify_message)
        if error.verify_code == _EXPIRED:
            why = Message("its certificate has expired")
    elif "alert" in said or isinstance(error, ConnectionResetError):
        why = Message("it refuses our certificate ({0})", said)
    else:
        why = Message("an encrypted connection cannot be made ({0})", said)
    return ClusterError(
        Message("The scheduler at {0}", address),
        why,
        Message("Scheduler, workers and submitter need certificates of one authority."),
    )
