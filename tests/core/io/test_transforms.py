"""Transforms in files: what is written is what was meant, for this program and for ITK."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.errors import InputError, OutputError
from core.io.transforms import (
    TRANSFORM_SUFFIXES,
    read_transform,
    write_transform,
)
from core.types import Transform
from core.types.transform_data import transform_data, transform_from_data

sitk = pytest.importorskip("SimpleITK")

_POINTS = {
    2: np.array([[0.0, 0], [640, 480], [-12.5, 3.25]]),
    3: np.array([[0.0, 0, 0], [120, -80, 45.5], [-3, 7, 1000]]),
}


def homogeneous(linear: np.ndarray, shift: list[float]) -> np.ndarray:
    n = len(shift)
    matrix = np.eye(n + 1)
    matrix[:n, :n], matrix[:n, n] = linear, shift
    return matrix


_TURNED = Rotation.from_euler("xyz", [20, -35, 160], degrees=True).as_matrix()
_IN_PLANE = Rotation.from_euler("z", 25, degrees=True).as_matrix()[:2, :2]
_SKEWED = np.array([[1.1, 0.2, 0.0], [-0.1, 0.8, 0.05], [0.3, 0.0, 0.9]])
_ALL = [
    Transform.of("translation", homogeneous(np.eye(2), [3.5, -2.25])),
    Transform.of("rigid", homogeneous(_IN_PLANE, [10, 20])),
    Transform.of("similarity", homogeneous(1.4 * _IN_PLANE, [-7, 0.1])),
    Transform.of("affine", homogeneous(_SKEWED[:2, :2], [4, 5])),
    Transform.of("translation", homogeneous(np.eye(3), [1, 2, 3])),
    Transform.of("rigid", homogeneous(_TURNED, [10, -20, 30])),
    Transform.of("similarity", homogeneous(0.7 * _TURNED, [10, -20, 30])),
    Transform.of("affine", homogeneous(_SKEWED, [4, 5, 6])),
]
_HOMOGRAPHY = Transform.of("homography", [[1.1, 0, 3], [0, 0.9, 2], [1e-4, 0, 1]])


def named(transform: Transform) -> str:
    return f"{transform.kind}-{transform.dimension}"


@pytest.mark.parametrize("transform", _ALL, ids=named)
@pytest.mark.parametrize("centred", [False, True])
def test_itk_maps_points_as_the_transform_does(tmp_path, transform, centred):
    path, points = tmp_path / "t.tfm", _POINTS[transform.dimension]
    write_transform(path, transform, points[1] if centred else None)
    theirs = sitk.ReadTransform(str(path))
    mapped = [theirs.TransformPoint(point.tolist()) for point in points]
    assert transform.apply(points) == pytest.approx(np.array(mapped), abs=1e-9)
    if centred and transform.kind != "translation":
        centre = theirs.Downcast().GetCenter()
        assert centre == pytest.approx(points[1])


@pytest.mark.parametrize("transform", [*_ALL, _HOMOGRAPHY], ids=named)
@pytest.mark.parametrize("suffix", TRANSFORM_SUFFIXES)
def test_what_is_written_is_read(tmp_path, transform, suffix):
    path = tmp_path / f"t{suffix}"
    if transform.kind == "homography" and suffix != ".json":
        with pytest.raises(OutputError, match="homographies"):
            write_transform(path, transform)
        assert not path.exists()
        return
    write_transform(path, transform)
    read = read_transform(path)
    assert read.kind == transform.kind
    assert read.array == pytest.approx(transform.array, abs=1e-12)
    if suffix == ".json":
        assert read == transform


def test_every_rotation_survives(tmp_path):
    path = tmp_path / "t.tfm"
    for linear in Rotation.random(20, rng=3).as_matrix():
        for kind, scale in (("rigid", 1.0), ("similarity", 2.5)):
            transform = Transform.of(kind, homogeneous(scale * linear, [1, 2, 3]))
            write_transform(path, transform)
            assert read_transform(path).array == pytest.approx(transform.array, abs=1e-9)


@pytest.mark.parametrize("axis", [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [-1, 2, 3]])
def test_half_turns_survive(tmp_path, axis):
    turn = Rotation.from_rotvec(math.pi * np.array(axis) / np.linalg.norm(axis)).as_matrix()
    for kind in ("rigid", "similarity"):
        transform = Transform.of(kind, homogeneous(turn, [0, 0, 0]))
        path = tmp_path / "t.tfm"
        write_transform(path, transform)
        theirs = sitk.ReadTransform(str(path))
        mapped = [theirs.TransformPoint(point.tolist()) for point in _POINTS[3]]
        # ITK shortens versors of half turns by 1e-10, which turns by 1.4e-5 radians.
        within = 1e-9 if kind == "rigid" else 0.03
        assert np.array(mapped) == pytest.approx(transform.apply(_POINTS[3]), abs=within)
        assert read_transform(path).array == pytest.approx(transform.array, abs=1e-9)


def of_itk() -> list[object]:
    versor = sitk.VersorRigid3DTransform((0, 1, 0), 0.7, (1, 2, 3), (10, 20, 30))
    zyx = sitk.Euler3DTransform((5, 6, 7), 0.1, 0.2, 0.3, (1, 2, 3))
    zyx.SetComputeZYX(True)
    turn = sitk.Euler2DTransform((4, 5), 0.3, (1, 2))
    moved = sitk.TranslationTransform(2, (100, 0))
    return [
        versor,
        zyx,
        sitk.Similarity3DTransform(1.3, (0, 0, 1), -2.5, (1, 2, 3), (9, 8, 7)),
        sitk.Similarity2DTransform(0.8, -3.0, (5, 6), (40, 30)),
        sitk.AffineTransform([1, 0.2, 0, 0.9], [3, 4], [50, 60]),
        sitk.Transform(3, sitk.sitkIdentity),
        sitk.CompositeTransform([moved, turn, turn]),
        sitk.CompositeTransform([zyx, versor]),
    ]


@pytest.mark.parametrize("number", range(8))
def test_what_itk_writes_is_read(tmp_path, number):
    theirs = of_itk()[number]
    sitk.WriteTransform(theirs, str(tmp_path / "t.tfm"))
    mine = read_transform(tmp_path / "t.tfm")
    points = _POINTS[theirs.GetDimension()]
    mapped = [theirs.TransformPoint(point.tolist()) for point in points]
    assert mine.apply(points) == pytest.approx(np.array(mapped), abs=1e-9)


_HEAD = "#Insight Transform File V1.0\n#Transform 0\n"
_GOOD = transform_data(_HOMOGRAPHY)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "holds no transform"),
        (b"hello", "holds no transform"),
        (b"\x89PNG\r\n\xff\xfe", "not a text file"),
        (b"{", "holds no transform"),
        (b"{}", "holds no transform"),
        (b'{"format": "unifusion transform", "version": 2}', "newer version"),
        (json.dumps(_GOOD | {"matrix": [[1, 0], [0, 1]]}).encode(), "3×3"),
        (json.dumps(_GOOD | {"matrix": [[1, "0", 0]] * 3}).encode(), "holds no transform"),
        (json.dumps(_GOOD | {"matrix": [[0, 0, 0]] * 3}).encode(), "last row"),
        (json.dumps(_GOOD | {"matrix": [[math.nan, 0, 0]] * 3}).encode(), "not finite"),
        (json.dumps(_GOOD | {"matrix": [[10**400, 0, 0]] * 3}).encode(), "holds no transform"),
        (json.dumps(_GOOD | {"kind": "bent"}).encode(), "no kind"),
        (json.dumps(_GOOD | {"kind": ["rigid"]}).encode(), "no kind"),
        (_HEAD.encode(), "holds no transform"),
        (
            f"{_HEAD}Transform: BSplineTransform_double_3_3\nParameters: 1\n"
            "FixedParameters:\n".encode(),
            "BSpline",
        ),
        (
            f"{_HEAD}Transform: Euler3DTransform_double_2_2\nParameters: 1\n"
            "FixedParameters:\n".encode(),
            "Euler3D",
        ),
        (
            f"{_HEAD}Transform: Euler2DTransform_double_2_2\nParameters: 1\n"
            "FixedParameters:\n".encode(),
            "holds no",
        ),
        (
            f"{_HEAD}Transform: Euler2DTransform_double_2_2\nParameters: 1 x 3\n".encode(),
            "holds no transform",
        ),
        (
            f"{_HEAD}Transform: AffineTransform_double_2_2\n"
            "Parameters: 0 0 0 0 1 1\nFixedParameters: 0 0\n".encode(),
            "no inverse",
        ),
        (
            f"{_HEAD}Transform: VersorRigid3DTransform_double_3_3\n"
            "Parameters: 1 1 1 0 0 0\nFixedParameters: 0 0 0\n".encode(),
            "holds no transform",
        ),
        (b"{" + b" " * (1 << 20), "too large"),
    ],
)
def test_broken_files_are_explained(tmp_path, content, why):
    path = tmp_path / "broken.tfm"
    path.write_bytes(content)
    with pytest.raises(InputError, match=why) as refused:
        read_transform(path)
    assert refused.value.what == str(path)
    assert refused.value.remedy


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    file, marked = tmp_path / "plain.tfm", tmp_path / "marked.tfm"
    write_transform(file, _ALL[0])
    marked.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert read_transform(marked) == read_transform(file)


def test_a_file_that_is_cut_off_says_so(tmp_path):
    path = tmp_path / "t.tfm"
    turned = Transform.of("similarity", [[1.5, 0.5, 20], [-0.5, 1.5, 3], [0, 0, 1]])
    write_transform(path, turned, (24, 19))
    whole = path.read_bytes()
    start = whole.index(b"Transform: Similar") + 1
    # Up to the first digit of the last number, from which on nobody can tell.
    end = whole.rindex(b" 19.0") + 1
    for length in range(start, end):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="cut off or damaged") as refused:
            read_transform(path)
        assert refused.value.what == str(path)
        assert "Copy it again" in refused.value.remedy
    path.write_bytes(whole.rstrip())
    assert read_transform(path).array == pytest.approx(turned.array)


def test_files_that_are_not_there_are_explained(tmp_path):
    with pytest.raises(InputError, match="missing"):
        read_transform(tmp_path / "missing.tfm")
    with pytest.raises(InputError, match="folder"):
        read_transform(tmp_path)


def test_an_unknown_suffix_and_a_missing_folder_are_refused(tmp_path):
    with pytest.raises(OutputError, match="tfm"):
        write_transform(tmp_path / "t.mat", _ALL[0])
    with pytest.raises(OutputError, match="does not exist"):
        write_transform(tmp_path / "none" / "t.tfm", _ALL[0])
    assert not any(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "t.tfm"
    write_transform(path, _ALL[1])
    before = path.read_bytes()
    with pytest.raises(OutputError):
        write_transform(path, _HOMOGRAPHY)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.tfm"]


def test_values_for_json_are_plain():
    for transform in (*_ALL, _HOMOGRAPHY):
        assert transform_from_data(json.loads(json.dumps(transform_data(transform)))) == transform
