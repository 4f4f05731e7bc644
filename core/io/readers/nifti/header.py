"""What the header of a NIfTI file says. Its description and other free texts are never used."""

from __future__ import annotations

import gzip
import math
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import nibabel
import numpy as np
import numpy.typing as npt

from core.errors import InputError, Message, SeriesError
from core.io.readers.decoding import damaged, decoding
from core.io.readers.kinds import is_nifti
from core.io.readers.registry import HEAD_BYTES
from core.salted import key
from core.types import Affine, SeriesHeader, SliceSource, spans_space

KIND = "NIfTI"
GZIP = b"\x1f\x8b"
_HEADER_BYTES = 544
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""Of the unit of length in the header; unknown is taken for millimetres."""
_WIDEST = 500.0
"""Millimetres. No voxel is half a metre wide: such a unit or size of a voxel is wrong."""
_SQUARE = 1e-3
"""Cosine between two axes of the voxels that rounding makes (0.06 degrees)."""
_APART = 0.1
"""Voxels that sform and qform may place a corner apart, since a qform is rounded."""
_COLOURS = (128, 2304)
_VECTORS = (1004, 1005, 1006, 1007, 1008, 1009)
"""Intents: matrix, symmetric matrix, displacements, vector, points, triangles."""
_MAX_VOXELS, _MAX_FRAMES = 2**33, 100_000


@dataclass(frozen=True, eq=False, kw_only=True)
class NiftiHeader:
    """The facts of one file.

    Attributes:
        path: the file that was named.
        data_path: the file with the voxels: itself, or the .img beside a .hdr.
        shape: (columns I, rows J, slices K, frames).
        dtype: of one stored number.
        channels: numbers per voxel: 1, or 3 and 4 for colours.
        offset: bytes before the first voxel.
        scale: (slope, intercept).
        affine: voxel → patient millimetres, LPS.
        window: (low, high) to display, or None.
        notes: what is odd.
    """

    path: Path
    data_path: Path
    shape: tuple[int, int, int, int]
    dtype: npt.DTypeLike
    channels: int
    offset: int
    scale: tuple[float, float]
    affine: Affine
    window: tuple[float, float] | None
    notes: tuple[str, ...] = ()


def open_plain(path: Path) -> IO[bytes] | gzip.GzipFile:
    """``path`` as a stream of uncompressed bytes."""
    with path.open("rb") as stream:
        compressed = stream.read(2) == GZIP
    return gzip.open(path, "rb") if compressed else path.open("rb")


def nifti_header(path: Path) -> NiftiHeader:
    """The header of ``path``, a file of any of the kinds; of a pair, either of the two.

    Raises:
        InputError: it is no NIfTI file, or its header is damaged.
    """
    header_path, head = _head_of(path)
    with decoding(path):
        return _understood(path, header_path, head)


def header_fields(path: Path) -> list[tuple[str, Any]]:
    """Names and values of all fields of the header of ``path``; texts are bytes.

    Raises:
        InputError: it is no NIfTI file, or its header is damaged.
    """
    _header_path, head = _head_of(path)
    with decoding(path):
        header = _parsed(path, head)
        return [(name, header[name][()]) for name in header]


def _head_of(path: Path) -> tuple[Path, bytes]:
    """The file with the header of ``path``, and its first bytes."""
    with decoding(path):
        header_path = header_beside(path)
        with open_plain(header_path) as stream:
            try:
                head = stream.read(_HEADER_BYTES)
            except (EOFError, gzip.BadGzipFile) as error:
                raise damaged(path, Message("the header is incomplete")) from error
        if not is_nifti(head[:HEAD_BYTES]):
            raise InputError(
                str(path), Message("its content is not NIfTI"), Message("Export it again.")
            )
        return header_path, head


def header_beside(path: Path) -> Path:
    """The .hdr of a pair of which ``path`` is the .img; else ``path`` itself."""
    for suffix, other in ((".img", ".hdr"), (".img.gz", ".hdr.gz"), (".img.gz", ".hdr")):
        if path.name.lower().endswith(suffix):
            for known in (other, other.upper()):
                beside = path.with_name(path.name[: -len(suffix)] + known)
                if beside.is_file():
                    return beside
    return path


def _data_beside(header_path: Path) -> Path:
    name = header_path.name
    bare = name[:-3] if name.lower().endswith(".gz") else name
    for suffix in (".img", ".img.gz", ".IMG"):
        beside = header_path.with_name(str(Path(bare).with_suffix(suffix)))
        if beside.is_file():
            return beside
    raise InputError(
        str(header_path),
        Message("it is a header whose voxels (.img) are not beside it"),
        Message("Put both files into one folder."),
    )


def _parsed(path: Path, head: bytes) -> Any:
    """The header as nibabel knows it."""
    is_second = int.from_bytes(head[:4], "little") == 540 or int.from_bytes(head[:4], "big") == 540
    kind = nibabel.Nifti2Header if is_second else nibabel.Nifti1Header
    length = 540 if is_second else 348
    if len(head) < length:
        raise damaged(path, Message("the header is incomplete"))
    return kind(head[:length], check=False)  # type: ignore[no-untyped-call]


def _understood(path: Path, header_path: Path, head: bytes) -> NiftiHeader:
    header = _parsed(path, head)
    length = len(header.binaryblock)
    is_pair = b"ni1\0" in head[344:348] or head[4:7] == b"ni2"
    shape = _shape(path, header)
    notes: list[str] = []
    code = int(header["datatype"])
    dtype, channels = _dtype(path, header, code)
    if int(header["intent_code"]) in _VECTORS and shape[3] > 1:
        notes.append(Message("Its volumes are the components of vectors or matrices, not times."))
    return NiftiHeader(
        path=path,
        data_path=_data_beside(header_path) if is_pair else header_path,
        shape=shape,
        dtype=dtype,
        channels=channels,
        offset=_offset(path, header, length, is_pair),
        scale=_scale(header, code),
        affine=_affine(path, header, shape, notes),
        window=_window(header),
        notes=tuple(notes),
    )


def _shape(path: Path, header: Any) -> tuple[int, int, int, int]:
    count = int(header["dim"][0])
    sizes = [int(size) for size in header["dim"][1 : 1 + count]] if 1 <= count <= 7 else []
    if not sizes or min(sizes) < 1:
        raise damaged(path, Message("its size is unreadable"))
    sizes += [1] * (3 - len(sizes))
    columns, rows, slices, frames = *sizes[:3], math.prod(sizes[3:])
    if columns * rows * slices > _MAX_VOXELS or frames > _MAX_FRAMES:
        raise damaged(path, Message("its size is unreadable"))
    return columns, rows, slices, frames


def _dtype(path: Path, header: Any, code: int) -> tuple[npt.DTypeLike, int]:
    if code in _COLOURS:
        return np.dtype(np.uint8), 3 if code == _COLOURS[0] else 4
    try:
        dtype = np.dtype(header.get_data_dtype())
    except Exception as error:
        raise damaged(path, Message("its kind of numbers is unknown")) from error
    if dtype.kind not in "uif" or dtype.itemsize > 8:
        raise InputError(
            str(path),
            Message("its samples are of a kind that makes no picture ({0})", dtype.name),
            Message("Export it with real numbers of at most 64 bits."),
        )
    return dtype, 1


def _offset(path: Path, header: Any, length: int, is_pair: bool) -> int:
    offset = float(header["vox_offset"])
    if not math.isfinite(offset) or not 0 <= offset < 2**40:
        raise damaged(path, Message("the place of its voxels is unreadable"))
    if is_pair:
        return int(offset)
    return max(int(offset), length + 4)


def _scale(header: Any, code: int) -> tuple[float, float]:
    """Slope and intercept; a slope of 0, or one that is no number, means that there are none."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if code in _COLOURS or not math.isfinite(slope) or slope == 0:
        return 1.0, 0.0
    return slope, intercept if math.isfinite(intercept) else 0.0


def _affine(path: Path, header: Any, shape: tuple[int, int, int, int], notes: list[str]) -> Affine:
    """sform if it is stated, else qform, else the distances alone (with a note)."""
    try:
        if int(header["sform_code"]) == 0 and int(header["qform_code"]) == 0:
            notes.append(
                Message(
                    "The file does not state how it lies in the patient: left and right may be "
                    "exchanged."
                )
            )
        ras = np.asarray(header.get_best_affine(), np.float64)
        unit = _MILLIMETRES.get(int(header["xyzt_units"]) & 0x07, 1.0)
        notes += _contradiction(header, shape, unit)
    except Exception as error:
        raise damaged(path, Message("its place in the patient is unreadable")) from error
    affine = _RAS_TO_LPS @ ras
    affine[:3] *= unit
    if not np.isfinite(affine).all() or not spans_space(affine):
        raise damaged(path, Message("its place in the patient is unreadable"))
    notes += _shear(affine)
    return np.asarray(affine)


def _shear(affine: Affine) -> list[str]:
    """A note where two axes of the voxels are not at right angles."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    cosines = np.abs((axes.T @ axes)[np.triu_indices(3, 1)])
    if float(cosines.max()) <= _SQUARE:
        return []
    return [
        Message(
            "Its voxels are sheared: two of their axes are {0:.1f} degrees off a right angle. "
            "Lengths and areas in its slices are not exact.",
            math.degrees(math.asin(min(1.0, float(cosines.max())))),
        )
    ]


def _contradiction(header: Any, shape: tuple[int, int, int, int], unit: float) -> list[str]:
    """Whether the two statements of how the file lies mirror each other, or lie apart."""
    if int(header["sform_code"]) <= 0 or int(header["qform_code"]) <= 0:
        return []
    forms = [np.asarray(one, np.float64) for one in (header.get_sform(), header.get_qform())]
    one, other = (np.linalg.det(form[:3, :3]) for form in forms)
    if one * other >= 0:
        return _apart(forms[0], forms[1], shape, unit)
    return [
        Message(
            "The file states twice how it lies in the patient, once as the mirror image of the "
            "other: left and right may be exchanged."
        )
    ]


def _apart(
    sform: Affine, qform: Affine, shape: tuple[int, int, int, int], unit: float
) -> list[str]:
    """A note where a corner lies elsewhere by the one than by the other; ``unit`` is in mm."""
    corners = np.array([(*one, 1) for one in np.ndindex(2, 2, 2)], np.float64)
    corners[:, :3] *= np.array(shape[:3]) - 1
    distance = float(np.linalg.norm((corners @ (sform - qform).T)[:, :3], axis=1).max())
    voxel = float(np.linalg.norm(sform[:3, :3], axis=0).min())
    if not distance > _APART * voxel:
        return []
    return [
        Message(
            "The file states twice how it lies in the patient, up to {0:.1f} mm apart: the sform "
            "is taken, not the qform.",
            distance * unit,
        )
    ]


def _window(header: Any) -> tuple[float, float] | None:
    low, high = float(header["cal_min"]), float(header["cal_max"])
    return (low, high) if math.isfinite(low) and math.isfinite(high) and low < high else None


def _size_problem(header: NiftiHeader) -> SeriesError | None:
    """Why no volume can be as large as the header states."""
    sides = np.linalg.norm(header.affine[:3, :3], axis=0)
    counts = np.array(header.shape[:3])
    widest = float(sides[counts > 1].max(initial=0.0))
    if widest <= _WIDEST:
        return None
    return SeriesError(
        Message("NIfTI volume “{0}”", bare_name(header.path)),
        Message("by its header a voxel is {0:g} mm wide", widest),
        Message("Correct the size of the voxels or their unit (pixdim, the sform, xyzt_units)."),
    )


def bare_name(path: Path) -> str:
    """The file's name without suffixes."""
    name = path.name
    for suffix in (".gz", ".nii", ".hdr", ".img"):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    return name


def nifti_series(path: Path) -> SeriesHeader:
    """The volume in ``path`` as a series; no voxel is read.

    Raises:
        InputError: see :func:`nifti_header`.
    """
    header = nifti_header(path)
    columns, rows, slices, frames = header.shape
    problem = _size_problem(header)
    if header.channels > 1:
        problem = SeriesError(
            Message("NIfTI volume “{0}”", bare_name(path)),
            Message("it holds colours, which are pictures of measurements and not measurements"),
            Message("Choose the volume that was measured."),
        )
    return SeriesHeader(
        KIND,
        "OT",
        (slices, rows, columns),
        tuple((SliceSource(path, frame, 0.0),) for frame in range(frames)),
        affine=header.affine,
        key=key("nifti", str(path.absolute())),
        title=bare_name(path),
        window=header.window,
        samples=min(header.channels, 3),
        notes=header.notes,
        problem=problem,
    )
