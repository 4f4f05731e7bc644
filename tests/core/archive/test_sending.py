"""Files are read while they are sent, what is none is told, and waiting ends when cancelled."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification

from core.archive import DicomNode, WebNode, archive_of, send_files
from core.archive.quiet import without_traceback
from core.errors import Cancelled
from core.progress import NullProgress
from tests.core.archive.scp import Scp
from tests.orthanc import Orthanc

QUIET = NullProgress()


class _Stops(NullProgress):
    """Is cancelled some tenths of a second after it was made."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        if time.monotonic() > self._end:
            raise Cancelled


@pytest.fixture
def odd_files(sample_files: list[Path], tmp_path: Path) -> dict[str, Path]:
    """By what is wrong with them."""
    whole = sample_files[0].read_bytes()
    made = {"cut": whole[:-100], "head": whole[:3000], "empty": b"", "text": b"no DICOM" * 40}
    for name, content in made.items():
        (tmp_path / f"{name}.dcm").write_bytes(content)
    data = dcmread(sample_files[0])
    del data.SOPInstanceUID
    data.save_as(tmp_path / "nameless.dcm", enforce_file_format=False)
    return {path.stem: path for path in tmp_path.glob("*.dcm")}


@pytest.mark.parametrize("way", ["dicom", "web"])
def test_what_is_no_whole_file_is_not_sent(
    odd_files: dict[str, Path], sample_files: list[Path], empty_orthanc: Orthanc, way: str
) -> None:
    archive = archive_of(getattr(empty_orthanc, way)())
    sent = send_files(archive, [*odd_files.values(), sample_files[1]], QUIET)
    why = {one.path.stem: one.why for one in sent if one.state == "failed"}
    assert why.keys() == odd_files.keys()
    for name in ("cut", "head"):
        assert "its end is missing" in why[name]
    for name in ("empty", "text", "nameless"):
        assert "no DICOM file" in why[name]
    assert len(empty_orthanc.get("/instances")) == 1


@pytest.mark.parametrize("way", ["dicom", "web"])
def test_pixels_arrive_as_they_are_in_the_file(
    sample_files: list[Path], empty_orthanc: Orthanc, tmp_path: Path, way: str
) -> None:
    """In either encoding, and from a file whose head says something else than its data set."""
    files = [sample_files[0]]
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        data = dcmread(sample_files[0])
        data.decompress()
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        data.file_meta.TransferSyntaxUID = syntax
        files.append(tmp_path / f"{syntax}.dcm")
        data.save_as(files[-1], implicit_vr=syntax.is_implicit_VR)
    data = dcmread(sample_files[0])
    data.SOPInstanceUID = generate_uid()
    data.save_as(tmp_path / "head.dcm", enforce_file_format=False)
    files.append(tmp_path / "head.dcm")
    archive = archive_of(getattr(empty_orthanc, way)())
    assert [one.state for one in send_files(archive, files, QUIET)] == ["stored"] * 4
    want = {dcmread(path).SOPInstanceUID: dcmread(path).pixel_array for path in files}
    for one in empty_orthanc.get("/instances"):
        (tmp_path / "got").write_bytes(empty_orthanc.get(f"/instances/{one}/file"))
        got = dcmread(tmp_path / "got")
        assert (got.pixel_array == want.pop(got.SOPInstanceUID)).all()
    assert not want


_SENDS = """
import resource, sys
from pathlib import Path
from core.archive import DicomNode, WebNode, archive_of, send_files
from core.progress import NullProgress
way, where, small, large = sys.argv[1:]
if way == "dicom":
    node = DicomNode(name="x", host="127.0.0.1", port=int(where), title="ORTHANC")
else:
    node = WebNode(name="x", url=where)
archive = archive_of(node)
peaks = []
for path in (small, large):
    (sent,) = send_files(archive, [Path(path)], NullProgress())
    assert sent.state == "stored", sent
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print((peaks[1] - peaks[0]) * 1024)
"""


@pytest.mark.parametrize("way", ["dicom", "web"])
def test_a_large_file_is_not_held(
    sample_files: list[Path], empty_orthanc: Orthanc, tmp_path: Path, way: str
) -> None:
    """128 MiB, of which 120 more were in memory before."""
    data = dcmread(sample_files[0])
    data.decompress()
    frames = (128 << 20) // len(data.PixelData)
    data.PixelData = data.PixelData * frames
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.save_as(tmp_path / "large.dcm")
    node = empty_orthanc.dicom() if way == "dicom" else empty_orthanc.web()
    where = str(node.port) if isinstance(node, DicomNode) else node.url
    done = subprocess.run(
        [sys.executable, "-c", _SENDS, way, where, str(sample_files[1])]
        + [str(tmp_path / "large.dcm")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 40 << 20
    assert done.stderr == ""


@pytest.fixture
def mute_server() -> Iterator[str]:
    """An HTTP server that begins an answer and never ends it."""
    over = threading.Event()

    class Mute(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/dicom+json")
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"[")
            over.wait(60)

        def do_POST(self) -> None:
            over.wait(60)

        def log_message(self, *_: Any) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mute)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/dicom-web"
    over.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_waiting_for_a_web_archive_ends_when_it_is_cancelled(
    mute_server: str, sample_files: list[Path]
) -> None:
    archive = archive_of(WebNode(name="web", url=mute_server))
    for wait in (archive.echo, lambda progress: send_files(archive, sample_files[:1], progress)):
        begun = time.monotonic()
        with pytest.raises(Cancelled):
            wait(_Stops(0.3))
        assert time.monotonic() - begun < 8  # 30 seconds, were it not cancelled


def test_a_connection_that_both_sides_end_leaves_no_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The thread of pynetdicom meets an abort where its own table has no rule for one."""

    def opened(event: Any) -> None:
        without_traceback(event.assoc)

    with Scp().running() as scp:
        entity = AE()
        entity.add_requested_context(Verification)
        association = entity.associate(
            "127.0.0.1", scp.port, ae_title="SCP", evt_handlers=[(evt.EVT_CONN_OPEN, opened)]
        )
        assert association.is_established
        association.dul.state_machine.current_state = "Sta13"
        association.dul.event_queue.put("Evt15")
        association.dul.join(10)
        assert not association.dul.is_alive()
        association.kill()
        association.join(10)
    assert "Traceback" not in capfd.readouterr().err
