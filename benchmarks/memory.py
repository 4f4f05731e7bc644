"""Measured memory of fusions, readers and training steps, compared with the predictions.

    python benchmarks/memory.py --out benchmarks/results/memory.md
    python benchmarks/memory.py --only "network mff" --only training

Every case runs in a process of its own, which first processes a small image, so that libraries and
weights are loaded; then the kernel's peak counter is reset. The measured value is the peak minus
the memory in use before. The expected value is that of :mod:`core.memory_model`, by which a tiling
is chosen or an image refused: if it is too small, the program may be killed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.io import atomic_write
from core.memory_model import (
    FusionWorkload,
    classical_bytes,
    decoding_bytes,
    network_bytes,
    training_bytes,
)
from core.types import FusionRequest, Image, SourcePair

PACKS = ("ivif", "mif", "mef", "mff")
SIZES = ((256, 256), (1024, 1024), (4000, 3000))
WAYS = {
    "whole": FusionWorkload(),
    "stripes": FusionWorkload(2**19),
    "tiles": FusionWorkload(2**18),
}
CLASSICAL = ("average", "maximum", "laplacian", "guided", "mertens")
FORMATS = ("png", "jpg", "tif")
_RIGHT = 1.5
"""Largest accepted ratio between measured and expected bytes, in either direction."""
Case = tuple[str, ...]
Figures = tuple[int, int]


def cases() -> Iterator[Case]:
    """All cases as words: kind, subject, width, height, and variant."""
    for width, height in SIZES:
        size = (str(width), str(height))
        for pack in PACKS:
            for way, wanted in WAYS.items():
                if _is_used(width * height, wanted):
                    yield ("network", pack, *size, way)
        for method in CLASSICAL:
            yield ("classical", method, *size, "")
    for how in ("reconstructions", "features"):
        yield ("network", "mff", "1024", "1024", f"whole, {how}")
        yield ("network", "mff", "2048", "1536", f"tiles, {how}")
    for kind in FORMATS:
        yield ("reading", kind, "4000", "3000", "")
    for channels in ("1", "3"):
        yield ("batch row", "mff", "2048", "1536", f"{channels} channels")
    for crop, batch in ((96, 8), (128, 4), (256, 8)):
        yield ("training", "mff", str(crop), str(crop), f"batch {batch}")


def _is_used(area: int, wanted: FusionWorkload) -> bool:
    """Whether a tiling is realistic: large images are never fused whole, small ones never tiled."""
    if not wanted.piece:
        return area <= 2**20
    return area > wanted.piece


def image(width: int, height: int, channels: int = 3, seed: int = 0) -> Image:
    """Smooth noise, 8 bits."""
    import cv2

    rng = np.random.default_rng(seed)
    coarse = rng.random((height // 16 + 1, width // 16 + 1, channels), dtype=np.float32)
    fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    data = np.rint(fine.reshape(height, width, channels) * 255)
    return Image(data, (0.0, 255.0))


def pair(width: int, height: int, channels: int = 3) -> SourcePair:
    """Two different images."""
    return SourcePair(image(width, height, channels, 1), image(width, height, channels, 2))


def peak_of(work: Callable[[], object]) -> int:
    """Peak bytes of ``work``, including its result."""
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak to the present value
    before = _status("VmRSS")
    work()
    return _status("VmHWM") - before


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(name)


def network(pack: str, width: int, height: int, how: str) -> Figures:
    """A pack with the given tiling."""
    from core.fusion.engine import FusionEngine

    way, _, kept = how.partition(", ")
    words = how if how in WAYS else way
    wanted = replace(
        WAYS[words], reconstructions=kept == "reconstructions", features=kept == "features"
    )
    engine = FusionEngine("cpu")
    vars(engine)["_choose_tiling"] = lambda *_: wanted
    name = f"{pack}-compact"
    engine.fuse(FusionRequest(pair(64, 64), pack, name))
    request = FusionRequest(
        pair(width, height), pack, name, wanted.reconstructions, wanted.features
    )
    config = engine._catalogue.find(name, pack).manifest.network
    return peak_of(lambda: engine.fuse(request)), network_bytes(config, width, height, wanted)


def classical(method: str, width: int, height: int, how: str) -> Figures:
    """A classical method with the largest possible pieces."""
    from core.baselines import BASELINES
    from core.fusion.classical_engine import _pieces, fuse_classically

    fuse_classically(FusionRequest(pair(64, 64), "mff", method))
    request = FusionRequest(pair(width, height), "mff", method)
    expected = classical_bytes(method, width, height, 1, _pieces(BASELINES[method])[0])
    return peak_of(lambda: fuse_classically(request)), expected


def reading(kind: str, width: int, height: int, how: str) -> Figures:
    """Reading a colour image."""
    from core.io import probe_image, read_image

    with tempfile.TemporaryDirectory() as folder:
        small, path = (
            _written(Path(folder), kind, wide, high) for wide, high in ((64, 64), (width, height))
        )
        read_image(small)
        return peak_of(lambda: read_image(path)), decoding_bytes(probe_image(path))


def _written(folder: Path, kind: str, width: int, height: int, channels: int = 3) -> Path:
    """Written by another process, whose memory is not measured."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{width}.{kind}"
    code = (
        "import sys, cv2; from benchmarks.memory import picture; "
        "path, *size = sys.argv[1:]; cv2.imwrite(path, picture(*map(int, size)).data)"
    )
    words = [str(path), str(width), str(height), str(channels), str(len(folder.name))]
    subprocess.run([sys.executable, "-c", code, *words], check=True, cwd=_root())
    return path


def batch_row(pack: str, width: int, height: int, how: str) -> Figures:
    """One row of a batch: read, fuse, write."""
    from core.batch import BatchOptions, plan_batch, run_batch
    from core.batch.stages import expected_bytes
    from core.fusion.engine import FusionEngine
    from core.pairing.folders import pair_paths

    channels, engine = int(how.split()[0]), FusionEngine("cpu")

    def run(folder: Path, wide: int, high: int) -> Figures:
        for side in ("a", "b"):
            _written(folder / side, "png", wide, high, channels)
        options = BatchOptions(pack, f"{pack}-compact", out=folder / "out")
        plan = plan_batch(pair_paths([folder], pack), options)
        measured = peak_of(lambda: list(run_batch(plan, engine)))
        if not any((folder / "out").glob("*.png")):
            raise RuntimeError("nothing was fused")
        return measured, expected_bytes(plan.rows[0])

    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder) / "small", 64, 64)
        return run(Path(folder) / "large", width, height)


def training(pack: str, crop: int, _crop: int, how: str) -> Figures:
    """A step of the compact network on both levels, after one that created the optimiser states."""
    import torch

    from core.packs.format import read_pack
    from core.packs.registry import Catalogue
    from trainer.config.config import TrainConfig
    from trainer.data.sampler import Batch
    from trainer.optimization.bilevel import BilevelStep

    size = int(how.split()[1])
    found, manifest = read_pack(Catalogue().find(f"{pack}-compact", pack).path)
    config = TrainConfig(task=pack, network=manifest.network, batch=size, crop=crop)
    step = BilevelStep(found.train(), config)
    channels = manifest.network.in_channels
    small = torch.rand(2, 1, channels, 32, 32)
    step(Batch.of(small[0], small[1]), 0)
    crops = torch.rand(2, size, channels, crop, crop)
    measured = peak_of(lambda: step(Batch.of(crops[0], crops[1]), 1))
    return measured, training_bytes(manifest.network, size, crop)


KINDS: dict[str, Callable[[str, int, int, str], Figures]] = {
    "network": network,
    "classical": classical,
    "reading": reading,
    "batch row": batch_row,
    "training": training,
}


def measured(case: Case) -> Figures:
    """Measured and expected bytes of a case, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.memory", "--one", *case]
    done = subprocess.run(command, capture_output=True, text=True, cwd=_root())
    if done.returncode:
        raise RuntimeError(f"{' '.join(case)}: {done.stderr[-2000:]}")
    found, expected = json.loads(done.stdout.splitlines()[-1])
    return found, expected


def _root() -> Path:
    return Path(__file__).resolve().parents[1]


def row(case: Case, found: int, expected: int) -> str:
    """A row of the table."""
    kind, what, width, height, how = case
    ratio = found / expected
    mark = "" if 1 / _RIGHT <= ratio <= _RIGHT else " (!)"
    return (
        f"| {kind} | {what} | {width}×{height} | {how} | {found / 1e6:.0f} | "
        f"{expected / 1e6:.0f} | {ratio:.2f}{mark} |"
    )


def main() -> None:
    """Run the selected cases; write the table after each of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", action="append", help="cases that begin with these words")
    parser.add_argument("--one", nargs=5, metavar=("KIND", "WHAT", "WIDTH", "HEIGHT", "HOW"))
    options = parser.parse_args()
    if options.one:
        kind, what, width, height, how = options.one
        print(json.dumps(KINDS[kind](what, int(width), int(height), how)))
        return
    lines = [
        "# Memory: measured beside expected",
        "",
        "Peak resident memory beyond what was held before, and what `core.memory_model` "
        "expects, in MB.",
        "Made by `python benchmarks/memory.py --out FILE`; (!): further apart than "
        f"{_RIGHT} times.",
        "Below about 100 MB what is kept ready for small pieces outweighs the rest.",
        "",
        "| kind | what | size | how | measured | expected | ratio |",
        "| --- | --- | --- | --- | ---: | ---: | ---: |",
    ]
    for case in cases():
        if options.only and not any(" ".join(case).startswith(words) for words in options.only):
            continue
        lines.append(row(case, *measured(case)))
        print(lines[-1], flush=True)
        if options.out:
            atomic_write(options.out, ("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
