"""An engine for the window's tests: the contract of the real one, arithmetic instead of nets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.progress import NullProgress, Progress
from core.types import DeviceChoice, FusionRequest, FusionResult, Image

CHANNELS = 5


@dataclass(frozen=True)
class StandInMethod:
    """What the engine says of a method."""

    name: str
    title: str
    kind: str
    summary: str = ""
    default: bool = False


BASELINES = ("average", "laplacian", "mertens", "guided")


class StandInEngine:
    """The mean of A and B under every name; the model's is a little brighter.

    ``gate`` holds the model while it is cleared; ``stubborn`` makes it deaf to cancelling
    meanwhile; ``trouble`` is raised instead of the model's answer, with ``troubles_all`` of any.
    """

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.stubborn = False
        self.trouble: Callable[[], BaseException | None] | None = None
        self.troubles_all = False
        self.with_packs = True
        self.requests: list[FusionRequest] = []

    @property
    def device_choice(self) -> DeviceChoice:
        """The processor."""
        return DeviceChoice("cpu", "CPU", "there is no other device here")

    def methods(self, task: str) -> tuple[StandInMethod, ...]:
        """One pack, four baselines."""
        pack = StandInMethod(f"{task}-compact", "Compact model", "pack", "for tests", True)
        classical = (StandInMethod(name, name.title(), "baseline") for name in BASELINES)
        return ((pack,) if self.with_packs else ()) + tuple(classical)

    def fuse(
        self,
        request: FusionRequest,
        progress: Progress | None = None,
        *,
        beside_others: bool = False,
    ) -> FusionResult:
        """Mean of the sources, and what else was asked for."""
        progress = progress or NullProgress()
        self.requests.append(request)
        is_model = request.method not in BASELINES
        progress.report(0, 2, "encoding")
        while is_model and not self.gate.wait(0.005):
            if not self.stubborn:
                progress.check()
        progress.check()
        problem = self.trouble() if self.trouble and (is_model or self.troubles_all) else None
        if problem is not None:
            raise problem
        a, b = (_rgb(image) for image in (request.pair.a, request.pair.b))
        grey_a, grey_b = (x.mean(axis=2, keepdims=True) for x in (a, b))
        return FusionResult(
            fused=np.clip((a + b) / 2 + 0.05 * is_model, 0, 1),
            task=request.task,
            method=request.method,
            device=self.device_choice,
            bit_depth=request.pair.bit_depth,
            reconstruction_a=grey_a if request.reconstructions else None,
            reconstruction_b=grey_b if request.reconstructions else None,
            features_a=_features(grey_a) if request.features else None,
            features_b=_features(grey_b) if request.features else None,
            provenance={"method": request.method},
            request_id=request.request_id,
        )


def _rgb(image: Image) -> np.ndarray:
    return np.broadcast_to(image.normalised(), (image.height, image.width, 3))


def _features(grey: np.ndarray) -> np.ndarray:
    half = grey[::2, ::2, 0]
    return np.stack([half * (k + 1) + k * half**2 for k in range(CHANNELS)]).astype(np.float32)
