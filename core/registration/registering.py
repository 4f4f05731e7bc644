"""One call for pictures and volumes."""

from __future__ import annotations

import time
from dataclasses import replace

from core.errors import InputError
from core.messages import Message
from core.progress import NullProgress, Progress
from core.registration.features import MEASURES, measure_of
from core.registration.pictures import register_pictures
from core.registration.result import Registration
from core.registration.verdict import judged, judged_volumes
from core.registration.volumes import register_volumes
from core.types import Image, Transform, TransformKind, Volume


def register(
    fixed: Image | Volume,
    moving: Image | Volume,
    kind: TransformKind = "similarity",
    *,
    task: str = "",
    progress: Progress | None = None,
) -> Registration:
    """Estimate where each point of ``fixed`` lies in ``moving``.

    Of pictures, shifts up to a quarter of the side, 6 degrees and a tenth in scale are searched,
    beside what the sizes of the two tell. Of volumes, the starts are their patient millimetres,
    their bodies and their fields of view on each other, each also turned by up to 12 degrees.

    Args:
        fixed: the one whose grid the other is brought to.
        moving: of the same scene, of any size; both pictures or both volumes.
        kind: what may differ between them.
        task: name of the task, which decides what of pictures is compared; "" for any.
        progress: told the stages; may cancel.

    Raises:
        InputError: a picture or volume is too small, one is of the other kind, or a homography of
            volumes is asked for.
        Cancelled: by ``progress``.
    """
    began = time.monotonic()
    progress = progress or NullProgress()
    if isinstance(fixed, Image) and isinstance(moving, Image):
        found = _of_pictures(fixed, moving, kind, task, progress)
    elif isinstance(fixed, Volume) and isinstance(moving, Volume):
        found = _of_volumes(fixed, moving, kind, progress)
    else:
        raise InputError(
            Message("The two sources"),
            Message("one is a picture and the other one a volume"),
            Message("Choose two pictures or two volumes."),
        )
    return replace(found, seconds=time.monotonic() - began)


def _of_pictures(
    fixed: Image, moving: Image, kind: TransformKind, task: str, progress: Progress
) -> Registration:
    compared = measure_of(task)
    found = register_pictures(fixed, moving, kind, compared, progress)
    verdict, reasons = judged(found, kind, task)
    return Registration(
        transform=Transform.of(kind, found.matrix),
        spread=found.evidence.spread,
        measure=MEASURES[compared],
        before=found.before,
        after=found.after,
        verdict=verdict,
        reasons=reasons,
    )


def _of_volumes(
    fixed: Volume, moving: Volume, kind: TransformKind, progress: Progress
) -> Registration:
    found = register_volumes(fixed, moving, kind, progress)
    verdict, reasons = judged_volumes(found, fixed, moving)
    return Registration(
        transform=Transform.of(kind, found.matrix),
        spread=max(found.spread, found.rivals),
        measure=Message("Mutual information"),
        before=found.before,
        after=found.after,
        verdict=verdict,
        reasons=reasons,
    )
