"""The way from pictures to the embedded packs."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.errors import InputError
from core.packs.format import read_manifest
from resources import PACKS
from tests.tiny import tiny_pack
from tools.packs import make as chain
from tools.packs.average import average_packs
from tools.packs.make import (
    PICTURES,
    RECORD,
    Averaging,
    Training,
    is_done,
    make,
    read_chain,
    read_chain_record,
    steps_of,
)
from trainer.config.recipes import path_of
from trainer.config.settings_file import load_settings


def test_every_embedded_pack_has_its_steps() -> None:
    steps = read_chain()
    for pack in PACKS.glob("*.safetensors"):
        assert steps_of([pack.stem], steps)[-1] == pack.stem


def test_every_embedded_pack_was_trained_by_the_recipe_of_its_chain() -> None:
    """Of a mean the first run. What depends on the machine is left out: precision, paths."""
    steps = read_chain()
    for pack in PACKS.glob("*.safetensors"):
        step = steps[pack.stem]
        while not isinstance(step, Training):
            step = steps[step.needs[0]]
        recipe = path_of(step.recipe)
        assert recipe is not None
        wanted = asdict(load_settings(recipe)[0])
        recorded = read_manifest(pack).training.config
        for name in recorded.keys() - {"precision", "init", "device", "backbone"}:
            assert _plain(recorded[name]) == _plain(wanted[name], recorded[name]), (pack.stem, name)


def test_every_embedded_pack_says_what_it_learnt_from_in_the_words_of_the_chain() -> None:
    pictures = tomllib.loads(PICTURES.read_text("utf-8"))
    for pack in PACKS.glob("*.safetensors"):
        manifest = read_manifest(pack)
        told = pictures[manifest.task]
        assert (manifest.title, manifest.licence) == (told["title"], pictures["licence"])
        assert list(manifest.data) == told["data"]


def _plain(value: object, like: object = None) -> object:
    """As JSON has it; of a group only the settings that ``like`` has, for later ones came since."""
    if isinstance(value, Mapping):
        known = like if isinstance(like, Mapping) else value
        return {name: _plain(value[name], known[name]) for name in known}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def test_what_a_pack_needs_is_made_before_it_and_nothing_else() -> None:
    assert steps_of(["mef-compact"], read_chain()) == (
        "mif-trained",
        "mef-first",
        "mef-fine",
        "mef-compact",
    )
    assert steps_of([], read_chain()) == tuple(read_chain())
    with pytest.raises(InputError, match="mef_compact"):
        steps_of(["mef_compact"], read_chain())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[x]\nrecipe = "mif"\nstart = "y"', "no step before it makes y"),
        ('[x]\nrecipe = "mif"\n[y]\nmean = ["x", "z"]\nshare = 0.5', "no step before it makes z"),
        ('[x]\nrecipe = "none"', "no recipe none"),
        ('[x]\nrecipe = "mif"\nmean = ["a", "b"]', "neither a run nor a mean"),
        ("[x]", "neither a run nor a mean"),
    ],
)
def test_a_chain_with_a_gap_is_refused(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "chain.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=why):
        read_chain(file)


def test_a_mean_is_done_while_both_packs_are_those_it_was_made_from(tmp_path: Path) -> None:
    step = Averaging(("one", "two"), 0.5)
    one, two, out = (tmp_path / f"{name}.safetensors" for name in ("one", "two", "mean"))
    assert not is_done(out, step, tmp_path)
    tiny_pack(one, seed=1)
    tiny_pack(two, seed=2)
    average_packs(one, two, 0.5, out)
    assert is_done(out, step, tmp_path)
    tiny_pack(two, seed=3)
    with pytest.raises(InputError, match="another two"):
        is_done(out, step, tmp_path)


def test_a_run_is_not_taken_for_that_of_a_changed_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run's folder stands for any finished run."""
    monkeypatch.setattr(chain, "read_record", lambda _folder: SimpleNamespace(state="finished"))
    recipe = path_of("ivif_first")
    assert recipe is not None
    tiny_pack(tmp_path / "run.safetensors", seed=1)
    told = sha256(recipe.read_bytes()).hexdigest()
    for recorded, refused in ((told, False), ("0" * 64, True)):
        (tmp_path / RECORD).write_text(json.dumps({"run": {"recipe_sha256": recorded}}))
        if refused:
            with pytest.raises(InputError, match="recipe has changed"):
                is_done(tmp_path / "run.safetensors", Training("ivif_first"), tmp_path)
        else:
            assert is_done(tmp_path / "run.safetensors", Training("ivif_first"), tmp_path)


@pytest.mark.slow
def test_the_whole_way_in_two_steps_a_run(tmp_path: Path, shared_data: Path) -> None:
    data = tmp_path / "data"
    for split in ("train", "val"):
        for task in ("mif", "mff", "mef", "ivif"):
            kept = sorted(path.name for path in (shared_data / split / task / "a").iterdir())
            for side in ("a", "b"):
                folder = data / split / task / side
                folder.mkdir(parents=True)
                for name in kept[:: max(1, len(kept) // 6)]:
                    (folder / name).symlink_to(shared_data / split / task / side / name)
    packs = make(data, tmp_path / "packs", length=2)
    assert {path.stem for path in packs} == set(read_chain())
    assert {read_manifest(path).task for path in packs} == {"mif", "mff", "mef", "ivif"}
    record = read_chain_record(tmp_path / "packs")
    assert {name: told["weights_sha256"] for name, told in record.items()} == {
        path.stem: read_manifest(path).weights_sha256 for path in packs
    }
    assert record["ivif-mean"]["recipe_sha256"] is None
    recipe = path_of("ivif")
    assert recipe is not None
    assert record["ivif-compact"]["recipe_sha256"] == sha256(recipe.read_bytes()).hexdigest()
    stamps = [path.stat().st_mtime_ns for path in packs]
    assert make(data, tmp_path / "packs", length=2) == packs
    assert [path.stat().st_mtime_ns for path in packs] == stamps
