"""A hub of models on this machine: declares, redirects, sends, and misbehaves when told to."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from core.packs.download import Release


@dataclass
class Behaviour:
    """What the hub does.

    Attributes:
        content: of the file. sha256, size: declared; None declares the true ones, "" or 0 none.
        status: of the first answer, when it is a refusal. send: bytes sent before it breaks off.
        gate: the transfer waits after ``send`` bytes until it is set.
        redirect_to: where the first answer sends on to, instead of its own storage.
    """

    content: bytes = b""
    sha256: str | None = None
    size: int | None = None
    status: int = 302
    send: int | None = None
    gate: threading.Event | None = None
    redirect_to: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    began: threading.Event = field(default_factory=threading.Event)


def release_of(content: bytes) -> Release:
    """What the program would have to know of ``content`` to take it."""
    return Release("main", len(content), hashlib.sha256(content).hexdigest())


class Hub:
    """Serves on 127.0.0.1 while its block lasts."""

    def __init__(self, does: Behaviour) -> None:
        class Handler(_Handler):
            behaviour = does

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.does = does
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self.does.gate is not None:
            self.does.gate.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def do_GET(self) -> None:
        does = self.behaviour
        does.asked.append((self.path, dict(self.headers)))
        if "/resolve/" not in self.path:
            self._send_file()
        elif does.status == 302:
            self._send_on()
        else:
            self.send_response(does.status)
            self.end_headers()

    def _send_on(self) -> None:
        does = self.behaviour
        self.send_response(302)
        sha256 = hashlib.sha256(does.content).hexdigest() if does.sha256 is None else does.sha256
        size = len(does.content) if does.size is None else does.size
        if sha256:
            self.send_header("X-Linked-Etag", f'"{sha256}"')
        if size:
            self.send_header("X-Linked-Size", str(size))
        self.send_header("Location", does.redirect_to or "/storage/file")
        self.end_headers()

    def _send_file(self) -> None:
        does = self.behaviour
        self.send_response(200)
        # As the storage behind the real hub: an ETag that is no sha256.
        self.send_header("ETag", '"d41d8cd98f00b204e9800998ecf8427e-2"')
        self.send_header("Content-Length", str(len(does.content)))
        self.end_headers()
        self.wfile.write(does.content[: does.send])
        self.wfile.flush()
        does.began.set()
        if does.gate is not None:
            does.gate.wait(20)
            if does.send is not None:
                try:
                    self.wfile.write(does.content[does.send :])
                except OSError:
                    return

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
