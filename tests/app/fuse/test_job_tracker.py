"""Which answers still count, and what the status bar shows meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from app.fuse.job_tracker import JobTracker
from app.fuse.state import Activity, FuseState
from app.workers import Job, Runner
from core.errors import FusionError

WAIT = 30_000


class Work:
    """Work on a thread of its own that waits until it is let go."""

    def __init__(self, name: str) -> None:
        self.runner = Runner(name)
        self.gate = threading.Event()
        self.job: Job = self.runner.submit(self._run)

    def _run(self, progress) -> str:
        progress.report(1, 4, "half way")
        while not self.gate.wait(0.01):
            progress.check()
        return "answer"


@pytest.fixture
def make(qtbot) -> Iterator:
    made: list[Work] = []

    def work(name: str) -> Work:
        made.append(Work(name))
        return made[-1]

    yield work
    for one in made:
        one.gate.set()
        one.runner.shutdown()


@pytest.fixture
def session() -> FuseState:
    return FuseState("mif")


@pytest.fixture
def jobs(session) -> JobTracker:
    return JobTracker(session)


def test_progress_is_shown_until_the_job_ends_and_the_handler_comes_first(
    qtbot, make, session, jobs
):
    work, running = make("load"), []
    jobs.track(
        "load",
        work.job,
        finished=lambda _answer: running.append(session.running),
        activity=Activity("Reading"),
    )
    assert session.running == Activity("Reading")
    qtbot.waitUntil(lambda: session.running == Activity("half way", 1, 4), timeout=WAIT)
    with qtbot.waitSignal(jobs.idle, timeout=WAIT):
        work.gate.set()
    assert running == [Activity("half way", 1, 4)]
    assert session.running is None
    assert not jobs.is_busy


def test_superseded_jobs_are_cancelled_and_say_nothing_more(qtbot, make, session, jobs):
    old, new, idle = make("old"), make("new"), []
    jobs.idle.connect(lambda: idle.append(jobs.generation))
    answers: list[str] = []
    jobs.track("load", old.job, finished=answers.append, activity=Activity("Reading"))
    before = jobs.generation
    jobs.supersede()
    assert jobs.generation == before + 1
    assert not jobs.is_busy
    jobs.track("fuse", new.job, finished=answers.append, activity=Activity("Fusing", fusing=True))
    qtbot.waitUntil(lambda: old.job.is_over, timeout=WAIT)
    assert session.running is not None
    assert session.running.fusing
    assert idle == []
    new.gate.set()
    qtbot.waitUntil(lambda: bool(idle), timeout=WAIT)
    assert answers == ["answer"]


def test_a_preview_shows_no_progress_and_is_waited_for(qtbot, make, session, jobs):
    fuse, preview, idle = make("fuse"), make("preview"), []
    jobs.idle.connect(lambda: idle.append(True))
    jobs.track("fuse", fuse.job, finished=lambda _: None, activity=Activity("Fusing", fusing=True))
    jobs.track("preview", preview.job, finished=lambda _: None)
    fuse.gate.set()
    qtbot.waitUntil(lambda: session.running is None, timeout=WAIT)
    assert idle == []
    with qtbot.waitSignal(jobs.idle, timeout=WAIT):
        preview.gate.set()


def test_cancelled_jobs_report_their_end(qtbot, make, jobs):
    work, cancelled = make("load"), []
    jobs.track(
        "load", work.job, finished=lambda _: None, cancelled=lambda: cancelled.append(jobs.is_busy)
    )
    with qtbot.waitSignal(jobs.idle, timeout=WAIT):
        jobs.cancel()
    assert cancelled == [True]


def test_no_error_is_shown_once_the_window_closes(session, jobs):
    jobs.show_error("open", FusionError("a.png", "it is damaged"))
    assert session.problem is not None
    assert session.problem.remedy == "open"
    session.set_problem(None)
    jobs.close()
    jobs.show_error("open", FusionError("a.png", "it is damaged"))
    assert session.problem is None
