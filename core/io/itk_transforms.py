"""ITK's text format of transforms, “Insight Transform File V1.0”.

===========  ============================================  =======================================
kind         written as                                    also read
===========  ============================================  =======================================
translation  TranslationTransform                          IdentityTransform
rigid        Euler2DTransform, Euler3DTransform            Rigid2DTransform, VersorRigid3DTransform
similarity   Similarity2DTransform, Similarity3DTransform
affine       AffineTransform                               MatrixOffsetTransformBase
===========  ============================================  =======================================

A file of several transforms, such as those of a CompositeTransform, is read as their composition in
ITK's order: the last one is applied first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from core.errors import InputError, Message
from core.types import Transform, TransformKind
from core.types.transform import Matrix, euler_angles

_HEADER = "#Insight Transform File V1.0"

_Parameters = Sequence[float]


@dataclass(frozen=True)
class _ItkType:
    """How the parameters of a type of ITK become a linear part and a translation.

    ``fixed``: numbers of fixed parameters that may be there; the first ones are the centre.
    """

    kind: TransformKind
    parameters: int
    linear: Callable[[_Parameters, _Parameters], Matrix]
    translation: slice
    fixed: tuple[int, ...]


def _unit(dimension: int) -> Callable[[_Parameters, _Parameters], Matrix]:
    return lambda _parameters, _fixed: np.eye(dimension)


def _plane_rotation(angle: float) -> Matrix:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s], [s, c]])


def _euler_rotation(parameters: _Parameters, fixed: _Parameters) -> Matrix:
    x, y, z = parameters[:3]
    about_z = np.eye(3)
    about_z[:2, :2] = _plane_rotation(z)
    about_x = np.eye(3)
    about_x[1:, 1:] = _plane_rotation(x)
    about_y = np.eye(3)
    about_y[::2, ::2] = _plane_rotation(-y)
    is_zyx = len(fixed) > 3 and fixed[3] != 0
    return about_z @ about_y @ about_x if is_zyx else about_z @ about_x @ about_y


def _versor_rotation(versor: _Parameters) -> Matrix:
    """Of the vector part of a unit quaternion whose real part is not negative."""
    x, y, z = versor
    square = x * x + y * y + z * z
    if square > 1 + 1e-9:
        raise ValueError("not a versor")
    w = math.sqrt(max(0.0, 1 - square))
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def _versor(rotation: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """The vector part of the unit quaternion of a rotation, its real part not negative.

    From the largest of the four components, so that none is divided by a small number.
    """
    r = rotation
    trace = float(np.trace(r))
    squares = [1 + trace, *(1 - trace + 2 * float(r[axis, axis]) for axis in range(3))]
    largest = int(np.argmax(squares))
    root = math.sqrt(squares[largest]) / 2
    twists = (r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1])
    if largest == 0:
        x, y, z = (float(twist) / (4 * root) for twist in twists)
        return x, y, z
    axis = largest - 1
    vector = [float(r[axis, other] + r[other, axis]) / (4 * root) for other in range(3)]
    vector[axis] = root
    sign = -1.0 if twists[axis] < 0 else 1.0
    return sign * vector[0], sign * vector[1], sign * vector[2]


def _row_major(dimension: int) -> Callable[[_Parameters, _Parameters], Matrix]:
    return lambda parameters, _fixed: np.reshape(
        np.asarray(parameters[: dimension**2], np.float64), (dimension, dimension)
    )


def _affine_type(dimension: int) -> _ItkType:
    count = dimension**2
    return _ItkType(
        "affine",
        count + dimension,
        _row_major(dimension),
        slice(count, count + dimension),
        (0, dimension),
    )


_RIGID_2D = _ItkType("rigid", 3, lambda p, _: _plane_rotation(p[0]), slice(1, 3), (0, 2))
_TYPES: dict[tuple[str, int], _ItkType] = {
    **{
        ("IdentityTransform", n): _ItkType("translation", 0, _unit(n), slice(0, 0), (0,))
        for n in (2, 3)
    },
    **{
        ("TranslationTransform", n): _ItkType("translation", n, _unit(n), slice(0, n), (0,))
        for n in (2, 3)
    },
    ("Euler2DTransform", 2): _RIGID_2D,
    ("Rigid2DTransform", 2): _RIGID_2D,
    ("Euler3DTransform", 3): _ItkType("rigid", 6, _euler_rotation, slice(3, 6), (0, 3, 4)),
    ("VersorRigid3DTransform", 3): _ItkType(
        "rigid", 6, lambda p, _: _versor_rotation(p[:3]), slice(3, 6), (0, 3)
    ),
    ("Similarity2DTransform", 2): _ItkType(
        "similarity", 4, lambda p, _: p[0] * _plane_rotation(p[1]), slice(2, 4), (0, 2)
    ),
    ("Similarity3DTransform", 3): _ItkType(
        "similarity", 7, lambda p, _: p[6] * _versor_rotation(p[:3]), slice(3, 6), (0, 3)
    ),
    **{
        (name, n): _affine_type(n)
        for name in ("AffineTransform", "MatrixOffsetTransformBase")
        for n in (2, 3)
    },
}


def transform_from_itk(text: str) -> Transform:
    """The transform in the text of a file.

    Raises:
        InputError: of a type that is not in the table above, no transform, or cut off.
        ValueError: not of that format.
    """
    if not text.startswith("#Insight Transform File"):
        raise ValueError("no header")
    try:
        found = [_one_of_itk(*block) for block in _blocks(text)]
        if not found:
            raise ValueError("no transform")
    except ValueError as error:
        if text.endswith("\n"):
            raise
        raise _cut_off() from error
    # The centre may be left out, but not by a line that ends before it.
    last = text.rpartition("\n")[2].strip().rstrip(":")
    if last == "FixedParameters" and found[-1].kind != "translation":
        raise _cut_off()
    if len({one.dimension for one in found}) > 1:
        raise ValueError("of several dimensions")
    return reduce(lambda outer, inner: outer.compose(inner), found)


def _blocks(text: str) -> Iterator[tuple[str, list[float], list[float]]]:
    """Type, parameters and fixed parameters of each transform, without the composites' own."""
    kind, values = "", dict[str, list[float]]()
    for line in (*text.splitlines(), "Transform:"):
        key, _, rest = line.strip().partition(":")
        if key == "Transform":
            if kind and not kind.startswith("CompositeTransform"):
                # ITK writes both lines, empty ones too, and reads no transform without them.
                if len(values) < 2:
                    raise _cut_off()
                yield kind, values["Parameters"], values["FixedParameters"]
            kind, values = rest.strip(), {}
        elif key in ("Parameters", "FixedParameters") and kind:
            values[key] = [float(number) for number in rest.split()]
        elif line.strip() and not line.startswith("#"):
            raise ValueError(f"an unknown line: {key}")


def _cut_off() -> InputError:
    return InputError(
        Message("The transform"),
        Message("the file is cut off or damaged: parts of its transform are missing"),
        Message("Copy it again, or write it again with the program that made it."),
    )


def _one_of_itk(name: str, parameters: list[float], fixed: list[float]) -> Transform:
    base, _, sizes = name.partition("_")
    dimension = {"2_2": 2, "3_3": 3}.get(sizes.partition("_")[2], 0)
    found = _TYPES.get((base, dimension))
    if found is None:
        raise InputError(
            Message("The transform"),
            Message("transforms of the type {0} are not supported", name),
            Message("Save it as an affine or rigid transform there."),
        )
    if len(parameters) != found.parameters or len(fixed) not in found.fixed:
        raise ValueError("another number of parameters")
    centre = np.array(fixed[:dimension] or [0.0] * dimension)
    shift = np.array(parameters[found.translation] or [0.0] * dimension)
    matrix = np.eye(dimension + 1)
    matrix[:dimension, :dimension] = found.linear(parameters, fixed)
    matrix[:dimension, dimension] = shift + centre - matrix[:dimension, :dimension] @ centre
    return Transform.of(found.kind, matrix)


def itk_text(transform: Transform, centre: Sequence[float] | None) -> str:
    """The text of a file with ``transform``, which must not be a homography.

    Args:
        centre: of rotation, dimension numbers; None for the origin.
    """
    n = transform.dimension
    middle = np.zeros(n) if centre is None else np.asarray(centre, np.float64)
    matrix = transform.array
    linear = matrix[:n, :n]
    shift = matrix[:n, n] - middle + linear @ middle
    name, parameters = _itk_parameters(transform.kind, linear, shift)
    fixed: Sequence[float] = list(middle)
    if transform.kind == "translation":
        fixed = []
    elif name == "Euler3DTransform":
        fixed = [*middle, 0.0]  # the order of the angles: ZXY
    return "\n".join(
        (
            _HEADER,
            "#Transform 0",
            f"Transform: {name}_double_{n}_{n}",
            f"Parameters: {_numbers(parameters)}",
            f"FixedParameters: {_numbers(fixed)}".rstrip(),
            "",
        )
    )


def _itk_parameters(
    kind: TransformKind, linear: Matrix, shift: npt.NDArray[np.float64]
) -> tuple[str, Sequence[float]]:
    if kind == "translation":
        return "TranslationTransform", [*shift]
    if kind == "affine":
        return "AffineTransform", [*linear.ravel(), *shift]
    angle = math.atan2(linear[1, 0], linear[0, 0])
    if len(linear) == 2:
        if kind == "rigid":
            return "Euler2DTransform", [angle, *shift]
        scale = math.sqrt(float(np.linalg.det(linear)))
        return "Similarity2DTransform", [scale, angle, *shift]
    if kind == "rigid":
        return "Euler3DTransform", [*euler_angles(linear), *shift]
    scale = float(np.cbrt(np.linalg.det(linear)))
    return "Similarity3DTransform", [*_versor(linear / scale), *shift, scale]


def _numbers(values: Sequence[float]) -> str:
    return " ".join(repr(float(value)) for value in values)
