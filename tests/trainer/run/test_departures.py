"""What a card says of the paper: told from the manifest, complete, and nothing that is not so."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import get_args, get_type_hints

import pytest

from core.models.config import NetworkConfig, compact_config, paper_config
from core.packs.format import PackManifest, TrainingRecord
from core.packs.registry import Catalogue
from core.tasks import TASKS
from resources import PACKS
from trainer.config.config import TrainConfig
from trainer.config.objective_settings import FURTHER_TERMS, ObjectiveSettings
from trainer.run.departures import origin_lines


def _manifest(network: NetworkConfig, **config: object) -> PackManifest:
    embedded = Catalogue([PACKS]).find("", "mif").manifest
    settings = {"losses": asdict(TASKS["mif"].losses), "bilevel": True, "ema": 0.999} | config
    record = TrainingRecord(config=settings)
    return replace(embedded, network=network, training=record)


def test_the_papers_own_configuration_has_no_departures() -> None:
    (kept,) = origin_lines(_manifest(paper_config()))
    assert "DINOv3" in kept
    assert "adapters" in kept
    assert "two levels" in kept


def test_the_compact_network_has_no_dinov3_and_says_so() -> None:
    kept, _, own = origin_lines(_manifest(compact_config(), edge=50.0, swap=True))
    assert "DINOv3" not in kept
    for part in ("no DINOv3", "1/4", "paper: 4, 4, 64", "luma", "blends", "edge preservation"):
        assert part in own
    assert "exchanged sources" in own
    assert "weights of intensity" not in own


def test_parts_that_were_left_out_are_not_claimed() -> None:
    bare = replace(compact_config(), adapter=False, reconstruction=False)
    kept = origin_lines(_manifest(bare, ema=0.0))[0]
    for part in ("adapters", "reconstruction", "two levels", "average"):
        assert part not in kept
    assert "two levels" not in origin_lines(_manifest(compact_config(), bilevel=False))[0]


def test_other_loss_weights_are_named_beside_the_releases() -> None:
    losses = asdict(TASKS["mif"].losses) | {"intensity": 150.0}
    own = origin_lines(_manifest(compact_config(), losses=losses))[2]
    assert "150, 100, 50, 20 (the paper's release: 20, 100, 50, 20)" in own


@pytest.mark.parametrize("name", FURTHER_TERMS)
def test_every_further_loss_of_the_settings_is_told(name: str) -> None:
    """Of a new or renamed one this fails."""
    assert getattr(TrainConfig(task="mif"), name) == 0
    before = origin_lines(_manifest(compact_config()))
    assert origin_lines(_manifest(compact_config(), **{name: 1.0})) != before


def test_the_further_losses_are_all_weights_but_those_of_the_release() -> None:
    """So that a new one is told, written down, inherited and left out where it is to be."""
    others = {"losses", "truth"}
    assert {one.name for one in fields(ObjectiveSettings)} - others == set(FURTHER_TERMS)


@pytest.mark.parametrize("head", get_args(get_type_hints(NetworkConfig)["head"]))
def test_every_head_is_told(head: str) -> None:
    told = origin_lines(_manifest(replace(compact_config(), head=head)))[2]
    assert ("a head" in told) == (head != "direct")
    assert "of the kind" not in told


def test_where_the_fusion_is_a_rule_only_the_reconstruction_is_of_the_paper() -> None:
    network = replace(compact_config(), head="focus")
    kept, _, own = origin_lines(_manifest(network, edge=50.0))
    assert "reconstruction branch" in kept
    for absent in ("attention", "levels", "losses", "average"):
        assert absent not in kept
    assert "nothing of the fusion is learnt" in own
    assert "edge" not in own
    assert "2 reconstruction blocks" in own
    assert "fusion and" not in own


def test_all_embedded_packs_say_that_they_have_no_dinov3() -> None:
    for entry in Catalogue([PACKS]).scan()[0]:
        assert "no DINOv3" in origin_lines(entry.manifest)[2]


def test_what_stands_in_place_of_a_backbone_is_told() -> None:
    bare = replace(compact_config(), backbone=replace(compact_config().backbone, kind="none"))
    kept, _, own = origin_lines(_manifest(bare))
    assert "adapters" not in kept
    assert "no other backbone; adapters that are a convolution of the picture" in own
    told = _manifest(bare)
    config = told.training.config | {"network": {"backbone": {"kind": "encoder", "depth": 4}}}
    told = replace(told, training=replace(told.training, config=config))
    assert "encoder of 4 blocks was trained along" in origin_lines(told)[2]
