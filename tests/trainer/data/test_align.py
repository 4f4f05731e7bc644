"""Pairs that do not line up are laid on each other before they are trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli.main import app
from app.cli.train import TrainOptions, configure
from core.alignment.choice import AlignChoice
from core.io import write_image
from core.io.transforms import write_transform
from core.messages import Message
from core.progress import NullProgress
from core.registration import Registration
from core.types import Image, Transform
from tests.trainer.runs import CONFIG
from trainer.config.config import TrainConfig, train_adapter
from trainer.config.run_plan import RunPairs, RunPlan
from trainer.data.alignment import PairAligner
from trainer.data.dataset import read_dataset
from trainer.data.preflight import run_preflight

BY = Transform.of("translation", [[1, 0, -8], [0, 1, -4], [0, 0, 1]])
"""From A to B."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Four pairs of one scene, whose B shows it 8 and 4 pixels beside A."""
    PairAligner._found.clear()
    rng = np.random.default_rng(5)
    for name in ("one", "two", "three", "four"):
        whole = rng.uniform(0, 1, (60, 72, 1)).astype(np.float32)
        for side, part in (("a", whole[:48, :56]), ("b", whole[4:52, 8:64])):
            (tmp_path / "in" / side).mkdir(parents=True, exist_ok=True)
            write_image(tmp_path / "in" / side / f"{name}.png", part, bit_depth=16)
    return tmp_path / "in"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is registered; “two” is doubtful, and “three” fails."""
    names: list[str] = []

    def register(fixed: Image, *_: Any, **__: Any) -> Registration:
        name = fixed.origin.stem if fixed.origin else ""
        names.append(name)
        verdicts: dict[str, Any] = {"two": "doubtful", "three": "failed"}
        verdict = verdicts.get(name, "good")
        return Registration(
            transform=BY,
            spread=0.5,
            measure=Message("m"),
            before=0.0,
            after=1.0,
            verdict=verdict,
            reasons=() if verdict == "good" else (Message("Parts disagree."),),
        )

    monkeypatch.setattr("core.registration.registering.register", register)
    return names


def config(**more: Any) -> TrainConfig:
    return replace(CONFIG, **more)


def shown(found: Any) -> dict[str, str]:
    return {bad.name: str(bad.reason) for bad in found}


def test_failed_registrations_are_left_out_and_doubtful_ones_named(
    source: Path, tmp_path: Path, asked: list[str]
) -> None:
    chosen = config(align="register rigid")
    survey = run_preflight(RunPairs(source, share=0.2), chosen)
    assert survey.pairs == 3
    assert "could not be registered: Parts disagree." in shown(survey.unreadable)["three"]
    assert shown(survey.misaligned) == {"two": "its registration is doubtful"}
    assert sorted(asked) == ["four", "one", "three", "two"]
    # The run takes what the survey has found, and says the same.
    plan = RunPlan(source, tmp_path / "p.safetensors")
    found = read_dataset(chosen, plan, NullProgress())
    assert len(asked) == 4
    assert sorted(pair.name for pair in found.pairs.pairs) == ["four", "one", "two"]
    assert any("three" in text and "Parts disagree." in text for text in found.problems)
    assert [n for n in found.notes if "doubtful" in n] == [
        "two: its registration is doubtful, and it is used"
    ]


def test_a_file_lays_all_pairs_on_each_other(source: Path, tmp_path: Path) -> None:
    write_transform(tmp_path / "t.tfm", BY)
    chosen = config(align=f"file {tmp_path / 't.tfm'}")
    plan = RunPlan(source, tmp_path / "p.safetensors")
    for pair in read_dataset(chosen, plan, NullProgress()).pairs.pairs:
        # What B shows lies on A; the rest is not counted.
        np.testing.assert_allclose(pair.a[4:, 8:], pair.b[4:, 8:], atol=16)
        assert pair.valid is not None
        assert pair.valid[4:, 8:].all()
        assert not pair.valid[:4].any()
    cropped = config(align=chosen.align, align_crop=True)
    for pair in read_dataset(cropped, plan, NullProgress()).pairs.pairs:
        assert pair.a.shape[:2] == (44, 48)
        assert pair.valid is None


def test_the_settings_keep_the_choice_and_refuse_what_is_none() -> None:
    kept = train_adapter.dump_python(config(align="rig a mast", align_onto="b"), mode="json")
    assert train_adapter.validate_python(kept).align_choice == AlignChoice(
        "rig", name="a mast", onto="b"
    )
    with pytest.raises(ValueError, match="sideways"):
        config(align="sideways")


def test_the_command_line_takes_the_options_of_batch(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[TrainOptions] = []
    monkeypatch.setattr("app.cli.train.run_training", seen.append)
    run: Callable[..., Any] = CliRunner().invoke
    words = ["train", "--data", str(source), "--out", str(tmp_path / "p"), "--task", "mff"]
    assert run(app, [*words, "--register", "--kind", "rigid", "--crop"]).exit_code == 0
    found = configure(seen[-1])
    assert (found.align, found.align_onto, found.align_crop) == ("register rigid", "a", True)
    monkeypatch.chdir(tmp_path)
    assert run(app, [*words, "--transform", "t.tfm", "--onto", "b"]).exit_code == 0
    # A run is resumed from anywhere.
    assert configure(seen[-1]).align_choice == AlignChoice(
        "file", name=str(tmp_path / "t.tfm"), onto="b"
    )
    assert run(app, [*words, "--register", "--rig", "mast"]).exit_code == 2
    assert run(app, [*words, "--kind", "rigid"]).exit_code == 2
