"""Fixtures of the window's tests: a quick engine, small real files, and no tolerance for leaks."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt, QtMsgType
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.i18n import language
from app.shell.main_window import MainWindow
from app.widgets import theme
from app.workers import running_threads
from app.workers.garbage_collector import GarbageCollector
from resources import ROOT
from tests.app.standin import StandInEngine

_OF_THE_PLATFORM = (
    "This plugin does not support propagateSizeHints()",
    "This plugin does not support raise()",
    "This plugin does not support grabbing the keyboard",
    "QObject::connect: No such signal QPlatformNativeInterface::systemTrayWindowChanged(QScreen*)",
)
"""What the offscreen platform says of any dialog or menu, and of an icon in the tray."""


@pytest.fixture(scope="package", autouse=True)
def _collector(qapp) -> Iterator[GarbageCollector]:
    """Widgets of a test are freed on the window's thread, as in the program.

    Else a worker of a later test destroys them wherever it happens to create an object: its timers
    cannot be stopped there, and the process may end or hang.
    """
    made = GarbageCollector()
    yield made
    gc.collect()  # of what is left, nothing may be freed by threads of tests without a window
    made.stop()


@pytest.fixture(autouse=True)
def _nothing_left_behind(qapp, qtlog, _collector) -> Iterator[None]:
    """A Qt warning or a thread that outlives its test fails it."""
    yield
    assert running_threads() == 0
    _collector.collect(quiet=True)
    worrying = (
        QtMsgType.QtWarningMsg,
        QtMsgType.QtCriticalMsg,
        QtMsgType.QtFatalMsg,
    )
    warnings = [record.message for record in qtlog.records if record.type in worrying]
    assert [text for text in warnings if text not in _OF_THE_PLATFORM] == []


@pytest.fixture(autouse=True)
def _no_key_held(qapp) -> Iterator[None]:
    """A key held in the last input of one test is not held in the next one.

    Qt keeps the modifiers of the last event, and a view selects rows by them.
    """
    yield
    if QGuiApplication.keyboardModifiers() != Qt.KeyboardModifier.NoModifier:
        probe = QWidget()
        QTest.keyRelease(probe, Qt.Key.Key_Shift, Qt.KeyboardModifier.NoModifier)
        assert QGuiApplication.keyboardModifiers() == Qt.KeyboardModifier.NoModifier


@pytest.fixture(scope="session", autouse=True)
def _dressed(qapp) -> None:
    theme.apply(qapp, ROOT)


@pytest.fixture
def german(qapp) -> Iterator[None]:
    """The program speaks German, and writes numbers so; ask for it before the window."""
    assert language.install(qapp, "de") == "de"
    yield
    assert language.install(qapp, "en") == "en"


def write_png(path: Path, pixels: np.ndarray) -> Path:
    """Write uint8 or uint16 pixels (grey, or RGB) by an encoder that is not the project's."""
    bgr = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    done, content = cv2.imencode(".png", np.ascontiguousarray(bgr))
    assert done
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.tobytes())
    return path


def gradient(width: int, height: int, dtype: type = np.uint8) -> np.ndarray:
    """A grey ramp from left to right over the type's whole range."""
    top = np.iinfo(dtype).max
    row = np.linspace(0, top, width).round().astype(dtype)
    return np.repeat(row[None], height, axis=0)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A 64×48 pair: grey A, coloured B."""
    a = write_png(tmp_path / "pet_1.png", gradient(64, 48))
    colour = np.stack([gradient(64, 48), gradient(64, 48)[:, ::-1], gradient(64, 48) // 2], -1)
    b = write_png(tmp_path / "mri_1.png", colour)
    return a, b


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """Sample pairs of all tasks, 40×32."""
    folder = tmp_path / "samples"
    for index, task in enumerate(("mif", "ivif", "mef", "mff")):
        write_png(folder / f"{task}_a.png", gradient(40, 32) // (index + 1))
        write_png(folder / f"{task}_b.png", gradient(40, 32)[:, ::-1])
    return folder


@pytest.fixture
def engine() -> Iterator[StandInEngine]:
    """An engine that obeys the contract, and waits at its gate when told to."""
    made = StandInEngine()
    yield made
    made.gate.set()


@pytest.fixture
def window(qtbot: QtBot, engine: StandInEngine, samples: Path) -> MainWindow:
    """The window, shown, with the engine's start under way."""
    made = MainWindow(lambda: engine, samples, "mif")
    qtbot.addWidget(made, before_close_func=lambda _window: engine.gate.set())
    made.resize(1024, 768)
    made.show()
    with qtbot.waitSignal(made.session.engine_changed, timeout=10_000):
        made.controller.start()
    return made


@pytest.fixture
def opened(window: MainWindow, qtbot: QtBot, files: tuple[Path, Path]) -> MainWindow:
    """The window with a pair opened and fused by the model."""
    with qtbot.waitSignal(window.controller.idle, timeout=10_000):
        window.controller.open_pair(*files)
    assert window.session.problem is None
    assert window.session.outcome is not None
    return window
