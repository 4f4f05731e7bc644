"""Large images fused whole and in strips: time, peak memory and difference.

    python benchmarks/large_picture.py --out benchmarks/results/large_picture.md

Every measurement runs in a process of its own, which isolates its peak memory. The paper's network
has random weights and no reconstructions; the compact one is the embedded pack. The image is smooth
noise with a dark upper half, so that the statistics of a part differ from those of the whole.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from core.fusion.engine import FusionEngine
from core.io import atomic_write
from core.models.config import paper_config
from core.models.network import UniFusionNet, pad_to_patches
from core.models.tiling import WHOLE_IMAGE, StripTiling
from core.packs.format import read_pack
from core.packs.registry import Catalogue

CASES = (
    ("paper", 768, 1024),
    ("ivif-compact", 1536, 2048),
    ("ivif-compact", 3000, 4000),
    ("mif-compact", 3000, 4000),
)
WALKS = {"whole": 0, "stripes of 1 Mpx": 2**20, "tiles of 1/8 Mpx": 2**17}


def network_of(name: str) -> UniFusionNet:
    """The network ``paper`` with random weights, or that of an embedded pack or a file."""
    if name == "paper":
        torch.manual_seed(0)
        return UniFusionNet(paper_config()).eval()
    if Path(name).is_file():
        return read_pack(Path(name))[0]
    return read_pack(Catalogue().find(name, name.partition("-")[0]).path)[0]


def images(channels: int, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two smooth random images, padded to multiples of 16."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(2, channels, height // 16, width // 16, generator=generator)
    smooth = F.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1)
    smooth[0, :, : height // 2] *= 0.2
    x, y = (pad_to_patches(one[None])[0] for one in smooth)
    return x, y


def measure(name: str, height: int, width: int, pixels: int, out: Path) -> None:
    """Fuse once; print figures as JSON and keep the result in ``out``."""
    FusionEngine("cpu")  # loaded in any program
    network = network_of(name).requires_grad_(False)
    x, y = images(network.config.in_channels, height, width)
    tiling = StripTiling(x.shape[2], pixels // x.shape[3]) if pixels else WHOLE_IMAGE
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu, wall = time.process_time(), time.perf_counter()
    with torch.inference_mode():
        fused = network.fuse(network.encode(x, y, tiling), x, y, tiling)
    figures = {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "peak": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20,
    }
    np.save(out, fused[0].numpy())
    print(json.dumps(figures))


def main() -> None:
    """Run all cases; write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", nargs=5, metavar=("NETWORK", "HEIGHT", "WIDTH", "PIXELS", "FILE"))
    options = parser.parse_args()
    if options.one:
        name, height, width, pixels, file = options.one
        measure(name, int(height), int(width), int(pixels), Path(file))
        return
    lines = [
        "# Large pictures, whole and in stripes",
        "",
        f"{torch.get_num_threads()} CPU threads, float32, no reconstructions; peak memory beyond "
        "what was held before the fusion.",
        "Made by `python benchmarks/large_picture.py --out FILE`.",
        "",
        "| network | picture | walked through | CPU s | s | peak, GiB | greatest difference |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: |",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, height, width in CASES:
            whole: np.ndarray | None = None
            for words, pixels in WALKS.items():
                file = Path(folder) / "fused.npy"
                arguments = [name, str(height), str(width), str(pixels), str(file)]
                command = [sys.executable, __file__, "--one", *arguments]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                figures = json.loads(done.stdout)
                fused = np.load(file)
                whole = fused if whole is None else whole
                lines.append(
                    f"| {name} | {width}×{height} | {words} | {figures['cpu']:.1f} | "
                    f"{figures['wall']:.1f} | {figures['peak']:.2f} | "
                    f"{np.abs(fused - whole).max():.1e} |"
                )
                print(lines[-1], flush=True)
    if options.out:
        atomic_write(options.out, ("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
