"""Choices that become transforms: of real pairs that do not line up, and of files and rigs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage.metrics import normalized_mutual_information

from core.alignment.aligning import (
    Aligned,
    RegistrationFailed,
    align_images,
    align_volumes,
    registration_record,
)
from core.alignment.choice import AlignChoice
from core.errors import InputError
from core.io import make_pair, read_sources
from core.io.transforms import write_transform
from core.messages import Message
from core.metrics import to_luma8
from core.missing_data import comparable
from core.registration import Registration
from core.types import Image, SourcePair, Transform, Volume


def shared_information(pair: SourcePair) -> float:
    """How much A tells about B, by another implementation than any of this program."""
    planes = [to_luma8(image.normalised()) for image in (pair.a, pair.b)]
    return float(normalized_mutual_information(*comparable(pair, *planes)))


@pytest.mark.parametrize("name", ["real_t5", "real_t58"])
def test_real_pairs_line_up_better_after_registration(shared_data: Path, name: str) -> None:
    folder = shared_data / "extra" / "misaligned_mff"
    if not folder.is_dir():
        pytest.skip("no pairs that do not line up in the shared data")
    a, b = read_sources(*(folder / side / f"{name}.png" for side in "ab"))
    found = align_images(AlignChoice("register", crop=True), a, b, "mff")
    assert found.transform is not None
    assert found.registration is not None
    assert found.transform.verdict == found.registration.verdict != "failed"
    pair = make_pair(a, b, task="mff", transform=found.transform)
    assert pair.valid is None
    # The same part of both, as they are.
    rows, columns = (
        slice((whole - part) // 2, (whole - part) // 2 + part)
        for whole, part in ((a.height, pair.a.height), (a.width, pair.a.width))
    )
    before = SourcePair(a.part((rows, columns)), b.part((rows, columns)))
    assert shared_information(pair) > 1.01 * shared_information(before)


def image(value: float = 0) -> Image:
    ramp = np.arange(48, dtype=np.float32).reshape(6, 8, 1) + value
    return Image(ramp, (0, 64))


def moved(*shift: float) -> Transform:
    matrix = np.eye(len(shift) + 1)
    matrix[:-1, -1] = shift
    return Transform.of("translation", matrix)


def found(verdict: str) -> Registration:
    return Registration(
        transform=moved(1, 2),
        spread=float("inf"),
        measure=Message("m"),
        before=0.1,
        after=float("-inf"),
        verdict=verdict,  # type: ignore[arg-type]
        reasons=(Message("Nothing is alike."), Message("All is dark.")),
    )


def test_nothing_is_done_unless_it_is_chosen() -> None:
    assert align_images(AlignChoice(), image(), image(1), "mff") == Aligned()
    assert Aligned().record is None
    assert Aligned().notes == ()


def test_a_failed_registration_is_an_error_with_its_reasons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.registration.registering.register", lambda *_, **__: found("failed"))
    with pytest.raises(RegistrationFailed, match=r"Nothing is alike\. All is dark\.") as failed:
        align_images(AlignChoice("register"), image(), image(1), "mff")
    assert failed.value.registration == found("failed")
    kept = align_images(AlignChoice("register", keep_failed=True), image(), image(1), "mff")
    assert kept.transform is None
    assert "taken as it is: Nothing is alike." in kept.notes[0]
    record = kept.record
    assert record is not None
    assert "transform" not in record
    # What is not finite is no number of JSON.
    assert record["registration"]["spread"] is record["registration"]["after"] is None
    assert registration_record(found("good"))["before"] == 0.1


def test_files_are_of_the_dimension_of_the_sources(tmp_path: Path) -> None:
    for name, transform in (("2.tfm", moved(1, 2)), ("3.tfm", moved(1, 2, 3))):
        write_transform(tmp_path / name, transform)
    volume = Volume(data=np.zeros((2, 3, 4), np.float32), affine=np.eye(4))
    flat, solid = (AlignChoice("file", name=str(tmp_path / name)) for name in ("2.tfm", "3.tfm"))
    with pytest.raises(InputError, match="these are pictures"):
        align_images(solid, image(), image(), "mff")
    with pytest.raises(InputError, match="these are volumes"):
        align_volumes(flat, volume, volume, "mif")
    with pytest.raises(InputError, match="two cameras"):
        align_volumes(AlignChoice("rig", name="m"), volume, volume, "mif")
    by = align_volumes(solid, volume, volume, "mif").transform
    assert by is not None
    assert (by.moving, by.transform) == ("a", moved(-1, -2, -3))
    assert align_images(flat, image(), image(), "mff").transform is not None


@pytest.mark.parametrize(
    "choice",
    [
        AlignChoice(),
        AlignChoice("register"),
        AlignChoice("register", "affine", onto="b", crop=True, keep_failed=True),
        AlignChoice("rig", name="a roof"),
        AlignChoice("file", name="/x y/t.tfm"),
    ],
)
def test_a_choice_is_one_text(choice: AlignChoice) -> None:
    again = AlignChoice.of_text(
        choice.text(), onto=choice.onto, crop=choice.crop, keep_failed=choice.keep_failed
    )
    assert again == choice


@pytest.mark.parametrize("text", ["", "guess", "rig", "file", "register bent"])
def test_other_texts_are_no_choice(text: str) -> None:
    with pytest.raises(InputError):
        AlignChoice.of_text(text)
    with pytest.raises(InputError):
        AlignChoice.of_text("none", onto="c")
