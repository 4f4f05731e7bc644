"""Rigs: kept under a name, and made for other sizes of the same cameras."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.alignment.rigs import (
    Rig,
    add_rig,
    find_rig,
    list_rigs,
    remove_rig,
    rename_rig,
    rig_folder,
    scaled,
)
from core.errors import InputError, OutputError, RigExists
from core.io import make_pair
from core.types import Image, PairTransform, Transform


def rigid(degrees: float, x: float, y: float) -> Transform:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return Transform.of("rigid", [[c, -s, x], [s, c, y], [0, 0, 1]])


def rig(name: str = "roof camera", **more: object) -> Rig:
    values = {
        "transform": rigid(3, 12.5, -4),
        "moving": "b",
        "size_a": (640, 512),
        "size_b": (1280, 960),
    }
    return Rig(name=name, **(values | more))  # type: ignore[arg-type]


# --- sizes ---------------------------------------------------------------------------------------


def test_pictures_of_its_own_sizes_get_its_transform():
    one = rig()
    by = one.transform_for((640, 512), (1280, 960))
    assert by == PairTransform(one.transform, "b", origin="rig", name="roof camera")


def test_scaled_pictures_are_mapped_as_the_whole_ones_are():
    """A point keeps its place in the scene: half sizes are means of 2×2 pixels."""
    one = rig()
    by = one.transform_for((320, 256), (2560, 1920))
    assert by.transform.kind == "similarity"
    points = np.array([[0.0, 0], [100, 30], [319, 255]])
    whole = (points + 0.5) * 2 - 0.5
    wanted = (one.transform.apply(whole) + 0.5) * 2 - 0.5
    assert by.transform.apply(points) == pytest.approx(wanted)


def test_a_pair_scaled_alike_stays_rigid():
    by = rig().transform_for((1280, 1024), (2560, 1920))
    assert by.transform.kind == "rigid"
    assert by.transform.parts().angles == pytest.approx((3,))
    # The centre of the first pixel is half a pixel inside, before and after.
    back = scaled(by.transform, (0.5, 0.5), (0.5, 0.5))
    assert back.array == pytest.approx(rig().transform.array)


def test_sizes_rounded_to_whole_pixels_are_in_proportion():
    rig().transform_for((213, 171), (427, 320))  # a third: 213.3×170.7 and 426.7×320


def test_rounded_sizes_scale_each_axis_by_itself():
    """Half of 640×427 is 320×213: the last pixel of the one lies at 638.5, 425.498 of the other.

    (319 + ½) · 640/320 - ½ = 638.5 and (212 + ½) · 427/213 - ½ = 425.49765; one factor for both,
    √(320·213 / 640·427), would lead to 639.25, 425.0.
    """
    size = (640, 427)
    one = rig(transform=rigid(0, 0, 0), size_a=size, size_b=size)
    by = one.transform_for((320, 213), size).transform
    assert by.kind == "affine"
    assert by.apply([319, 212]) == pytest.approx([638.5, 425.4976526], abs=1e-6)
    assert by.apply([0, 0]) == pytest.approx([0.5, 0.5023474], abs=1e-6)
    # The other way, B is the smaller one; (638.5, 425.498) is where its last pixel lies.
    by = one.transform_for(size, (320, 213)).transform
    assert by.apply([638.5, 425.4976526]) == pytest.approx([319, 212], abs=1e-6)


def test_the_kind_is_the_least_that_holds_what_is_scaled():
    size, half = (640, 427), (320, 213)
    for transform, kind in (
        (Transform.of("translation", [[1, 0, 6], [0, 1, 4], [0, 0, 1]]), "translation"),
        (rigid(10, 6, 4), "affine"),  # turned between axes of two scales: no longer a rotation
        (Transform.of("homography", [[1, 0, 6], [0, 1, 4], [1e-4, 0, 1]]), "homography"),
    ):
        one = rig(transform=transform, size_a=size, size_b=size)
        by = one.transform_for(half, half).transform
        assert by.kind == kind
        points = np.array([[0.0, 0], [319, 212], [100, 50]])
        factors = np.array([640 / 320, 427 / 213])
        wanted = (transform.apply((points + 0.5) * factors - 0.5) + 0.5) / factors - 0.5
        assert by.apply(points) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("size_a", "size_b", "side"),
    [((640, 480), (1280, 960), "A of 640×512"), ((640, 512), (1280, 1024), "B of 1280×960")],
)
def test_other_proportions_are_refused(size_a, size_b, side):
    with pytest.raises(InputError, match=f"roof camera.*{side}") as refused:
        rig().transform_for(size_a, size_b)
    assert "register" in refused.value.remedy


def test_the_moving_source_may_be_a():
    one = rig(moving="a", transform=rigid(0, 10, 0))
    by = one.transform_for((1280, 1024), (1280, 960))  # A twice as large, B as it was
    # Fixed is B: a shift of 10 pixels of A is one of 20 of the larger one.
    assert by.moving == "a"
    assert by.transform.apply([0, 0])[0] - by.transform.apply([-10, 0])[0] == pytest.approx(20)
    assert by.transform.apply([0, 0])[0] == pytest.approx(20.5)


def test_a_scaled_rig_lays_real_pixels_on_each_other():
    whole = np.random.default_rng(1).uniform(0, 100, (64, 80)).astype(np.float32)
    a, b = whole[8:40, 8:56], whole[4:44, 0:64]
    one = rig(
        transform=Transform.of("translation", [[1, 0, 8], [0, 1, 4], [0, 0, 1]]),
        size_a=(96, 64),
        size_b=(128, 80),
    )
    half = [Image(part[..., None], (0, 100), 32) for part in (a, b)]
    pair = make_pair(*half, transform=one.transform_for(half[0].size, half[1].size))
    # Half of (8, 4) of the large pictures, in pixels of the small ones: (4, 2) — not the (8, 4)
    # by which these two lie to each other.
    np.testing.assert_allclose(pair.b.data, whole[6:38, 4:52, None], rtol=1e-6)


# --- on disk -------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))


def test_what_is_added_is_found_listed_renamed_and_removed():
    assert list_rigs() == ((), ())
    add_rig(rig())
    other = rig("Tripod/Überblick", moving="a", transform=Transform.identity())
    add_rig(other)
    assert find_rig("roof camera") == rig()
    assert [one.name for one in list_rigs()[0]] == ["roof camera", "Tripod/Überblick"]
    assert rename_rig("roof camera", " mast ") == rig("mast")
    assert {one.name for one in list_rigs()[0]} == {"mast", "Tripod/Überblick"}
    remove_rig("mast")
    assert list_rigs()[0] == (other,)
    assert len(list(rig_folder().iterdir())) == 1


def test_a_rig_that_moves_one_picture_off_the_other_is_not_kept():
    # A is 640 pixels wide: at 640 past its left border, B's last column is just out of sight.
    for moving, shift in (("b", 1280), ("b", -640), ("a", 640), ("a", 5000)):
        by = Transform.of("translation", [[1, 0, shift], [0, 1, 0], [0, 0, 1]])
        with pytest.raises(InputError, match=r"far.*off the other one"):
            add_rig(rig("far", transform=by, moving=moving))
    assert list_rigs() == ((), ())
    for moving, shift in (("b", 1279), ("b", -639), ("a", 639)):
        by = Transform.of("translation", [[1, 0, shift], [0, 1, 0], [0, 0, 1]])
        add_rig(rig("near", transform=by, moving=moving), overwrite=True)


def test_homographies_are_kept_exactly():
    bent = Transform.of("homography", [[1.1, 0.02, 3], [0.01, 0.9, 2], [1e-4, -1 / 3e4, 1]])
    add_rig(rig(transform=bent))
    assert find_rig("roof camera").transform == bent


def test_a_name_is_taken_once():
    add_rig(rig())
    with pytest.raises(InputError, match="there is a rig of that name"):
        add_rig(rig(moving="a"))
    assert find_rig("roof camera").moving == "b"
    add_rig(rig(moving="a"), overwrite=True)
    assert find_rig("roof camera").moving == "a"
    add_rig(rig("other"))
    with pytest.raises(InputError, match="there is a rig of that name"):
        rename_rig("other", "roof camera")
    assert {one.name for one in list_rigs()[0]} == {"other", "roof camera"}
    assert rename_rig("other", "other") == rig("other")


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_names_are_printable(name):
    with pytest.raises(InputError, match="printable"):
        rig(name)


def test_rigs_are_of_pictures():
    with pytest.raises(InputError, match="volumes"):
        rig(transform=Transform.identity(3))


def test_a_missing_rig_names_those_there_are():
    with pytest.raises(InputError, match="there are: none"):
        find_rig("x")
    add_rig(rig())
    for call in (find_rig, remove_rig):
        with pytest.raises(InputError, match="there are: roof camera"):
            call("x")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"format": "unifusion rig", "version": 9}',
        b'{"format": "unifusion rig", "version": 1, "name": 3, "moving": "a"}',
    ],
)
def test_broken_files_are_listed_and_cost_no_other_rig(content):
    add_rig(rig())
    (rig_folder() / "broken.json").write_bytes(content)
    good, broken = list_rigs()
    assert good == (rig(),)
    assert [one.path.name for one in broken] == ["broken.json"]
    assert "broken.json" in broken[0].reason
    remove_rig("roof camera")
    assert list_rigs()[0] == ()


@pytest.mark.parametrize(
    "change",
    [
        {"size_a": [0, 5]},
        {"size_b": [5]},
        {"size_b": "ab"},
        {"transform": {"format": "unifusion transform", "version": 1}},
        {"transform": None},
        {"moving": "c"},
    ],
)
def test_a_changed_file_is_no_rig(change):
    add_rig(rig())
    (path,) = rig_folder().iterdir()
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    good, broken = list_rigs()
    assert good == ()
    assert len(broken) == 1


def test_a_folder_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "home").write_text("a file")
    with pytest.raises(OutputError):
        add_rig(rig())


def test_a_rig_in_a_file_of_another_name_is_not_doubled(tmp_path):
    add_rig(rig(), tmp_path)
    (file,) = tmp_path.glob("*.json")
    file.rename(tmp_path / "from the other computer.json")
    with pytest.raises(RigExists) as raised:
        add_rig(rig(transform=rigid(0, 1, 0)), tmp_path)
    assert raised.value.name == "roof camera"
    add_rig(rig(transform=rigid(0, 1, 0)), tmp_path, overwrite=True)
    assert [one.transform for one in list_rigs(tmp_path)[0]] == [rigid(0, 1, 0)]
