"""A Train page with a home of its own, tiny pictures and a tiny network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.train.page import TrainPage
from tests.tiny import tiny_pack
from tests.trainer.runs import CONFIG, make_pairs
from trainer.config.form import values_of

WAIT = 30_000
LONG = {"steps": 100_000, "log_every": 1, "validate_every": 5, "checkpoint_every": 5}
"""A run nobody waits for to end by itself."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where packs and runs go, with one pack in it."""
    folder = tmp_path / "home"
    (folder / "packs").mkdir(parents=True)
    monkeypatch.setenv("UNIFUSION_HOME", str(folder))
    tiny_pack(folder / "packs" / "tiny.safetensors", title="Tiny parent")
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Six pairs of 48×48."""
    return make_pairs(tmp_path / "data", 6)


@pytest.fixture
def page(qtbot: QtBot, home: Path) -> Iterator[TrainPage]:
    """The page, shown, once the engine has said what there is."""
    made = TrainPage("mif")
    qtbot.addWidget(made)
    made.resize(1000, 700)
    with qtbot.waitSignal(made.state.capabilities_changed, timeout=WAIT):
        made.show()
    # What a run costs is judged by itself as soon as there are pictures: let it be little.
    made.training.preparing.choose_parent(home / "packs" / "tiny.safetensors")
    for name in ("batch", "crop"):
        made.training.preparing.set_value(name, getattr(CONFIG, name))
    yield made
    made.shutdown()


def settings_file(folder: Path, **changes: Any) -> Path:
    """Settings of a tiny network as a file."""
    path = folder / "settings.json"
    path.write_text(json.dumps({**values_of(CONFIG), **changes}), encoding="utf-8")
    return path


def prepare(qtbot: QtBot, page: TrainPage, data: Path, **changes: Any) -> None:
    """Load settings from a file, choose pictures, and wait until both are there."""
    state, preparing = page.state, page.training.preparing
    with qtbot.waitSignal(state.settings_changed, timeout=WAIT):
        preparing.load(settings_file(data.parent, **changes))
    preparing.set_data([data])
    qtbot.waitUntil(lambda: state.report is not None or state.problem is not None, timeout=WAIT)
    assert state.problem is None
    preparing.set_name("Our brains")


def points(page: TrainPage, name: str = "upper") -> int:
    """How many points a loss curve has."""
    return len(page.state.losses[name]) if name in list(page.state.losses) else 0
