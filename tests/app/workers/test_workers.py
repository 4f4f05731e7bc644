"""The thread's contract: one terminal signal, whatever the work does."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from PySide6.QtCore import QThread

from app.workers import Job, Runner, details_of
from core.errors import DeviceMemoryError, FusionError, InputError

ENDS = ("finished", "failed", "cancelled")


class Ends:
    """Records every terminal signal of a job, and the thread it came on."""

    def __init__(self, job: Job) -> None:
        self.seen: list[tuple[str, object]] = []
        self.threads: set[object] = set()
        job.finished.connect(lambda answer: self._note("finished", answer))
        job.failed.connect(lambda error: self._note("failed", error))
        job.cancelled.connect(lambda: self._note("cancelled", None))

    def _note(self, kind: str, payload: object) -> None:
        self.seen.append((kind, payload))
        self.threads.add(QThread.currentThread())

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.seen]


@pytest.fixture
def runner(qapp):
    made = Runner("test")
    yield made
    made.shutdown()


def drained(qtbot, runner: Runner) -> None:
    """Return when everything submitted so far has been delivered."""
    with qtbot.waitSignal(runner.submit(lambda _progress: None).finished, timeout=10_000):
        pass


def test_answer_arrives_once_on_the_submitting_thread(qtbot, runner):
    where: list[object] = []

    def work(progress):
        where.append(threading.get_ident())
        progress.report(1, 2, "half")
        return 42

    job = runner.submit(work)
    ends = Ends(job)
    stages: list[tuple[float, float, str]] = []
    job.progress.connect(lambda *report: stages.append(report))
    drained(qtbot, runner)
    assert ends.seen == [("finished", 42)]
    assert stages == [(1.0, 2.0, "half")]
    assert where[0] != threading.get_ident()
    assert ends.threads == {QThread.currentThread()}


def test_generator_events_come_in_order_before_its_answer(qtbot, runner):
    closed_on: list[int] = []
    ran_on: list[int] = []

    def work(progress):
        ran_on.append(threading.get_ident())
        try:
            yield "one"
            yield "two"
            return "end"
        finally:
            closed_on.append(threading.get_ident())

    job = runner.submit(work)
    seen: list[object] = []
    job.yielded.connect(seen.append)
    job.finished.connect(seen.append)
    drained(qtbot, runner)
    assert seen == ["one", "two", "end"]
    assert closed_on == ran_on


@pytest.mark.parametrize(
    ("raised", "kind", "words"),
    [
        (InputError("scan.png", "it is empty"), InputError, "scan.png"),
        (RuntimeError("CUDA out of memory"), FusionError, "CUDA out of memory"),
        (MemoryError(), DeviceMemoryError, "memory"),
        (SystemExit(3), FusionError, "SystemExit"),
        (KeyboardInterrupt(), FusionError, "KeyboardInterrupt"),
    ],
)
def test_every_exception_reaches_failed(qtbot, runner, raised, kind, words):
    def work(progress):
        raise raised

    ends = Ends(runner.submit(work))
    drained(qtbot, runner)
    ((end, error),) = ends.seen
    assert end == "failed"
    assert isinstance(error, kind)
    assert words in str(error)
    assert "in work" in details_of(error)
    assert error.__traceback__ is None


def test_failure_in_a_generator_after_an_event(qtbot, runner):
    def work(progress):
        yield 1
        raise ValueError("late")

    ends = Ends(runner.submit(work))
    drained(qtbot, runner)
    assert ends.kinds == ["failed"]


def test_cancelling_running_work_closes_its_generator(qtbot, runner):
    begun, closed = threading.Event(), threading.Event()

    def work(progress):
        try:
            yield "begun"
            while True:
                begun.wait(0.001)
                progress.check()
        finally:
            closed.set()

    job = runner.submit(work)
    ends = Ends(job)
    with qtbot.waitSignal(job.yielded, timeout=10_000):
        pass
    with qtbot.waitSignal(job.cancelled, timeout=10_000):
        job.cancel()
    drained(qtbot, runner)
    assert ends.kinds == ["cancelled"]
    assert closed.is_set()


def test_work_that_does_not_listen_is_given_up_and_its_answer_dropped(qtbot, runner):
    gate = threading.Event()
    job = runner.submit(lambda _progress: gate.wait(30))
    ends = Ends(job)
    with qtbot.waitSignal(job.started, timeout=10_000):
        pass
    with qtbot.waitSignal(job.cancelled, timeout=10_000):
        job.cancel()
    assert not gate.is_set()
    gate.set()
    drained(qtbot, runner)
    assert ends.kinds == ["cancelled"]


def test_cancelled_work_that_fails_or_finishes_is_cancelled(qtbot, runner):
    for outcome in (lambda: 1, lambda: 1 / 0):
        gate = threading.Event()

        def work(progress, gate=gate, outcome=outcome):
            gate.wait(30)
            return outcome()

        job = runner.submit(work)
        ends = Ends(job)
        with qtbot.waitSignal(job.started, timeout=10_000):
            pass
        job.cancel()
        gate.set()
        drained(qtbot, runner)
        assert ends.kinds == ["cancelled"]


def test_newest_of_a_key_replaces_the_waiting_one_not_the_running(qtbot, runner):
    gate = threading.Event()
    ran: list[str] = []

    def work(name):
        def inner(progress):
            ran.append(name)
            gate.wait(30)
            return name

        return inner

    first = runner.submit(work("first"), key="fuse")
    ends = [Ends(first)]
    with qtbot.waitSignal(first.started, timeout=10_000):
        pass
    for name in ("second", "third"):
        ends.append(Ends(runner.submit(work(name), key="fuse")))
    other = Ends(runner.submit(work("other"), key="save"))
    gate.set()
    drained(qtbot, runner)
    assert [end.kinds for end in ends] == [["finished"], ["cancelled"], ["finished"]]
    assert other.kinds == ["finished"]
    assert ran == ["first", "third", "other"]


def test_shutdown_ends_every_job_and_the_thread(qtbot, qapp):
    runner = Runner("test")
    running = runner.submit(_until_cancelled)
    waiting = runner.submit(lambda _progress: 1)
    ends = [Ends(running), Ends(waiting)]
    with qtbot.waitSignal(running.started, timeout=10_000):
        pass
    runner.shutdown()
    assert not runner._thread.isRunning()
    qapp.processEvents()
    assert [end.kinds for end in ends] == [["cancelled"], ["cancelled"]]
    with pytest.raises(RuntimeError):
        runner.submit(lambda _progress: 1)


def _until_cancelled(progress):
    pause = threading.Event()
    while True:
        pause.wait(0.001)
        progress.check()


def test_shutdown_of_an_idle_runner(qapp):
    Runner("test").shutdown()


def test_reports_within_a_stage_are_thinned_but_not_the_last(qtbot, runner):
    def work(progress):
        for done in range(1001):
            progress.report(done, 1000, "many")

    job = runner.submit(work)
    reports: list[tuple[float, float, str]] = []
    job.progress.connect(lambda *report: reports.append(report))
    drained(qtbot, runner)
    assert reports[-1] == (1000.0, 1000.0, "many")
    assert len(reports) < 500


_AT_ONCE = """
import sys
sys.setswitchinterval(1e-5)
import importlib, threading
from PySide6.QtCore import QCoreApplication, QTimer
from app.workers import Runner
app = QCoreApplication([])
gate, names, ends = threading.Barrier(4), sys.argv[1:], []
def load(name):
    def work(progress):
        gate.wait()
        importlib.import_module(name)
    return work
def ended(text):
    ends.append(text)
    if len(ends) == len(names):
        app.quit()
runners = [Runner(name) for name in names]
for runner, name in zip(runners, names):
    job = runner.submit(load(name))
    job.finished.connect(lambda _result: ended(""))
    job.failed.connect(lambda error: ended(str(error)))
QTimer.singleShot(60000, app.quit)
app.exec()
for runner in runners:
    runner.shutdown()
print(len(ends), *ends)
"""


def test_threads_that_import_readers_at_once_do_not_meet_half_of_them():
    names = ("core.io.volumes", "core.io", "core.io.readers.decoding", "core.fusion.slices")
    done = subprocess.run(
        [sys.executable, "-c", _AT_ONCE, *names], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["4"], done.stdout + done.stderr
