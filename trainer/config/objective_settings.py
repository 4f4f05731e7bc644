"""Settings of the objectives: the weights of the losses."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated

from core.errors import Message
from core.setting import Setting
from core.tasks import LossWeights, Weight


@dataclass(frozen=True, kw_only=True)
class ObjectiveSettings:
    """Weights of the losses; 0 for a term that the paper does not have reproduces the paper.

    Attributes:
        losses: weights of the paper's losses; None uses those of the task.
        edge: weight of the Xydeas–Petrović edge-preservation loss.
        artefact: weight of the penalty on edges that neither source has.
        information: weight of the visual-information-fidelity loss.
        mutual: weight of the mutual-information loss.
        floor: weight of the penalty on uptake shown darker than in A; see
            :attr:`trainer.config.data_settings.DataSettings.functional`.
        daylight: weight of the penalty on brightness that is not the visible image's by day, nor
            the infrared one's at its targets.
        self_reconstruction: weight of the paper's optional L1 between each source and its
            reconstruction from the fused features (§4.1).
        consistency: weight of the penalty on changes of the fused image caused by its surroundings.
        truth: compare the fused image with the ground truth ``gt/NAME`` alone, where it exists.
    """

    losses: LossWeights | None = None
    edge: Annotated[
        Weight,
        Setting(
            Message("Edge preservation"),
            Message("Keeps strength and direction of edges. 0 is the paper."),
            "",
            Message("Objectives"),
            5,
        ),
    ] = 0.0
    artefact: Annotated[
        Weight,
        Setting(
            Message("Artefacts"),
            Message("Against edges neither source has. 0 is the paper."),
            "",
            Message("Objectives"),
            5,
        ),
    ] = 0.0
    information: Annotated[
        Weight,
        Setting(
            Message("Visual information"),
            Message("Keeps what an eye can make out of the sources. 0 is the paper."),
            "",
            Message("Objectives"),
            5,
        ),
    ] = 0.0
    mutual: Annotated[
        Weight,
        Setting(
            Message("Mutual information"),
            Message("Keeps grey levels of the sources apart. 0 is the paper."),
            "",
            Message("Objectives"),
            5,
        ),
    ] = 0.0
    floor: Annotated[
        Weight,
        Setting(
            Message("Uptake stays visible"),
            Message("Against functional pictures that are darker than their source."),
            "",
            Message("Objectives"),
            5,
        ),
    ] = 0.0
    daylight: Annotated[
        Weight,
        Setting(
            Message("Daylight stays"),
            Message(
                "By day the brightness of B, at targets that of A. For infrared (A) with visible "
                "light (B)."
            ),
            "",
            Message("Objectives"),
            5,
        ),
    ] = 0.0
    self_reconstruction: Annotated[
        Weight,
        Setting(
            Message("Sources from the fused"),
            Message("Both sources can be rebuilt from what the fused picture is drawn from."),
            "",
            Message("Objectives"),
            5,
        ),
    ] = 0.0
    consistency: Annotated[
        Weight,
        Setting(
            Message("Same in any surroundings"),
            Message(
                "Keeps what lies around a place from changing it; a step takes longer. 0 is the "
                "paper."
            ),
            "",
            Message("Objectives"),
            5,
        ),
    ] = 0.0
    truth: Annotated[
        bool,
        Setting(
            Message("Compare with truth"),
            Message("Where a folder gt/ holds the wanted picture, compare with it alone."),
            "",
            Message("Objectives"),
        ),
    ] = False


FURTHER_TERMS = tuple(
    each.name for each in fields(ObjectiveSettings) if isinstance(each.default, float)
)
"""The settings that are weights of losses beside :attr:`ObjectiveSettings.losses`."""
