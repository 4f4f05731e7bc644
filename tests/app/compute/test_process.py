"""Jobs in a process of their own: the same signals, and whatever happens to the process."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage

from app.compute import probe, remote
from app.compute.calls import Call
from app.compute.channel import Channel
from app.compute.held import Held
from app.compute.process import ComputeProcess, ProcessEnded
from app.compute.remote import Control, compute
from app.workers import Runner, as_fusion_error, details_of
from core.errors import (
    Cancelled,
    DeviceFault,
    DeviceMemoryError,
    FusionError,
    InputError,
    Message,
    SizeMismatch,
)
from core.progress import NullProgress
from tests.app.workers.test_workers import Ends, drained

_PATIENCE = 20_000
_ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc is read")


def call(process: ComputeProcess, function, *arguments):
    """Run a job and wait for its result."""
    return compute(function, *arguments)(NullProgress())


# --- values ------------------------------------------------------------------------------------


def test_arrays_of_all_sizes_arrive_as_they_are(process):
    rng = np.random.default_rng(1)
    large = rng.random((5 << 20,), np.float32)  # 20 MB: stays in shared memory
    sent = {
        "empty": np.zeros((0, 3)),
        "small": np.arange(7, dtype=np.int16),
        "middle": rng.random((300, 500, 3)),
        "other": rng.random((400, 500)) > 0.5,
        "columns": np.asfortranarray(rng.random((600, 700))),
        "steps": large[::3],
        "large": large,
        "zeros": np.broadcast_to(np.float32(0), (3000, 2000)),
    }
    sent["large"].flags.writeable = False
    got = call(process, probe.echo, sent)
    assert got.keys() == sent.keys()
    for name, array in sent.items():
        assert got[name].dtype == array.dtype
        assert np.array_equal(got[name], array), name
    assert not got["large"].flags.writeable
    assert got["middle"].flags.writeable


def test_large_arrays_are_unmapped_on_no_thread_that_is_waited_for(process, monkeypatch):
    got = call(process, probe.echo, np.ones(4 << 20))
    memory, threads = got, []
    while isinstance(memory, np.ndarray):
        memory = memory.base
    kind = type(memory.obj)

    def close(self) -> None:
        threads.append(threading.current_thread().name)
        mmap.mmap.close(self)

    monkeypatch.setattr(kind, "close", close)
    del got, memory
    deadline = time.monotonic() + 10
    while not threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threads[-1] == "unmapping"


def test_images_of_qt_arrive_as_they_are(process):
    image = QImage(13, 7, QImage.Format.Format_RGB888)
    image.fill(QColor(1, 200, 3))
    table = QImage(5, 5, QImage.Format.Format_Indexed8)
    table.setColorTable([0xFF000000, 0xFFFF8000])
    table.fill(1)
    for one in (image, table, QImage()):
        assert call(process, probe.echo, one) == one


@pytest.mark.parametrize(
    "error",
    [
        InputError("scan.png", Message("it has {0} pages", 3), "Open another."),
        SizeMismatch((3, 4), (5, 6)),
        as_fusion_error(RuntimeError("CUDA error")),
    ],
)
def test_errors_keep_their_class_words_and_details(process, error):
    got = call(process, probe.echo, error)
    assert type(got) is type(error)
    assert str(got) == str(error)
    assert got.__dict__ == error.__dict__
    assert isinstance(got.what, Message) == isinstance(error.what, Message)


def test_what_is_not_on_the_list_is_refused(process):
    with pytest.raises(ValueError, match="may not be called"):
        compute(os.system, "true")
    for name in ("os:system", "app.compute.probe:time", "app.compute.probe:none", "nonsense"):
        with pytest.raises(FusionError, match=r"no|may not"):
            list(process.follow(process.begin(Call(name, ())), NullProgress()))


# --- signals -----------------------------------------------------------------------------------


def test_events_and_reports_come_in_order_before_the_one_end(qtbot, runner):
    job = runner.submit(compute(probe.count, 5, 0.0))
    seen: list[object] = []
    job.yielded.connect(seen.append)
    stages = []
    job.progress.connect(lambda *report: stages.append(report))
    ends = Ends(job)
    drained(qtbot, runner)
    assert seen == [0, 1, 2, 3, 4]
    assert ends.seen == [("finished", 5)]
    assert stages[0] == (0.0, 5.0, "")


def test_an_exception_over_there_reaches_failed_with_its_details(qtbot, runner):
    job = runner.submit(compute(probe.count, "many", 0.0))
    ends = Ends(job)
    drained(qtbot, runner)
    ((kind, error),) = ends.seen
    assert kind == "failed"
    assert "TypeError" in str(error)
    assert "in count" in details_of(error)


def test_a_control_reaches_the_job_whether_asked_before_or_while_it_runs(qtbot, runner):
    control = Control("app.compute.probe:ProbeControl")
    control.request("add", 3)
    job = runner.submit(compute(probe.wait_for_count, 7, control=control))
    with qtbot.waitSignal(job.finished, timeout=_PATIENCE) as ended:
        qtbot.waitSignal(job.started, timeout=_PATIENCE).wait()
        control.request("add", 4)
    assert ended.args == [7]
    control.request("add", 1)  # after its end


def test_the_same_jobs_run_here_without_a_process(qtbot, qapp):
    runner = Runner("test")
    control = Control("app.compute.probe:ProbeControl")
    control.request("add", 2)
    ends = [
        Ends(runner.submit(compute(probe.count, 3, 0.0))),
        Ends(runner.submit(compute(probe.wait_for_count, 2, control=control))),
    ]
    drained(qtbot, runner)
    runner.shutdown()
    assert [end.seen for end in ends] == [[("finished", 3)], [("finished", 2)]]


def test_cancelled_work_ends_and_its_process_stays(qtbot, runner, process):
    job = runner.submit(compute(probe.count, 10_000, 0.01))
    ends = Ends(job)
    with qtbot.waitSignal(job.yielded, timeout=_PATIENCE):
        pass
    pid = process.pid
    with qtbot.waitSignal(job.cancelled, timeout=1000):
        job.cancel()
    drained(qtbot, runner)
    assert ends.kinds == ["cancelled"]
    assert process.pid == pid


def test_work_that_does_not_hear_is_ended_with_its_process(qtbot, runner, process):
    drained(qtbot, runner)
    job = runner.submit(compute(probe.sleep, 600.0))
    ends = Ends(job)
    with qtbot.waitSignal(job.progress, timeout=_PATIENCE):
        pass
    pid = process.pid
    with qtbot.waitSignal(job.cancelled, timeout=1000):
        job.cancel()
    after = runner.submit(compute(probe.echo, "still here"))
    with qtbot.waitSignal(after.finished, timeout=_PATIENCE):
        pass
    assert ends.kinds == ["cancelled"]
    assert process.pid != pid


def test_a_process_with_other_work_is_not_ended(qtbot, runner, process):
    other = Runner("other")
    kept = other.submit(compute(probe.count, 60, 0.05))
    ends = Ends(kept)
    with qtbot.waitSignal(kept.yielded, timeout=_PATIENCE):
        pass
    deaf = runner.submit(compute(probe.sleep, 600.0))
    with qtbot.waitSignal(deaf.progress, timeout=_PATIENCE):
        pass
    with qtbot.waitSignal(kept.finished, timeout=_PATIENCE):
        deaf.cancel()
    drained(qtbot, runner)
    other.shutdown()
    assert ends.seen == [("finished", 60)]


# --- the process -------------------------------------------------------------------------------


def test_a_killed_process_costs_the_job_that_ran(qtbot, runner, process):
    job = runner.submit(compute(probe.count, 1000, 0.01))
    ends = Ends(job)
    with qtbot.waitSignal(job.yielded, timeout=_PATIENCE):
        pass
    pid = process.pid
    os.kill(pid, signal.SIGKILL)
    after = runner.submit(compute(probe.echo, 5))
    with qtbot.waitSignal(after.finished, timeout=_PATIENCE) as ended:
        pass
    ((kind, error),) = ends.seen
    assert kind == "failed"
    assert isinstance(error, ProcessEnded)
    assert "signal 9" in error.why
    assert ended.args == [5]
    assert process.pid not in (None, pid)


def test_a_process_that_aborts_as_after_a_device_assertion_is_started_again(qtbot, runner, process):
    ends = Ends(runner.submit(compute(probe.abort)))
    after = runner.submit(compute(probe.echo, 5))
    with qtbot.waitSignal(after.finished, timeout=_PATIENCE):
        pass
    ((kind, error),) = ends.seen
    assert (kind, type(error)) == ("failed", ProcessEnded)
    assert "signal 6" in error.why


_ASSERTED = """CUDA error: device-side assert triggered
CUDA kernel errors might be asynchronously reported at some other API call."""


def test_a_failed_graphics_card_ends_the_process_that_could_do_nothing_more_with_it(
    qtbot, runner, process
):
    other = Runner("other")
    beside = other.submit(compute(probe.count, 1000, 0.01))
    lost = Ends(beside)
    with qtbot.waitSignal(beside.yielded, timeout=_PATIENCE):
        pass
    pid = process.pid
    ends = Ends(runner.submit(compute(probe.fail_as_torch, "AcceleratorError", _ASSERTED)))
    after = runner.submit(compute(probe.echo, "on"))
    with qtbot.waitSignal(after.finished, timeout=_PATIENCE):
        pass
    ((kind, error),) = ends.seen
    assert (kind, type(error)) == ("failed", DeviceFault)
    assert error.why == "AcceleratorError: CUDA error: device-side assert triggered"
    assert "kernel errors" in details_of(error)
    assert process.pid not in (None, pid)
    drained(qtbot, other)
    other.shutdown()
    ((kind, error),) = lost.seen
    assert (kind, type(error)) == ("failed", ProcessEnded)
    assert "the graphics card failed" in error.why


def test_a_card_without_memory_ends_no_process(qtbot, runner, process):
    drained(qtbot, runner)
    text = "CUDA out of memory. Tried to allocate 9.00 GiB"
    ends = Ends(runner.submit(compute(probe.fail_as_torch, "OutOfMemoryError", text)))
    pid = process.pid
    after = runner.submit(compute(probe.echo, "on"))
    with qtbot.waitSignal(after.finished, timeout=_PATIENCE):
        pass
    ((kind, error),) = ends.seen
    assert (kind, type(error)) == ("failed", DeviceMemoryError)
    assert process.pid == pid


# --- what is held over there -------------------------------------------------------------------


def test_a_held_value_is_sent_once_and_dropped_with_its_last_user(process, monkeypatch):
    sent = []
    send = Channel.send

    def counted(self, kind, number, value=None):
        sent.append(kind)
        send(self, kind, number, value)

    monkeypatch.setattr(Channel, "send", counted)
    held = Held(np.arange(1 << 22))
    for _ in range(3):
        assert np.array_equal(call(process, probe.echo, held), held.value)
    assert sent.count("hold") == 1
    assert "release" not in sent
    del held
    assert sent.count("release") == 1
    assert call(process, probe.held_count) == 0


def test_a_held_value_is_sent_again_to_a_process_that_was_started_again(qtbot, runner, process):
    held = Held({"pair": np.ones(1 << 19)})
    assert call(process, probe.echo, held)["pair"].sum() == 1 << 19
    assert call(process, probe.held_count) == 1
    with qtbot.waitSignal(runner.submit(compute(probe.abort)).failed, timeout=_PATIENCE):
        pass
    assert call(process, probe.echo, held)["pair"].sum() == 1 << 19
    assert call(process, probe.held_count) == 1


def test_a_held_value_is_itself_where_there_is_no_process(qapp):
    remote.use(None)
    value = [1]
    assert compute(probe.echo, Held(value))(NullProgress()) is value


def test_work_that_may_hear_late_is_waited_for_and_its_process_stays(
    qtbot, runner, process, monkeypatch
):
    monkeypatch.setattr("app.compute.process.HEARD_WITHIN", 0.2)
    drained(qtbot, runner)
    job = runner.submit(compute(probe.sleep, 0.8, hears=False))
    ends = Ends(job)
    with qtbot.waitSignal(job.progress, timeout=_PATIENCE):
        pass
    pid = process.pid
    job.cancel()
    after = runner.submit(compute(probe.echo, "on"))
    with qtbot.waitSignal(after.finished, timeout=_PATIENCE):
        pass
    assert ends.kinds == ["cancelled"]
    assert process.pid == pid


# --- memory ------------------------------------------------------------------------------------


@_ON_LINUX
def test_a_process_that_runs_out_of_memory_says_so_and_goes_on(qtbot, runner, process):
    import resource

    drained_job = runner.submit(compute(probe.modules))
    with qtbot.waitSignal(drained_job.finished, timeout=_PATIENCE):
        pass
    used = int(Path(f"/proc/{process.pid}/statm").read_text().split()[0]) * resource.getpagesize()
    room = used + (64 << 20)
    resource.prlimit(process.pid, resource.RLIMIT_AS, (room, room))
    failing = runner.submit(compute(probe.allocate, 1 << 30))
    ends = Ends(failing)
    after = runner.submit(compute(probe.echo, "on"))
    with qtbot.waitSignal(after.finished, timeout=_PATIENCE):
        pass
    ((kind, error),) = ends.seen
    assert kind == "failed"
    assert isinstance(error, DeviceMemoryError)


@_ON_LINUX
def test_a_held_value_that_found_no_memory_is_sent_again_with_the_next_job(process):
    import resource

    call(process, probe.modules)
    used = int(Path(f"/proc/{process.pid}/statm").read_text().split()[0]) * resource.getpagesize()
    held = Held({"pair": np.ones(1 << 25)})
    before = resource.prlimit(process.pid, resource.RLIMIT_AS, (used + (64 << 20), -1))
    with pytest.raises(DeviceMemoryError):
        call(process, probe.echo, held)
    resource.prlimit(process.pid, resource.RLIMIT_AS, before)
    assert call(process, probe.echo, held)["pair"].sum() == 1 << 25


def test_a_window_without_memory_for_an_answer_loses_the_job_not_the_worker(
    qtbot, runner, process, monkeypatch
):
    job = runner.submit(compute(probe.count, 1000, 0.01))
    ends = Ends(job)

    def full():
        raise MemoryError

    with qtbot.waitSignal(job.yielded, timeout=_PATIENCE):
        pass
    monkeypatch.setattr(process._child.channel, "receive", full)
    after = runner.submit(compute(probe.echo, "on"))
    with qtbot.waitSignal(after.finished, timeout=_PATIENCE):
        pass
    ((kind, error),) = ends.seen
    assert kind == "failed"
    assert isinstance(error, ProcessEnded)


def test_jobs_side_by_side_do_not_wait_for_each_other(process):
    call(process, probe.echo, 0)
    begun = time.monotonic()
    workers = [threading.Thread(target=call, args=(process, probe.sleep, 0.5)) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert time.monotonic() - begun < 2.5


def _imported(process: ComputeProcess, package: str) -> bool:
    deadline = time.monotonic() + 20
    while package not in call(process, probe.modules) and time.monotonic() < deadline:
        time.sleep(0.02)
    return package in call(process, probe.modules)


def test_packages_are_imported_once_asked_for_and_again_after_a_restart(process):
    packages = call(process, probe.modules)
    assert not {"xmlrpc", "poplib"} & packages
    process.import_ahead("xmlrpc", "there_is_none", "poplib")
    assert _imported(process, "poplib")
    assert "xmlrpc" in call(process, probe.modules)
    pid = process.pid
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while process.pid in (None, pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _imported(process, "poplib")
    assert process.pid != pid


def test_a_warm_process_has_what_the_first_jobs_need_but_no_torch():
    made = ComputeProcess(warm=True)
    made.start()
    remote.use(made)
    try:
        first = call(made, probe.modules)
    finally:
        remote.use(None)
        made.shutdown()
    assert {"core", "cv2", "numpy"} <= first
    assert "torch" not in first


_WINDOW = """
import sys, time
from app.compute.process import ComputeProcess
process = ComputeProcess()
process.start()
print(process.pid, flush=True)
time.sleep(600)
"""


@_ON_LINUX
def test_it_ends_with_the_window_that_is_killed():
    window = subprocess.Popen([sys.executable, "-c", _WINDOW], stdout=subprocess.PIPE, text=True)
    assert window.stdout is not None
    pid = int(window.stdout.readline())
    assert Path(f"/proc/{pid}").exists()
    window.kill()
    window.wait()
    window.stdout.close()
    deadline = time.monotonic() + 20
    while _lives(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _lives(pid)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _entries(folder: str) -> int:
    return sum(1 for _ in Path(folder).iterdir())


@_ON_LINUX
def test_five_hundred_jobs_leave_nothing_behind(process):
    def count() -> tuple[int, ...]:
        own, theirs = (_entries(f"/proc/{pid}/fd") for pid in ("self", process.pid))
        maps = Path("/proc/self/maps").read_text().count("memfd:unifusion")
        threads = _entries(f"/proc/{process.pid}/task")
        children = len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
        # By what both have mapped: other processes make and remove files there, too.
        both = [Path(f"/proc/{pid}/maps").read_text() for pid in ("self", process.pid)]
        shared = sum(text.count("/dev/shm/") for text in both)
        return own, theirs, maps, shared, threads, children

    middle, large = np.ones(1 << 16), np.ones(1 << 22)
    for array in (middle, large):
        call(process, probe.echo, array)
    deadline = time.monotonic() + 5
    while count()[2] and time.monotonic() < deadline:  # unmapped on another thread
        time.sleep(0.02)
    before = count()
    for number in range(500):
        assert call(process, probe.echo, large if number % 50 == 0 else middle)[0] == 1
    held = [call(process, probe.echo, large) for _ in range(3)]
    assert count()[2] >= before[2] + 3  # mapped where they arrived, not copied
    del held
    deadline = time.monotonic() + 5
    while count() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [a <= b for a, b in zip(count(), before, strict=True)] == [True] * 6


def test_after_the_end_no_job_begins(process):
    process.shutdown()
    with pytest.raises(Cancelled):
        call(process, probe.echo, 1)
    assert process.pid is None
    assert remote.current() is process


def test_a_job_that_begins_while_the_process_is_ended_runs_in_the_next(qtbot, runner, process):
    other, ends = Runner("other"), []
    drained(qtbot, runner)
    deaf = runner.submit(compute(probe.sleep, 600.0))
    with qtbot.waitSignal(deaf.progress, timeout=_PATIENCE):
        pass
    deaf.cancel()
    pid, deadline = process.pid, time.monotonic() + 30
    while process.pid == pid and time.monotonic() < deadline:
        ends.append(Ends(other.submit(compute(probe.echo, "short"))))
        qtbot.wait(20)
    drained(qtbot, other)
    other.shutdown()
    assert len(ends) > 3
    assert {end.kinds[0] for end in ends} == {"finished"}
