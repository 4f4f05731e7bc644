"""How quickly slices of volumes follow the wheel, and whether the event loop ever stalls.

    QT_QPA_PLATFORM=offscreen python benchmarks/slice_speed.py

Opens two made-up NIfTI volumes (512×512×120 of 0.5×0.5×1 mm, and 128×128×60 of 2 mm) in the real
window, and turns the wheel by 60 steps in 2 s in each of the three planes. Each line gives how many
slices were shown, and the longest time a timer of 5 ms had to wait in the event loop: while
scrolling, and while the slice that it rests on is fused by the embedded pack.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
from PySide6.QtCore import QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

import resources
from app.engine import engine_factory
from app.shell.main_window import MainWindow
from app.shell.window_process import window_process
from app.widgets import theme
from benchmarks.window_speed import stall
from benchmarks.window_tools import DelayMonitor, until, wait
from core.geometry.planes import PLANES

STEPS, INTERVAL_MS = 60, 33


def make_volumes(folder: Path) -> list[Path]:
    """A PET and an MR of noise, in one place."""
    rng = np.random.default_rng(0)
    mr = rng.integers(0, 1000, (512, 512, 120)).astype(np.int16)
    pet = rng.random((128, 128, 60), np.float32) * 8
    files = [folder / "pet.nii", folder / "t1.nii"]
    for path, data, size in zip(files, (pet, mr), ((2, 2, 2), (0.5, 0.5, 1)), strict=True):
        affine = np.diag([*map(float, size), 1.0])
        nibabel.save(nibabel.Nifti1Image(data, affine), path)  # type: ignore[no-untyped-call]
    return files


def turn(window: MainWindow) -> None:
    """One step of the wheel over pane A."""
    canvas = window.view.panes["a"].canvas
    where = QPointF(canvas.rect().center())
    none, keys, phase = (
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
    )
    there = canvas.mapToGlobal(where)
    event = QWheelEvent(where, there, QPoint(), QPoint(0, -120), none, keys, phase, False)
    QApplication.sendEvent(canvas, event)


def scroll(window: MainWindow) -> int:
    """Turn the wheel; returns how many slices were shown meanwhile."""
    shown: set[int] = set()
    left = STEPS

    def note() -> None:
        view = window.session.sources.slice
        if view is not None:
            shown.add(view.index)

    def step() -> None:
        nonlocal left
        left -= 1
        turn(window)
        if not left:
            loop.quit()

    window.session.sources_changed.connect(note)
    loop, timer = QEventLoop(), QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(step)
    timer.start(INTERVAL_MS)
    loop.exec()
    timer.stop()
    window.session.sources_changed.disconnect(note)
    return len(shown)


def measure(window: MainWindow) -> None:
    """Scroll in each plane, and with three planes at once; print the delays."""
    session, volumes = window.session, window.controller.volumes

    def at_rest() -> bool:
        return session.running is None and bool(session.results)

    monitor = DelayMonitor()
    for layout in ("all", "planes"):
        session.set_display(replace(session.display, layout=layout))
        for plane in PLANES:
            volumes.set_plane(plane)
            volumes.go_to(20)
            wait(1)
            until(at_rest)
            wait(0.5)
            monitor.restart()
            count = scroll(window)
            print(f"{layout}, {plane}: {count} of {STEPS} slices shown")
            print(stall("scrolling", monitor))
            monitor.restart()
            wait(0.5)
            until(at_rest)
            print(stall("until the last one was fused", monitor))


def main() -> None:
    """Run the benchmark."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication([])
    theme.apply(application, resources.ROOT)
    factory = engine_factory("cpu")
    with window_process("en"), tempfile.TemporaryDirectory() as folder:
        os.environ["UNIFUSION_HOME"] = str(Path(folder) / "home")
        window = MainWindow(factory, resources.SAMPLES, "mif")
        window.resize(1600, 1000)
        window.show()
        window.controller.start()
        window.files.take(make_volumes(Path(folder)))
        until(lambda: window.session.sources.slice is not None and bool(window.session.results))
        until(lambda: window.session.running is None)
        measure(window)
        window.close()


if __name__ == "__main__":
    main()
