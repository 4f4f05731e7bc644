"""Definition of a fusion task: names, words in file names, colour policy and loss weights.

Loss weights are those of the paper's release (order: intensity, gradient, 1−SSIM, reconstruction);
SSIM weighting and intensity target follow SwinFusion, as stated in the paper (§4.1).
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Literal

from annotated_types import Interval

from core.messages import Message
from core.setting import Setting

Target = Literal["max", "mean", "brighter", "sharper"]
SsimWeighting = Literal["gradient", "equal"]
ColourMode = Literal["luma", "rgb"]
ChromaSource = Literal["a", "b", "both", "nearest"]


_GROUP = Message("Objectives")
Weight = Annotated[float, Interval(ge=0, le=100_000)]
"""Weight of a loss."""


@dataclass(frozen=True)
class LossWeights:
    """Weights of the fusion objective, and their source.

    ``intensity_target``: target of the fused intensity: the element-wise maximum or mean of the
    sources (SwinFusion); two thirds of the brighter and one third of the darker source (an addition
    for exposure, because the mean leaves images grey); or at each pixel the source that is locally
    sharper (an addition for focus).
    """

    intensity: Annotated[
        Weight,
        Setting(
            Message("Intensity"), Message("Draws brightness to the target below."), "", _GROUP, 5
        ),
    ]
    gradient: Annotated[
        Weight,
        Setting(
            Message("Gradient"),
            Message("Keeps the steeper edge of the two sources."),
            "",
            _GROUP,
            5,
        ),
    ]
    _: KW_ONLY
    ssim: Annotated[
        Weight,
        Setting(
            Message("Structure"),
            Message("Keeps the result similar to both sources (SSIM)."),
            "",
            _GROUP,
            5,
        ),
    ]
    reconstruction: Annotated[
        Weight,
        Setting(Message("Reconstruction"), Message("Objective of the lower level."), "", _GROUP, 5),
    ]
    intensity_target: Annotated[
        Target,
        Setting(
            Message("Brightness target"),
            Message(
                "The larger or the mean of both sources, more of the brighter than of the darker "
                "one, or the locally sharper one."
            ),
            "",
            _GROUP,
        ),
    ]
    ssim_weighting: Annotated[
        SsimWeighting,
        Setting(
            Message("Structure weighting"),
            Message("By the strength of each source's edges, or equal."),
            "",
            _GROUP,
        ),
    ]
    source: str


@dataclass(frozen=True)
class ColourPolicy:
    """Which channels are fused, and which are carried over.

    ``luma``: the network fuses BT.601 luma, and chroma is taken from ``chroma`` ("both": mean
    weighted by distance from grey and by exposure; "nearest": the source whose luma is nearer to
    the fused luma, so that a copied pixel keeps its colour). ``rgb``: RGB is fused.
    """

    mode: ColourMode
    chroma: ChromaSource


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """One fusion task.

    Attributes:
        name: short name, used in files and on the command line.
        title, description: texts for the user.
        label_a, label_b: names of the sources.
        colour: default colour policy.
        losses: weights of the fusion objective.
        default_baseline: classical method shown before a model has run.
        hints_a, hints_b: lower-case words in file or folder names that identify a source.
        stems_a, stems_b: beginnings or parts of such words (``underexp``).
        only_together_a, only_together_b: words too common to identify a source alone; they count
            if the other name contains a word of the other source (``t`` beside ``rgb``).
        contexts: words in file and folder names that suggest the task: its usual names, and public
            data sets made for it.
        medical: True if results must carry the note "Research use only".
        one_camera: True if one camera takes both images, so that their brightness is comparable.
        exposure_series: True if exposures in file names (``-2EV``, ``1_60s``) identify the sources:
            the smaller one is A.
        photographs: sources ("a", "b") that show visible light, as cameras encode it: they are
            resampled in linear light.
        icon: name of an icon of Material Design Icons.
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
    exposure_series: bool = False
    photographs: tuple[str, ...] = ()
    icon: str = "layers-outline"


RELEASE = "UniFusion release (arXiv 2603.14214)"
"""Source of the loss weights of the paper's four tasks."""


def words(text: str) -> tuple[str, ...]:
    """The words of ``text``, split at white space."""
    return tuple(text.split())
