"""Run configurations: read, refused by name, and the same after a round trip."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.errors import InputError
from core.messages import Message
from core.models.config import dinov3_compact_config, paper_config
from core.tasks import TASKS
from resources import PACKS
from tests.tiny import tiny_compact
from trainer.config import recipes
from trainer.config.config import TrainConfig, train_adapter
from trainer.config.settings_file import load_config


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        inner = ", ".join(f"{k} = {_toml(v)}" for k, v in value.items())
        return "{" + inner + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return json.dumps(value)


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_a_configuration_survives_its_file(tmp_path: Path, suffix: str) -> None:
    config = TrainConfig(
        task="mff",
        network=tiny_compact(),
        steps=7,
        lr_lower=3e-3,
        lr_upper=1e-3,
        losses=replace(TASKS["mff"].losses, intensity=40, intensity_target="sharper"),
        edge=12.5,
        exclude=("llvip_*", "ünï*"),
        precision="bf16",
        bilevel=False,
        seed=2**40,
    )
    plain = train_adapter.dump_python(config, mode="json")
    path = tmp_path / f"run{suffix}"
    text = json.dumps(plain)
    if suffix == ".toml":
        lines = (f"{key} = {_toml(value)}" for key, value in plain.items() if value is not None)
        text = "\n".join(lines)
    path.write_text(text, encoding="utf-8")
    assert load_config(path) == config


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("stepps = 3", "stepps"),
        ("steps = 0", "steps"),
        ('steps = "many"', "steps"),
        ("crop = 100", "crop"),
        ("crop = 16", "crop"),
        ("lr_final = 0", "lr_final"),
        ("ema = 1.0", "ema"),
        ("seed = -1", "seed"),
        ('precision = "fp8"', "precision"),
        ("lr_lower = nan", "lr_lower"),
        ("lr_lower = 1e-4\nlr_upper = 1e-3", "η_L > η_U"),
        ("[network]\nwings = 2", "network.wings"),
        ("[network]\nheads = 0", "network.heads"),
        ("[losses]\nintensity = 1", "losses.gradient"),
    ],
)
def test_bad_settings_are_refused_by_name(tmp_path: Path, line: str, named: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(f'task = "mif"\n{line}\n', encoding="utf-8")
    with pytest.raises(InputError, match=named) as caught:
        load_config(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("stepz = 3", "stepz: is no setting of this program"),
        ('steps = "many"', "steps: must be a whole number"),
        ("batch = 2.5", "batch: must be a whole number"),
        ("edge = inf", "edge: must be a number"),
        ("ema = 1", "ema: must be less than 1"),
        ("crop = 100", "crop: must be a multiple of 16"),
        ("swap = 3", "swap: must be true or false"),
        ("exclude = 3", "exclude: must be a list"),
        ("init = 4", "init: must be a text in quotes"),
        ("losses = 3", "losses: must be a table of settings"),
        ("lr_lower = 1e-9", "run.toml: lr_lower: the lower level must learn faster"),
        (
            "self_reconstruction = 1\nnetwork.reconstruction = false",
            "run.toml: self_reconstruction: it needs a network that learns to fuse",
        ),
        (
            'self_reconstruction = 1\nnetwork.head = "focus"',
            "run.toml: self_reconstruction: it needs a network that learns to fuse",
        ),
    ],
)
def test_what_is_wrong_is_said_in_words_that_can_be_translated(
    tmp_path: Path, line: str, why: str
) -> None:
    path = tmp_path / "run.toml"
    path.write_text(f'task = "mif"\n{line}\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert why in str(caught.value)
    assert isinstance(caught.value.why, Message)


def test_a_misspelt_loss_weight_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    losses = {**train_adapter.dump_python(TrainConfig("mif", losses=TASKS["mif"].losses))["losses"]}
    losses["intensty"] = 3
    path.write_text(f'task = "mif"\nlosses = {_toml(losses)}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"losses\.intensty"):
        load_config(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "task"),
        (b"task = ", "run.toml"),
        (b"\xff\xfe\x00", "run.toml"),
        (b'task = "xyz"', "unknown task"),
    ],
)
def test_files_that_are_no_configuration_are_refused(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        load_config(path)
    with pytest.raises(InputError, match=r"none\.toml"):
        load_config(tmp_path / "none.toml")
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(InputError, match=r"list\.json"):
        load_config(tmp_path / "list.json")


def test_every_recipe_loads_and_covers_its_task() -> None:
    packs = {path.stem for path in PACKS.glob("*-compact.safetensors")}
    assert packs == {f"{name}-compact" for name in recipes.names() if name in TASKS}
    for name in recipes.names():
        path = recipes.path_of(name)
        assert path is not None
        config = load_config(path)
        assert config.task in TASKS
        assert not Path(config.init).is_absolute()
        assert not config.backbone
        if name.startswith("dinov3_"):
            # Nothing but the head, which goes with the objective, differs from the family.
            family = dinov3_compact_config()
            assert replace(config.network, head=family.head) == family
            assert name == f"dinov3_{config.task}"
        if name in TASKS:
            assert recipes.path_of(f"dinov3_{name}") is not None
            assert config.task == name
            assert name != "ivif" or "llvip_*" in config.exclude, "non-commercial"
    assert recipes.path_of("nothing") is None
    assert recipes.path_of("__init__") is None


def test_learning_rates_decay_exactly_between_both_ends() -> None:
    config = TrainConfig("mif", steps=101, lr_lower=4e-3, lr_upper=2e-3, lr_final=0.01)
    assert config.learning_rates(0) == (4e-3, 2e-3)
    last = config.learning_rates(100)
    assert last == (pytest.approx(4e-5, rel=1e-12), pytest.approx(2e-5, rel=1e-12))
    middle = config.learning_rates(50)
    assert middle == (pytest.approx(4e-4, rel=1e-12), pytest.approx(2e-4, rel=1e-12))
    rates = [config.learning_rates(step) for step in range(101)]
    assert all(lower > upper for lower, upper in rates)
    ratios = {round(b[0] / a[0], 12) for a, b in pairwise(rates)}
    assert len(ratios) == 1
    assert replace(config, steps=1).learning_rates(0) == (4e-3, 2e-3)


def test_the_lower_level_must_be_faster_only_in_bilevel_runs() -> None:
    with pytest.raises(ValidationError, match="faster"):
        TrainConfig("mif", lr_lower=1e-3, lr_upper=1e-3)
    TrainConfig("mif", lr_lower=1e-3, lr_upper=1e-3, bilevel=False)


def test_loss_weights_and_colour_follow_task_and_network() -> None:
    config = TrainConfig("ivif")
    assert config.loss_weights == TASKS["ivif"].losses
    assert config.colour == TASKS["ivif"].colour
    own = replace(TASKS["ivif"].losses, ssim=0)
    assert replace(config, losses=own).loss_weights == own
    assert replace(config, network=paper_config()).colour.mode == "rgb"
