"""Fusing, drawing and saving in the Fuse workspace, as functions that run on worker threads.

Heavy imports are made inside the functions, so that the window appears before them.
"""

from __future__ import annotations

import time
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.engine import LazyEngine, default_method
from app.fuse.result_images import basis_of, feature_image, result_images
from app.fuse.results import (
    Palettes,
    with_windows,
)
from app.fuse.source_tasks import with_histogram
from app.fuse.state import Outcome
from app.i18n.translate import tr, translate
from app.viewer.display_state import FeatureView
from app.viewer.pyramid import RenderedImage
from core.fusion.protocol import Engine, MethodInfo
from core.progress import Progress
from core.tasks import get_task
from core.types import FloatArray, FusionRequest, FusionResult, Image, SourcePair
from core.windows import Windows

if TYPE_CHECKING:
    pass

_NO_PAIR = SourcePair(*(Image(np.zeros((1, 1, 1), np.float32), (0.0, 1.0)),) * 2)
"""In the place of sources that the window has: those of 12 million pixels would be 290 MB."""


@dataclass(frozen=True, eq=False)
class FusePlan:
    """Everything that one fusion depends on."""

    pair: SourcePair
    task: str
    _: KW_ONLY
    method: str
    request_id: int
    features: FeatureView
    tiles: bool = False
    """Fuse in small pieces, to save memory."""
    windows: Windows = (None, None)
    """The windows the sources are displayed in, which they are fused in, too."""
    palettes: Palettes | None = None
    """The palettes that slices of volumes are displayed and fused in."""
    titles: tuple[str, str] | None = None
    """What A and B are called; None for what they are in the task."""

    @cached_property
    def windowed_pair(self) -> SourcePair:
        """The pair in these windows."""
        return with_windows(self.pair, self.windows, self.palettes)


def classical_preview(plan: FusePlan, progress: Progress) -> Outcome | None:
    """The classical preview of a plan, without its pair; None if the plan asks for a classical
    method anyway.

    Needs no engine, and therefore does not wait for the import of torch.

    Raises:
        DeviceMemoryError: the image does not fit.
    """
    from core.baselines import BASELINES
    from core.fusion.classical_engine import fuse_classically

    if plan.method in BASELINES:
        return None
    name = get_task(plan.task).default_baseline
    request = FusionRequest(plan.windowed_pair, plan.task, name, request_id=plan.request_id)
    begun = time.perf_counter()
    result = fuse_classically(request, progress)
    seconds = time.perf_counter() - begun
    title = translate(BASELINES[name].title)
    drawn = _outcome_of(result, plan, title, seconds, progress)
    return replace(drawn, is_preview=True, requested_method=name)


def fuse(lazy: LazyEngine, plan: FusePlan, progress: Progress) -> Outcome:
    """Fuse as planned, making the engine first if needed; the outcome is without its pair."""
    engine = lazy.get(progress)
    progress.check()
    method = _chosen(engine.methods(plan.task), plan)
    outcome = _fused(engine, plan, method, progress)
    if not plan.method and not outcome.is_model:
        note = tr("No model for this task is installed: a classical method was used instead.")
        notes = (note, *outcome.result.notes)
        outcome = replace(outcome, result=replace(outcome.result, notes=notes))
    return outcome


def _chosen(methods: tuple[MethodInfo, ...], plan: FusePlan) -> MethodInfo | None:
    """The method of a plan; None for a pack given as a file."""
    if not plan.method:
        return default_method(methods, get_task(plan.task))
    return next((m for m in methods if m.name == plan.method), None)


def _fused(
    engine: Engine, plan: FusePlan, method: MethodInfo | None, progress: Progress
) -> Outcome:
    is_model = method is None or method.kind == "pack"
    request = FusionRequest(
        plan.windowed_pair,
        plan.task,
        method.name if method is not None else plan.method,
        reconstructions=is_model,
        features=is_model,
        tiles=plan.tiles,
        request_id=plan.request_id,
    )
    begun = time.perf_counter()
    result = engine.fuse(request, progress)
    seconds = time.perf_counter() - begun
    title = translate(method.title) if method is not None else Path(result.method).name
    drawn = _outcome_of(result, plan, title, seconds, progress)
    return replace(drawn, is_model=is_model, requested_method=request.method)


def _outcome_of(
    result: FusionResult, plan: FusePlan, title: str, seconds: float, progress: Progress
) -> Outcome:
    """The outcome of a fusion, with its images rendered."""
    progress.check()
    progress.report(0, 0, tr("Drawing"))
    basis = basis_of(result)
    images = result_images(result, plan.features, basis)
    with_histogram(images["fused"])
    seen = plan.windowed_pair
    return Outcome(
        result,
        _NO_PAIR,
        title,
        is_model=False,
        is_preview=False,
        seconds=seconds,
        images=images,
        basis=basis,
        feature_view=plan.features,
        recon_psnr=reconstruction_psnr(result, seen),
        windows=(seen.a.window, seen.b.window),
        palettes=plan.palettes,
        titles=plan.titles,
    )


def reconstruction_psnr(
    result: FusionResult, pair: SourcePair
) -> tuple[float | None, float | None]:
    """PSNR of each reconstruction against its source, in dB, on 8-bit luma, if there is one.

    Of a source with a palette beside a grey one against its levels, which is what is rebuilt.
    """
    # Imported here so as not to delay a preview.
    from core.fusion.color import tint_of
    from core.metrics import psnr_pair, to_luma8

    tint = tint_of(pair)

    def closeness(rebuilt: FloatArray | None, source: Image) -> float | None:
        if rebuilt is None:
            return None
        of_levels = source is tint and rebuilt.shape[2] == 1
        shown = source.levels() if of_levels else source.normalised()
        planes = (to_luma8(image) for image in (shown, rebuilt))
        if source.mask is None:
            return float(psnr_pair(*planes))
        # Only the pixels with data; PSNR does not depend on their arrangement.
        return float(psnr_pair(*(plane[source.mask][np.newaxis] for plane in planes)))

    return (
        closeness(result.reconstruction_a, pair.a),
        closeness(result.reconstruction_b, pair.b),
    )


def draw_features(outcome: Outcome, view: FeatureView, progress: Progress) -> RenderedImage | None:
    """Render another view of a result's features; None if it has none."""
    if outcome.basis is None:
        return None
    progress.check()
    return feature_image(outcome.result, view, outcome.basis)


def save_outcome(outcome: Outcome, path: Path, progress: Progress) -> tuple[str, ...]:
    """Write the fused image, never over a source; return notes for the person.

    Raises:
        OutputError: it cannot be written.
    """
    from core.io import write_image

    progress.report(0, 0, tr("Saving"))
    sources = (outcome.pair.a.origin, outcome.pair.b.origin)
    notes = write_image(
        path,
        outcome.result.fused,
        bit_depth=outcome.result.bit_depth,
        provenance=outcome.result.provenance,
        protect=tuple(origin for origin in sources if origin is not None),
    )
    return tuple(notes or ())
