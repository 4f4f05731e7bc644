"""Which preset some settings are."""

from __future__ import annotations

from pathlib import Path

from app.train.view_models import Capabilities, TrainSettings

OF_THE_DATA = ("window_a", "window_b", "align", "align_onto", "align_crop")
"""Settings of how the images are read."""

_OF_THE_PLACE = ("init", "backbone", "device", "seed", *OF_THE_DATA)
"""Settings that presets leave unchanged."""


def preset_of(
    settings: TrainSettings, capabilities: Capabilities | None, parent: Path | None
) -> str:
    """Name of the preset with these settings, started from a pack or from scratch; "" for none."""
    mine = {name: value for name, value in settings.items() if name not in _OF_THE_PLACE}
    for preset in capabilities.presets if capabilities is not None else ():
        theirs = preset.build(str(settings["task"]), parent)
        if theirs["precision"] == "auto":  # a run holds what that became
            theirs = {**theirs, "precision": settings["precision"]}
        if mine == {k: v for k, v in theirs.items() if k not in _OF_THE_PLACE}:
            return preset.name
    return ""
