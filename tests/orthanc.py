"""A real Orthanc on the loopback address, with random ports and a folder that is thrown away."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.archive import DicomNode, TlsFiles, WebNode

TITLE, OWN, LISTENER = "ORTHANC", "UNIFUSION", "UNILISTEN"
_PLUGIN_FOLDERS = ("/usr/share/orthanc/plugins", "/usr/local/share/orthanc/plugins")
_STARTS_WITHIN = 30.0


def free_port() -> int:
    """A port of the loopback address that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Orthanc:
    """A running server."""

    process: subprocess.Popen[bytes]
    dicom_port: int
    http_port: int
    move_port: int
    scheme: str = "http"

    def dicom(self, **changes: Any) -> DicomNode:
        given = {"name": "test", "host": "127.0.0.1", "port": self.dicom_port, "title": TITLE}
        return DicomNode(**(given | changes))

    def moving(self) -> DicomNode:
        return self.dicom(
            own_title=LISTENER,
            retrieve_by="move",
            listen_address="127.0.0.1",
            listen_port=self.move_port,
        )

    def web(self, **changes: Any) -> WebNode:
        url = f"{self.scheme}://127.0.0.1:{self.http_port}/dicom-web"
        return WebNode(**({"name": "web", "url": url} | changes))

    def get(self, path: str) -> Any:
        """What Orthanc's own interface, which is none of DICOM, says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}") as answer:
            content = answer.read()
        is_json = "json" in answer.headers["Content-Type"]
        return json.loads(content) if is_json else content

    def put(self, files: list[Path]) -> None:
        """Store files by its own interface."""
        for path in files:
            request = urllib.request.Request(
                f"http://127.0.0.1:{self.http_port}/instances", path.read_bytes(), method="POST"
            )
            urllib.request.urlopen(request).close()

    def delete(self, path: str) -> None:
        """Remove a resource."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}{path}", method="DELETE"
        )
        urllib.request.urlopen(request).close()

    def clear(self) -> None:
        """Remove everything."""
        for patient in self.get("/patients"):
            self.delete(f"/patients/{patient}")

    def stop(self) -> None:
        """End the server, at once: what it holds is thrown away."""
        self.process.kill()
        self.process.wait()


def start_orthanc(folder: Path, *, tls: TlsFiles | None = None, **more: Any) -> Orthanc:
    """Start a server in ``folder``; skips, with the reason, where it is not installed.

    Args:
        tls: files of DICOM over TLS.
        more: of its configuration.
    """
    program = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("Orthanc is not installed (Debian: orthanc, orthanc-dicomweb)")
    plugins = [
        str(path) for one in _PLUGIN_FOLDERS for path in Path(one).glob("*OrthancDicomWeb*.so*")
    ]
    if not plugins:
        pytest.skip("Orthanc has no DICOMweb here (Debian: orthanc-dicomweb)")
    dicom, http, move = (free_port() for _ in range(3))
    settings: dict[str, Any] = {
        "Name": "test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "Plugins": plugins,
        "DicomAet": TITLE,
        "DicomCheckCalledAet": True,
        "DicomPort": dicom,
        "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowStore": False,
        "DicomModalities": {
            "own": {"AET": OWN, "Host": "127.0.0.1", "Port": move, "AllowGet": True},
            "listener": {
                "AET": LISTENER,
                "Host": "127.0.0.1",
                "Port": move,
                "AllowMove": True,
                "AllowGet": False,
            },
        },
        "HttpPort": http,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        "SynchronousCMove": True,
        "StableAge": 1,
    }
    if tls is not None:
        settings |= {
            "DicomTlsEnabled": True,
            "DicomTlsCertificate": str(tls.certificate),
            "DicomTlsPrivateKey": str(tls.key),
            "DicomTlsTrustedCertificates": str(tls.authority),
        }
        settings["DicomModalities"]["listener"]["UseDicomTls"] = True
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "orthanc.json").write_text(json.dumps(settings | more))
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [program, str(folder / "orthanc.json")], stdout=log, stderr=log, cwd=folder
        )
    server = Orthanc(process, dicom, http, move)
    _wait(server, folder / "log.txt")
    return server


def _wait(server: Orthanc, log: Path) -> None:
    until = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        with socket.socket() as one:
            one.settimeout(0.2)
            ready = one.connect_ex(("127.0.0.1", server.http_port)) == 0
        with socket.socket() as one:
            one.settimeout(0.2)
            if ready and one.connect_ex(("127.0.0.1", server.dicom_port)) == 0:
                return
        time.sleep(0.05)
    server.stop()
    pytest.fail(f"Orthanc did not start: {log.read_text()[-2000:]}")
