"""Rows of two volumes: fused slice by slice into a volume or a folder, resumed, without names."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest

from core.batch import BatchFinished, BatchOptions, RowEvent, plan_batch, run_batch
from core.batch.manifest import BatchManifest
from core.batch.output_folder import DiskFull
from core.batch.plan import BatchPlan
from core.batch.row_files import SharedFolder
from core.batch.tasks import RowJob, process_group
from core.errors import Cancelled, FusionError, InputError
from core.fusion.engine import FusionEngine
from core.fusion.slice_store import SliceStore
from core.fusion.slices import align, slice_pair
from core.fusion.volume_fusion import SliceSettings
from core.fusion.volume_targets import SourceFiles, fuse_volume, volume_target
from core.io import read_image
from core.io.dicom_output import fused_series
from core.io.volumes import list_series, load_study_volume
from core.pairing.folders import pair_paths
from core.pairing.study_pairs import SeriesPair
from core.progress import Progress
from core.types import FusionRequest, FusionResult
from tests.core.io.pdf_text import pdf_text
from tests.core.io.studies import write_mr, write_pet, write_study

METHOD = "average"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    for patient in ("ZweisteinA", "ZweisteinB"):
        write_study(folder / patient, patient)
    return folder


def _plan(source: Path, out: Path, **options: Any) -> BatchPlan:
    made = BatchOptions("mif", METHOD, out=out, **options)
    return plan_batch(pair_paths([source], "mif", skip=[out], volumes=True), made)


def _run(
    plan: BatchPlan, engine: Any = None, progress: Progress | None = None
) -> tuple[list[RowEvent], BatchFinished]:
    *events, end = run_batch(plan, engine or FusionEngine("cpu"), progress)
    assert isinstance(end, BatchFinished)
    return [event for event in events if isinstance(event, RowEvent)], end


def _voxels(path: Path) -> Any:
    return np.asarray(nibabel.load(path).dataobj)


class _Killer(FusionEngine):
    """Ends the process, or cancels, in the midst of a volume."""

    def __init__(self, after: int) -> None:
        super().__init__("cpu")
        self._left = after

    def fuse(self, request: FusionRequest, *words: Any, **named: Any) -> FusionResult:
        self._left -= 1
        if self._left < 0:
            raise Cancelled
        return super().fuse(request, *words, **named)


def test_a_row_is_the_slices_fused_on_the_grid_of_b(export: Path, tmp_path: Path) -> None:
    plan = _plan(export, tmp_path)
    events, end = _run(plan)
    assert (end.tally.done, end.tally.failed) == (2, 0)
    for row in plan.rows:
        study = row.match.study
        assert study is not None
        a, b = (load_study_volume(series) for series in (study.a, study.b))
        pair = align(a, b)
        one = volume_target(tmp_path / "one.nii.gz", SourceFiles(study.a, study.b))
        assert one is not None
        fuse_volume(FusionEngine("cpu"), pair, SliceSettings("mif", METHOD), one)
        assert (tmp_path / row.target).read_bytes() == (tmp_path / "one.nii.gz").read_bytes()
        image = nibabel.load(tmp_path / row.target)
        np.testing.assert_allclose(image.affine, np.diag([-1, -1, 1, 1]) @ b.affine, atol=1e-5)
    assert any("Slice" in event.record.text for event in events)


def test_the_record_says_what_was_shown_and_nobody_s_name(export: Path, tmp_path: Path) -> None:
    plan = _plan(export, tmp_path, contact_sheet=True, metrics=True, figures=True)
    _, end = _run(plan)
    manifest = BatchManifest(tmp_path)
    (record, _) = manifest.records().values()
    manifest.close()
    assert record.study is not None
    assert (record.study["unit_a"], record.study["palette_a"]) == ("SUVbw", "hot_iron")
    low, high = map(float, record.study["window_a"].split())
    assert (low, 8 < high < 11) == (0, True)  # the ball's 40,200 Bq/mL are SUV 10
    assert record.study["size_b"] == "20×24×10"
    assert set(record.metrics or {}) >= {"Qabf", "SSIM"}
    assert "The metrics are those of the middle slice." in record.notes
    assert {path.name for path in end.files} == {"metrics.csv", "contact-sheet.html"}
    assert (tmp_path / plan.thumbnail(plan.rows[0])).is_file()
    assert all(path.is_file() for path in plan.outputs(plan.rows[0]))
    for path in tmp_path.rglob("*"):
        assert "weistein" not in str(path.relative_to(tmp_path))
        if path.is_file():
            assert b"weistein" not in path.read_bytes().replace(b"\0", b""), path


def test_slices_in_a_folder(export: Path, tmp_path: Path) -> None:
    plan = _plan(export, tmp_path, slices=True)
    _run(plan)
    row = plan.rows[0]
    names = sorted(path.name for path in (tmp_path / row.target).iterdir())
    assert names == [f"axial_{n:03d}.png" for n in range(1, 11)]
    study = row.match.study
    assert study is not None
    pair = align(*(load_study_volume(series) for series in (study.a, study.b)))
    request = FusionRequest(slice_pair(pair, "axial", 4), "mif", METHOD)
    wanted = FusionEngine("cpu").fuse(request).fused
    written = read_image(tmp_path / row.target / "axial_005.png").data / 65535
    np.testing.assert_allclose(written, wanted, atol=1 / 65535)
    events, end = _run(_plan(export, tmp_path, slices=True, resume=True))
    assert end.tally.skipped == 2
    (tmp_path / row.target / "axial_001.png").unlink()
    events, _ = _run(_plan(export, tmp_path, slices=True, resume=True))
    assert any("someone changed the result" in event.record.text for event in events)


@pytest.mark.parametrize("layout", ["multi", "single"])
def test_dicom_in_a_folder_for_each_study(export: Path, tmp_path: Path, layout: str) -> None:
    plan = _plan(export, tmp_path, dicom=layout, reports=True)
    _, end = _run(plan)
    assert (end.tally.done, end.tally.failed) == (2, 0)
    for row in plan.rows:
        assert row.match.study is not None
        files = sorted((tmp_path / row.target).iterdir())
        names = [path.name for path in files]
        if layout == "multi":
            assert names == ["fused.dcm"]
        else:
            assert names == [f"fused_{n:04d}.dcm" for n in range(1, 11)]
        (b,) = list_series(row.match.study.b.files).series
        read = pydicom.dcmread(files[0])
        assert read.FrameOfReferenceUID == b.frame_of_reference
        assert read.PatientIdentityRemoved == "YES"
        made = np.concatenate([np.atleast_3d(pydicom.dcmread(p).pixel_array) for p in files])
        wanted = tmp_path / "wanted.dcm"
        fused(row.match.study, wanted)
        same = pydicom.dcmread(wanted).pixel_array
        np.testing.assert_array_equal(made.ravel(), same.ravel())
        report = plan.outputs(row)[-1]
        assert report.read_bytes().startswith(b"%PDF")
    assert not list(tmp_path.rglob("*.unfinished"))
    again = _plan(export, tmp_path, dicom=layout, reports=True, resume=True)
    _, end = _run(again)
    assert end.tally.skipped == 2


def fused(study: SeriesPair, path: Path) -> None:
    """The file that ``fuse PT MR -o path`` writes."""
    pair = align(*(load_study_volume(series) for series in (study.a, study.b)))
    target = volume_target(path, SourceFiles(study.a, study.b))
    assert target is not None
    fuse_volume(FusionEngine("cpu"), pair, SliceSettings("mif", METHOD), target)


def test_a_dicom_folder_is_replaced_only_when_it_is_of_ours(export: Path, tmp_path: Path) -> None:
    plan = _plan(export, tmp_path, dicom="multi")
    _run(plan)
    folder = tmp_path / plan.rows[0].target
    before = (folder / "fused.dcm").read_bytes()
    _, end = _run(_plan(export, tmp_path, dicom="multi", overwrite=True))
    assert end.tally.done == 2
    assert (folder / "fused.dcm").read_bytes() != before  # its UIDs are new
    (folder / "letter.txt").write_text("keep me")
    _, end = _run(_plan(export, tmp_path, dicom="multi", overwrite=True))
    assert (end.tally.done, end.tally.failed) == (1, 1)
    assert "holds other files" in end.failures[0][1]
    assert (folder / "letter.txt").read_text() == "keep me"


def test_names_are_in_no_file_of_a_batch_unless_asked_for(export: Path, tmp_path: Path) -> None:
    for keep, found in ((False, set[str]()), (True, {"fused.dcm", "pdf"})):
        out = tmp_path / str(keep)
        named: dict[str, Any] = {"dicom": "multi", "reports": True, "keep_identity": keep}
        _run(_plan(export, out, contact_sheet=True, metrics=True, figures=True, **named))
        holding = set[str]()
        for path in out.rglob("*"):
            assert "weistein" not in str(path.relative_to(out))
            if path.is_file() and b"weistein" in contents(path):
                holding.add("pdf" if path.suffix == ".pdf" else path.name)
        assert holding == found


def contents(path: Path) -> bytes:
    """What a file holds; of a PDF the texts of its pages, which are compressed in the file."""
    data = path.read_bytes()
    if path.suffix == ".pdf":
        return pdf_text(data).encode()
    return data.replace(b"\0", b"")


@pytest.mark.long
def test_a_killed_study_goes_on_at_its_slice(export: Path, tmp_path: Path) -> None:
    """SIGKILL once two slices are on the disk: those of the row are not fused again."""
    script = _CHILD.replace("slices=True", "dicom='multi'").replace(
        "self.left < 0",
        "sum(len(p.read_text().splitlines()) for p in options.out.rglob('slices.jsonl')) >= 2",
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(export), str(tmp_path), "0"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    plan = _plan(export, tmp_path, dicom="multi", resume=True)
    assert not any((tmp_path / row.target).exists() for row in plan.rows)
    engine = _Counting()
    events, end = _run(plan, engine)
    assert (end.tally.done, end.tally.failed) == (2, 0)
    notes = [n for e in events if e.record.state == "done" for n in e.record.notes]
    assert any("had ended early were kept" in note for note in notes)
    assert engine.fused < 20
    assert not list(tmp_path.rglob("*.unfinished"))


@pytest.mark.parametrize("dicom", ["", "multi", "single"])
def test_a_disk_that_is_full_half_way_ends_the_run_which_goes_on_later(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dicom: str
) -> None:
    write, left = SliceStore._write, [5]

    def full(store: SliceStore, index: int, pixels: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(store, index, pixels)

    monkeypatch.setattr(SliceStore, "_write", full)
    with pytest.raises(DiskFull):
        _run(_plan(export, tmp_path, dicom=dicom, reports=True, workers=1))
    plan = _plan(export, tmp_path, dicom=dicom, reports=True, resume=True)
    for row in plan.rows:
        assert not any(path.exists() for path in plan.outputs(row))
    assert not list(tmp_path.rglob("*.part"))
    left[0] = 100
    engine = _Counting()
    _, end = _run(plan, engine)
    assert (end.tally.done, end.tally.failed) == (2, 0)
    assert engine.fused == 15
    assert all(path.exists() for row in plan.rows for path in plan.outputs(row))


@pytest.mark.parametrize("dicom", ["multi", "single"])
def test_a_disk_that_is_full_while_dicom_is_written_leaves_no_part_of_it(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dicom: str
) -> None:
    write, left = fused_series.write_pixels, [1]

    def full(stream: Any, *words: Any) -> None:
        left[0] -= 1
        if left[0] < 0 or dicom == "multi":
            stream.write(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(stream, *words)

    with monkeypatch.context() as patched:
        patched.setattr(fused_series, "write_pixels", full)
        with pytest.raises(DiskFull):
            _run(_plan(export, tmp_path, dicom=dicom, workers=1))
    assert not list(tmp_path.rglob("*.dcm"))
    plan = _plan(export, tmp_path, dicom=dicom, resume=True)
    _, end = _run(plan)
    assert (end.tally.done, end.tally.failed) == (2, 0)
    counted = {"multi": 1, "single": 10}[dicom]
    for row in plan.rows:
        assert len(list((tmp_path / row.target).iterdir())) == counted


def test_hidden_uids_are_the_same_on_a_worker_of_another_installation(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker has a salt of its own; what is of one study must stay together."""
    plan = _plan(export, tmp_path / "here", dicom="multi", replace_uids=True)
    _run(plan)
    row = plan.rows[0]
    out = tmp_path / "there"
    out.mkdir()
    job = RowJob.of(replace(plan.options, out=out), SharedFolder.make(out))
    assert job.salt.hex() not in repr(job)
    assert not RowJob.of(replace(plan.options, replace_uids=False), job.folder).salt
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "worker"))
    (answer,) = process_group(job, ((row, row.record("queued")),))
    assert answer.record.state == "done", answer.record.text
    (there,) = out.rglob("*.dcm")
    here = pydicom.dcmread(plan.options.out / row.target / "fused.dcm")
    for keyword in ("FrameOfReferenceUID", "StudyInstanceUID"):
        assert pydicom.dcmread(there).get(keyword) == here.get(keyword), keyword


@pytest.mark.parametrize("how", ["damaged", "gone", "unexpected"])
def test_no_name_is_recorded_where_files_change_while_they_are_fused(
    tmp_path: Path, how: str
) -> None:
    """Paths of studies hold names, and sources are read again when DICOM is written."""
    write_study(tmp_path / "ZweisteinA", "ZweisteinA")
    out = tmp_path / "out"

    class Meddling(FusionEngine):
        def fuse(self, request: FusionRequest, *words: Any, **named: Any) -> FusionResult:
            for path in (tmp_path / "ZweisteinA").rglob("*.dcm"):
                if how == "unexpected":
                    raise LookupError(path)
                path.unlink() if how == "gone" else path.write_bytes(b"damaged")
            return super().fuse(request, *words, **named)

    events, end = _run(_plan(tmp_path, out, dicom="multi", reports=True), Meddling("cpu"))
    assert (end.tally.done, end.tally.failed) == (0, 1)
    text = events[-1].record.text
    said = (
        r": unexpected error \(LookupError\)$" if how == "unexpected" else r"^PT \w{8}, file 1 of "
    )
    assert re.search(said, text), text
    for path in out.rglob("*"):
        assert "weistein" not in str(path.relative_to(out))
        if path.is_file():
            assert b"weistein" not in path.read_bytes().replace(b"\0", b""), path
    assert "weistein" not in " ".join(f"{e.record.text}{e.record.notes}" for e in events)


def test_studies_are_not_gone_on_with_under_other_names(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no salt can be kept, each process has its own names: all would be fused twice."""
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "file"))
    out = tmp_path / "out"
    _run(_plan(export, out))
    with pytest.raises(InputError, match="cannot be found again") as told:
        _plan(export, out, resume=True)
    assert "UNIFUSION_HOME" in told.value.remedy
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))
    _, end = _run(_plan(export, out, overwrite=True))
    assert end.tally.done == 2
    _, end = _run(_plan(export, out, resume=True))
    assert end.tally.skipped == 2


class _Counting(FusionEngine):
    def __init__(self) -> None:
        super().__init__("cpu")
        self.fused = 0

    def fuse(self, request: FusionRequest, *words: Any, **named: Any) -> FusionResult:
        self.fused += 1
        return super().fuse(request, *words, **named)


@pytest.mark.parametrize("slices", [False, True])
def test_cancelled_within_a_volume_nothing_is_left(
    export: Path, tmp_path: Path, slices: bool
) -> None:
    with pytest.raises(Cancelled):
        _run(_plan(export, tmp_path, slices=slices), _Killer(5))
    assert [path.name for path in tmp_path.rglob("*.*") if "sqlite" not in path.name] == []
    _, end = _run(_plan(export, tmp_path, slices=slices, resume=True))
    assert (end.tally.done, end.tally.failed) == (2, 0)


_CHILD = """
import os, signal, sys
from pathlib import Path
from core.batch import BatchOptions, plan_batch, run_batch
from core.fusion.engine import FusionEngine
from core.pairing.folders import pair_paths
class Killer(FusionEngine):
    left = int(sys.argv[3])
    def fuse(self, request, *words, **named):
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fuse(request, *words, **named)
options = BatchOptions("mif", "average", out=Path(sys.argv[2]), slices=True, workers=1)
pairing = pair_paths([Path(sys.argv[1])], "mif", volumes=True)
list(run_batch(plan_batch(pairing, options), Killer("cpu")))
"""


@pytest.mark.long
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_within_a_volume_the_row_is_made_again(export: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(export), str(tmp_path), "14"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    plan = _plan(export, tmp_path, slices=True, resume=True)
    before = [row for row in plan.rows if (tmp_path / row.target).exists()]
    # Both rows are worked on at once: the other one may or may not have been finished.
    assert len(before) < 2
    assert list(tmp_path.rglob("*.part"))
    _, end = _run(plan)
    kept = len(before)
    assert (end.tally.done, end.tally.skipped, end.tally.failed) == (2 - kept, kept, 0)
    assert not list(tmp_path.rglob("*.part"))
    for row in plan.rows:
        assert len(list((tmp_path / row.target).iterdir())) == 10


def test_a_changed_slice_makes_its_row_anew(tmp_path: Path) -> None:
    source, out = write_study(tmp_path / "in", "ZweisteinC"), tmp_path / "out"
    _run(_plan(source, out))
    before = _voxels(out / _plan(source, out, resume=True).rows[0].target)
    for path in (source / "PET").iterdir():
        path.unlink()
    write_pet(
        source / "PET",
        PatientID="ZweisteinC",
        PatientName="ZweisteinC",
        FrameOfReferenceUID=list_series(source / "MR").series[0].frame_of_reference,
        RescaleIntercept=5000,
    )
    plan = _plan(source, out, resume=True)
    _, end = _run(plan)
    assert end.tally.done == 1
    after = _voxels(out / plan.rows[0].target)
    assert (before != after).any()


def test_bad_series_cost_their_rows_with_the_reason(tmp_path: Path) -> None:
    good, gap, apart = (tmp_path / "in" / name for name in ("good", "gap", "apart"))
    write_study(good, "ZweisteinA")
    tags = {"PatientID": "G", "FrameOfReferenceUID": "1.2.8"}
    write_pet(gap / "PET", places=[0, 1, 2, 4, 5, 6, 7], **tags, SeriesInstanceUID="1.2.5.1")
    write_mr(gap / "MR", **tags, SeriesInstanceUID="1.2.5.2")
    write_pet(apart / "PET", PatientID="H", SeriesInstanceUID="1.2.6.1")
    write_mr(apart / "MR", PatientID="H", SeriesInstanceUID="1.2.6.2", FrameOfReferenceUID="1.2.7")
    plan = _plan(tmp_path / "in", tmp_path / "out")
    assert sorted(bool(row.problem) for row in plan.rows) == [False, True, True]
    _, end = _run(plan)
    assert (end.tally.done, end.tally.failed) == (1, 2)
    texts = " ".join(text for _, text in end.failures)
    assert "at 9.00 mm" in texts
    assert "different frames of reference" in texts
    again = _plan(
        tmp_path / "in", tmp_path / "out", resume=True, accept_gap=True, not_registered=True
    )
    _, end = _run(again)
    assert (end.tally.done, end.tally.skipped, end.tally.failed) == (2, 1, 0)


def test_a_damaged_slice_is_named_by_its_number(tmp_path: Path) -> None:
    source = write_study(tmp_path / "in", "ZweisteinA")
    plan = _plan(source, tmp_path / "out")
    path = next(iter((source / "MR").iterdir()))
    path.write_bytes(path.read_bytes()[:700])
    (event, *_) = [e for e in _run(plan)[0] if e.record.state == "failed"]
    assert event.record.text
    assert "weistein" not in event.record.text
    assert str(tmp_path) not in event.record.text
    assert not list((tmp_path / "out").rglob("*.nii.gz"))


def test_windows_and_palette_are_part_of_the_run(export: Path, tmp_path: Path) -> None:
    plan = _plan(export, tmp_path, window_a=(0.0, 4.0), palette_a="pet")
    _run(plan)
    other = _plan(export, tmp_path / "usual")
    _run(other)
    one, two = (_voxels(p.options.out / p.rows[0].target) for p in (plan, other))
    assert (one != two).any()
    with pytest.raises(FusionError, match="palette of A: pet then"):
        _plan(export, tmp_path, window_a=(0.0, 4.0), resume=True)
    with pytest.raises(FusionError, match="nothing called"):
        replace(plan.options, palette_a="puce").check()


def test_real_studies_among_wrong_things(shared_data: Path, tmp_path: Path) -> None:
    clinical = shared_data / "clinical"
    if not (clinical / "dicom_synthetic").is_dir():
        pytest.skip("no clinical files beside the real pairs")
    sources = [clinical / name for name in ("sts_petmr_ct", "derived/broken")]
    pairing = pair_paths(sources, "mif", volumes=True)
    plan = plan_batch(pairing, BatchOptions("mif", METHOD, out=tmp_path))
    names = [row.match.name[:5] for row in plan.rows if not row.problem]
    assert names == ["STS_0", "ct-mr", "pt-mr"]
    reasons = " ".join(item.reason for item in pairing.leftovers)
    for words in ("2 different patients", "same place", "how large a pixel is"):
        assert words in reasons
