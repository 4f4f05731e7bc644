"""How a fused image should carry the colours of counts, measured on PET and MR.

    python benchmarks/count_colours.py --data DIR

DIR holds clinical/dicom_synthetic and clinical/sts_petmr_ct. Every eighth of the axial slices with
uptake is fused by the built-in medical pack in each way, in each palette:

``luma``   the luma of the coloured PET is fused and its chroma carried, as for photographs
``level``  the levels of the PET are fused, and the chroma of its colours carried
``tinted`` the levels are fused; the result is tinted by :mod:`core.fusion.tint`

``tinted MM×G`` is the same with another low pass (in mm) and gain. Measured, as means over slices:

rank   Spearman's correlation of uptake with the uptake read off the fused colours (the nearest
       colour of the palette), at levels above 0.1; 1: more uptake never looks like less
error  mean absolute difference of the two, in levels
hot    mean absolute difference of fused image and pane A at levels above 0.8
edges  correlation of the gradients of fused luma and MR, where there is tissue
MI, VIF, Qabf  of the luma of pane A, MR and fused image
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import mock

import numpy as np

from app.cli.text_table import laid_out
from core.fusion import tint
from core.fusion.chroma import luma
from core.fusion.color import PreparedPair, merge, split
from core.fusion.engine import FusionEngine
from core.fusion.slices import VolumePair, align, lone_slice, slice_pair
from core.io.volumes import list_series, load_study_volume
from core.metrics import evaluate, to_luma8
from core.tasks import get_task
from core.types import FloatArray, FusionRequest, Image, SourcePair
from core.units.palettes import palette_table

SETS = ("dicom_synthetic", "sts_petmr_ct/dicom")
PALETTES = ("hot_iron", "pet", "hot_metal_blue")
VARIANTS = ((4.0, 1.0), (4.0, 1.5), (6.0, 1.0), (8.0, 1.5), (16.0, 1.0))
COLUMNS = ("rank", "error", "hot", "edges", "MI", "VIF", "Qabf")
_READ_OFF, _HOT, _TISSUE = 0.1, 0.8, 0.1
_TASK = get_task("mif")


def fused_by_luma(engine: FusionEngine, pair: SourcePair) -> FloatArray:
    """H×W×3: the colours of A taken for those of a photograph."""
    coloured = Image(pair.a.normalised(), (0.0, 1.0), 32, spacing=pair.a.spacing, mask=pair.a.mask)
    return engine.fuse(FusionRequest(SourcePair(coloured, pair.b), "mif")).fused


def fused_levels(engine: FusionEngine, pair: SourcePair) -> FloatArray:
    """H×W×1: levels of A and B fused, where A has data."""
    grey = Image(pair.a.levels(), (0.0, 1.0), 32, spacing=pair.a.spacing, mask=pair.a.mask)
    return engine.fuse(FusionRequest(SourcePair(grey, pair.b), "mif")).fused


def with_chroma(levels: FloatArray, pair: SourcePair) -> FloatArray:
    """The fused levels with the chroma of A's colours."""
    coloured = Image(pair.a.normalised(), (0.0, 1.0), 32, spacing=pair.a.spacing, mask=pair.a.mask)
    parts: PreparedPair = split(SourcePair(coloured, pair.b), _TASK.colour)
    return merge(levels, parts)


def tinted_by(levels: FloatArray, pair: SourcePair, finest: float, gain: float) -> FloatArray:
    """The fused levels tinted with another low pass and gain."""
    with mock.patch.object(tint, "FINEST_MM", finest), mock.patch.object(tint, "_GAIN", gain):
        return tint.tinted(levels, pair.a)


def ways(engine: FusionEngine, pair: SourcePair) -> dict[str, FloatArray]:
    """The fused image in each way."""
    levels = fused_levels(engine, pair)
    found = {
        "luma": fused_by_luma(engine, pair),
        "level": with_chroma(levels, pair),
        "tinted": tint.tinted(levels, pair.a),
    }
    for finest, gain in VARIANTS:
        found[f"tinted {finest:g}×{gain:g}"] = tinted_by(levels, pair, finest, gain)
    return found


def read_off(fused: FloatArray, palette: str) -> FloatArray:
    """H×W levels of the colours of ``palette`` nearest to those of ``fused``."""
    table = palette_table(palette).astype(np.float32) / np.float32(255)
    away = ((fused[:, :, np.newaxis] - table) ** 2).sum(axis=-1)
    return np.asarray(away.argmin(axis=-1) / np.float32(255), np.float32)


def rank_correlation(one: FloatArray, other: FloatArray) -> float:
    """Spearman's, with mean ranks of equal values."""
    ranks = []
    for values in (one, other):
        _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(counts) - (counts - 1) / 2)[place])
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def measured(pair: SourcePair, fused: FloatArray, palette: str) -> tuple[float, ...]:
    """The columns for one slice."""
    level, anatomy = pair.a.levels()[..., 0], pair.b.levels()[..., 0]
    shown, lightness = pair.a.normalised(), luma(fused)[..., 0]
    counted, hot, tissue = level > _READ_OFF, level > _HOT, anatomy > _TISSUE
    told = read_off(fused, palette)
    edges = [np.hypot(*np.gradient(one))[tissue] for one in (anatomy, lightness)]
    scores = evaluate(
        to_luma8(shown), to_luma8(pair.b.levels()), to_luma8(fused), ("MI", "VIF", "Qabf")
    )
    return (
        rank_correlation(level[counted], told[counted]),
        float(np.abs(told - level)[counted].mean()),
        float(np.abs(fused - shown)[hot].mean()) if hot.any() else np.nan,
        float(np.corrcoef(*edges)[0, 1]),
        *(scores[name] for name in ("MI", "VIF", "Qabf")),
    )


def pair_of(folder: Path) -> VolumePair:
    """PET on the grid of the MR."""
    found = {one.modality: load_study_volume(one) for one in list_series(folder).series}
    return align(found["PT"], found["MR"])


def slices_with_uptake(volumes: VolumePair, palette: str) -> Iterator[SourcePair]:
    """Every eighth axial slice in which a hundredth of the pixels can be read off."""
    every = max(1, volumes.slices("axial") // 8)
    for index in range(every // 2, volumes.slices("axial"), every):
        if lone_slice(volumes, "axial", index) is None:
            pair = slice_pair(volumes, "axial", index, palettes=(palette, None))
            if (pair.a.levels() > _READ_OFF).mean() >= 0.01:
                yield pair


def scores_of(engine: FusionEngine, volumes: VolumePair, palette: str) -> dict[str, FloatArray]:
    """The mean of each column, for each way."""
    rows: dict[str, list[tuple[float, ...]]] = {}
    for pair in slices_with_uptake(volumes, palette):
        for name, fused in ways(engine, pair).items():
            rows.setdefault(name, []).append(measured(pair, fused, palette))
    return {name: np.nanmean(np.array(found), axis=0) for name, found in rows.items()}


def table(scores: Mapping[str, FloatArray]) -> list[str]:
    """Markdown."""
    body = [
        [(text, text) for text in (name, *(f"{value:.3f}" for value in row))]
        for name, row in scores.items()
    ]
    return laid_out(["way", *COLUMNS], body, "markdown")


def main() -> None:
    """Print one table for each set and palette."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds clinical/")
    data: Path = parser.parse_args().data
    engine = FusionEngine("cpu")
    for name in SETS:
        volumes = pair_of(data / "clinical" / name)
        for palette in PALETTES:
            print(f"\n{name.split('/')[0]}, {palette}\n")
            print("\n".join(table(scores_of(engine, volumes, palette))), flush=True)


if __name__ == "__main__":
    main()
