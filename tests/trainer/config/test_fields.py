"""Settings as a form shows them, presets, and files the form saves."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.errors import InputError, OutputError
from core.models.config import CONFIGS
from core.packs.registry import Catalogue
from core.tasks import TASKS
from resources import PACKS
from tests.tiny import tiny_compact
from trainer.config.config import TrainConfig, train_adapter
from trainer.config.form import FIELDS, Field, validate, values_of
from trainer.config.presets import PRESETS, preset
from trainer.config.settings_file import load_config, save_config, save_settings

_CHOSEN_WITH_THE_DATA = {"task", "align", "align_onto", "align_crop"}
"""Chosen beside the folders, by rows of their own that other workspaces share."""


def _leaves(table: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{within}{name}.")
        else:
            yield within + name, value


def test_every_setting_has_a_field_with_words_and_its_default_fits() -> None:
    names = [field.name for field in FIELDS]
    assert len(set(names)) == len(names)
    for build in CONFIGS.values():
        leaves = dict(_leaves(values_of(TrainConfig("mif", network=build()))))
        assert set(names) == leaves.keys() - _CHOSEN_WITH_THE_DATA - {"losses.source"}
        for field in FIELDS:
            assert field.title
            assert field.help
            assert field.group
            value = leaves[field.name]
            if field.kind in ("int", "float"):
                assert field.minimum is not None
                assert field.maximum is not None
                assert field.minimum <= value <= field.maximum, field.name
                assert value > field.minimum or not field.above
            if field.kind == "choice":
                assert str(value) in field.choices, field.name


def _changed(name: str, value: Any) -> dict[str, Any]:
    values = json.loads(json.dumps(values_of(TrainConfig("mif"))))
    *path, last = name.split(".")
    table = values
    for part in path:
        table = table[part]
    table[last] = value
    return values


_NUMBERS = [f for f in FIELDS if f.kind in ("int", "float")]
_TOGETHER = ("lr_lower", "network.channels", "network.backbone.dim")
"""Where a fault is told that is about two fields: both ends of one can clash with the other."""


@pytest.mark.parametrize("field", _NUMBERS, ids=lambda field: field.name)
def test_a_field_and_the_settings_have_the_same_limits(field: Field) -> None:
    """Both ends are taken (or, where they are open, refused), and what lies just beyond is not."""
    assert field.minimum is not None
    assert field.maximum is not None
    for end, is_open, beyond in (
        (field.minimum, field.above, _less(field)),
        (field.maximum, field.below, _more(field)),
    ):
        found = validate(_changed(field.name, end))
        if is_open:
            assert "must be" in found[field.name]
        else:
            assert field.name not in found or field.name in _TOGETHER
            assert "must be at" not in found.get(field.name, "")
        assert "must be" in validate(_changed(field.name, beyond))[field.name]


def _less(field: Field) -> float:
    low = field.minimum or 0
    return int(low) - 1 if field.kind == "int" else math.nextafter(low, -math.inf)


def _more(field: Field) -> float:
    high = field.maximum or 0
    return int(high) + 1 if field.kind == "int" else math.nextafter(high, math.inf)


def test_a_file_is_held_to_the_same_limits_as_the_form(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    for field in _NUMBERS:
        *tables, name = field.name.split(".")
        heading = f"[{'.'.join(tables)}]\n" if tables else ""
        weights = "".join(
            f"{n} = {json.dumps(v)}\n"
            for n, v in vars(TASKS["mif"].losses).items()
            if tables == ["losses"] and n != name
        )
        value = _more(field)
        path.write_text(f'task = "mif"\n{heading}{name} = {value!r}\n{weights}', encoding="utf-8")
        with pytest.raises(InputError, match=f"{field.name}: must be") as caught:
            load_config(path)
        assert "must be" in caught.value.why


def test_weights_made_in_code_are_checked_as_those_of_a_file() -> None:
    with pytest.raises(ValidationError, match="losses"):
        TrainConfig("mif", losses=replace(TASKS["mif"].losses, gradient=-1))
    with pytest.raises(ValidationError, match="losses"):
        TrainConfig("mif", losses=replace(TASKS["mif"].losses, ssim=math.inf))


@pytest.mark.parametrize(
    ("name", "value", "where", "words"),
    [
        ("steps", 0, "steps", "at least 1"),
        ("crop", 100, "crop", "multiple of 16"),
        ("ema", 1.0, "ema", "less than 1"),
        ("lr_upper", 0, "lr_upper", "more than 0"),
        ("lr_upper", 1e-2, "lr_lower", "faster"),
        ("batch", "many", "batch", "whole number"),
        ("precision", "fp8", "precision", "fp32"),
        ("losses.gradient", -1, "losses.gradient", "at least 0"),
        ("network.heads", 7, "network.channels", "multiple of heads"),
        ("network.backbone.taps", [3, 2, 1, 0], "network.backbone.taps", "rise"),
        ("network.learned_mixing", ["ask_z.0"], "network.learned_mixing", "none of"),
        ("task", "xyz", "task", "unknown task"),
    ],
)
def test_what_is_wrong_stands_at_its_field(name: str, value: Any, where: str, words: str) -> None:
    found = validate(_changed(name, value))
    assert words in found[where]
    assert len(found) == 1


def test_all_is_well_with_every_preset_with_and_without_a_parent() -> None:
    packs = {entry.manifest.task: entry.manifest for entry in Catalogue([PACKS]).scan()[0]}
    assert [p.name for p in PRESETS] == ["quick", "fine", "paper"]
    for chosen in PRESETS:
        for task in TASKS:
            for parent in (None, packs.get(task), packs["mif"]):
                config = chosen.build(task, parent)
                assert config.task == task
                assert validate(values_of(config)) == {}
                if parent is not None:
                    assert config.network == parent.network
    assert preset("quick").build("mif", None).steps < preset("fine").build("mif", None).steps
    with pytest.raises(InputError, match="quick, fine, paper"):
        preset("slow")


def test_a_child_is_taught_what_its_parent_was_and_the_paper_is_the_paper() -> None:
    parent = next(e.manifest for e in Catalogue([PACKS]).scan()[0] if e.manifest.task == "mff")
    fine = preset("fine").build("mff", parent)
    record = parent.training.config
    assert fine.edge == record["edge"]
    assert fine.truth is record["truth"]
    assert fine.losses is not None
    assert fine.losses.intensity == record["losses"]["intensity"]
    assert fine.lr_lower != record["lr_lower"]
    paper = preset("paper").build("mff", parent)
    assert (paper.steps, paper.batch, paper.crop, paper.lr_upper) == (10_000, 16, 128, 2e-4)
    assert (paper.ema, paper.edge, paper.artefact, paper.information) == (0.999, 0, 0, 0)
    assert paper.loss_weights == TASKS["mff"].losses


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_saved_settings_are_read_back(tmp_path: Path, suffix: str) -> None:
    config = TrainConfig(
        "mff",
        network=tiny_compact(),
        losses=replace(TASKS["mff"].losses, source='by "hand" \\ ünï \x7f \x01 \n end'),
        exclude=("llvip_*", "ü"),
        lr_lower=3e-7,
        lr_upper=1e-7,
        init="a/b c.safetensors",
        bilevel=True,
        seed=2**62,
    )
    for saved in (config, TrainConfig("mif")):
        path = tmp_path / f"run{suffix}"
        save_config(saved, path)
        assert load_config(path) == saved
        assert train_adapter.dump_python(load_config(path)) == train_adapter.dump_python(saved)
    with pytest.raises(InputError, match=r"\.toml or \.json"):
        save_config(config, tmp_path / "run.yaml")
    with pytest.raises(OutputError):
        save_config(config, tmp_path / "none" / "run.toml")


def test_settings_of_a_form_are_written_without_what_is_none(tmp_path: Path) -> None:
    values = {
        "a": 1,
        "b": 1e-05,
        "c": True,
        "d": 'x"\n\té\x7f',
        "e": [1, 2],
        "none": None,
        "t": {"x": 0.5, "none": None, "u": {"y": []}},
    }
    wanted = values | {"t": {"x": 0.5, "u": {"y": []}}}
    del wanted["none"]
    save_settings(values, tmp_path / "form.TOML")
    save_settings(values, tmp_path / "form.json")
    text = (tmp_path / "form.TOML").read_text("utf-8")
    assert tomllib.loads(text) == json.loads((tmp_path / "form.json").read_text("utf-8")) == wanted
    assert text.index("a = 1\n") < text.index("b = 1e-05\n") < text.index("[t]\n"), "as given"
    whole = values_of(TrainConfig("mif"))
    save_settings(whole, tmp_path / "whole.toml")
    assert load_config(tmp_path / "whole.toml") == train_adapter.validate_python(whole)
