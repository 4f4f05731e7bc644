"""Archives that refuse, break off, send half or fall silent; full disks; killed programs."""

from __future__ import annotations

import errno
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pynetdicom import AE
from pynetdicom.acse import ACSE

from core.archive import (
    Archive,
    ArchivedSeries,
    DicomNode,
    StudyQuery,
    WebNode,
    archive_of,
    association,
    incoming,
    retrieve_series,
    send_files,
)
from core.archive.incoming import folder_name
from core.errors import (
    ArchiveAway,
    ArchiveError,
    ArchiveTimeout,
    AssociationRefused,
    Cancelled,
    ConnectionBroken,
    ContextRefused,
    InputError,
    OutputError,
    WrongTitle,
)
from core.io.atomic import output_error
from core.io.volumes import list_series
from core.progress import NullProgress
from tests.core.archive.scp import Scp
from tests.orthanc import free_port

QUIET = NullProgress()


def half_series(folder: Path) -> list[Path]:
    """Hidden folders of series that have not arrived as a whole."""
    return sorted(one for end in ("arriving", "earlier") for one in folder.glob(f".*.{end}"))


@pytest.fixture
def pet(sample_files: list[Path]) -> list[Path]:
    """Twelve slices of one series."""
    return sample_files[:12]


def series_of(archive: Archive) -> ArchivedSeries:
    (study,) = archive.find_studies(StudyQuery(), 5, QUIET).studies
    (series,) = archive.find_series(study.uid, QUIET)
    return series


def shown(folder: Path) -> list[str]:
    """Names that do not begin with a dot: all that anybody sees."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


# --- no association --------------------------------------------------------------------------


def test_an_archive_that_is_away_is_told_with_the_way_out() -> None:
    node = DicomNode(name="pacs", host="127.0.0.1", port=free_port(), title="X")
    with pytest.raises(ArchiveAway) as caught:
        archive_of(node).echo(QUIET)
    assert "nothing answers at 127.0.0.1" in str(caught.value)
    assert "firewall" in caught.value.remedy


def test_a_name_that_nobody_knows_is_told() -> None:
    node = DicomNode(name="pacs", host="no-such-host.invalid", title="X")
    with pytest.raises(ArchiveAway, match="not known in this network"):
        archive_of(node).echo(QUIET)


def test_a_host_of_several_addresses_is_reached_at_the_one_that_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As “localhost” where it is ::1 first, and the archive knows IPv4 alone."""

    def both(host: str, port: int, **_more: Any) -> list[Any]:
        dead = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0))
        return [dead, (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    node = DicomNode(name="pacs", host="archive.invalid", port=free_port(), title="SCP")
    look_up = socket.getaddrinfo
    named = {"archive.invalid": both}
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *r, **m: named.get(host, look_up)(host, *r, **m)
    )
    with pytest.raises(ArchiveAway, match=r"nothing answers at archive\.invalid"):
        archive_of(node).echo(QUIET)
    with Scp(port=node.port).running():
        archive_of(node).echo(QUIET)


def test_a_web_archive_that_is_away_is_told() -> None:
    node = WebNode(name="web", url=f"http://127.0.0.1:{free_port()}/dicom-web")
    with pytest.raises(ArchiveAway, match="nothing answers"):
        archive_of(node).echo(QUIET)


def test_titles_that_are_not_known_are_told_apart() -> None:
    with Scp().running(require_called_aet=True, require_calling_aet=["FRIEND"]) as scp:
        with pytest.raises(WrongTitle, match="no archive there is called OTHER"):
            archive_of(scp.node(title="OTHER", own_title="FRIEND")).echo(QUIET)
        with pytest.raises(WrongTitle, match="does not know this program as STRANGER"):
            archive_of(scp.node(own_title="STRANGER")).echo(QUIET)
        archive_of(scp.node(own_title="FRIEND")).echo(QUIET)


def test_a_refusal_is_told_though_the_connection_is_closed_before_it_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask = ACSE.send_request

    def ask_and_be_late(self: ACSE) -> None:
        ask(self)
        until = time.monotonic() + 10
        while self.dul.state_machine.current_state != "Sta1" or not self.dul.to_user_queue.qsize():
            assert time.monotonic() < until
            time.sleep(0.01)

    monkeypatch.setattr(ACSE, "send_request", ask_and_be_late)
    with (
        Scp().running(require_called_aet=True) as scp,
        pytest.raises(WrongTitle, match="no archive there is called OTHER"),
    ):
        archive_of(scp.node(title="OTHER")).echo(QUIET)


def test_an_archive_that_is_busy_is_told() -> None:
    with Scp().running(maximum_associations=1) as scp:
        entity = AE()
        entity.add_requested_context("1.2.840.10008.1.1")
        other = entity.associate("127.0.0.1", scp.port, ae_title="SCP")
        with pytest.raises(AssociationRefused) as caught:
            archive_of(scp.node()).echo(QUIET)
        other.release()
        other.join(5)
    assert "busy" in str(caught.value)
    assert not isinstance(caught.value, WrongTitle)


def test_a_service_that_is_not_offered_is_named(pet: list[Path], tmp_path: Path) -> None:
    with Scp(pet).running() as scp:
        node = scp.node(retrieve_by="move", listen_address="127.0.0.1", listen_port=free_port())
        with pytest.raises(ContextRefused, match="MOVE"):
            retrieve_series(archive_of(node), [series_of(archive_of(node))], tmp_path, QUIET)


def test_what_listens_and_says_nothing_is_no_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(association, "NEGOTIATE_SECONDS", 0.3)
    monkeypatch.setattr(association, "CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        node = DicomNode(name="x", host="127.0.0.1", port=mute.getsockname()[1], title="X")
        with pytest.raises(ArchiveTimeout, match="does not answer as a DICOM archive"):
            archive_of(node).echo(QUIET)


def test_the_address_to_listen_at_must_be_one_of_this_computer(
    pet: list[Path], tmp_path: Path
) -> None:
    with Scp(pet).running() as scp:
        series = series_of(archive_of(scp.node()))
        node = scp.node(retrieve_by="move", listen_address="192.0.2.1", listen_port=free_port())
        with pytest.raises(ArchiveError, match="not an address of this computer"):
            retrieve_series(archive_of(node), [series], tmp_path, QUIET)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            node = scp.node(retrieve_by="move", listen_address="127.0.0.1", listen_port=port)
            with pytest.raises(ArchiveError, match="another program uses this port"):
                retrieve_series(archive_of(node), [series], tmp_path, QUIET)


# --- half a series ---------------------------------------------------------------------------


def abort(event: Any) -> None:
    """End the association, as an archive does that is shut down."""
    event.assoc.abort(block=False)
    time.sleep(0.2)


@pytest.mark.parametrize("then", [None, abort], ids=["gives up", "breaks off"])
def test_half_a_series_is_not_shown_and_completed_later(
    pet: list[Path], tmp_path: Path, then: Any
) -> None:
    with Scp(pet, sends=5, then=then).running() as scp:
        archive = archive_of(scp.node())
        series = series_of(archive)
        (half,) = retrieve_series(archive, [series], tmp_path, QUIET)
        assert (half.arrived, half.expected, half.is_whole) == (5, 12, False)
        assert half.why
        assert shown(tmp_path) == []
        with pytest.raises(InputError, match="no series of images"):
            list_series(tmp_path)
        assert [path.name for path in half_series(tmp_path)] == [f".{folder_name(series)}.arriving"]
        scp.sends = None
        scp.asked.clear()
        (whole,) = retrieve_series(archive, [series], tmp_path, QUIET)
    assert (whole.arrived, whole.is_whole) == (12, True)
    assert [len(uids) for uids in scp.asked] == [7]
    assert len(list_series(tmp_path).series[0].files) == 12


def test_an_archive_that_says_more_than_it_has_gives_no_whole_series(
    pet: list[Path], tmp_path: Path
) -> None:
    with Scp(pet, claims=47).running() as scp:
        archive = archive_of(scp.node())
        (half,) = retrieve_series(archive, [series_of(archive)], tmp_path, QUIET)
    assert (half.arrived, half.expected, half.is_whole) == (12, 47, False)
    assert shown(tmp_path) == []


def test_an_archive_that_lists_no_images_is_asked_for_the_series(
    pet: list[Path], tmp_path: Path
) -> None:
    with Scp(pet, sends=5, lists=False).running() as scp:
        archive = archive_of(scp.node())
        (half,) = retrieve_series(archive, [series_of(archive)], tmp_path, QUIET)
        assert (half.arrived, half.expected, half.is_whole) == (5, 12, False)
        scp.sends = None
        (whole,) = retrieve_series(archive, [series_of(archive)], tmp_path, QUIET)
    assert (whole.arrived, whole.is_whole) == (12, True)
    assert scp.asked == [[], []]


def test_a_failure_before_anything_arrived_is_an_error_and_leaves_nothing(
    pet: list[Path], tmp_path: Path
) -> None:
    with Scp(pet, sends=0, then=abort).running() as scp:
        archive = archive_of(scp.node())
        with pytest.raises(ConnectionBroken):
            retrieve_series(archive, [series_of(archive)], tmp_path / "new", QUIET)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [incoming.LOCK]


def test_an_archive_that_falls_silent_is_left(
    pet: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(association, "SILENT_SECONDS", 1.0)
    go_on = threading.Event()
    with Scp(pet, sends=3, then=lambda event: go_on.wait(20) and None).running() as scp:
        archive = archive_of(scp.node())
        series = series_of(archive)
        begun = time.monotonic()
        (half,) = retrieve_series(archive, [series], tmp_path, QUIET)
        seconds = time.monotonic() - begun
        go_on.set()
    assert half.arrived == 3
    assert "has not said anything" in half.why
    assert seconds < 8


def test_cancelling_ends_a_retrieval_that_waits_at_once(pet: list[Path], tmp_path: Path) -> None:
    go_on = threading.Event()
    with Scp(pet, sends=3, then=lambda event: go_on.wait(20) and None).running() as scp:

        class Stopped(NullProgress):
            def check(self) -> None:
                if scp.sent.is_set():
                    raise Cancelled

        archive = archive_of(scp.node())
        series = series_of(archive)
        begun = time.monotonic()
        with pytest.raises(Cancelled):
            retrieve_series(archive, [series], tmp_path, Stopped())
        assert time.monotonic() - begun < 8
        go_on.set()
    assert shown(tmp_path) == []
    (left,) = half_series(tmp_path)
    assert len(list(left.iterdir())) == 3


def test_a_full_disk_stops_it_and_shows_nothing(
    pet: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, written = incoming.atomic_write, []

    def full(path: Path, content: bytes, **more: Any) -> None:
        if len(written) == 4:
            raise output_error(path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        written.append(path)
        real(path, content, **more)

    monkeypatch.setattr(incoming, "atomic_write", full)
    with Scp(pet).running() as scp:
        archive = archive_of(scp.node())
        with pytest.raises(OutputError, match="the disk is full"):
            retrieve_series(archive, [series_of(archive)], tmp_path, QUIET)
    assert shown(tmp_path) == []
    assert len(written) == 4


def test_another_image_than_announced_is_not_kept(sample_files: list[Path], tmp_path: Path) -> None:
    with Scp(sample_files[:2]).running() as scp:
        archive = archive_of(scp.node())
        series = series_of(archive)
        wrong = ArchivedSeries(uid="1.2.3", study_uid=series.study_uid, images=2)
        with pytest.raises(ArchiveError, match="another one than was asked for"):
            retrieve_series(archive, [wrong], tmp_path, QUIET)
    assert [path.name for path in tmp_path.iterdir()] == [incoming.LOCK]


_RETRIEVES = """
import sys
from pathlib import Path
from core.archive import ArchivedSeries, DicomNode, archive_of, retrieve_series
from core.progress import NullProgress
port, study, series, folder = sys.argv[1:]
node = DicomNode(name="scp", host="127.0.0.1", port=int(port), title="SCP")
one = ArchivedSeries(uid=series, study_uid=study, modality="PT", images=12)
retrieve_series(archive_of(node), [one], Path(folder), NullProgress())
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_program_that_is_killed_leaves_nothing_that_looks_whole(
    pet: list[Path], tmp_path: Path
) -> None:
    go_on = threading.Event()
    with Scp(pet, sends=6, then=lambda event: go_on.wait(30) and None).running() as scp:
        archive = archive_of(scp.node())
        series = series_of(archive)
        child = subprocess.Popen(
            [sys.executable, "-c", _RETRIEVES, str(scp.port), series.study_uid, series.uid]
            + [str(tmp_path)]
        )
        assert scp.sent.wait(60)
        child.send_signal(signal.SIGKILL)
        child.wait()
        go_on.set()
        assert shown(tmp_path) == []
        with pytest.raises(InputError):
            list_series(tmp_path)
        scp.sends = None
        scp.asked.clear()
        (whole,) = retrieve_series(archive, [series], tmp_path, QUIET)
    assert whole.is_whole
    # Its last image may have been on the way.
    assert [len(uids) for uids in scp.asked] in ([6], [7])
    assert shown(tmp_path) == [folder_name(series)]


def test_a_program_that_is_killed_at_a_whole_series_leaves_no_part_of_it_that_looks_whole(
    pet: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Scp(pet).running() as scp:
        archive = archive_of(scp.node())
        series = series_of(archive)
        retrieve_series(archive, [series], tmp_path, QUIET)
        moves = itertools.count()
        move = Path.replace

        def killed(self: Path, target: Path) -> Path:
            # Not an error of the system, which would be answered: nothing of the program runs on.
            if next(moves) == 5:
                raise SystemExit
            return move(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", killed)
            with pytest.raises(SystemExit):
                retrieve_series(archive, [series], tmp_path, QUIET)
        assert shown(tmp_path) == []
        with pytest.raises(InputError, match="no series of images"):
            list_series(tmp_path)
        scp.asked.clear()
        (whole,) = retrieve_series(archive, [series], tmp_path, QUIET)
    assert whole.is_whole
    assert scp.asked == []
    assert shown(tmp_path) == [folder_name(series)]
    assert list(half_series(tmp_path)) == []
    assert len(list_series(tmp_path).series[0].files) == 12


def test_two_retrievals_do_not_meet_in_one_folder(pet: list[Path], tmp_path: Path) -> None:
    with Scp(pet).running() as scp, incoming.retrieving_into(tmp_path):
        archive = archive_of(scp.node())
        with pytest.raises(OutputError, match="another retrieval"):
            retrieve_series(archive, [series_of(archive)], tmp_path, QUIET)


def test_of_many_retrievals_one_at_a_time_has_the_folder(tmp_path: Path) -> None:
    """Also of those that come while another one ends: the file of the lock stays the same."""
    inside, most, refused, over = [0], [0], [0], threading.Event()
    counting = threading.Lock()

    def retrieve() -> None:
        while not over.is_set():
            try:
                with incoming.retrieving_into(tmp_path):
                    with counting:
                        inside[0] += 1
                        most[0] = max(most[0], inside[0])
                    with counting:
                        inside[0] -= 1
            except OutputError:
                refused[0] += 1

    with incoming.retrieving_into(tmp_path):
        before = (tmp_path / incoming.LOCK).stat()
    threads = [threading.Thread(target=retrieve) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    over.set()
    for thread in threads:
        thread.join()
    assert most[0] == 1
    assert refused[0] > 0
    assert os.path.samestat(before, (tmp_path / incoming.LOCK).stat())


# --- sending ---------------------------------------------------------------------------------


def test_kinds_that_an_archive_does_not_take_are_named(sample_files: list[Path]) -> None:
    with Scp().running() as scp:
        sent = send_files(archive_of(scp.node()), [sample_files[0], sample_files[-1]], QUIET)
    assert [one.state for one in sent] == ["stored", "failed"]
    assert "MR Image Storage" in sent[1].why


def test_nothing_that_it_takes_is_an_error(sample_files: list[Path]) -> None:
    with Scp().running() as scp, pytest.raises(ContextRefused, match="MR Image Storage"):
        send_files(archive_of(scp.node()), [sample_files[-1]], QUIET)


@pytest.mark.parametrize(
    ("status", "state"), [(0xA700, "failed"), (0xC000, "failed"), (0xB000, "warned")]
)
def test_what_an_archive_says_of_a_file_is_told(pet: list[Path], status: int, state: str) -> None:
    with Scp(store_status=status).running() as scp:
        (sent,) = send_files(archive_of(scp.node()), pet[:1], QUIET)
    assert sent.state == state
    assert f"{status:04X}" in sent.why


def test_folders_without_dicom_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    node = DicomNode(name="scp", host="127.0.0.1", port=free_port(), title="SCP")
    with pytest.raises(InputError, match="no DICOM file"):
        send_files(archive_of(node), [tmp_path], QUIET)
