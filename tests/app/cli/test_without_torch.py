"""What needs no network does not load torch, whose import takes more time than the work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from core.baselines import BASELINES
from core.io import write_image
from core.tasks import TASKS

ROOT = Path(__file__).resolve().parents[3]
_RUN = (
    "import sys\n"
    "from app.cli.main import app\n"
    "code = app(sys.argv[1:], standalone_mode=False)\n"
    "heavy = sorted({name.partition('.')[0] for name in sys.modules} & {'torch', 'timm'})\n"
    "print('ended', code, heavy)\n"
)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    for number in range(3):
        for side, channels in (("a", 1), ("b", 3)):
            path = tmp_path / "in" / side / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, rng.random((32, 48, channels), dtype=np.float32), bit_depth=8)
    return tmp_path / "in"


def ended(*words: object) -> str:
    """The last line of a command: its exit code, and what it loaded of torch and timm."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *map(str, words)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_fusing_by_a_classical_method(pairs: Path, tmp_path: Path, device: str) -> None:
    out = tmp_path / "fused.png"
    words = ("-o", out, "--task", "mif", "--pack", "average", "--device", device)
    assert ended("fuse", pairs / "a/0.png", pairs / "b/0.png", *words) == "ended None []"
    assert out.stat().st_size


def test_a_batch_by_a_classical_method_with_all_that_it_can_write(
    pairs: Path, tmp_path: Path
) -> None:
    extras = ("--metrics", "--contact-sheet", "--figures")
    words = ("-o", tmp_path / "out", "--task", "ivif", "--pack", "laplacian", *extras)
    # The exit code of a batch is raised, which ends it in this mode with the code as its result.
    assert ended("batch", pairs, *words) == "ended 0 []"
    assert len(list((tmp_path / "out").glob("[0-2].png"))) == 3


def test_comparing_classical_methods(pairs: Path, tmp_path: Path) -> None:
    chosen = ("--method", "average", "--method", "guided", "--task", "ivif")
    words = ("--sources", pairs, *chosen, "--csv", tmp_path / "scores.csv")
    assert ended("evaluate", *words) == "ended 0 []"


@pytest.mark.parametrize("words", [("datasets",), ("fuse", "--help"), ("--version",)])
def test_asking_what_there_is(words: tuple[str, ...]) -> None:
    assert ended(*words).endswith(" []")


def test_inspecting_a_folder() -> None:
    assert ended("inspect", ROOT / "resources" / "samples").endswith(" []")


def test_measuring_a_volume(tmp_path: Path) -> None:
    values = np.arange(20**3, dtype=np.float32).reshape(20, 20, 20)
    nib.save(nib.Nifti1Image(values, np.diag([2.0, 2, 2, 1])), tmp_path / "mr.nii.gz")
    words = ("--sphere", "-20,-20,20,12", "-o", tmp_path / "figures.csv")
    assert ended("measure", tmp_path / "mr.nii.gz", *words).endswith(" []")
    assert (tmp_path / "figures.csv").stat().st_size


def test_a_network_still_loads_it(pairs: Path, tmp_path: Path) -> None:
    words = ("-o", tmp_path / "fused.png", "--task", "mif", "--device", "cpu")
    assert "torch" in ended("fuse", pairs / "a/0.png", pairs / "b/0.png", *words)


def test_both_engines_offer_and_expect_the_same(tmp_path: Path) -> None:
    from core.fusion.classical_engine import ClassicalEngine
    from core.fusion.engine import FusionEngine
    from core.fusion.opening import open_engine

    light, full = ClassicalEngine(Path("dinov3.safetensors")), FusionEngine("cpu")
    for task in TASKS:
        assert light.methods(task) == full.methods(task)[-len(BASELINES) :]
    assert "dinov3.safetensors" in str(light.unused_backbone("mif", "average"))
    assert isinstance(open_engine(["average", "guided"]), ClassicalEngine)
    assert isinstance(open_engine(["average", "mif-compact"], "cpu"), FusionEngine)
    assert isinstance(open_engine([""], "cpu"), FusionEngine)
