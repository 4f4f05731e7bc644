"""Recipes: settings of the runs that produced the embedded packs, and for DINOv3, by name."""

from pathlib import Path

from resources import RECIPES


def path_of(name: str) -> Path | None:
    """The file of the recipe called ``name``, or None."""
    path = RECIPES / f"{name}.toml"
    return path if path.is_file() else None


def names() -> tuple[str, ...]:
    """The names of all recipes."""
    return tuple(sorted(path.stem for path in RECIPES.glob("*.toml")))
