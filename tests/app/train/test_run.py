"""A run driven as a person would: started, watched, paused, resumed, stopped, kept, used."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.engine import engine_factory
from app.shell.main_window import MainWindow
from core.errors import DeviceFault
from core.packs.format import read_manifest
from core.packs.registry import Catalogue
from core.packs.user_packs import default_name
from tests.app.train.conftest import LONG, WAIT, points, prepare
from trainer.config.run_plan import RunPlan
from trainer.optimization.bilevel import BilevelStep
from trainer.run.trainer import Trainer
from trainer.run_folder import registry

ROOT = Path(__file__).resolve().parents[3]


def click(button) -> None:
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def phase(qtbot, page, wanted: str) -> None:
    qtbot.waitUntil(lambda: page.state.phase == wanted, timeout=WAIT)


def more(qtbot, page, count: int) -> None:
    start = points(page)
    qtbot.waitUntil(lambda: points(page) >= start + count, timeout=WAIT)


def test_start_watch_pause_resume_stop_and_the_pack_fuses(qtbot, home, data, samples, files):
    window = MainWindow(engine_factory("cpu"), samples, "mif", "average")
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(window.session.engine_changed, timeout=WAIT):
        window.controller.start()
    window.workspaces.show_page("train")
    page = window.workspaces.pages["train"]
    state = page.state
    qtbot.waitUntil(lambda: state.capabilities is not None, timeout=WAIT)
    prepare(qtbot, page, data, **LONG)
    assert window.workspaces.busy == ()

    click(page.start.start)
    assert page.stack.currentIndex() == 2
    more(qtbot, page, 3)
    assert "Our brains" in window.workspaces.busy[0]
    qtbot.waitUntil(lambda: len(state.strip) == 4, timeout=WAIT)
    assert not page.data.isEnabled()

    click(page.run.pause)
    phase(qtbot, page, "paused")
    steps = list(state.losses["upper"].steps)
    assert steps == [float(k) for k in range(1, len(steps) + 1)]
    checkpoint = home / "packs" / "our-brains.run" / "checkpoint.safetensors"
    assert checkpoint.is_file()
    page.run.rate_lower.setText("0.0002")
    page.run.rate_upper.setText("0.0001")
    click(page.run.apply)
    assert state.problem is None

    click(page.run.pause)
    more(qtbot, page, 2)
    after = state.rates["lr_lower"].at(len(steps) + 1)
    assert after == pytest.approx(2e-4, rel=1e-3)
    assert list(state.losses["upper"].steps[: len(steps)]) == steps

    def listed() -> list[str]:
        return [m.name for m in window.session.engine.methods["mif"] if m.kind == "pack"]

    assert "our-brains" not in listed()
    click(page.run.stop)
    phase(qtbot, page, "done")
    qtbot.waitUntil(lambda: "our-brains" in listed(), timeout=WAIT)
    assert read_manifest(home / "packs" / "our-brains.safetensors").title == "Our brains"
    assert page.result.isVisible()
    assert window.workspaces.busy == ()

    window.workspaces.show_page("fuse")
    window.session.set_method("our-brains")
    with qtbot.waitSignal(window.controller.idle, timeout=WAIT):
        window.controller.open_pair(*files)
    assert window.session.problem is None
    assert window.session.outcome.result.method == "our-brains"
    assert window.session.outcome.method_title == "Our brains"
    window.close()


def test_fine_tuning_records_the_parent_compares_and_becomes_the_default(qtbot, page, home, data):
    state, preparing = page.state, page.training.preparing
    parent = home / "packs" / "tiny.safetensors"
    preparing.choose_parent(parent)
    assert not page.settings.network.isEnabled()
    for name, value in {"batch": 1, "crop": 32, "steps": 4, "validate_every": 2}.items():
        preparing.set_value(name, value)
    preparing.set_data([data])
    qtbot.waitUntil(lambda: state.report is not None, timeout=WAIT)
    preparing.choose_task("mif")
    preparing.set_name("Tiny two")
    click(page.start.start)
    phase(qtbot, page, "done")
    qtbot.waitUntil(lambda: state.comparison is not None, timeout=WAIT)
    child = Catalogue().find("tiny-two", "mif")
    assert child.manifest.training.parent.startswith("tiny ")
    held_back = state.report.count("validation")
    assert state.comparison.pairs == held_back > 0
    assert page.result.table.rowCount() == len(state.comparison.lines) > 0
    assert [len(strip.images) for strip in page.result.strips] == [4] * held_back

    assert default_name("mif") != "tiny-two"
    with qtbot.waitSignal(page.pack_written, timeout=WAIT):
        click(page.result.default)
    assert default_name("mif") == "tiny-two"
    assert not page.result.default.isEnabled()
    # The next run can start from it.
    qtbot.waitUntil(lambda: "tiny-two" in [p.name for p in state.packs], timeout=WAIT)


def test_a_killed_process_is_offered_and_goes_on_with_its_curve(qtbot, home, data, request):
    out = home / "packs" / "victim.safetensors"
    killed = subprocess.run(
        [sys.executable, "-m", "tests.trainer.kill_me", str(data), str(out), "9"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    page = request.getfixturevalue("page")
    state = page.state
    qtbot.waitUntil(lambda: len(page.open_runs.cards) == 1, timeout=WAIT)
    card = page.open_runs.cards[0]
    assert "victim" in card.title.text()
    assert "step 8 of 12" in card.text.text()
    click(card.buttons["resume"])
    qtbot.waitUntil(lambda: points(page) >= 4, timeout=WAIT)
    assert list(state.losses["upper"].steps[:4]) == [2, 4, 6, 8]
    phase(qtbot, page, "done")
    assert list(state.losses["upper"].steps) == [2, 4, 6, 8, 10, 12]
    assert state.saved_pack.pack == out
    assert registry.unfinished(home / "packs") == ()


def test_setting_aside_keeps_the_state_and_a_run_can_be_deleted(qtbot, page, home, data):
    prepare(qtbot, page, data, **LONG)
    click(page.start.start)
    more(qtbot, page, 2)
    click(page.run.aside)
    phase(qtbot, page, "set aside")
    qtbot.waitUntil(lambda: len(page.open_runs.cards) == 1, timeout=WAIT)
    assert not list((home / "packs").glob("our-brains*.safetensors"))
    card = page.open_runs.cards[0]
    click(card.buttons["discard"])
    assert "for good?" in card.title.text()
    assert list((home / "packs").glob("*.run"))
    click(card.buttons["discard"])
    qtbot.waitUntil(lambda: page.open_runs.cards == [], timeout=WAIT)
    assert not list((home / "packs").glob("*.run"))


def test_a_run_that_goes_on_shows_its_last_pictures_at_once(qtbot, page, data):
    state = page.state
    prepare(qtbot, page, data, **LONG)
    click(page.start.start)
    qtbot.waitUntil(lambda: state.strip_step >= 5, timeout=WAIT)
    click(page.run.aside)
    phase(qtbot, page, "set aside")
    qtbot.waitUntil(lambda: len(page.open_runs.cards) == 1, timeout=WAIT)
    last, pictures = state.strip_step, state.strip
    strips = []
    state.strip_changed.connect(lambda: strips.append((state.strip_step, state.strip)))
    click(page.open_runs.cards[0].buttons["resume"])
    qtbot.waitUntil(lambda: any(images for _, images in strips), timeout=WAIT)
    step, images = next((step, images) for step, images in strips if images)
    assert state.phase == "starting", "before anything is judged anew"
    assert step == last
    assert images == pictures
    assert f"Fused at step {last}" in page.run.strip.accessibleName()


def test_closing_in_the_middle_leaves_a_run_to_go_on_with(qtbot, page, home, data):
    prepare(qtbot, page, data, **LONG)
    click(page.start.start)
    more(qtbot, page, 3)
    page.shutdown()
    (left,) = registry.unfinished(home / "packs")
    assert left.resumable
    assert not left.running
    assert left.step >= 3


def test_divergence_is_explained_and_the_best_state_can_be_kept(
    qtbot, page, data, home, monkeypatch
):
    original = BilevelStep.__call__

    def ruined(self, batch, step):
        losses = original(self, batch, step)
        return {**losses, "upper": float("nan")} if step >= 8 else losses

    monkeypatch.setattr(BilevelStep, "__call__", ruined)
    prepare(qtbot, page, data, **{**LONG, "validate_every": 4})
    click(page.start.start)
    phase(qtbot, page, "failed")
    assert page.card.isVisible()
    assert "diverged" in page.card.title.text()
    assert "rates" in page.card.text.text()
    assert page.card.action.text() == "Keep the best state"
    click(page.card.action)
    phase(qtbot, page, "done")
    assert (home / "packs" / "our-brains.safetensors").is_file()


def test_a_full_disk_is_explained_and_the_run_can_go_on(qtbot, page, data, monkeypatch):
    full = {"now": False}
    replace = os.replace

    def refuse(source, target, *more_, **named):
        if full["now"] and "checkpoint" in str(target):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(source, target, *more_, **named)

    path_replace = Path.replace

    def refuse_path(self, target):
        if full["now"] and "checkpoint" in str(target):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return path_replace(self, target)

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(Path, "replace", refuse_path)
    prepare(qtbot, page, data, **LONG)
    click(page.start.start)
    more(qtbot, page, 6)
    full["now"] = True
    phase(qtbot, page, "failed")
    assert "disk is full" in page.card.text.text()
    full["now"] = False
    qtbot.waitUntil(lambda: len(page.state.runs) == 1, timeout=WAIT)
    assert page.card.action.text() == "Resume"
    click(page.card.action)
    phase(qtbot, page, "running")
    more(qtbot, page, 2)
    assert not page.card.isVisible()


def test_only_the_run_that_failed_is_resumed_and_never_another_one(
    qtbot, page, home, data, monkeypatch
):
    prepare(qtbot, page, data, **LONG)
    click(page.start.start)
    more(qtbot, page, 2)
    click(page.run.aside)
    phase(qtbot, page, "set aside")
    qtbot.waitUntil(lambda: len(page.state.runs) == 1, timeout=WAIT)
    other = page.state.runs[0].handle.plan.out

    advance, broken = Trainer.advance, {"at": 3}

    def breaks(run):
        if run.state.step >= broken["at"]:
            raise RuntimeError("CUDA error: device-side assert triggered")
        return advance(run)

    monkeypatch.setattr(Trainer, "advance", breaks)
    page.training.preparing.set_name("Another")
    page.training.running.start()
    phase(qtbot, page, "failed")
    assert isinstance(page.state.problem, DeviceFault)
    mine = page.training.running.plan
    assert mine.out != other
    qtbot.waitUntil(lambda: len(page.state.runs) == 2, timeout=WAIT)
    assert page.card.action.text() == "Resume"
    kept = mine.run_folder.rename(home / "elsewhere")
    click(page.card.action)
    qtbot.waitUntil(lambda: "no checkpoint" in page.state.problem.why, timeout=WAIT)
    assert page.state.phase == "failed"
    assert page.state.remedy == ""
    assert [run.handle.plan.out for run in page.state.runs] == [other]

    kept.rename(mine.run_folder)
    broken["at"] = 1 << 30
    page.training.running.resume_failed()
    phase(qtbot, page, "running")
    assert page.training.running.plan.out == mine.out


def test_out_of_memory_asks_before_the_batch_is_halved(qtbot, page, data, monkeypatch):
    original = BilevelStep.__call__

    def small_only(self, batch, step):
        if batch.a.shape[0] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(self, batch, step)

    prepare(qtbot, page, data, **{**LONG, "batch": 4})
    page.training.preparing.stop()
    monkeypatch.setattr(BilevelStep, "__call__", small_only)
    click(page.start.start)
    qtbot.waitUntil(lambda: page.state.question == 2, timeout=WAIT)
    assert page.run.question.isVisible()
    assert "2 crops" in page.run.question.text.text()
    assert points(page) == 0
    click(page.run.question.buttons["smaller"])
    more(qtbot, page, 2)
    assert not page.run.question.isVisible()
    assert "2 crops" in page.message.text.text()
    page.training.running.stop()
    phase(qtbot, page, "done")


def test_a_plan_is_of_a_free_name(page, home):
    from app.train.state import DataChoice
    from app.train.tasks import new_plan

    plan = new_plan(page.state.capabilities, DataChoice((Path("x"),)), "Tiny", "three heads", False)
    assert isinstance(plan, RunPlan)
    assert plan.out == home / "packs" / "tiny-2.safetensors"
    assert (plan.title, plan.data_used, plan.share) == ("Tiny", ("three heads",), 0.2)
