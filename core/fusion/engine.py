"""The fusion engine: turns a request into a result."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.available_memory import available_bytes, release_memory
from core.baselines import BASELINES
from core.device import choose_device, limit_to_one_core, memory_error, usable_cores
from core.errors import Cancelled, DeviceMemoryError, Message, PackError
from core.fusion.classical_engine import (
    check_room,
    classical_methods,
    fuse_classically,
    least_bytes,
    unused_backbone,
)
from core.fusion.color import PreparedPair, merge, split
from core.fusion.instrumentation import StageTimer, finalize_result, named_memory_errors, provenance
from core.fusion.protocol import MethodInfo
from core.memory_model import FusionWorkload, network_bytes
from core.models.config import NetworkConfig
from core.models.network import Features, UniFusionNet, pad_to_patches
from core.models.tiling import WHOLE_IMAGE, StripTiling, TilingStrategy
from core.packs.format import read_pack
from core.packs.registry import Catalogue, PackEntry
from core.progress import NullProgress, Progress
from core.tasks import ColourPolicy, get_task
from core.types import (
    DeviceChoice,
    FloatArray,
    FusionRequest,
    FusionResult,
    ImageHeader,
    SourcePair,
)

_STRIPE_PIXELS = 2**19
"""Images of up to twice this size are fused whole, larger ones in strips of this many pixels."""
_TILE_PIXELS = 2**18
"""Strip size where memory is scarce; smaller strips cost more in margins than they save."""


@dataclass(frozen=True, eq=False)
class _Loaded:
    network: UniFusionNet
    entry: PackEntry
    stamp: tuple[int, int]


class _CancellableProgress:
    """The progress of the caller, which also cancels once the caller has stopped waiting."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self.abandoned = progress, threading.Event()

    def report(self, done: float, total: float, stage: str) -> None:
        """Forward the report."""
        self._progress.report(done, total, stage)

    def check(self) -> None:
        """Raise Cancelled if the caller cancelled or stopped waiting."""
        if self.abandoned.is_set():
            raise Cancelled
        self._progress.check()


class FusionEngine:
    """Fuses pairs with packs and classical methods; keeps the last pack loaded.

    Thread-safe. Calls are serialised unless ``beside_others`` is set.
    """

    def __init__(
        self,
        device: str = "auto",
        catalogue: Catalogue | None = None,
        backbone: Path | None = None,
    ) -> None:
        """``device`` as in :func:`core.device.choose_device`; ``backbone``: DINOv3 file."""
        self._device = choose_device(device)
        self._catalogue = catalogue or Catalogue()
        self._backbone = backbone
        self._loaded: _Loaded | None = None
        self._loading = threading.Lock()
        # All networks run on one thread: torch creates worker threads for every calling thread, and
        # more worker threads than cores slow all of them down by a fifth.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="network")
        self._beside = self._thread
        if self._device.name == "cpu":
            # On small images several cores wait for each other in every layer: one image per core
            # has 1.5 times the throughput.
            self._beside = ThreadPoolExecutor(usable_cores(), "beside", limit_to_one_core)

    @property
    def device_choice(self) -> DeviceChoice:
        """The device of this engine and the reason for choosing it."""
        return self._device

    def methods(self, task: str) -> tuple[MethodInfo, ...]:
        """Packs of ``task`` (default first), then the classical methods."""
        packs = [
            MethodInfo(
                entry.manifest.name,
                entry.manifest.title,
                "pack",
                Message(
                    "{0}, {1} steps",
                    _backbone_words(entry.manifest.network),
                    entry.manifest.training.steps,
                ),
                default=index == 0,
            )
            for index, entry in enumerate(self._catalogue.for_task(get_task(task).name))
        ]
        return (*packs, *classical_methods())

    def unused_backbone(self, task: str, method: str) -> Message | None:
        """See :meth:`core.fusion.protocol.CheckedEngine.unused_backbone`."""
        if self._backbone is None:
            return None
        name = method
        if method not in BASELINES:
            manifest = self._catalogue.find(method, get_task(task).name).manifest
            if manifest.network.backbone.kind == "dinov3":
                return None
            name = manifest.name
        return unused_backbone(self._backbone, name)

    def check_memory(
        self,
        a: ImageHeader,
        b: ImageHeader,
        task: str,
        method: str,
        kept: FusionWorkload | None = None,
    ) -> None:
        """See :meth:`core.fusion.protocol.CheckedEngine.check_memory`."""
        if method in BASELINES:
            fusing = least_bytes(BASELINES[method], (a.width, a.height), get_task(task).colour)
        else:
            config = self._catalogue.find(method, task).manifest.network
            way = replace(kept or FusionWorkload(), piece=_TILE_PIXELS)
            fusing = network_bytes(config, a.width, a.height, way)
        if self._device.name != "cpu":
            fusing = 0
        check_room(a, b, fusing, self._device)

    def fuse(
        self,
        request: FusionRequest,
        progress: Progress | None = None,
        *,
        beside_others: bool = False,
    ) -> FusionResult:
        """Fuse one pair.

        Args:
            request: the pair, the method, and the additional outputs.
            progress: receives the stages, and may cancel between them.
            beside_others: several threads call this at once. On a CPU a light network then uses one
                core per pair, which has a higher throughput than processing the pairs in turn on
                all cores, and needs memory for as many pairs as there are cores. The result is the
                same.

        Raises:
            InputError: unknown task or method. PackError: the pack cannot be used.
            DeviceMemoryError: the image does not fit. Cancelled: the caller cancelled.
        """
        progress = progress or NullProgress()
        get_task(request.task)  # report an unknown task before an unknown method
        if request.method in BASELINES:
            return fuse_classically(request, progress)
        entry = self._find(request)
        # Heavy blocks at full resolution need gigabytes: not once per core.
        is_light = entry.manifest.network.stride > 1
        threads = self._beside if beside_others and is_light else self._thread
        return finalize_result(self._run_on(threads, request, entry, progress), request, progress)

    def _run_on(
        self,
        threads: ThreadPoolExecutor,
        request: FusionRequest,
        entry: PackEntry,
        progress: Progress,
    ) -> FusionResult:
        cancellable = _CancellableProgress(progress)
        running = threads.submit(self._fuse_by_pack, request, entry, cancellable)
        try:
            return running.result()
        except BaseException:
            cancellable.abandoned.set()
            raise

    def _fuse_by_pack(
        self, request: FusionRequest, entry: PackEntry, progress: Progress
    ) -> FusionResult:
        watch = StageTimer(progress, self._device, 6)
        way = self._choose_tiling(request, entry.manifest.network)
        try:
            with named_memory_errors(self._device, request, tiled=way.piece == _TILE_PIXELS):
                with watch.stage(Message("loading the model")):
                    loaded = self._load(entry)
                manifest = loaded.entry.manifest
                with watch.stage(Message("preparing")):
                    parts, x, y = self._prepare(request.pair, manifest.colour)
                with torch.inference_mode():
                    outputs = self._run(
                        loaded.network, x, y=y, request=request, way=way, watch=watch
                    )
                del x, y
                with watch.stage(Message("colour")):
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
            provenance=provenance(request, manifest.name, manifest.weights_sha256),
        )

    def _choose_tiling(self, request: FusionRequest, config: NetworkConfig) -> FusionWorkload:
        """The fastest tiling that fits into the available memory.

        Raises:
            DeviceMemoryError: none fits. On a GPU this is left to the driver, which refuses an
                allocation where an operating system would kill the process.
        """
        size = request.pair.a.size
        ways = tuple(_tilings(*size, request))
        for way in ways:
            needed = network_bytes(config, *size, way)
            free = available_bytes(self._device.name, wanted=needed)
            if free is None or needed <= free:
                return way
        if self._device.name != "cpu":
            return ways[-1]
        raise memory_error(self._device, size, tiled=True, needed=needed, free=free or 0)

    def _find(self, request: FusionRequest) -> PackEntry:
        entry = self._catalogue.find(request.method, request.task)
        if entry.manifest.task != request.task:
            raise PackError(
                Message("Pack “{0}”", entry.manifest.name),
                Message("it was trained for task {0}, not {1}", entry.manifest.task, request.task),
                Message("Choose a pack of this task, or change the task."),
            )
        return entry

    def _load(self, entry: PackEntry) -> _Loaded:
        try:
            stat = entry.path.stat()
        except OSError as error:
            why = Message("it cannot be read ({0})", error.strerror)
            raise PackError(
                str(entry.path), why, Message("Choose another pack, or bring the file back.")
            ) from error
        stamp = (stat.st_mtime_ns, stat.st_size)
        with self._loading:
            held = self._loaded
            if held is None or held.entry.path != entry.path or held.stamp != stamp:
                network, manifest = read_pack(entry.path, self._backbone)
                network.to(self._device.name).requires_grad_(False)
                held = _Loaded(network, replace(entry, manifest=manifest), stamp)
                self._loaded = held
        return held

    def _prepare(
        self, pair: SourcePair, colour: ColourPolicy
    ) -> tuple[PreparedPair, Tensor, Tensor]:
        """The prepared pair, and both images as tensors for the network."""
        parts = split(pair, colour)
        height, width = parts.a.shape[:2]
        x, y = self._tensor(parts.a), self._tensor(parts.b)
        if self._device.name == "cpu":  # share the memory of the tensors
            a, b = (t[0, :, :height, :width].permute(1, 2, 0).numpy() for t in (x, y))
            parts = replace(parts, a=a, b=b)
        return parts, x, y

    def _run(
        self,
        network: UniFusionNet,
        x: Tensor,
        *,
        y: Tensor,
        request: FusionRequest,
        way: FusionWorkload,
        watch: StageTimer,
    ) -> _Outputs:
        width, height = request.pair.a.size
        reconstructs = request.reconstructions and network.config.reconstruction
        with watch.stage(Message("encoding")):
            tiling = _tiling_for(x.shape[2], x.shape[3], way, watch)
            if tiling is not WHOLE_IMAGE:
                release_memory()
            features = network.encode(x, y, tiling)
        with watch.stage(Message("fusing")):
            inplace = not (reconstructs or request.features)
            fused = _image(network.fuse(features, x, y, tiling, inplace=inplace), height, width)
        rec_a = rec_b = None
        if reconstructs:
            with watch.stage(Message("reconstructing")):
                reconstructions = network.reconstruct(features, tiling)
                if reconstructions is not None:
                    rec_a, rec_b = (_image(r, height, width) for r in reconstructions)
        maps: tuple[FloatArray | None, FloatArray | None] = (None, None)
        if request.features:
            maps = _feature_maps(features, network.config.stride, height, width)
        return _Outputs(fused, rec_a, rec_b, *maps)

    def _tensor(self, pixels: FloatArray) -> Tensor:
        chw = np.ascontiguousarray(pixels.transpose(2, 0, 1))[np.newaxis]
        padded, _ = pad_to_patches(torch.from_numpy(chw).to(self._device.name))
        return padded


def _backbone_words(config: NetworkConfig) -> str:
    kind = config.backbone.kind
    return Message("no backbone") if kind == "none" else kind


def _tilings(width: int, height: int, request: FusionRequest) -> Iterator[FusionWorkload]:
    """Possible tilings of an image of that size, from the fastest to the most economical.

    With tiles, the caller can also cancel between them.
    """
    asked = FusionWorkload(0, request.reconstructions, request.features)
    area = width * height
    if not request.tiles:
        if area <= 2 * _STRIPE_PIXELS:
            yield asked
        if area > _STRIPE_PIXELS:
            yield replace(asked, piece=_STRIPE_PIXELS)
    yield replace(asked, piece=_TILE_PIXELS)


def _tiling_for(
    height: int, width: int, wanted: FusionWorkload, watch: StageTimer
) -> TilingStrategy:
    if not wanted.piece or height * width <= wanted.piece:
        return WHOLE_IMAGE
    return StripTiling(height, wanted.piece // width, watch.check, release_memory)


@dataclass(frozen=True, eq=False)
class _Outputs:
    fused: FloatArray
    reconstruction_a: FloatArray | None
    reconstruction_b: FloatArray | None
    features_a: FloatArray | None
    features_b: FloatArray | None


def _image(output: Tensor, height: int, width: int) -> FloatArray:
    """1×ch×H'×W' network output → H×W×ch in [0, 1], without the padding."""
    cut = output[0, :, :height, :width].float().clamp_(0, 1).permute(1, 2, 0)
    return np.ascontiguousarray(cut.cpu().numpy())


def _feature_maps(
    features: Features, stride: int, height: int, width: int
) -> tuple[FloatArray, FloatArray]:
    rows, columns = -(-height // stride), -(-width // stride)
    cut_x, cut_y = (
        np.ascontiguousarray(f[0, :, :rows, :columns].float().cpu().numpy()) for f in features
    )
    return cut_x, cut_y
