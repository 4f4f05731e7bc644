"""Addresses of schedulers, and which of them may be used without certificates."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

from core.cluster.errors import ClusterError
from core.messages import Message

DEFAULT_PORT = 8786
MOST_PORT = 65535
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class ClusterAddress:
    """Address of a scheduler: ``tcp`` or ``tls``, host, port."""

    scheme: Literal["tcp", "tls"]
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> ClusterAddress:
        """The address that ``text`` names: ``tls://HOST:PORT``, ``tcp://127.0.0.1:PORT``.

        Raises:
            ClusterError: it is none.
        """
        try:
            parts = urlsplit(text.strip())
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme not in ("tcp", "tls") or not host or port == 0 or parts.path.strip("/"):
            raise ClusterError(
                Message("The address of a scheduler “{0}”", text),
                Message("it is not of the form tls://HOST:PORT"),
                Message("Write it like tls://server:{0}.", DEFAULT_PORT),
            )
        return cls(cast(Literal["tcp", "tls"], parts.scheme), host, port or DEFAULT_PORT)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def check(self, certificates: Path | None) -> None:
        """Check that what is sent there is protected: by certificates, or by never leaving here.

        Raises:
            ClusterError: it is not.
        """
        if self.scheme == "tls" and certificates is None:
            raise ClusterError(
                str(self),
                Message("no certificates were given"),
                Message("Name their folder (--certificates)."),
            )
        if self.scheme == "tcp" and not is_loopback(self.host):
            raise ClusterError(
                str(self),
                Message(
                    "beyond this computer only tls:// with certificates is allowed, since a "
                    "scheduler and its workers run what they are sent"
                ),
                Message(
                    "Make certificates with “unifusion cluster certificates DIR”, and use "
                    "{0} with them.",
                    ClusterAddress("tls", self.host, self.port),
                ),
            )
        if self.scheme == "tcp" and certificates is not None:
            raise ClusterError(
                str(self),
                Message("certificates were given, and tcp:// does not use them"),
                Message("Write tls:// instead, or leave the certificates out."),
            )


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this computer by an address that nobody else can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
