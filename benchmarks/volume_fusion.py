"""Volumes fused whole: memory, and how far neighbouring slices differ.

    python benchmarks/volume_fusion.py memory
    python benchmarks/volume_fusion.py flicker --data ../shared/data/clinical --out FILE.md

``memory`` fuses a made-up pair of 512×512×600 voxels into DICOM, in a process of its own; it prints
its peak beyond what the program holds once the engine has fused a small slice: in all, and without
the pages of the file that slices are collected in, which the system takes back when it needs them.
``--slices`` fuses only so many by the pack, and takes the others as they are, to save time.

``flicker`` fuses every slice of three studies by each method, and compares the step from slice to
slice with that of the sources. Steps are mean absolute differences of luma in 0 to 255 where
neither picture is black. *Step*: of the fused slices, over the larger of the steps of A and B.
*Jitter*: what a slice differs from the mean of its two neighbours, in mean luma, the same way; a
series whose brightness changes evenly has none, one that flickers has much.

*Reach*: how far statistics of a whole picture go. A bright disc of 24 pixels is planted into both
sources of the middle slice, and the mean change of the fused slice beyond 60 pixels of it is given
in levels of 255, and the greatest one. A rule that looks at each place alone has 0.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from core.baselines import BASELINES
from core.fusion.engine import FusionEngine
from core.fusion.slices import VolumePair, align, lone_slice, slice_pair
from core.fusion.volume_fusion import SliceSettings, fuse_slices
from core.fusion.volume_targets import SourceFiles, fuse_volume, volume_target
from core.io import atomic_write
from core.io.volumes import list_series, load_study_volume
from core.types import FloatArray, FusionRequest, SeriesHeader, SourcePair, Volume

SHAPE = (600, 512, 512)
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_DARK = 8
_DISC, _FAR = 24, 60


class PeakMonitor(threading.Thread):
    """Looks at the memory of this process every 50 ms."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peaks = {"VmRSS": 0, "RssAnon": 0}
        self._over = threading.Event()

    def run(self) -> None:
        """Watch until :meth:`stop`."""
        while not self._over.wait(0.05):
            for name, value in memory().items():
                self.peaks[name] = max(self.peaks[name], value)

    def stop(self) -> dict[str, int]:
        """The peaks in bytes."""
        self._over.set()
        self.join()
        return self.peaks


def memory() -> dict[str, int]:
    """Resident bytes of this process: in all, and without mapped files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {name: int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "RssAnon")}


def synthetic(shape: Sequence[int]) -> VolumePair:
    """A smooth PET of 4 mm and an MR of noise around it, in one place."""
    slices, rows, columns = shape
    rng = np.random.default_rng(0)
    mr = np.empty(shape, np.float32)
    for index in range(slices):
        mr[index] = rng.random((rows, columns), np.float32) * 300 + 200
    coarse = (max(slices // 4, 2), max(rows // 4, 2), max(columns // 4, 2))
    pet = rng.random(coarse, np.float32) * 8
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    a = Volume(data=pet, affine=affine, modality="PT", unit="SUVbw", window=(0, 8))
    b = Volume(data=mr, affine=np.eye(4), modality="MR", window=(200, 500))
    return align(a, b)


def measure_memory(method: str, by_pack: int) -> None:
    """Fuse a large pair in this process; print figures as JSON."""
    engine = FusionEngine("cpu")
    small = SliceSettings("mif", method)
    list(fuse_slices(engine, synthetic((4, 64, 64)), small, [1]))
    before = memory()
    monitor = PeakMonitor()
    monitor.start()
    begun = time.perf_counter()
    pair = synthetic(SHAPE)
    header = SeriesHeader("NIfTI", "MR", SHAPE, ())
    if by_pack:
        list(fuse_slices(engine, pair, small, range(300, 300 + by_pack)))
    pixels = SliceSettings("mif", "average" if by_pack else method)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        target = volume_target(Path(folder) / "fused.dcm", SourceFiles(header, header))
        assert target is not None
        fuse_volume(engine, pair, pixels, target, first=300)
        written = (Path(folder) / "fused.dcm").stat().st_size
    peaks = monitor.stop()
    print(
        json.dumps(
            {
                "beyond_mb": round((peaks["VmRSS"] - before["VmRSS"]) / 1e6),
                "without_files_mb": round((peaks["RssAnon"] - before["RssAnon"]) / 1e6),
                "program_mb": round(before["VmRSS"] / 1e6),
                "kernel_peak_mb": round(
                    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
                ),
                "file_mb": round(written / 1e6),
                "seconds": round(time.perf_counter() - begun),
            }
        )
    )


def luma(pixels: FloatArray) -> FloatArray:
    """H×W in 0 to 255."""
    grey = pixels[..., 0] if pixels.shape[2] == 1 else pixels @ _LUMA
    return np.asarray(grey * 255, np.float32)


def flicker(
    engine: FusionEngine, pair: VolumePair, method: str, palette: str | None
) -> dict[str, float]:
    """Steps and jitter of the fused slices over those of the sources; medians over the slices."""
    palettes = palette, None
    indices = [n for n in range(pair.slices("axial")) if lone_slice(pair, "axial", n) is None]
    stacks: dict[str, list[FloatArray]] = {"a": [], "b": [], "fused": []}
    settings = SliceSettings("mif", method, palettes=palettes)
    for one in fuse_slices(engine, pair, settings, indices):
        sources = slice_pair(pair, "axial", one.index, palettes=palettes)
        stacks["a"].append(luma(sources.a.normalised()))
        stacks["b"].append(luma(sources.b.normalised()))
        stacks["fused"].append(luma(one.pixels))
    volumes = {name: np.stack(stack) for name, stack in stacks.items()}
    steps = {name: _steps(volume) for name, volume in volumes.items()}
    means = {name: volume.mean(axis=(1, 2)) for name, volume in volumes.items()}
    jitters = {name: _jitter(values) for name, values in means.items()}
    larger = np.maximum(steps["a"], steps["b"])
    noise = np.maximum(jitters["a"], jitters["b"])
    relative = steps["fused"] / np.maximum(larger, 1e-6)
    return {
        "step": float(np.median(relative)),
        "step_95": float(np.percentile(relative, 95)),
        "step_most": float(relative.max()),
        "jitter": float(jitters["fused"].mean() / noise.mean()),
        "jitter_levels": float(np.percentile(jitters["fused"], 95)),
        "source_jitter_levels": float(np.percentile(noise, 95)),
        **reach(
            engine, slice_pair(pair, "axial", indices[len(indices) // 2], palettes=palettes), method
        ),
    }


def reach(engine: FusionEngine, sources: SourcePair, method: str) -> dict[str, float]:
    """How far from a planted disc a slice changes."""
    height, width = sources.a.data.shape[:2]
    down, across = np.indices((height, width))
    apart = np.hypot(down - 0.5 * height, across - 0.15 * width)
    disc = apart <= _DISC / 2
    planted = [
        replace(one, data=np.where(disc[..., np.newaxis], np.float32(one.window[1]), one.data))
        for one in (sources.a, sources.b)
    ]
    fused = [
        luma(engine.fuse(FusionRequest(two, "mif", method)).fused)
        for two in (sources, replace(sources, a=planted[0], b=planted[1]))
    ]
    far = np.abs(fused[1] - fused[0])[apart > _FAR]
    return {"reach": float(far.mean()), "reach_most": float(far.max())} if far.size else {}


def _steps(volume: FloatArray) -> Any:
    found = []
    for one, other in pairwise(volume):
        seen = np.maximum(one, other) >= _DARK
        found.append(np.abs(other - one)[seen].mean() if seen.any() else 0.0)
    return np.array(found)


def _jitter(means: FloatArray) -> Any:
    return np.abs(means[1:-1] - (means[:-2] + means[2:]) / 2)


def studies(data: Path) -> dict[str, VolumePair]:
    """The synthetic DICOM study, the templates of SPM, and a real thigh."""
    found = {}
    thigh = data / "sts_petmr_ct" / "dicom" / "STS_002"
    for name, a, b in (
        ("synthetic DICOM", data / "dicom_synthetic" / "PT", data / "dicom_synthetic" / "MR"),
        ("SPM templates", data / "nifti_spm12" / "PET.nii", data / "nifti_spm12" / "T1.nii"),
        ("thigh, real", thigh / "PET", thigh / "MR_T1"),
    ):
        one, other = (load_study_volume(list_series(path).series[0]) for path in (a, b))
        if name.startswith("SPM"):
            one = replace(one, modality="PT")
        found[name] = align(one, other)
    return found


def flicker_table(data: Path, packs: Sequence[str]) -> str:
    """The results as Markdown."""
    engine = FusionEngine("cpu")
    default = [one.name for one in engine.methods("mif") if one.kind == "pack"]
    lines = [
        "# Flicker of fused volumes",
        "",
        "`python benchmarks/volume_fusion.py flicker --data DIR --out FILE`. Axial slices in which "
        "both sources have data. Step: fused over the larger of the sources; jitter: of the mean "
        "luma, the same way, and in levels of 255 (95 % of the slices, fused and source). Reach: "
        "mean and greatest change in levels beyond 60 pixels of a bright disc planted into both.",
        "",
        "| study | method | step | 95 % | most | jitter | levels, fused | levels, source | reach "
        "| most |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, pair in studies(data).items():
        rows = [(one, None) for one in [*(packs or default), *BASELINES]]
        for method, palette in [*rows, *((one, "grey") for one in (*default, "maximum"))]:
            got = flicker(engine, pair, method, palette)
            figures = " | ".join(f"{value:.2f}" for value in got.values())
            shown = "" if palette is None else ", grey"
            lines.append(f"| {name} | {method}{shown} | {figures} |")
            print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("memory", "memory-here", "flicker"))
    parser.add_argument("--method", default="average")
    parser.add_argument("--slices", type=int, default=0)
    parser.add_argument("--pack", action="append", default=[])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.what == "memory":
        words = ["--method", options.method, "--slices", str(options.slices)]
        subprocess.run([sys.executable, __file__, "memory-here", *words], check=True)
    elif options.what == "memory-here":
        measure_memory(options.method, options.slices)
    else:
        table = flicker_table(options.data, options.pack)
        if options.out is not None:
            atomic_write(options.out, table.encode())


if __name__ == "__main__":
    main()
