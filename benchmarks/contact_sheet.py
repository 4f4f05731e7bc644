"""Contact sheet of all pairs of a folder: A | B | one column per method.

    python benchmarks/contact_sheet.py --sources DIR --task mif --out sheet.png mif-compact guided

Methods are packs (by name or file) and classical methods. Images are scaled to a common height.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import PIL.ImageDraw

from core.fusion.engine import FusionEngine
from core.io import read_pair, write_image
from core.pairing.folders import pair_folders
from core.types import FloatArray, FusionRequest

_GAP = 4
_CAPTION = 18


def tile(pixels: FloatArray, height: int, caption: str) -> FloatArray:
    """H×W×(1 or 3) in [0, 1], scaled to ``height`` rows, as RGB with a caption above."""
    rgb = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    width = max(1, round(rgb.shape[1] * height / rgb.shape[0]))
    shrinks = height < rgb.shape[0]
    scaled = cv2.resize(
        rgb, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    framed = np.ones((height + _CAPTION + _GAP, width + _GAP, 3), np.float32)
    framed[_CAPTION : _CAPTION + height, :width] = np.clip(scaled, 0, 1)
    strip = PIL.Image.new("RGB", (width, _CAPTION), "white")
    PIL.ImageDraw.Draw(strip).text((2, 2), caption, fill="black")
    framed[:_CAPTION, :width] = np.asarray(strip, np.float32) / 255
    return framed


def main() -> None:
    """Fuse and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sources", type=Path, required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--height", type=int, default=256)
    parser.add_argument("--only", default="", help="part of the names of the pairs to show")
    parser.add_argument("methods", nargs="+")
    options = parser.parse_args()
    engine = FusionEngine()
    rows = []
    for files in pair_folders(options.sources).matches:
        if options.only not in files.name:
            continue
        pair = read_pair(files.a, files.b)
        tiles = [
            tile(pair.a.normalised(), options.height, f"A {files.name}"),
            tile(pair.b.normalised(), options.height, "B"),
        ]
        for method in options.methods:
            fused = engine.fuse(FusionRequest(pair, options.task, method)).fused
            tiles.append(tile(fused, options.height, Path(method).stem))
        rows.append(np.concatenate(tiles, axis=1))
    width = max(row.shape[1] for row in rows)
    sheet = np.concatenate(
        [np.pad(r, ((0, 0), (0, width - r.shape[1]), (0, 0)), constant_values=1) for r in rows]
    )
    write_image(options.out, sheet, bit_depth=8)
    print(f"{options.out}: {len(rows)} pairs, {sheet.shape[1]}×{sheet.shape[0]}")


if __name__ == "__main__":
    main()
