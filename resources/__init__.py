"""Data that ships with the program: packs, sample pairs, icons, style, data set descriptors."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent
PACKS = ROOT / "packs"
SAMPLES = ROOT / "samples"
RECIPES = ROOT / "recipes"
DATASETS = ROOT / "datasets"
