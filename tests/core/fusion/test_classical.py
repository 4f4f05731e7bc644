"""Classical fusion by itself: without torch, and the same as the engine's."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.baselines import BASELINES
from core.errors import Cancelled, DeviceMemoryError, InputError
from core.fusion.classical_engine import fuse_classically
from core.fusion.engine import FusionEngine
from core.packs.registry import Catalogue
from core.progress import NullProgress
from core.types import FusionRequest, Image, SourcePair

_ROOT = Path(__file__).resolve().parents[3]


def pair() -> SourcePair:
    rng = np.random.default_rng(1)
    grey, colour = rng.random((24, 31, 1), np.float32), rng.random((24, 31, 3), np.float32)
    return SourcePair(
        Image(grey, (0.0, 1.0), origin=Path("a.png"), notes=("Alpha was dropped.",)),
        Image(colour, (0.0, 1.0), origin=Path("b.png")),
    )


def test_a_classical_fusion_does_not_import_torch() -> None:
    code = (
        "import sys, numpy as np\n"
        "from core.fusion.classical_engine import fuse_classically\n"
        "from core.types import FusionRequest, Image, SourcePair\n"
        "pixels = np.full((8, 8, 1), 0.5, np.float32)\n"
        "pair = SourcePair(Image(pixels, (0.0, 1.0)), Image(pixels, (0.0, 1.0)))\n"
        "result = fuse_classically(FusionRequest(pair, 'mif', 'laplacian'))\n"
        "print(round(float(result.fused.mean()), 3), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("0.5 False", "")


@pytest.mark.parametrize("method", BASELINES)
def test_the_engine_gives_the_same(method: str, tmp_path: Path) -> None:
    request = FusionRequest(pair(), "ivif", method, features=True, request_id=7)
    alone = fuse_classically(request)
    by_engine = FusionEngine("cpu", Catalogue([tmp_path])).fuse(request)
    np.testing.assert_array_equal(alone.fused, by_engine.fused)
    for result in (alone, by_engine):
        assert (result.task, result.method, result.request_id) == ("ivif", method, 7)
        assert result.device.name == "cpu"
        assert result.notes[0] == "A: Alpha was dropped."
        assert "no features" in result.notes[1]
        assert list(result.timings) == ["preparing", "fusing", "colour"]
        assert result.provenance["source_b"] == "b.png"


def test_what_is_unknown_is_refused() -> None:
    with pytest.raises(InputError, match="Unknown task"):
        fuse_classically(FusionRequest(pair(), "xyz", "average"))
    with pytest.raises(InputError, match="“best”") as caught:
        fuse_classically(FusionRequest(pair(), "mif", "best"))
    assert "laplacian" in caught.value.remedy


def test_it_can_be_stopped_between_stages() -> None:
    class Stop(NullProgress):
        stages: list[str]

        def __init__(self) -> None:
            self.stages = []

        def report(self, done: float, total: float, stage: str) -> None:
            self.stages.append(stage)

        def check(self) -> None:
            if "preparing" in self.stages:
                raise Cancelled

    progress = Stop()
    with pytest.raises(Cancelled):
        fuse_classically(FusionRequest(pair(), "mif", "average"), progress)
    assert progress.stages == ["preparing"]


def test_a_lack_of_memory_names_picture_and_no_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> object:
        raise MemoryError

    monkeypatch.setitem(BASELINES, "guided", replace(BASELINES["guided"], method=fail))
    with pytest.raises(DeviceMemoryError, match=r"31×24 pixels") as caught:
        fuse_classically(FusionRequest(pair(), "mif", "guided"))
    assert "tiles" not in caught.value.remedy
