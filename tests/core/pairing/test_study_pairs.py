"""Which series are proposed for fusion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import MissingSlices, SeriesError
from core.io.volumes import list_series
from core.pairing.study_pairs import SeriesPlan, pair_series
from core.types import SeriesHeader


def _series(
    modality: Any,
    title: str = "",
    *,
    voxel: float = 2.0,
    extent: int = 100,
    z: float = 0.0,
    **fields: Any,
) -> SeriesHeader:
    """A cube of ``extent`` mm whose lowest slice is at ``z``."""
    affine = np.diag([voxel, voxel, voxel, 1.0])
    affine[2, 3] = z
    count = round(extent / voxel)
    given = {"frame_of_reference": "1.9", "patient": "p", "study": "s", "affine": affine}
    return SeriesHeader(
        "DICOM", modality, (count,) * 3, ((),), title=title or modality, **given | fields
    )


def _titles(plan: SeriesPlan) -> list[tuple[str, str]]:
    return [(pair.a.title, pair.b.title) for pair in plan.pairs]


def _left(plan: SeriesPlan) -> dict[str, str]:
    return {item.series.title: item.reason for item in plan.leftovers}


def test_pet_and_ct_go_with_mr() -> None:
    plan = pair_series([_series("MR"), _series("CT"), _series("PT"), _series("NM")])
    assert _titles(plan) == [("PT", "MR"), ("NM", "MR"), ("CT", "MR")]
    assert all(pair.same_frame for pair in plan.pairs)
    assert not plan.leftovers
    reason = "PET and MR of one patient in one frame of reference; MR covers 100 % of PET"
    assert plan.pairs[0].reason.startswith(reason)


def test_pet_goes_with_ct_where_there_is_no_mr() -> None:
    plan = pair_series([_series("CT"), _series("PT")])
    assert _titles(plan) == [("PT", "CT")]


def test_ct_of_the_same_frame_comes_before_mr_of_another() -> None:
    mr = _series("MR", frame_of_reference="2.0")
    plan = pair_series([mr, _series("CT"), _series("PT")])
    assert _titles(plan) == [("PT", "CT"), ("CT", "MR")]
    assert plan.pairs[0].others == (mr,)
    assert [pair.same_frame for pair in plan.pairs] == [True, False]
    assert "not registered" in plan.pairs[1].reason
    assert plan.pairs[1].coverage is None


def test_never_across_patients() -> None:
    plan = pair_series([_series("PT", patient="one"), _series("MR", patient="two")])
    assert not plan.pairs
    assert _left(plan) == {
        "PT": "the patient has no series of MR, CT",
        "MR": "the patient has no series of PET, SPECT, CT",
    }


def test_unknown_patients_need_one_frame_of_reference() -> None:
    pet = _series("PT", patient="")
    assert _titles(pair_series([pet, _series("MR")])) == [("PT", "MR")]
    plan = pair_series([pet, _series("MR", frame_of_reference="2.0")])
    assert not plan.pairs
    assert "its patient is not known" in _left(plan)["PT"]
    nameless = pair_series(
        [
            _series("PT", patient="", frame_of_reference=""),
            _series("MR", patient="", frame_of_reference=""),
        ]
    )
    assert not nameless.pairs


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"study": "s"}, {"study": "t", "voxel": 1.0}),
        ({"extent": 100}, {"extent": 50, "voxel": 1.0}),
        ({"voxel": 1.0}, {"voxel": 2.0}),
        ({}, {"frame_of_reference": "7", "voxel": 1.0}),
        ({}, {"problem": MissingSlices("x", "a slice is missing"), "voxel": 1.0}),
        ({}, {"title": "Head_MRAC_uMap", "voxel": 1.0}),
    ],
)
def test_the_best_of_several(better: dict[str, Any], worse: dict[str, Any]) -> None:
    good = _series("MR", **{"title": "good"} | better)
    bad = _series("MR", **{"title": "bad"} | worse)
    for order in ([good, bad], [bad, good]):
        plan = pair_series([*order, _series("PT")])
        assert plan.pairs[0].b is good
        assert plan.pairs[0].others == (bad,)
        assert "the best of 2" in plan.pairs[0].reason
        assert _left(plan) == {bad.title: "“good” suits PET better"}


@pytest.mark.parametrize(
    ("modality", "title", "reason"),
    [
        ("MR", "3-plane Localizer", "overview"),
        ("CT", "Topogram 0.6", "overview"),
        ("MR", "t1_scout", "overview"),
        ("PT", "WB MIP", "made of other series"),
        ("PT", "PET_NAC", "not attenuation corrected"),
        ("PT", "WB uncorrected", "not attenuation corrected"),
        ("OT", "photo", "do not say"),
    ],
)
def test_what_is_left(modality: Any, title: str, reason: str) -> None:
    plan = pair_series([_series("PT", "WB AC"), _series("MR", "T1"), _series(modality, title)])
    assert _titles(plan) == [("WB AC", "T1")]
    assert reason in _left(plan)[title]


def test_words_are_whole_words() -> None:
    """“nac” in “Banach”, “loc” in “block” are no words."""
    plan = pair_series([_series("PT", "Banach"), _series("MR", "block T1")])
    assert _titles(plan) == [("Banach", "block T1")]


def test_the_only_pet_is_proposed_though_uncorrected() -> None:
    plan = pair_series([_series("PT", "NAC"), _series("MR")])
    assert _titles(plan) == [("NAC", "MR")]
    assert plan.pairs[0].reason.endswith("PET is not attenuation corrected")


def test_series_that_make_no_volume() -> None:
    broken = _series("MR", "broken", problem=SeriesError("x", "two slices are at the same place"))
    flat = _series("MR", "flat", affine=None)
    coloured = _series("PT", "coloured", samples=3)
    plan = pair_series([broken, flat, coloured, _series("PT")])
    assert not plan.pairs
    left = _left(plan)
    assert left["broken"] == "two slices are at the same place"
    assert left["flat"] == "its place in the patient is not known"
    assert "in colour" in left["coloured"]


def test_series_that_share_no_place() -> None:
    plan = pair_series([_series("PT"), _series("MR", z=500.0)])
    assert not plan.pairs
    assert "shares its place" in _left(plan)["PT"]


def test_an_accepted_problem_is_in_the_reason() -> None:
    gap = MissingSlices("x", "1 slice is missing, at 3 mm")
    plan = pair_series([_series("PT", problem=gap), _series("MR")])
    assert "PET: 1 slice is missing, at 3 mm" in plan.pairs[0].reason


def test_every_series_is_somewhere() -> None:
    series = [_series(m, f"{m}{n}") for m in ("PT", "MR", "CT", "NM", "OT") for n in range(2)]
    plan = pair_series(series)
    named = {one.title for pair in plan.pairs for one in (pair.a, pair.b)} | set(_left(plan))
    assert named == {one.title for one in series}


def test_real_series(shared_data: Path) -> None:
    folder = shared_data / "clinical"
    if not (folder / "sts_petmr_ct").is_dir():
        pytest.skip("no clinical files beside the real pairs")
    found = list_series([folder / "sts_petmr_ct" / "dicom", folder / "dicom_synthetic"]).series
    plan = pair_series(found)
    kinds = [(pair.a.modality, pair.b.modality) for pair in plan.pairs]
    assert sorted(kinds) == [("CT", "MR"), ("PT", "MR"), ("PT", "MR")]
    assert all(pair.same_frame and pair.a.patient == pair.b.patient for pair in plan.pairs)
    assert not plan.leftovers
