"""Evaluation of a benchmark by its descriptor: its split, its groups, and what is no pair of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.evaluation.groups import grouped_summary
from core.evaluation.pairs import find_evaluation_pairs
from core.evaluation.plan import EvaluationPlan, MethodChoice
from core.pairing.dataset_descriptor import get_descriptor
from tests.core.evaluation.test_folders import evaluated, noise, write

MSRS = get_descriptor("msrs")
TEST, TRAIN = ("00004N", "00055D", "00061D"), ("00001D",)


@pytest.fixture
def msrs(tmp_path: Path) -> Path:
    """Three pairs of the test split and one of training, with a picture that is in no folder."""
    folder = tmp_path / "MSRS"
    for split, names in (("test", TEST), ("train", TRAIN)):
        for index, name in enumerate(names):
            write(folder / split / "ir" / f"{name}.png", noise(index))
            write(folder / split / "vi" / f"{name}.png", noise(index + 10))
    write(folder / "example.png", noise(50))
    return folder


def test_pairs_of_the_split_with_their_groups(msrs: Path) -> None:
    found = find_evaluation_pairs(msrs, "ivif", dataset=MSRS)
    assert [(Path(pair.name).name, pair.group) for pair in found.pairs] == [
        ("00004N", "night"), ("00055D", "day"), ("00061D", "day"),
    ]  # fmt: skip
    assert found.pairs[0].a == msrs / "test" / "ir" / "00004N.png"
    whole = find_evaluation_pairs(msrs, "ivif", dataset=MSRS, split="all")
    assert len(whole.pairs) == 4
    (lone,) = find_evaluation_pairs(msrs, "ivif", dataset=MSRS, split="train").pairs
    assert lone.b == msrs / "train" / "vi" / "00001D.png"
    with pytest.raises(InputError, match="Choose one of: test, train, all"):
        find_evaluation_pairs(msrs, "ivif", dataset=MSRS, split="val")


def test_results_in_the_folder_of_the_data_set_are_a_method_and_no_sources(msrs: Path) -> None:
    for index, name in enumerate(TEST):
        write(msrs / "fused" / f"{name}.png", noise(index))
    plan = EvaluationPlan(
        msrs,
        [MethodChoice("folder", str(msrs / "fused"), "A"), MethodChoice("classical", "average")],
        ("CC", "MSE"),
        task="ivif",
        dataset=MSRS,
    )
    result = evaluated(plan)
    assert result.settings["data set"] == "MSRS"
    assert all(len(scores.scored()) == 3 for scores in result.methods)
    summaries = grouped_summary(result)
    assert [(found.group, found.pairs) for found in summaries] == [
        ("", 3), ("day", 2), ("night", 1),
    ]  # fmt: skip
    # Source A itself: its squared error is that to B, halved with the one to A, which is none.
    night = summaries[2].rows[0].cells["MSE"].mean
    difference = (noise(0).astype(float) - noise(10)) / 255
    assert night == pytest.approx((difference**2).mean() / 2)
