"""What is asked of a fusion and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from core.types.arrays import BitDepth, FloatArray
from core.types.image import SourcePair


@dataclass(frozen=True)
class DeviceChoice:
    """A device and the reason it was chosen, in words for a person."""

    name: str
    label: str
    reason: str


@dataclass(frozen=True)
class FusionRequest:
    """What to fuse and what to give back.

    Attributes:
        pair: the sources.
        task: name of a task in :data:`core.tasks.TASKS`.
        method: a pack name, the path of a pack file, or a baseline name; "" for the task's
            default pack.
        reconstructions: also return both reconstructions (models only).
        features: also return both adapter feature maps (models only).
        tiles: go through the image in the smallest pieces, for the least memory. The result is
            the same up to rounding.
        request_id: carried into the result, so a view can drop answers that were overtaken.
    """

    pair: SourcePair
    task: str
    method: str = ""
    reconstructions: bool = False
    features: bool = False
    _: KW_ONLY
    tiles: bool = False
    request_id: int = 0


RECONSTRUCTIONS = ("reconstruction_a", "reconstruction_b")
FEATURES = ("features_a", "features_b")
"""Fields of :class:`FusionResult` that may be there beside the fused image."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FusionResult:
    """What came out.

    Attributes:
        fused: H×W×(1 or 3) float32 in [0, 1]; RGB when either source is coloured.
        reconstruction_a, reconstruction_b: same shape as the normalised source's fused
            representation (H×W×1 luma, or H×W×3), in [0, 1]; None when not asked for, or when the
            method has none.
        features_a, features_b: C×h×w float32 adapter maps; h×w is the resolution the network
            keeps them at (the image size, or a whole fraction of it). None as above.
        timings: seconds per stage, in the order they ran.
        device: where it ran and why.
        method: name of the pack or baseline that ran.
        task: name of the task.
        bit_depth: depth to write the fused image with.
        notes: what a person should know about this result, one sentence each.
        provenance: what made this image (software, version, method, its hash, source file
            names), for the metadata of written files. No patient data.
        request_id: of the request.
    """

    fused: FloatArray
    task: str
    method: str
    device: DeviceChoice
    bit_depth: BitDepth
    reconstruction_a: FloatArray | None = None
    reconstruction_b: FloatArray | None = None
    features_a: FloatArray | None = None
    features_b: FloatArray | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    request_id: int = 0

    @property
    def images(self) -> dict[str, FloatArray]:
        """The images that there are, by the names of their fields, the fused one first."""
        return self._present("fused", *RECONSTRUCTIONS)

    @property
    def features(self) -> dict[str, FloatArray]:
        """The feature maps that there are, by the names of their fields."""
        return self._present(*FEATURES)

    def _present(self, *names: str) -> dict[str, FloatArray]:
        arrays = ((name, getattr(self, name)) for name in names)
        return {name: array for name, array in arrays if array is not None}
