"""Generates the infrared/visible, exposure and focus samples by ray tracing synthetic scenes.

    python -m tools.samples.make_scenes --out DIR

Nothing is read from disk: shapes, textures, light, cameras and noise are generated from seeds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from resources import SAMPLES
from tools.samples import photo, room, still, street

WIDTH, HEIGHT = 640, 480
SIDE = 3  # 3 × 3 samples a pixel
SCENES = {"ivif": street.make, "mef": room.make, "mff": still.make}


def main(arguments: list[str] | None = None) -> None:
    """Command line entry: writes ``TASK_a.png`` and ``TASK_b.png`` for each selected task."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=SAMPLES, help="output folder")
    parser.add_argument("--scale", type=float, default=1.0, help="size factor, 1 is 640×480")
    parser.add_argument("--samples", type=int, default=SIDE, help="samples per pixel side")
    parser.add_argument("--task", choices=sorted(SCENES), action="append", help="only this one")
    options = parser.parse_args(arguments)
    size = (max(16, round(WIDTH * options.scale)), max(12, round(HEIGHT * options.scale)))
    options.out.mkdir(parents=True, exist_ok=True)
    for task in options.task or sorted(SCENES):
        for letter, picture in zip("ab", SCENES[task](size, options.samples), strict=True):
            path = options.out / f"{task}_{letter}.png"
            photo.write(path, picture)
            print(path)


if __name__ == "__main__":
    main()
