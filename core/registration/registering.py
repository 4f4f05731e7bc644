"""One call for pictures and volumes."""

from __future__ import annotations

import time

from core.progress import NullProgress, Progress
from core.registration.features import MEASURES, feature_kind
from core.registration.pictures import register_pictures
from core.registration.result import Registration
from core.registration.verdict import judged
from core.types import Image
from core.types.transform import Transform, TransformKind


def register(
    fixed: Image,
    moving: Image,
    kind: TransformKind = "similarity",
    *,
    task: str = "",
    progress: Progress | None = None,
) -> Registration:
    """Estimate where each point of ``fixed`` lies in ``moving``.

    Args:
        fixed: the picture whose pixels the other one is brought to.
        moving: of the same scene; of any size.
        kind: what may differ between them.
        task: name of the task, which decides what is compared; "" for any pictures.
        progress: told the stages; may cancel.

    Raises:
        InputError: a picture is too small.
        Cancelled: by ``progress``.
    """
    began = time.monotonic()
    compared = feature_kind(task)
    found = register_pictures(fixed, moving, kind, compared, progress or NullProgress())
    verdict, reasons = judged(found, kind, task)
    return Registration(
        transform=Transform.of(kind, found.matrix),
        spread=found.evidence.spread,
        measure=MEASURES[compared],
        before=found.before,
        after=found.after,
        verdict=verdict,
        reasons=reasons,
        seconds=time.monotonic() - began,
    )
