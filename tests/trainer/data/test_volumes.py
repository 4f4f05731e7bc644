"""Slices out of volumes: which are trained on, what the network is shown, who is on which side."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from core.fusion.color import split
from core.fusion.slices import align, slice_pair
from core.io import write_image
from core.io.volumes import load_study_volume
from core.pairing.plan import Match
from core.tasks import get_task
from tests.core.io.studies import write_mr, write_pet, write_study
from trainer.config.config import TrainConfig
from trainer.config.run_plan import RunPairs
from trainer.data.pair_reader import EmptySlice, PairReader
from trainer.data.pairs import find_pairs, fingerprint
from trainer.data.preflight import run_preflight
from trainer.data.sampler import read_pairs
from trainer.data.split import group_split, predefined_split

POLICY = get_task("mif").colour


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four patients, two of them with pictures as well."""
    folder = tmp_path_factory.mktemp("export")
    for number in range(1, 5):
        write_study(folder / f"sub-0{number}" / "dicom", f"ID-{number}x")
    pixels = np.random.default_rng(1).random((16, 16, 1), np.float32)
    for number in (1, 3, 9):
        for side in ("pet", "mri"):
            path = folder / f"sub-0{number}" / "png" / f"s1_{side}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, pixels, bit_depth=8)
    return folder


def _found(folder: Path, distance: float = 5.0) -> tuple[Match, ...]:
    return find_pairs(folder, "mif", distance=distance).matches


def test_every_second_slice_at_twice_their_distance(export: Path) -> None:
    slices = [match for match in _found(export / "sub-01" / "dicom") if match.study]
    assert [match.index for match in slices] == [1, 3, 5, 7, 9]  # slices of 2.5 mm
    assert slices[0].name.endswith("_002")
    every = _found(export / "sub-01" / "dicom", 0)
    assert [match.index for match in every] == list(range(10))


def test_a_slice_is_what_fuse_gives_the_network(export: Path) -> None:
    match = _found(export / "sub-02")[2]
    study = match.study
    assert study is not None
    assert match.index is not None
    read = read_pairs([match], POLICY, task="mif").pairs[0]
    volumes = align(load_study_volume(study.a), load_study_volume(study.b))
    parts = split(slice_pair(volumes, "axial", match.index), POLICY)
    missing = parts.missing
    a = parts.a if missing is None else missing.filled(parts.a, ~missing.valid_a)
    b = parts.b if missing is None else missing.filled(parts.b, ~missing.valid_b)
    np.testing.assert_array_equal(read.a, np.round(a * 65535).astype(np.uint16))
    np.testing.assert_array_equal(read.b, np.round(b * 65535).astype(np.uint16))


def test_slices_that_show_nothing_are_skipped_and_counted(tmp_path: Path) -> None:
    write_pet(tmp_path / "PET")  # 24 mm
    write_mr(tmp_path / "MR", slices=20)  # 50 mm, 2.5 mm each
    report = run_preflight(
        RunPairs(tmp_path, share=0.2), TrainConfig(task="mif", slice_distance=2.5)
    )
    assert 5 <= report.pairs <= 10
    skipped = next(text for text in report.warnings if "skipped" in text)
    assert skipped.startswith(f"{20 - report.pairs} slices are skipped")
    assert not report.unreadable
    assert any(
        text.startswith(f"Volumes: {report.pairs} slices out of 1 pairs of series of 1 patients")
        for text in report.warnings
    )
    last = find_pairs(tmp_path, "mif", distance=0).matches[-1]
    with pytest.raises(EmptySlice):
        PairReader("mif").read(last)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.8])
def test_a_patient_is_on_one_side_as_volume_and_as_picture(export: Path, share: float) -> None:
    matches = _found(export)
    division = group_split(matches, share, "mif")
    assert (division.by, division.groups) == ("patient", 5)
    sides = [{_person(match) for match in part} for part in (division.train, division.validation)]
    assert all(sides)
    assert not sides[0] & sides[1]
    assert len(division.train) + len(division.validation) == len(matches)


def _person(match: Match) -> str:
    return next(part for part in match.a.parts if part.startswith("sub-"))


def test_split_and_order_do_not_depend_on_keys_or_place(export: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(export, moved)
    sides = []
    for folder in (export, moved):
        matches = _found(folder)
        if folder is moved:
            matches = tuple(map(_with_other_keys, matches))
        division = group_split(matches, 0.3, "mif")
        sides.append([(_person(m), m.index) for m in (*division.train, *division.validation)])
    assert sides[0] == sides[1]


def _with_other_keys(match: Match) -> Match:
    if match.study is None:
        return match
    a, b = (replace(one, patient=f"other{one.patient}") for one in (match.study.a, match.study.b))
    return replace(match, study=_known.setdefault(id(match.study), replace(match.study, a=a, b=b)))


_known: dict[int, object] = {}


def test_a_validation_folder_with_a_patient_of_training_is_told(export: Path) -> None:
    one = _found(export / "sub-01" / "dicom")
    division = predefined_split(one, one[:1], "mif")
    assert "1 patient is on both sides" in division.note


def test_broken_series_are_left_out_once_with_the_reason(tmp_path: Path) -> None:
    write_study(tmp_path / "good", "A")
    tags = {"PatientID": "G", "FrameOfReferenceUID": "1.2.8"}
    write_pet(tmp_path / "gap" / "PET", places=[0, 1, 4, 5], **tags)
    write_mr(tmp_path / "gap" / "MR", **tags)
    found = find_pairs(tmp_path, "mif")
    reasons = [item.reason for item in found.unpaired]
    assert len(reasons) == 1
    assert "2 slices are missing" in reasons[0]
    with pytest.raises(InputError, match="slices are missing"):
        find_pairs(tmp_path / "gap", "mif")


def test_the_fingerprint_tells_slices_and_files(export: Path) -> None:
    matches = _found(export / "sub-01" / "dicom")
    assert fingerprint(matches, False) == fingerprint(matches, False)
    assert fingerprint(matches, False) != fingerprint(matches[1:], False)
