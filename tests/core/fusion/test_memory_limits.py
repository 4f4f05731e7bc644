"""Real work within real limits: done, or a clear line; never killed."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import cv2
import numpy as np
import pytest

from core import available_memory

MB = 10**6
ROOT = Path(__file__).parents[3]
CLEAR = ("MB are free", "does not fit", "not enough memory", "memory ran out")


def _image(height, width, seed):
    rng = np.random.default_rng(seed)
    coarse = rng.random((height // 20, width // 20, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    noisy = smooth + rng.normal(0, 0.01, (height, width, 1)).astype(np.float32)
    return (np.clip(noisy, 0, 1) * 255).astype(np.uint8)


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """Folders a and b with a true pair of 12 megapixels, twice."""
    folder = tmp_path_factory.mktemp("large")
    for side, seed in (("a", 1), ("b", 2)):
        (folder / side).mkdir()
        image = _image(3000, 4000, seed)
        for name in ("one", "two"):
            cv2.imwrite(str(folder / side / f"{name}.png"), image)
    return folder


@pytest.fixture
def group():
    """A control group of its own below that of the tests, with a limit to be set."""
    found = [(own, version) for _, own, version in available_memory._groups(Path("/"))]
    for own, version in found:
        made = own / f"unifusion-test-{uuid.uuid4().hex[:8]}"
        try:
            made.mkdir()
        except OSError:
            continue
        limit = made / version.limits[0]
        if limit.exists():
            yield made, limit
            made.rmdir()
            return
        made.rmdir()
    pytest.skip("no control group can be made here")


def _run(group, limit_bytes, *arguments):
    made, limit = group
    limit.write_text(str(limit_bytes))
    enter = f'echo $$ > {made}/cgroup.procs && exec "$@"'
    command = ["sh", "-c", enter, "sh", sys.executable, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)


def _own_need():
    code = (
        "import core.fusion.engine, trainer.run.loop, core.available_memory as m\n"
        "print(m.process_memory().used)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("beside", [1000, 1500, 2000])
@pytest.mark.parametrize("command", ["fuse", "batch", "train", "guided"])
def test_twelve_megapixels_within_a_group(group, large, tmp_path, command, beside):
    a, b = large / "a" / "one.png", large / "b" / "one.png"
    arguments = {
        "fuse": ["fuse", a, b, "-t", "mff", "-o", tmp_path / "out.png"],
        "guided": ["fuse", a, b, "-t", "mff", "--pack", "guided", "-o", tmp_path / "out.png"],
        "batch": ["batch", large, "-o", tmp_path / "out", "-t", "mff"],
        "train": [
            "train", "--task", "mff", "--data", large, "--out", tmp_path / "out.safetensors",
            "--init", "mff-compact", "--steps", "2", "--batch", "4",
        ],
    }[command]  # fmt: skip
    limit = _own_need() + beside * MB
    done = _run(group, limit, "-m", "app", *map(str, arguments))
    told = done.stdout + done.stderr
    assert done.returncode in (0, 2, 3), told
    if done.returncode == 0:
        assert (tmp_path / "out").exists() or list(tmp_path.glob("out.*"))
    else:
        assert any(words in told for words in CLEAR), told
        assert "Traceback" not in told


def test_what_cannot_fit_is_refused_before_it_is_decoded(group, tmp_path):
    """A picture of 108 megapixels in a group that has 300 MB for it."""
    path = tmp_path / "huge.png"
    cv2.imwrite(str(path), np.zeros((9000, 12000), np.uint8))
    code = (
        "import sys, core.available_memory as m\n"
        "from core.io import read_pair\n"
        "from core.errors import InputError\n"
        "before = m.peak_bytes()\n"
        "try:\n    read_pair(sys.argv[1], sys.argv[1])\n"
        "except InputError as error:\n    print(error)\n"
        "print(m.peak_bytes() - before < 50_000_000)\n"
    )
    done = _run(group, 450 * MB, "-c", code, str(path))
    assert done.returncode == 0, done
    assert "MB are free" in done.stdout
    assert "huge.png" in done.stdout
    assert done.stdout.rstrip().endswith("True")
