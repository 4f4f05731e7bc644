"""Reads fused images that were written before. Runs on a worker thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.fuse.results import Outcome, with_windows
from app.i18n.translate import tr, translate
from app.viewer.display_state import FeatureView
from app.viewer.pyramid import rendered_image
from core.errors import InputError, Message
from core.progress import Progress
from core.types import DeviceChoice, FusionResult, SourcePair
from core.windows import Windows


@dataclass(frozen=True)
class StoredResult:
    """A fused image that was written before.

    Attributes:
        path: its file.
        task, method: what it was fused for, and by.
        windows: the windows the sources were fused in; None for those of the files.
    """

    path: Path
    task: str
    method: str
    windows: Windows = (None, None)


def read_all_stored(
    results: Sequence[StoredResult],
    pair: SourcePair,
    titles: Mapping[str, str],
    request_id: int,
    progress: Progress,
) -> tuple[Outcome, ...]:
    """Read results of ``pair``; see :func:`read_stored`.

    Args:
        titles: displayed names of methods.
    """
    return tuple(
        read_stored(stored, pair, titles.get(stored.method, ""), request_id, progress)
        for stored in results
    )


def read_stored(
    stored: StoredResult, pair: SourcePair, title: str, request_id: int, progress: Progress
) -> Outcome:
    """Read a result of ``pair``.

    Args:
        title: displayed name of the method; "" to use its file name.

    Raises:
        InputError: the file cannot be read, or its size is not that of the sources.
    """
    from core.baselines import BASELINES
    from core.io import as_stored, read_image

    progress.report(0, 0, tr("Reading the result"))
    image = as_stored(read_image(stored.path))
    if image.size != pair.a.size:
        raise InputError(
            stored.path.name,
            Message(
                "it is {0}×{1} pixels and the sources are {2}×{3}: it is not their result, or not "
                "as it was written",
                *image.size,
                *pair.a.size,
            ),
            Message("Fuse the pair anew."),
        )
    seen = with_windows(pair, stored.windows)
    result = FusionResult(
        fused=image.normalised(),
        task=stored.task,
        method=stored.method,
        device=DeviceChoice("", "", tr("read from its file")),
        bit_depth=image.bit_depth,
        provenance={"method": stored.method, "task": stored.task, "result": stored.path.name},
        request_id=request_id,
    )
    shown = {"fused": rendered_image(result.fused, depth=result.bit_depth)}
    _ = shown["fused"].histogram
    return Outcome(
        result,
        pair,
        translate(title) or Path(stored.method).name,
        is_model=stored.method not in BASELINES,
        is_preview=False,
        seconds=0.0,
        images=shown,
        requested_method=stored.method,
        feature_view=FeatureView(),
        windows=(seen.a.window, seen.b.window),
    )
