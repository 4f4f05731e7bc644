"""The four fusion tasks, as data.

Loss weights are those of the paper's release (order: intensity, gradient, 1−SSIM, reconstruction);
the SSIM weighting and the intensity target follow SwinFusion, as the paper says (§4.1).
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Literal

from annotated_types import Interval

from core.errors import InputError, Message
from core.setting import Setting

Target = Literal["max", "mean", "brighter", "sharper"]
SsimWeighting = Literal["gradient", "equal"]
ColourMode = Literal["luma", "rgb"]
ChromaSource = Literal["a", "b", "both", "nearest"]


_GROUP = "Objectives"
Weight = Annotated[float, Interval(ge=0, le=100_000)]
"""How much an objective counts."""


@dataclass(frozen=True)
class LossWeights:
    """Weights of the fusion objective, with where they come from.

    ``intensity_target``: what the fused intensity is drawn to: the element-wise maximum or mean of
    the sources (SwinFusion), two thirds of the brighter and one third of the darker source (ours,
    for exposure: the mean leaves pictures grey), or at each pixel the source that is locally
    sharper (ours, for focus).
    """

    intensity: Annotated[
        Weight,
        Setting("Intensity", "Draws brightness to the target below.", "", _GROUP, 5),
    ]
    gradient: Annotated[
        Weight,
        Setting("Gradient", "Keeps the steeper edge of the two sources.", "", _GROUP, 5),
    ]
    _: KW_ONLY
    ssim: Annotated[
        Weight,
        Setting("Structure", "Keeps the result similar to both sources (SSIM).", "", _GROUP, 5),
    ]
    reconstruction: Annotated[
        Weight,
        Setting("Reconstruction", "Objective of the lower level.", "", _GROUP, 5),
    ]
    intensity_target: Annotated[
        Target,
        Setting(
            "Brightness target",
            "The larger or the mean of both sources, more of the brighter than of the darker one, "
            "or the locally sharper one.",
            "",
            _GROUP,
        ),
    ]
    ssim_weighting: Annotated[
        SsimWeighting,
        Setting(
            "Structure weighting",
            "By the strength of each source's edges, or equal.",
            "",
            _GROUP,
        ),
    ]
    source: str


@dataclass(frozen=True)
class ColourPolicy:
    """What is fused and what is carried past the network.

    ``luma``: the network fuses BT.601 luma; chroma is carried from ``chroma`` ("both": each
    pixel's chroma weighted by its distance from grey; "nearest": from the source whose luma is
    nearer to the fused luma, so that a copied pixel keeps its colour). ``rgb``: RGB is fused.
    """

    mode: ColourMode
    chroma: ChromaSource


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """One fusion task.

    Attributes:
        name: short name used in files and on the command line.
        title, description: for people.
        label_a, label_b: names of the sources.
        colour: default colour policy.
        losses: weights of the fusion objective.
        default_baseline: classical method shown before a model has run.
        hints_a, hints_b: lower-case words in file or folder names that mark a source.
        stems_a, stems_b: what such words begin with, or have in them (``underexp``).
        only_together_a, only_together_b: words too common to mark a source alone; they do where the
            other name has a word of the other source (``t`` beside ``rgb``).
        contexts: words in names and folders that speak of the task itself: its usual names, and
            public data sets made for it.
        medical: True when results must carry "Research use only".
        one_camera: True when both sources are shots by one camera, so that brightness in one is
            comparable with brightness in the other.
    """

    name: str
    title: str
    description: str
    label_a: str
    label_b: str
    colour: ColourPolicy
    losses: LossWeights
    default_baseline: str
    hints_a: tuple[str, ...]
    hints_b: tuple[str, ...]
    medical: bool = False
    stems_a: tuple[str, ...] = ()
    stems_b: tuple[str, ...] = ()
    only_together_a: tuple[str, ...] = ()
    only_together_b: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    one_camera: bool = False


_RELEASE = "UniFusion release (arXiv 2603.14214)"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ALL = (
    TaskSpec(
        name="mif",
        title="Medical",
        description="PET, SPECT or CT with MRI",
        label_a="PET / SPECT / CT",
        label_b="MRI",
        colour=ColourPolicy("luma", "a"),
        losses=LossWeights(
            20,
            100,
            ssim=50,
            reconstruction=20,
            intensity_target="max",
            ssim_weighting="equal",
            source=_RELEASE,
        ),
        default_baseline="laplacian",
        hints_a=("pet", "spect", "ct", "nm", "pt", "fdg"),
        hints_b=("mri", "mr", "mrt", "t1", "t2", "t1w", "t2w", "t1c", "t1ce", "flair", "dwi"),
        medical=True,
        contexts=("mif", "medical", "harvard", "havard", "aanlib", "medizin", "medizinisch"),
    ),
    TaskSpec(
        name="ivif",
        title="Infrared / visible",
        description="thermal infrared with a visible-light picture",
        label_a="Infrared",
        label_b="Visible",
        colour=ColourPolicy("luma", "b"),
        losses=LossWeights(
            20,
            20,
            ssim=10,
            reconstruction=5,
            intensity_target="max",
            ssim_weighting="gradient",
            source=_RELEASE,
        ),
        default_baseline="laplacian",
        hints_a=_words("ir irx infrared thermal lwir mwir swir nir fir tir wärmebild waermebild"),
        hints_b=("vis", "vi", "visible", "rgb"),
        stems_a=("infrar", "thermal", "thermo", "wärmebild", "waermebild"),
        stems_b=("visib", "sichtbar"),
        # Cameras name files by T, W, Z and V; DroneVehicle has trainimg/ and trainimgr/.
        only_together_a=("t", "i", "th", "previewdata", "trainimgr", "valimgr", "testimgr", "imgr"),
        only_together_b=_words(
            "w z v co eo color colour optical visual day trainimg valimg testimg img"
        ),
        contexts=_words(
            "ivif ivf vif m3fd tno roadscene msrs llvip kaist flir vifb vt5000 vt1000 vt821 "
            "dronevehicle mfnet vedai"
        ),
    ),
    TaskSpec(
        name="mef",
        title="Exposure",
        description="an under- with an over-exposed frame",
        label_a="Under-exposed",
        label_b="Over-exposed",
        colour=ColourPolicy("luma", "both"),
        losses=LossWeights(
            20,
            20,
            ssim=10,
            reconstruction=5,
            intensity_target="mean",
            ssim_weighting="equal",
            source=_RELEASE,
        ),
        default_baseline="mertens",
        hints_a=("under", "ue", "dark", "low"),
        hints_b=("over", "oe", "bright", "high"),
        stems_a=("underexp", "unterbelicht"),
        stems_b=("overexp", "überbelicht", "ueberbelicht"),
        only_together_a=("short", "dunkel", "kurz"),
        only_together_b=("long", "light", "hell", "lang"),
        contexts=_words(
            "mef exposure exposures multiexposure bracketing mefb sice hdr belichtung "
            "belichtungen belichtungsreihe"
        ),
        one_camera=True,
    ),
    TaskSpec(
        name="mff",
        title="Focus",
        description="a near- with a far-focused frame",
        label_a="Near focus",
        label_b="Far focus",
        colour=ColourPolicy("luma", "nearest"),
        losses=LossWeights(
            20,
            20,
            ssim=10,
            reconstruction=10,
            intensity_target="mean",
            ssim_weighting="gradient",
            source=_RELEASE,
        ),
        default_baseline="guided",
        hints_a=("near", "fg", "foreground"),
        hints_b=("far", "bg", "background"),
        stems_a=("nearfoc", "focusnear", "foreground", "vordergrund"),
        stems_b=("farfoc", "focusfar", "background", "hintergrund"),
        only_together_a=("front", "fore", "close", "nah", "n"),
        only_together_b=("back", "rear", "distant", "fern", "f"),
        contexts=_words("mff focus multifocus fokus lytro mffw mfif mfifb mfiwhu whu"),
        one_camera=True,
    ),
)

TASKS: dict[str, TaskSpec] = {task.name: task for task in _ALL}
if len(TASKS) != len(_ALL):
    raise RuntimeError("two tasks share a name")


def get_task(name: str) -> TaskSpec:
    """The task called ``name``.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    try:
        return TASKS[name]
    except KeyError:
        raise InputError(
            Message("Unknown task “{0}”", name),
            remedy=Message("Choose one of: {0}.", ", ".join(TASKS)),
        ) from None
