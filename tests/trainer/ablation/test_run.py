"""An ablation: equal budgets, and nothing lost when it is cut off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled, InputError
from core.metrics import evaluate, to_luma8
from core.models.config import compact_config, paper_config
from core.packs.format import read_pack
from core.progress import NullProgress
from tests.trainer.runs import CONFIG
from trainer.ablation.plan import AblationPlan, ablation_config, pair_folders_of
from trainer.ablation.results import read_result
from trainer.ablation.run import RunAdvanced, RunDone, finished_results, run_ablation
from trainer.ablation.variants import MAIN, VARIANTS, chosen_variants, components
from trainer.config import recipes
from trainer.data.dataset import read_held_out
from trainer.events import Started, Stepped
from trainer.optimization import precision
from trainer.run.control import RunControl
from trainer.run.validation import validate


def test_every_variant_has_the_same_budget_and_lacks_one_component() -> None:
    base = ablation_config("mif", 1000)
    plan = AblationPlan(base, Path("data"), Path("out"), seeds=3)
    runs = plan.runs()
    assert [(run.variant, run.seed) for run in runs] == [
        (name, base.seed + i) for i in range(3) for name in MAIN
    ]
    assert {(r.config.steps, r.config.batch, r.config.crop) for r in runs} == {(1000, 4, 96)}
    assert len({run.plan.out for run in runs}) == 15
    missing = {
        run.variant: {name for name, there in components(run.config).items() if not there}
        for run in runs
    }
    assert missing == {
        "full": set(),
        "no-adapter": {"adapter"},
        "no-dinov3": {"backbone"},
        "no-reconstruction": {"reconstruction", "bilevel"},
        "no-bilevel": {"bilevel"},
    }


@pytest.mark.parametrize("task", ["mif", "mef", "ivif"])
def test_a_recipe_without_backbone_is_judged_with_the_encoder_in_it(
    task: str, tmp_path: Path
) -> None:
    assert ablation_config(task, 10).network.backbone == compact_config().backbone
    path = recipes.path_of(task)
    assert path is not None
    own = tmp_path / "own.toml"
    own.write_bytes(path.read_bytes())
    assert ablation_config(task, 10, settings=own).network.backbone.kind == "none"


def test_without_dinov3_the_trained_encoder_takes_its_place() -> None:
    whole = replace(CONFIG, network=paper_config(), backbone="vit.safetensors")
    without = VARIANTS["no-dinov3"].change(whole)
    assert (without.network.backbone.kind, without.network.backbone.depth) == ("encoder", 4)
    assert without.backbone == ""


def test_scores_are_those_of_the_pack_on_every_validation_pair(finished: AblationPlan) -> None:
    run = finished.runs()[1]
    result = read_result(run.result)
    assert result is not None
    assert (result.steps, result.pairs) == (2, 3)
    assert list(result.scores) == ["valpair0", "valpair1"]
    held = read_held_out(run.config, run.plan, NullProgress())
    network, _ = read_pack(run.plan.out)
    fused = validate(network, held.pairs.pairs[:1], "cpu", NullProgress()).fused
    first = held.pairs.pairs[0]
    a, b = (to_luma8(side.astype(np.float32) / 65535) for side in (first.a, first.b))
    expected = evaluate(a, b, to_luma8(fused), ("MI", "SSIM"))
    assert result.scores["valpair0"]["MI"] == pytest.approx(expected["MI"])
    assert result.scores["valpair0"]["SSIM"] == pytest.approx(expected["SSIM"])
    assert "reconstruction_psnr" not in result.scores["valpair0"]
    assert not run.plan.checkpoint.exists()


def test_a_cut_run_goes_on_and_ends_as_an_uncut_one(finished: AblationPlan, tmp_path: Path) -> None:
    plan = replace(finished, out=tmp_path / "out", seeds=1)
    events = run_ablation(plan)
    for event in events:
        if event.index == 1 and isinstance(event, RunAdvanced) and isinstance(event.event, Stepped):
            break
    events.close()
    assert len(finished_results(plan)) == 1
    again = list(run_ablation(plan))
    assert isinstance(again[0], RunDone)
    assert again[0].earlier
    started = again[1]
    assert isinstance(started, RunAdvanced)
    assert isinstance(started.event, Started)
    assert started.event.step == 1
    whole = finished_results(finished)[:2]
    assert [r.scores for r in finished_results(plan)] == [r.scores for r in whole]


def test_a_run_that_was_stopped_early_is_no_result(finished: AblationPlan, tmp_path: Path) -> None:
    plan = replace(finished, out=tmp_path / "out", seeds=1)
    control = RunControl(answers=False)
    with pytest.raises(Cancelled):  # noqa: PT012
        for event in run_ablation(plan, control=control):
            if isinstance(event, RunAdvanced) and isinstance(event.event, Stepped):
                control.stop()
    assert finished_results(plan) == ()


def test_a_damaged_result_counts_as_none(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    for text in ("", "[]", '{"format": 1, "variant": "full"}', '{"format": 1'):
        path.write_text(text)
        assert read_result(path) is None
    path.write_text('{"format": 9}')
    with pytest.raises(InputError, match="another version"):
        read_result(path)


def test_results_of_other_settings_are_not_mixed_in(finished: AblationPlan) -> None:
    other = replace(finished, base=replace(finished.base, edge=7.0))
    with pytest.raises(InputError, match="other settings"):
        next(iter(run_ablation(other)))
    moved = replace(finished, validation=finished.data)
    with pytest.raises(InputError):
        next(iter(run_ablation(moved)))


def test_what_cannot_be_used_is_named(finished: AblationPlan, settings: Path) -> None:
    with pytest.raises(InputError, match="at least one"):
        next(iter(run_ablation(replace(finished, seeds=0))))
    with pytest.raises(InputError, match="no such folder"):
        pair_folders_of(finished.data / "none", "mif")
    with pytest.raises(InputError, match="for the task “mif”, not “mff”"):
        ablation_config("mff", 2, settings=settings)
    with pytest.raises(InputError, match="steps"):
        ablation_config("mif", 0)
    with pytest.raises(InputError, match=r"mff\.toml: its fused image is chosen by rule"):
        ablation_config("mff", 2)
    with pytest.raises(InputError, match="Unknown variant “no-idea”"):
        chosen_variants("full,no-idea", finished.base)
    with pytest.raises(InputError, match="do not use what it leaves out"):
        chosen_variants("no-truth", finished.base)


def test_all_means_every_variant_that_changes_something(finished: AblationPlan) -> None:
    names = chosen_variants("all", finished.base)
    assert names[:5] == MAIN
    assert "no-edge" in names
    assert "no-truth" not in names
    assert chosen_variants("no-bilevel, no-adapter", finished.base) == (
        "full",
        "no-adapter",
        "no-bilevel",
    )


def test_all_runs_share_one_number_format(
    finished: AblationPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "measured", lambda device: (2.0, 1.0))
    auto = replace(finished, base=replace(finished.base, precision="auto"), seeds=1)
    fresh = replace(auto, out=tmp_path / "out", variants=("full",), device="cpu")
    assert next(iter(run_ablation(fresh))).run.config.precision == "bf16"
    # What was done before counts, on whatever machine it was.
    again = list(run_ablation(auto))
    assert [(e.earlier, e.result.config.precision) for e in again if isinstance(e, RunDone)] == [
        (True, "fp32")
    ] * 2
