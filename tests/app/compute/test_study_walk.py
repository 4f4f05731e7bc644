"""From one dropped folder to DICOM in an archive and back, by what a person does in the window.

A real PET and MR of one thigh, the real engine in its own process, a real Orthanc. What the archive
holds in the end is read by SimpleITK and pydicom.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.engine import engine_factory
from app.preferences.settings import Settings
from app.shell.main_window import MainWindow
from core.fusion.slice_store import store_beside
from tests.app.batch.test_leaving import ask_to_close
from tests.app.regions.conftest import drag
from tests.app.shell.test_window import drop
from tests.orthanc import TITLE, Orthanc, start_orthanc

PATIENCE = 120_000
NAME = b"Sarkoma"
"""Of the folder, as of a patient."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture
def export_folder(shared_data: Path, tmp_path: Path) -> Path:
    source = shared_data / "clinical" / "sts_petmr_ct" / "dicom" / "STS_002"
    if not source.is_dir():
        pytest.skip(f"no real PET and MR in {source}")
    folder = tmp_path / NAME.decode() / "export"
    shutil.copytree(source, folder)
    return folder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Orthanc]:
    made = start_orthanc(tmp_path / "orthanc")
    yield made
    made.stop()


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Path:
    """The folder of settings, also of the compute process: ask for it before that."""
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def start(qtbot, home: Path, process, samples: Path):
    """The window as it starts, with settings of its own; several times one after the other."""
    before = QApplication.instance().quitOnLastWindowClosed()
    QApplication.instance().setQuitOnLastWindowClosed(False)

    def started() -> MainWindow:
        settings = Settings(home)
        made = MainWindow(engine_factory("cpu"), samples, "mif", settings=settings)
        qtbot.addWidget(made)
        made.resize(1400, 860)
        made.show()
        made.services.begin()
        return made

    yield started
    QApplication.instance().setQuitOnLastWindowClosed(before)


def click(button: QWidget) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def set_up_archive(qtbot, window: MainWindow, server: Orthanc) -> None:
    """By Tools > Send to archive > Set up archives."""
    window.actions_.send_archive.trigger()
    sending = window.archiving.send_dialog
    click(sending.set_up)
    dialog = window.archiving.node_dialog
    dialog.name.setText("pacs")
    dialog.host.setText("127.0.0.1")
    dialog.port.setValue(server.dicom_port)
    dialog.title.setText(TITLE)
    click(dialog.test)
    qtbot.waitUntil(lambda: "answers" in dialog.message.text.text(), timeout=PATIENCE)
    with qtbot.waitSignal(window.archiving.service.listed, timeout=PATIENCE):
        click(dialog.save)
    dialog.close()
    sending.close()


def is_fused(window: MainWindow) -> bool:
    session = window.session
    fused = session.outcome is not None and not session.outcome.is_preview
    return session.sources.slice is not None and fused and session.running is None


def export(qtbot, window: MainWindow, folder: Path, name: str, layout: str) -> Path:
    """By File > Export, its dialog, and the button there."""
    window.actions_.export.trigger()
    dialog = window.files.volume_dialog
    dialog.folder.setText(str(folder))
    dialog.name.setText(name)
    dialog.format.setCurrentIndex(dialog.format.findData(layout))
    with qtbot.waitSignal(window.controller.exported, timeout=PATIENCE) as done:
        click(dialog.go)
    return Path(done.args[0][0])


def send(qtbot, window: MainWindow) -> str:
    """By the card that is shown after an export."""
    cards = window.services.cards.cards
    qtbot.waitUntil(lambda: "send" in cards, timeout=PATIENCE)
    with qtbot.waitSignal(window.archiving.service.listed, timeout=PATIENCE):
        click(cards["send"].buttons["send"])
    dialog = window.archiving.send_dialog
    click(dialog.go)
    qtbot.waitUntil(lambda: "in the archive" in dialog.message.text.text(), timeout=PATIENCE)
    told = dialog.message.text.text()
    dialog.close()
    return told


def retrieved(server: Orthanc, folder: Path) -> list[Path]:
    """All that the archive holds, by its own interface."""
    folder.mkdir()
    found = []
    for name in server.get("/instances"):
        content = server.get(f"/instances/{name}/file")
        assert isinstance(content, bytes)
        found.append(folder / f"{name}.dcm")
        found[-1].write_bytes(content)
    server.clear()
    return found


def volume(folder: Path) -> sitk.Image:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


def corners(image: sitk.Image) -> np.ndarray:
    """The centres of the eight outermost voxels, in mm."""
    ends = [(0, size - 1) for size in image.GetSize()]
    indices = np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3)
    return np.array([image.TransformIndexToPhysicalPoint(one.tolist()) for one in indices])


def assert_same_place(image: sitk.Image, wanted: sitk.Image) -> None:
    """Every corner of one is a corner of the other, within 1e-4 mm."""
    assert image.GetSize() == wanted.GetSize()
    apart = np.linalg.norm(corners(image)[:, None] - corners(wanted)[None], axis=2)
    assert apart.min(axis=1).max() < 1e-4
    assert apart.min(axis=0).max() < 1e-4


def sphere_figures(pet: sitk.Image, centre: tuple[float, ...], radius: float) -> np.ndarray:
    """The values of the voxels whose centres lie in a sphere."""
    values = sitk.GetArrayFromImage(pet)
    grid = np.stack(np.indices(values.shape)[::-1], -1).reshape(-1, 3)
    direction = np.array(pet.GetDirection()).reshape(3, 3) * np.array(pet.GetSpacing())
    places = grid @ direction.T + np.array(pet.GetOrigin())
    inside = np.linalg.norm(places - np.array(centre), axis=1) <= radius
    return values.reshape(-1)[inside]


def test_from_a_dropped_folder_to_the_archive_and_back(
    qtbot, start, server, export_folder, tmp_path
):
    window = start()
    set_up_archive(qtbot, window, server)
    drop(window, export_folder)
    qtbot.waitUntil(lambda: is_fused(window), timeout=PATIENCE)
    assert window.session.problem is None
    view = window.session.sources.slice
    assert [one.modality for one in view.volumes.series] == ["PT", "MR"]

    # A region on what is seen, and its figures on the voxels of the PET.
    window.actions_.regions.trigger()
    window.actions_.region_tools["sphere"].trigger()
    drag(window.view.panes["fused"].canvas, (45, 40), (60, 40), [(50, 40)])
    qtbot.waitUntil(lambda: window.measuring.measurements.all is not None, timeout=PATIENCE)
    (sphere,) = window.measuring.state.regions
    figures = window.measuring.measurements.of(sphere).figures[0]
    pet = volume(export_folder / "PET" / "image")
    inside = sphere_figures(pet, sphere.centre, sphere.radius)
    assert figures.voxels == inside.size > 20
    assert figures.mean.value == pytest.approx(float(inside.mean()), rel=1e-5)
    assert figures.maximum.value == pytest.approx(float(inside.max()), rel=1e-5)

    mr = volume(export_folder / "MR_T1" / "image")
    out = tmp_path / "out"
    out.mkdir()
    shown = np.floor(window.session.outcome.result.fused * 255 + 0.5).astype(np.uint8)
    for layout in ("multi", "single"):
        path = export(qtbot, window, out, layout, layout)
        count = 1 if layout == "multi" else view.count
        assert send(qtbot, window) == f"{count} of {count} files are in the archive."
        files = retrieved(server, tmp_path / f"back-{layout}")
        assert len(files) == count
        written = {pydicom.dcmread(one).SOPInstanceUID: one for one in _files(path)}
        for one in files if layout == "multi" else files[:3]:
            assert_as_written(one, written, export_folder)
        image = sitk.ReadImage(str(files[0])) if layout == "multi" else volume(files[0].parent)
        assert_same_place(image, mr)
        assert_shows(image, view, shown)
    assert not any(NAME in one.read_bytes() for one in (tmp_path / "home").glob("*.json"))


def _files(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else [path]


def assert_as_written(path: Path, written: dict[str, Path], sources: Path) -> None:
    """What came back holds the pixels that were written, and refers to both sources."""
    back = pydicom.dcmread(path)
    ours = pydicom.dcmread(written[back.SOPInstanceUID])
    assert np.array_equal(back.pixel_array, ours.pixel_array)
    mr, pet = (
        [pydicom.dcmread(one, stop_before_pixels=True) for one in (sources / name).glob("*/*")]
        for name in ("MR_T1", "PET")
    )
    assert back.FrameOfReferenceUID == mr[0].FrameOfReferenceUID
    assert back.SeriesInstanceUID not in {one.SeriesInstanceUID for one in (*mr, *pet)}
    named = {element.value for element in back.iterall() if element.tag == 0x00081155}
    for source in (mr, pet):
        assert named & {one.SOPInstanceUID for one in source}
    content = path.read_bytes()
    assert NAME not in content
    assert str(mr[0].PatientID).encode() not in content
    assert "research" in json.dumps(back.to_json_dict()).lower()


def assert_shows(image: sitk.Image, view, shown: np.ndarray) -> None:
    """The slice on screen is in the volume where it lies in the patient, but for the notice."""
    rows, columns = shown.shape[:2]
    pixels = sitk.GetArrayFromImage(image)
    found = np.zeros_like(shown)
    for row in range(rows):
        for column in range(columns):
            i, j, k = image.TransformPhysicalPointToIndex(view.point_at(column, row))
            found[row, column] = pixels[k, j, i]
    equal = (found == shown).all(axis=2)
    assert equal.mean() > 0.9
    if not equal.all():  # the notice stands in one corner
        across = np.flatnonzero(~equal.all(axis=1))
        assert across.max() - across.min() < 30


def test_an_export_is_closed_half_way_and_gone_on_with(qtbot, start, shared_data, tmp_path):
    """The compute process stops at a slice; the next window goes on there, another pair on show."""
    study = shared_data / "clinical" / "dicom_synthetic"
    if not study.is_dir():
        pytest.skip(f"no synthetic PET and MR in {study}")
    window = start()
    drop(window, study)
    qtbot.waitUntil(lambda: is_fused(window), timeout=PATIENCE)
    out = tmp_path / "out"
    out.mkdir()
    window.actions_.export.trigger()
    dialog = window.files.volume_dialog
    dialog.folder.setText(str(out))
    dialog.name.setText("fused")
    click(dialog.go)
    journal = store_beside(out / "fused.dcm") / "slices.jsonl"
    qtbot.waitUntil(lambda: journal.exists() and _lines(journal) > 4, timeout=PATIENCE)
    ask_to_close(qtbot, window)
    click(window.close_guard.card.buttons["stop"])
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=PATIENCE)
    kept = _lines(journal)
    assert kept < 80
    again = start()
    qtbot.waitUntil(lambda: "export" in again.services.cards.cards, timeout=PATIENCE)
    with qtbot.waitSignal(again.controller.exported, timeout=PATIENCE):
        click(again.services.cards.cards["export"].buttons["resume"])
    assert f"{kept} slices of a run that had ended early were kept" in again.session.message
    assert again.session.sources.sample
    assert [one.name for one in out.iterdir()] == ["fused.dcm"]
    assert int(pydicom.dcmread(out / "fused.dcm").NumberOfFrames) == 80


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())
