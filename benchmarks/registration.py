"""How exactly pictures and volumes are registered, and whether the verdict tells when not.

    python benchmarks/registration.py --data DIR --out benchmarks/results/registration.md

DIR holds val/TASK/{a,b}, extra and clinical. One source of each validation pair is moved by drawn
transforms of all kinds (two of the five for each pair); a pair is also compared after noise was
added, and with a picture of another pair. Half an hour on two busy cores.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.registration_truth import (
    corner_error,
    drawn,
    grey_of,
    inner,
    moved,
    simulated_pet,
)
from core.io import atomic_write, read_image
from core.io.volumes import list_series, read_volume
from core.pairing.folders import pair_folders
from core.registration import Registration
from core.registration.quick_check import looks_misaligned
from core.registration.registering import register
from core.registration.verdict import accuracy, volume_accuracy
from core.types import TRANSFORM_KINDS, FloatArray, Image, Transform, TransformKind, Volume

_TASKS = ("mff", "mef", "ivif", "mif")
_PARTS = ("times", "volumes", "templates", "pairs", "trials")
_NOISE = 0.1
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One registration with its truth.

    Attributes:
        task, kind, case: what was done; ``case`` is “moved”, “noise” or “other scene”.
        error: at the corners in pixels, against the files' own alignment; inf for other scenes.
        repeat: against the registration of the same pair unmoved.
        verdict, seconds: of the result.
    """

    task: str
    kind: TransformKind
    case: str
    error: float
    repeat: float
    verdict: str
    seconds: float


def _image(grey: FloatArray) -> Image:
    return Image(np.ascontiguousarray(np.clip(grey, 0, 1), np.float32)[..., np.newaxis])


def trials(data: Path, task: str, every: int = 1) -> Iterator[Trial]:
    """The trials of each of ``every`` pairs of a task."""
    matches = pair_folders(data / "val" / task).matches
    for index, match in list(enumerate(matches))[::every]:
        a, b = grey_of(read_image(match.a)), grey_of(read_image(match.b))
        other = grey_of(read_image(matches[(index + len(matches) // 2) % len(matches)].b))
        for offset in (0, 2):
            kind = TRANSFORM_KINDS[(index + offset) % len(TRANSFORM_KINDS)]
            yield from _of_pair((a, b, other), task, kind, seed=10 * index + offset)


def _of_pair(
    greys: tuple[FloatArray, FloatArray, FloatArray], task: str, kind: TransformKind, seed: int
) -> Iterator[Trial]:
    a, b, other = greys
    fixed = inner(a)
    size = fixed.shape[1], fixed.shape[0]
    truth = drawn(kind, size, seed)
    unmoved = register(_image(fixed), _image(inner(b)), kind, task=task).transform
    noise = np.random.default_rng(seed).normal(0, _NOISE, (2, *fixed.shape))
    moving = moved(b, truth)
    cases = {
        "moved": (fixed, moving),
        "noise": (fixed + noise[0], moving + noise[1]),
        "other scene": (fixed, inner(other)),
    }
    for case, (one, two) in cases.items():
        found = register(_image(one), _image(two), kind, task=task)
        is_known = case != "other scene"
        yield Trial(
            task=task,
            kind=kind,
            case=case,
            error=corner_error(found.transform, truth, size) if is_known else np.inf,
            repeat=corner_error(found.transform, truth.compose(unmoved), size)
            if is_known
            else np.inf,
            verdict=found.verdict,
            seconds=found.seconds,
        )


def _figures(values: list[float]) -> str:
    return f"{np.median(values):.2f} | {np.percentile(values, 95):.2f}" if values else "– | –"


def accuracy_rows(done: list[Trial], tasks: tuple[str, ...]) -> Iterator[str]:
    """Errors by task and by kind."""
    yield "| task | kind | trials | median, px | 95 % | repeated: median | 95 % |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: |"
    for task in tasks:
        for kind in (None, *TRANSFORM_KINDS):
            part = [t for t in done if t.task == task and t.case == "moved"]
            part = [t for t in part if kind in (None, t.kind)]
            errors = _figures([t.error for t in part])
            repeats = _figures([t.repeat for t in part])
            yield f"| {task} | {kind or '**all**'} | {len(part)} | {errors} | {repeats} |"


def verdict_rows(done: list[Trial], tasks: tuple[str, ...]) -> Iterator[str]:
    """What the verdict said, and of what was wrong."""
    yield (
        "| task | case | good | doubtful | failed | wrong | called good | repeated wrongly | "
        "called good |"
    )
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for task in tasks:
        for case in ("moved", "noise", "other scene"):
            part = [t for t in done if t.task == task and t.case == case]
            counts = [sum(t.verdict == v for t in part) for v in ("good", "doubtful", "failed")]
            cells = [task, case, *counts]
            for wrong in (
                [t for t in part if t.error > accuracy(task)],
                [t for t in part if t.repeat > accuracy(task)],
            ):
                cells += [len(wrong), sum(t.verdict == "good" for t in wrong)]
            yield "| " + " | ".join(map(str, cells)) + " |"


def extra_rows(data: Path) -> Iterator[str]:
    """Real shifted pairs before and after."""
    yield "| pair | before | after | verdict | spread, px | shift seen, px |"
    yield "| --- | ---: | ---: | --- | ---: | ---: |"
    for folder in ("misaligned_mff", "misaligned_mef"):
        for match in pair_folders(data / "extra" / folder).matches:
            a, b = read_image(match.a), read_image(match.b)
            found = register(a, b, "similarity", task=folder[-3:])
            seen = looks_misaligned(a, b, folder[-3:])
            yield (
                f"| {match.a.stem} | {found.before:.2f} | {found.after:.2f} | {found.verdict} | "
                f"{found.spread:.1f} | {seen.shift:.1f} ({seen.verdict}) |"
            )


def alarm_rows(data: Path) -> Iterator[str]:
    """What the quick look says of pairs that the data sets call aligned."""
    yield "| task | pairs | “shifted” | “aligned” | “unknown” | median ms |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for task in _TASKS:
        said, times = [], []
        for part, step in (("val", 1), ("train", 3)):
            for match in pair_folders(data / part / task).matches[::step]:
                a, b = read_image(match.a), read_image(match.b)
                began = time.perf_counter()
                said.append(looks_misaligned(a, b, task).verdict)
                times.append(time.perf_counter() - began)
        counts = [said.count(word) for word in ("shifted", "aligned", "unknown")]
        cells = [task, len(said), *counts, round(1000 * float(np.median(times)))]
        yield "| " + " | ".join(map(str, cells)) + " |"


def _volume(folder: Path) -> Volume:
    return read_volume(list_series(folder).series[0])


def _inner_points(volume: Volume) -> Matrix:
    """8×3 patient mm, at three and seven tenths of each axis."""
    ends = [(0.3 * (n - 1), 0.7 * (n - 1)) for n in volume.shape[::-1]]
    voxels = np.stack(np.meshgrid(*ends), axis=-1).reshape(-1, 3)
    return np.asarray(voxels @ volume.affine[:3, :3].T + volume.affine[:3, 3])


def _rigid(seed: int, centre: Matrix) -> Transform:
    """Up to 8 degrees and 15 mm along each axis, around ``centre``."""
    import SimpleITK as sitk

    generator = np.random.default_rng(seed)
    turn = sitk.Euler3DTransform()
    turn.SetRotation(*np.deg2rad(generator.uniform(-8, 8, 3)).tolist())
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(turn.GetMatrix()).reshape(3, 3)
    matrix[:3, 3] = centre - matrix[:3, :3] @ centre + generator.uniform(-15, 15, 3)
    return Transform.of("rigid", matrix)


def _plain(fixed: Volume, moving: Volume) -> Transform:
    """The recipe to compare with: Mattes' measure, three levels, one start at the centres."""
    import SimpleITK as sitk

    images = []
    for volume in (fixed, moving):
        image = sitk.GetImageFromArray(np.asarray(volume.data))
        spacing = np.linalg.norm(volume.affine[:3, :3], axis=0)
        image.SetSpacing(spacing.tolist())
        image.SetDirection((volume.affine[:3, :3] / spacing).ravel().tolist())
        image.SetOrigin(volume.affine[:3, 3].tolist())
        images.append(image)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.1, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 1e-3, 200)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    geometry = sitk.CenteredTransformInitializerFilter.GEOMETRY
    transform = sitk.Euler3DTransform(
        sitk.CenteredTransformInitializer(*images, sitk.Euler3DTransform(), geometry)
    )
    method.SetInitialTransform(transform, True)
    method.Execute(*images)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    centre = np.array(transform.GetCenter())
    shift = np.array(transform.GetTranslation())
    matrix[:3, 3] = shift + centre - matrix[:3, :3] @ centre
    return Transform.of("rigid", matrix)


def volume_rows(data: Path) -> Iterator[str]:
    """Errors of volumes at eight inner points."""
    yield (
        "| fixed, moving | error, mm | repeated | spread | verdict | plain recipe | information "
        "before, after | s |"
    )
    yield "| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: |"
    clinical = data / "clinical"
    study = clinical / "sts_petmr_ct/dicom/STS_002"
    stated = json.loads((clinical / "derived/rigid/truth.json").read_text())
    truth = Transform.of("rigid", stated["STS_002"]["p_moved = M p_original (LPS mm)"])
    mr, ct, pet = (_volume(study / name) for name in ("MR_T1", "CT", "PET"))
    laid_elsewhere = _volume(clinical / "derived/rigid/STS_002")
    yield _volume_row("thigh MR, the same moved", mr, laid_elsewhere, truth, None)
    heads = {
        "head PET, T1 (templates)": (
            _volume(clinical / "nifti_spm12/PET.nii"),
            _volume(clinical / "nifti_spm12/T1.nii"),
        ),
        "head T1, T2 (templates)": (
            _volume(clinical / "nifti_spm12/T1.nii"),
            _volume(clinical / "nifti_spm12/T2.nii"),
        ),
        "head PT, MR (DICOM)": (
            _volume(clinical / "dicom_synthetic/PT"),
            _volume(clinical / "dicom_synthetic/MR"),
        ),
    }
    for name, (fixed, moving) in heads.items():
        unmoved = register(fixed, moving, "rigid").transform
        for seed in range(2):
            by = _rigid(seed, _inner_points(fixed).mean(axis=0))
            there = replace(moving, affine=by.array @ moving.affine)
            yield _volume_row(f"{name}, {seed + 1}", fixed, there, by, unmoved)
    for name, fixed, moving in (("CT, MR", ct, mr), ("PET, MR", pet, mr), ("PET, CT", pet, ct)):
        yield _volume_row(f"thigh {name}", fixed, moving, Transform.identity(3), None)
    yield _volume_row("head PET, thigh MR", heads["head PT, MR (DICOM)"][0], mr, None, None)


def _volume_row(
    name: str,
    fixed: Volume,
    moving: Volume,
    truth: Transform | None,
    unmoved: Transform | None,
) -> str:
    found: Registration = register(fixed, moving, "rigid")
    points = _inner_points(fixed)

    def off(one: Transform, other: Transform | None) -> str:
        if other is None:
            return "–"
        return f"{np.linalg.norm(one.apply(points) - other.apply(points), axis=1).mean():.2f}"

    try:
        plain = off(_plain(fixed, moving), truth)
    except RuntimeError:
        plain = "none"
    repeated = off(found.transform, truth.compose(unmoved)) if truth and unmoved else "–"
    return (
        f"| {name} | {off(found.transform, truth)} | {repeated} | {found.spread:.1f} of "
        f"{volume_accuracy(fixed, moving):.1f} | {found.verdict} | {plain} | {found.before:.2f}, "
        f"{found.after:.2f} | {found.seconds:.0f} |"
    )


def midplane_rows(data: Path) -> Iterator[str]:
    """Where each template is most like its own mirror image: a truth of its own along x."""
    yield "| template | x of its mid-plane, mm |"
    yield "| --- | ---: |"
    for name in ("PET", "T1", "T2"):
        volume = _volume(data / f"clinical/nifti_spm12/{name}.nii")
        mirrored = replace(volume, data=np.ascontiguousarray(volume.data[:, :, ::-1]))
        across = register(volume, mirrored, "translation").transform.matrix[0][3]
        columns = volume.shape[2]
        middle = float((volume.affine @ np.array([(columns - 1) / 2, 0, 0, 1]))[0])
        yield f"| {name} | {middle - across / 2:.2f} |"


def template_rows(data: Path) -> Iterator[str]:
    """Mean displacement of the inner points along each axis, by us and by the plain recipe."""
    yield "| fixed, moving | x, y, z, mm | verdict | plain recipe: x, y, z, mm |"
    yield "| --- | --- | --- | --- |"
    pet, t1, t2 = (
        _volume(data / f"clinical/nifti_spm12/{name}.nii") for name in ("PET", "T1", "T2")
    )
    pairs = {
        "PET made of T1, T1": (simulated_pet(t1), t1),
        "PET, T1": (pet, t1),
        "PET, T2": (pet, t2),
        "T1, T2": (t1, t2),
    }
    for name, (fixed, moving) in pairs.items():
        points = _inner_points(fixed)
        found = register(fixed, moving, "rigid")
        shifts = [
            (one.apply(points) - points).mean(axis=0)
            for one in (found.transform, _plain(fixed, moving))
        ]
        ours, plain = (", ".join(f"{value:.2f}" for value in shift) for shift in shifts)
        yield f"| {name} | {ours} | {found.verdict} | {plain} |"


def time_rows() -> Iterator[str]:
    """Seconds for one pair of 1024×768 and one of 256³."""
    generator = np.random.default_rng(0)
    noise = generator.random((96, 128), dtype=np.float32)
    wide = np.kron(noise, np.ones((8, 8), np.float32))
    one, other = (_image(np.roll(wide, n, axis=1)) for n in (0, 5))
    yield f"- Two pictures of 1024×768: {register(one, other, 'similarity').seconds:.1f} s."
    block = np.kron(generator.random((16, 16, 16), dtype=np.float32), np.ones((16, 16, 16)))
    first = Volume(data=block.astype(np.float32), affine=np.eye(4))
    second = Volume(data=np.roll(first.data, 4, axis=2), affine=np.eye(4))
    yield f"- Two volumes of 256³: {register(first, second, 'rigid').seconds:.0f} s."
    megapixel = _image(np.kron(generator.random((125, 125)), np.ones((8, 8))))
    began = time.perf_counter()
    looks_misaligned(megapixel, megapixel)
    yield f"- A quick look at 1000×1000: {1000 * (time.perf_counter() - began):.0f} ms."


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="Markdown file")
    parser.add_argument("--part", choices=_PARTS, action="append", help="these only")
    parser.add_argument("--every", type=int, default=1, help="trials of each N-th pair only")
    parser.add_argument("--task", choices=_TASKS, action="append", help="trials of these only")
    options = parser.parse_args()
    lines = ["# Registration", ""]

    def section(title: str, rows: Iterator[str]) -> None:
        lines.extend([f"## {title}", ""])
        for row in rows:
            print(row, flush=True)
            lines.append(row)
        lines.append("")

    parts = options.part or _PARTS
    if "times" in parts:
        section("Times", time_rows())
    if "volumes" in parts:
        section("Volumes", volume_rows(options.data))
    if "templates" in parts:
        section("Mid-planes of the templates", midplane_rows(options.data))
        section("Displacement by axis", template_rows(options.data))
    if "pairs" in parts:
        section("Real shifted pairs", extra_rows(options.data))
        section("Quick look at pairs called aligned", alarm_rows(options.data))
    if "trials" in parts:
        tasks = tuple(options.task or _TASKS)
        done = [trial for task in tasks for trial in trials(options.data, task, options.every)]
        section("Error at the corners", accuracy_rows(done, tasks))
        section("Verdicts", verdict_rows(done, tasks))
        seconds = [trial.seconds for trial in done]
        lines.append(f"{len(done)} registrations of pictures, {np.mean(seconds):.1f} s each.")
    if options.out:
        atomic_write(options.out, ("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
