"""The fusion engine: a request in, a result out. The one call everything else stands on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from core import __version__
from core.baselines import BASELINES, Baseline
from core.colour import Split, merge, split
from core.device import choose_device, is_out_of_memory, memory_error, synchronise
from core.errors import DeviceMemoryError, PackError
from core.models.catalogue import Catalogue, PackEntry
from core.models.network import Features, UniFusionNet, pad_to_patches
from core.models.pack import read_pack
from core.progress import NullProgress, Progress
from core.tasks import get_task
from core.types import DeviceChoice, FloatArray, FusionRequest, FusionResult, SourcePair


@dataclass(frozen=True)
class MethodInfo:
    """One way to fuse, for lists and menus."""

    name: str
    title: str
    kind: Literal["pack", "baseline"]
    summary: str
    default: bool = False


@dataclass(frozen=True, eq=False)
class _Loaded:
    network: UniFusionNet
    entry: PackEntry
    stamp: tuple[int, int]


class Stopwatch:
    """Seconds per stage; reports each stage and lets the caller cancel between them."""

    def __init__(self, progress: Progress, device: DeviceChoice, stages: int) -> None:
        self.seconds: dict[str, float] = {}
        self._progress, self._device, self._stages = progress, device, stages

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage under ``name``."""
        self._progress.check()
        self._progress.report(len(self.seconds), self._stages, name)
        start = time.perf_counter()
        yield
        synchronise(self._device)
        self.seconds[name] = time.perf_counter() - start


class FusionEngine:
    """Fuses pairs by packs and baselines; keeps the last pack loaded.

    Not safe for use from two threads at once: give each worker its own, or one job at a time.
    """

    def __init__(
        self,
        device: str = "auto",
        catalogue: Catalogue | None = None,
        backbone: Path | None = None,
    ) -> None:
        """Args: ``device`` as in :func:`core.device.choose_device`; ``backbone``: DINOv3 file."""
        self._device = choose_device(device)
        self._catalogue = catalogue or Catalogue()
        self._backbone = backbone
        self._loaded: _Loaded | None = None

    @property
    def device_choice(self) -> DeviceChoice:
        """Where this engine runs, and why."""
        return self._device

    def methods(self, task: str) -> tuple[MethodInfo, ...]:
        """Packs of ``task`` (default first), then the classical baselines."""
        packs = [
            MethodInfo(
                entry.manifest.name,
                entry.manifest.title,
                "pack",
                f"{entry.manifest.network.backbone.kind}, {entry.manifest.training.steps} steps",
                default=index == 0,
            )
            for index, entry in enumerate(self._catalogue.for_task(get_task(task).name))
        ]
        classical = [
            MethodInfo(b.name, b.title, "baseline", b.reference) for b in BASELINES.values()
        ]
        return (*packs, *classical)

    def fuse(self, request: FusionRequest, progress: Progress | None = None) -> FusionResult:
        """Fuse one pair.

        Args:
            request: what to fuse, with which method, and what to give back besides.
            progress: told the stages; asked between them whether to stop.

        Raises:
            InputError: unknown task or method. PackError: the pack cannot be used.
            DeviceMemoryError: the picture does not fit. Cancelled: the caller said stop.
        """
        progress = progress or NullProgress()
        task = get_task(request.task)
        if request.method in BASELINES:
            result = self._fuse_classically(request, BASELINES[request.method], progress)
        else:
            result = self._fuse_by_pack(request, progress)
        progress.report(1, 1, "done")
        notes = (*_pair_notes(request.pair), *result.notes)
        return replace(result, task=task.name, notes=notes, request_id=request.request_id)

    def _fuse_classically(
        self, request: FusionRequest, baseline: Baseline, progress: Progress
    ) -> FusionResult:
        device = DeviceChoice("cpu", "CPU", "classical methods run on the CPU")
        watch = Stopwatch(progress, device, 3)
        with _memory_named(device, request.pair):
            with watch.stage("preparing"):
                parts = split(request.pair, get_task(request.task).colour)
            with watch.stage("fusing"):
                fused = baseline.fuse(parts.a, parts.b)
            with watch.stage("colour"):
                merged = merge(fused, parts)
        notes: tuple[str, ...] = ()
        if request.reconstructions or request.features:
            notes = ("Classical methods have no reconstructions and no features.",)
        return FusionResult(
            fused=merged,
            task=request.task,
            method=baseline.name,
            device=device,
            bit_depth=request.pair.bit_depth,
            timings=watch.seconds,
            notes=notes,
            provenance=_provenance(request, baseline.name, ""),
        )

    def _fuse_by_pack(self, request: FusionRequest, progress: Progress) -> FusionResult:
        watch = Stopwatch(progress, self._device, 6)
        try:
            with _memory_named(self._device, request.pair):
                with watch.stage("loading the model"):
                    loaded = self._load(self._find(request))
                manifest = loaded.entry.manifest
                with watch.stage("preparing"):
                    parts = split(request.pair, manifest.colour)
                with torch.inference_mode():
                    outputs = self._run(loaded.network, parts, request, watch)
                with watch.stage("colour"):
                    merged = merge(outputs.fused, parts)
        except DeviceMemoryError:
            self._loaded = None
            if self._device.name != "cpu":
                torch.cuda.empty_cache()
            raise
        return FusionResult(
            fused=merged,
            task=request.task,
            method=manifest.name,
            device=self._device,
            bit_depth=request.pair.bit_depth,
            reconstruction_a=outputs.reconstruction_a,
            reconstruction_b=outputs.reconstruction_b,
            features_a=outputs.features_a,
            features_b=outputs.features_b,
            timings=watch.seconds,
            provenance=_provenance(request, manifest.name, manifest.weights_sha256),
        )

    def _find(self, request: FusionRequest) -> PackEntry:
        entry = self._catalogue.find(request.method, request.task)
        if entry.manifest.task != request.task:
            raise PackError(
                f"Pack “{entry.manifest.name}”",
                f"it was trained for task {entry.manifest.task}, not {request.task}",
                "Choose a pack of this task, or change the task.",
            )
        return entry

    def _load(self, entry: PackEntry) -> _Loaded:
        try:
            stat = entry.path.stat()
        except OSError as error:
            raise PackError(str(entry.path), f"it cannot be read ({error.strerror})") from error
        stamp = (stat.st_mtime_ns, stat.st_size)
        held = self._loaded
        if held is None or held.entry.path != entry.path or held.stamp != stamp:
            network, manifest = read_pack(entry.path, self._backbone)
            network.to(self._device.name).requires_grad_(False)
            held = _Loaded(network, replace(entry, manifest=manifest), stamp)
            self._loaded = held
        return held

    def _run(
        self, network: UniFusionNet, parts: Split, request: FusionRequest, watch: Stopwatch
    ) -> _Outputs:
        height, width = parts.a.shape[:2]
        with watch.stage("encoding"):
            x, y = self._tensor(parts.a), self._tensor(parts.b)
            features = network.encode(x, y)
        with watch.stage("fusing"):
            fused = _picture(network.fuse(features, x, y), height, width)
        rec_a = rec_b = None
        if request.reconstructions and network.config.reconstruction:
            with watch.stage("reconstructing"):
                reconstructions = network.reconstruct(features)
                if reconstructions is not None:
                    rec_a, rec_b = (_picture(r, height, width) for r in reconstructions)
        maps: tuple[FloatArray | None, FloatArray | None] = (None, None)
        if request.features:
            maps = _feature_maps(features, network.config.stride, height, width)
        return _Outputs(fused, rec_a, rec_b, *maps)

    def _tensor(self, pixels: FloatArray) -> Tensor:
        chw = np.ascontiguousarray(pixels.transpose(2, 0, 1))[np.newaxis]
        padded, _ = pad_to_patches(torch.from_numpy(chw).to(self._device.name))
        return padded


@contextmanager
def _memory_named(device: DeviceChoice, pair: SourcePair) -> Iterator[None]:
    """Every way to run out of memory leaves as one error that names picture and device."""
    try:
        yield
    except Exception as error:
        if is_out_of_memory(error):
            raise memory_error(device, pair.a.size) from error
        raise


@dataclass(frozen=True, eq=False)
class _Outputs:
    fused: FloatArray
    reconstruction_a: FloatArray | None
    reconstruction_b: FloatArray | None
    features_a: FloatArray | None
    features_b: FloatArray | None


def _picture(output: Tensor, height: int, width: int) -> FloatArray:
    """1×ch×H'×W' network output → H×W×ch in [0, 1], the padding cut off."""
    cut = output[0, :, :height, :width].float().clamp(0, 1).permute(1, 2, 0)
    return np.ascontiguousarray(cut.cpu().numpy())


def _feature_maps(
    features: Features, stride: int, height: int, width: int
) -> tuple[FloatArray, FloatArray]:
    rows, columns = -(-height // stride), -(-width // stride)
    cut_x, cut_y = (
        np.ascontiguousarray(f[0, :, :rows, :columns].float().cpu().numpy()) for f in features
    )
    return cut_x, cut_y


def _pair_notes(pair: SourcePair) -> tuple[str, ...]:
    """The readers' notes, each with its source; a note about both is said once, as it is."""
    both = [note for note in pair.a.notes if note in pair.b.notes]
    single = [
        f"{side}: {note}"
        for side, image in (("A", pair.a), ("B", pair.b))
        for note in image.notes
        if note not in both
    ]
    return (*both, *single)


def _provenance(request: FusionRequest, method: str, digest: str) -> dict[str, str]:
    entries = {
        "software": f"UniFusion Studio {__version__}",
        "task": request.task,
        "method": method,
        "weights_sha256": digest,
        "source_a": request.pair.a.name,
        "source_b": request.pair.b.name,
    }
    if get_task(request.task).medical:
        entries["notice"] = "Research use only – AI-generated image"
    return {key: value for key, value in entries.items() if value}
