"""What may be reached without certificates, what certificates are, and what is imported when."""

from __future__ import annotations

import os
import socket
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from core.cluster.address import ClusterAddress
from core.cluster.certificates import client_context, make_certificates, security, tls_files
from core.cluster.choice import ClusterChoice
from core.cluster.errors import ClusterError, ClusterMissing
from core.cluster.reach import check_reach
from core.cluster.serving import SchedulerOptions, serve_scheduler, serve_workers
from core.cluster.worker_plan import PlannedWorker, plan_workers
from core.errors import FusionError

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    "text",
    ["", "host", "http://host:1", "tls://", "tls://host:notaport", "tcp://h:99999", "tls://h:0"],
)
def test_no_addresses(text: str) -> None:
    with pytest.raises(ClusterError, match="tls://HOST:PORT"):
        ClusterAddress.parse(text)


def test_addresses_are_written_as_they_are_read() -> None:
    for text in ("tls://server:8786", "tcp://127.0.0.1:1", "tls://[::1]:9"):
        assert str(ClusterAddress.parse(text)) == text
    assert ClusterAddress.parse("tls://server").port == 8786


@pytest.mark.parametrize(
    "text", ["tcp://127.0.0.1", "tcp://localhost", "tcp://[::1]", "tcp://127.9.9.9"]
)
def test_the_loopback_address_needs_no_certificates(text: str) -> None:
    ClusterAddress.parse(text).check(None)


@pytest.mark.parametrize(
    "text", ["tcp://192.168.0.1", "tcp://server", "tcp://0.0.0.0", "tcp://[::]"]
)
def test_every_other_address_needs_them(text: str, tmp_path: Path) -> None:
    address = ClusterAddress.parse(text)
    with pytest.raises(ClusterError, match="only tls:// with certificates is allowed"):
        address.check(None)
    with pytest.raises(ClusterError):
        address.check(tmp_path)
    with pytest.raises(ClusterError, match="no certificates were given"):
        ClusterAddress("tls", address.host, 1).check(None)
    with pytest.raises(ClusterError):
        ClusterChoice(text).check()


def test_a_scheduler_does_not_listen_elsewhere_without_them() -> None:
    with pytest.raises(ClusterError, match="only tls:// with certificates is allowed"):
        serve_scheduler(SchedulerOptions("0.0.0.0", 0), lambda _: None)


def test_workers_do_not_listen_elsewhere_without_them_either() -> None:
    for host in ("0.0.0.0", "192.0.2.1", "::", "server"):
        with pytest.raises(ClusterError, match="only tls:// with certificates is allowed"):
            serve_workers(
                ClusterAddress("tcp", "127.0.0.1", 1), None, (), host=host, tell=lambda _: None
            )


def test_a_scheduler_that_cannot_listen_says_why() -> None:
    pytest.importorskip("distributed")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ClusterError, match=r"cannot listen there \(Address already in use\)"):
            serve_scheduler(SchedulerOptions("127.0.0.1", port), lambda _: None)
    # Dask takes any free one instead.
    for port in (-1, 65536, 99999):
        with pytest.raises(ClusterError, match="1 to 65535"):
            serve_scheduler(SchedulerOptions("127.0.0.1", port), lambda _: None)


def test_certificates_are_private_and_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "certificates"
    before = os.umask(0)
    try:
        files = make_certificates(folder)
    finally:
        os.umask(before)
    assert len(files) == 8
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files}
    assert {mode for name, mode in modes.items() if name.endswith("-key.pem")} == {0o600}
    kept = {path: path.read_bytes() for path in files}
    files[3].unlink()
    with pytest.raises(ClusterError, match=r"ca\.pem already, and it is not replaced"):
        make_certificates(folder)
    assert not files[3].exists()
    assert all(path.read_bytes() == data for path, data in kept.items() if path != files[3])


def test_missing_and_damaged_certificates_are_told(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"ca\.pem is missing"):
        tls_files(tmp_path, "worker")
    make_certificates(tmp_path)
    (tmp_path / "worker-key.pem").write_bytes((tmp_path / "client-key.pem").read_bytes())
    with pytest.raises(ClusterError, match="they cannot be used"):
        tls_files(tmp_path, "worker")


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    make_certificates(tmp_path)
    (tmp_path / "worker-key.pem").chmod(0o640)
    with pytest.raises(ClusterError, match="others can read it"):
        tls_files(tmp_path, "worker")
    tls_files(tmp_path, "client")


def test_certificates_of_another_role_and_of_another_day_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    make_certificates(own)
    tls_files(own, "worker")
    for kind in (".pem", "-key.pem"):
        (own / f"worker{kind}").write_bytes((own / f"client{kind}").read_bytes())
    with pytest.raises(ClusterError, match="of another role than worker"):
        tls_files(own, "worker")

    class Earlier(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) - timedelta(days=1000)

    with monkeypatch.context() as patched:
        patched.setattr("core.cluster.certificates.datetime", Earlier)
        make_certificates(tmp_path / "old")
    with pytest.raises(ClusterError, match="it is valid from"):
        tls_files(tmp_path / "old", "scheduler")
    with (
        greeter(tmp_path / "old", "scheduler") as port,
        pytest.raises(ClusterError, match="its certificate has expired"),
    ):
        # Of the other side: ours are checked before.
        check_reach_with(tmp_path / "old", port, monkeypatch)


def check_reach_with(folder: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach a scheduler by certificates that are not looked at before."""
    monkeypatch.setattr("core.cluster.certificates._check_use", lambda *_: None)
    check_reach(ClusterAddress("tls", "127.0.0.1", port), folder, "client")


@contextmanager
def greeter(folder: Path, role: str) -> Iterator[int]:
    """A server with a certificate of ``folder`` that demands one, and says a word."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.pem"))
    context.load_cert_chain(folder / f"{role}.pem", folder / f"{role}-key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            plain, _ = server.accept()
            with plain:
                try:
                    with context.wrap_socket(plain, server_side=True) as secure:
                        secure.sendall(b"hello")
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


def test_certificates_of_another_authority_are_refused_on_both_sides(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    make_certificates(own)
    make_certificates(other)
    with greeter(own, "scheduler") as port:
        check_reach(ClusterAddress("tls", "127.0.0.1", port), own, "client")
    with (
        greeter(own, "scheduler") as port,
        pytest.raises(ClusterError, match="not of our authority"),
    ):
        check_reach(ClusterAddress("tls", "127.0.0.1", port), other, "client")
    # The authority is believed, and the certificate is not its own.
    (other / "ca.pem").write_bytes((own / "ca.pem").read_bytes())
    with greeter(own, "scheduler") as port, pytest.raises(ClusterError, match="refuses our cert"):
        check_reach(ClusterAddress("tls", "127.0.0.1", port), other, "client")


def test_a_client_cannot_pose_as_a_scheduler(tmp_path: Path) -> None:
    make_certificates(tmp_path)
    with greeter(tmp_path, "client") as port, pytest.raises(ClusterError, match="authority"):
        check_reach(ClusterAddress("tls", "127.0.0.1", port), tmp_path, "client")


def test_nobody_there_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ClusterError, match="nobody answers there"):
        check_reach(ClusterAddress("tcp", "127.0.0.1", port), None, "client")


def test_dask_demands_encryption_with_them(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    make_certificates(tmp_path)
    made = security(tmp_path, "worker")
    assert made.require_encryption
    assert client_context(tls_files(tmp_path, "worker")).verify_mode == ssl.CERT_REQUIRED
    assert security(None, "worker") is None


def test_a_gpu_has_one_row_at_once_and_a_cpu_one_on_each_core() -> None:
    assert plan_workers("auto", 0, cores=8, gpus=0) == (PlannedWorker("cpu", 8),)
    assert plan_workers("cpu", 3, cores=8, gpus=2) == (PlannedWorker("cpu", 3),)
    both = plan_workers("auto", 0, cores=8, gpus=2)
    assert [(one.slots, one.environment["CUDA_VISIBLE_DEVICES"]) for one in both] == [
        (1, "0"),
        (1, "1"),
    ]
    assert [one.resources for one in both] == [{"unifusion-slot": 1.0}] * 2
    assert plan_workers("cuda:1", 5, cores=8, gpus=2) == (PlannedWorker("cuda", 1, "1"),)
    for device, gpus in (("cuda", 0), ("cuda:2", 2), ("cuda:x", 2)):
        with pytest.raises(ClusterError, match="CUDA devices"):
            plan_workers(device, 0, cores=8, gpus=gpus)
    with pytest.raises(ClusterError, match="1 to 256"):
        plan_workers("cpu", 300, cores=8, gpus=0)


def test_choices_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    for choice in (
        ClusterChoice(),
        ClusterChoice("tcp://127.0.0.1", jobs=tmp_path / "x.toml"),
        ClusterChoice("tcp://127.0.0.1", rows_per_worker=-1),
        ClusterChoice("tcp://127.0.0.1", certificates=tmp_path),
    ):
        with pytest.raises(ClusterError):
            choice.check()


def test_without_dask_there_is_one_error_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.cluster import extra

    monkeypatch.delitem(sys.modules, "distributed", raising=False)
    monkeypatch.setitem(sys.modules, "dask", None)
    monkeypatch.setitem(sys.modules, "dask.config", None)
    with pytest.raises(ClusterMissing, match=r'pip install "unifusion-studio\[cluster\]"') as error:
        extra.distributed()
    assert isinstance(error.value, FusionError)


def test_nothing_of_it_is_imported_unless_it_is_asked_for() -> None:
    script = """
import sys
from pathlib import Path
import app.cli.main, app.cli.batch, app.cli.cluster, core.batch, core.cluster, core.cluster.choice
import core.cluster.client, core.cluster.dispatch, core.batch.cluster_pool, core.batch.tasks
found = {name.partition(".")[0] for name in sys.modules}
print(sorted(found & {"dask", "distributed", "dask_jobqueue", "tornado", "cryptography", "torch"}))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
