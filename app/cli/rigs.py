"""``unifusion rigs``: lists and keeps rigs."""

from __future__ import annotations

from pathlib import Path

from app.cli.console import say
from app.cli.fuse_options import checked
from core.alignment.rigs import Rig, add_rig, list_rigs, rig_folder
from core.io import probe_image
from core.io.transforms import read_transform
from core.types import KIND_NAMES, PairTransform, SourceSide

_SIDES: tuple[SourceSide, ...] = ("a", "b")


def print_rigs() -> None:
    """Print one line per rig, then unusable files with the reason."""
    good, broken = list_rigs()
    for rig in good:
        fixed = "a" if rig.moving == "b" else "b"
        sizes = " and ".join(f"{width}×{height}" for width, height in (rig.size_a, rig.size_b))
        kind = KIND_NAMES[rig.transform.kind]
        say(f"{rig.name:24} {rig.moving} onto {fixed}, {kind}, for {sizes} pixels")
    for bad in broken:
        say(f"unusable: {bad.reason}")
    say(f"Rigs are kept in {rig_folder()}")


def keep_rig(name: str, file: Path, a: Path, b: Path, *, onto: str, overwrite: bool) -> None:
    """Keep the transform in ``file``, which leads from A to B, under a name.

    Raises:
        InputError: the file holds no transform of pictures, a picture cannot be read, or there is
            a rig of that name already.
    """
    fixed = checked("--onto", onto, _SIDES)
    by = PairTransform(read_transform(file)).moving_side("b" if fixed == "a" else "a")
    size_a, size_b = (probe_image(path).upright_size for path in (a, b))
    rig = Rig(name=name, transform=by.transform, moving=by.moving, size_a=size_a, size_b=size_b)
    add_rig(rig, overwrite=overwrite)
    say(f"{rig.name}: {rig.moving} onto {fixed}, kept in {rig_folder()}")
