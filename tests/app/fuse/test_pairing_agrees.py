"""Window, batch, command line and trainer find the same pairs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.batch.settings import BatchChoices
from app.batch.tasks import find as find_for_batch
from app.cli.main import app
from app.fuse.pair_search import find_pairs as find_for_window
from core.pairing import finder
from core.pairing.folders import Match, pair_paths
from core.pairing.plan import PairingPlan
from core.progress import NullProgress
from tests.core.pairing.test_io_patients import FOUR, LAYOUTS, touch
from trainer.data.pairs import find_pairs as find_for_trainer


def batch_pairs(paths: list[Path], task: str) -> PairingPlan:
    """The pairs of the Batch page."""
    return find_for_batch(paths, BatchChoices(task=task), None, NullProgress()).pairing


@pytest.mark.parametrize("layout", ["plain sides", "scenes", "flat", "patients"])
def test_window_batch_and_trainer_agree(tmp_path: Path, layout: str) -> None:
    if layout == "patients":
        touch(tmp_path, *(f"sub-{n}/{name}" for n in (1, 2) for name in FOUR), "sub-1/30_pet.png")
    else:
        touch(tmp_path, *(part.format(n) for part in LAYOUTS[layout] for n in (1, 2, 3)))
        touch(tmp_path, LAYOUTS[layout][0].format(9))
    task = "mif" if layout == "patients" else "ivif"
    window = find_for_window([tmp_path], task, NullProgress())
    batch = batch_pairs([tmp_path], task)
    trainer = find_for_trainer(tmp_path, task)
    assert batch == window == pair_paths([tmp_path], task)
    assert set(trainer.matches) == set(window.matches)
    assert len(window.matches) == (4 if layout == "patients" else 3)
    assert len(trainer.problems) == len(window.leftovers) == 1


def series(folder: Path) -> tuple[Match, ...] | None:
    """A toy of what DICOM needs: a patient's folder whose two series are folders of slices."""
    parts = [folder / "PET", folder / "MR"]
    if not all(any(part.glob("*.slice")) for part in parts):
        return None
    return (Match(folder.name, *parts, "two series of one patient"),)


def test_a_rule_for_folders_holds_wherever_pairs_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patients of two sites, one with pictures of the same names in both series as well."""
    monkeypatch.setattr(finder, "FOLDER_RULES", (series,))
    for patient in ("north/p1", "north/p2", "south/p1"):
        touch(tmp_path / "data", *(f"{patient}/{part}/1.slice" for part in ("PET", "MR")))
    touch(tmp_path / "data", "north/p2/PET/1.png", "north/p2/MR/1.png", "south/p3/1_pet.png")
    touch(tmp_path / "data", "south/p3/1_mri.png")
    data = tmp_path / "data"
    batch = batch_pairs([data], "mif")
    assert [(m.folder.as_posix(), m.a.name, m.b.name) for m in batch.matches] == [
        ("north/p1", "PET", "MR"),
        ("north/p2", "PET", "MR"),
        ("south/p1", "PET", "MR"),
        ("south/p3", "1_pet.png", "1_mri.png"),
    ]
    assert find_for_window([data], "mif", NullProgress()) == batch
    assert set(find_for_trainer(data, "mif").matches) == set(batch.matches)
    words = ["batch", str(data), "-o", str(tmp_path / "out"), "-t", "mif", "--pack", "average"]
    told = CliRunner().invoke(app, [*words, "--dry-run", "--json-progress"])
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert [(Path(row["a"]), Path(row["b"])) for row in lines] == [
        (m.a, m.b) for m in batch.matches
    ]
    assert batch_pairs([data / "north/p1"], "mif").active
    one, other = data / "north/p1", data / "north/p2"
    both = batch_pairs([one, other], "mif")
    assert [m.a for m in both.matches] == [one / "PET", other / "PET"]
