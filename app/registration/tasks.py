"""What aligning does on worker threads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.fuse.results import LoadedSource
from app.i18n.translate import tr
from app.registration.state import NativeSources
from app.viewer.pyramid import source_image
from core.progress import Progress
from core.types import Image, SourcePair, SourceSide, Transform, TransformKind

if TYPE_CHECKING:
    from core.registration import Misalignment, Registration


def native_sources(a: Path, b: Path, *, damaged: bool, progress: Progress) -> NativeSources:
    """Both files with their own pixels.

    Raises:
        InputError: one cannot be read.
        Cancelled: by ``progress``.
    """
    from core.io.pairs import read_sources

    progress.report(0, 2, tr("Reading pictures"))
    images = read_sources(
        a, b, damaged="show" if damaged else "refuse", between=lambda: progress.check()
    )
    progress.check()
    one, other = (_loaded(image) for image in images)
    return NativeSources(one, other)


def _loaded(image: Image) -> LoadedSource:
    rendered = source_image(image)
    _: Any = rendered.histogram  # counted here and not on the thread of the window
    return LoadedSource(image, rendered)


@dataclass(frozen=True)
class RegistrationRequest:
    """What is to be estimated: for which task, what may differ, and which source is moved."""

    task: str
    kind: TransformKind
    moving: SourceSide


def register_sources(
    sources: NativeSources, request: RegistrationRequest, progress: Progress
) -> Registration:
    """How the moving source lies to the fixed one.

    Raises:
        InputError: a picture is too small.
        Cancelled: by ``progress``.
    """
    from core.registration import register

    moving = sources.side(request.moving).image
    fixed = sources.side("a" if request.moving == "b" else "b").image
    return register(fixed, moving, request.kind, task=request.task, progress=progress)


def check_pair(pair: SourcePair, task: str, progress: Progress) -> Misalignment:
    """A quick look whether the sources of a pair lie on each other."""
    from core.registration import looks_misaligned

    progress.check()
    return looks_misaligned(pair.a, pair.b, task)


def read_transform(path: Path, progress: Progress) -> Transform:
    """The transform in a file.

    Raises:
        InputError: see :func:`core.io.transforms.read_transform`.
    """
    from core.io import transforms

    progress.check()
    return transforms.read_transform(path)


def write_transform(
    path: Path, transform: Transform, centre: tuple[float, float], progress: Progress
) -> Path:
    """Write a transform, and return the path.

    Raises:
        OutputError: see :func:`core.io.transforms.write_transform`.
    """
    from core.io import transforms

    progress.check()
    transforms.write_transform(path, transform, centre)
    return path
