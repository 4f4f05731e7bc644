"""Everything that a batch can write is written on a cluster as on one computer, byte for byte."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

from core.batch import BatchFinished, BatchOptions, BatchPlan, plan_batch, run_batch
from core.cluster.choice import ClusterChoice
from core.fusion.opening import open_engine
from core.pairing.folders import pair_paths
from tests.cluster_processes import ClusterProcesses

pytest.importorskip("distributed")
ROOT = Path(__file__).resolve().parents[3]
NAMES = ("plain", "ünï cödé", "percent%20", "semi;colon", "quote'x", "{name}", "日本", "a,b")
BLIND = """
from core.batch import row_files
row_files.SharedFolder.is_here = lambda self: False
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterChoice]:
    """One worker that sees the folder of results, and one that sends them back."""
    with ClusterProcesses(tmp_path_factory.mktemp("cluster")) as started:
        started.start_workers()
        started.start_workers(preload=BLIND)
        yield ClusterChoice(started.address)


def _run(sources: Path, options: BatchOptions, cluster: ClusterChoice | None) -> BatchPlan:
    pairing = pair_paths([sources], options.task, volumes=True)
    plan = plan_batch(pairing, options)
    *_, last = run_batch(plan, open_engine([options.method]), cluster=cluster)
    assert isinstance(last, BatchFinished)
    assert (last.tally.done, last.tally.failed) == (len(plan.rows), 0)
    return plan


def _both(sources: Path, options: BatchOptions, cluster: ClusterChoice) -> tuple[Path, Path]:
    here, there = options.out / "here", options.out / "there"
    _run(sources, replace(options, out=here), None)
    _run(sources, replace(options, out=there), cluster)
    return here, there


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("unifusion-batch")
    }


@pytest.mark.skipif(os.name != "posix", reason="names that other systems do not allow")
def test_of_pictures_with_odd_names_and_depths(tmp_path: Path, cluster: ClusterChoice) -> None:
    rng, sources = np.random.default_rng(5), tmp_path / "sources (ä; 1)"
    for side in "ab":
        (sources / side).mkdir(parents=True)
        for index, name in enumerate(NAMES):
            high, kind = (65536, np.uint16) if index % 2 else (256, np.uint8)
            pixels = rng.integers(0, high, (40, 50)).astype(kind)
            done, data = cv2.imencode(".png", cv2.GaussianBlur(pixels, (0, 0), 2))
            assert done
            (sources / side / f"{name}.png").write_bytes(data.tobytes())
    options = BatchOptions(
        "mif", "mif-compact", out=tmp_path, reconstructions=True, figures=True, metrics=True,
        contact_sheet=True,
    )  # fmt: skip
    here, there = map(_files, _both(sources, options, cluster))
    assert len(here) > 5 * len(NAMES)
    assert {"metrics.csv", "contact-sheet.html"} < set(here)
    assert here == there


@pytest.mark.long
def test_of_a_study_with_its_report(tmp_path: Path, cluster: ClusterChoice) -> None:
    sources = tmp_path / "export"
    for side in ("mif_a", "mif_b"):
        (sources / side).mkdir(parents=True)
        for path in sorted((ROOT / "resources" / "samples" / side).glob("*.dcm"))[16:26]:
            shutil.copy(path, sources / side)
    options = BatchOptions("mif", "average", out=tmp_path, dicom="multi", reports=True)
    here, there = (tmp_path / name for name in ("here", "there"))
    assert (here, there) == _both(sources, options, cluster)
    assert set(_files(here)) == set(_files(there))
    assert len(_files(there)) == 2
    one, other = (pydicom.dcmread(next(folder.rglob("*.dcm"))) for folder in (here, there))
    assert one.PixelData == other.PixelData
    # UIDs are new each time.
    apart = {e.keyword for e in one if e.VR != "SQ" and e.value != other[e.tag].value}
    assert apart <= {"SOPInstanceUID", "SeriesInstanceUID", "ContentTime", "InstanceCreationTime"}
    assert not list(there.glob(".unifusion-workers-*"))
