"""What is lost of the slices of a volume together, and as figures for records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from core.errors import Message
from core.retention.measure import ALARM, Retention, SourceRetention, Spot
from core.types import SourceSide


@dataclass(frozen=True)
class LostSpots:
    """Numbers of spots of one source, and sums of their contrasts in ΔE."""

    spots: int = 0
    lost: int = 0
    contrast: float = 0.0
    lost_contrast: float = 0.0

    @classmethod
    def of(cls, source: SourceRetention) -> LostSpots:
        """Those of one image."""
        lost = source.lost
        return cls(len(source.spots), len(lost), _sum(source.spots), _sum(lost))

    @property
    def share(self) -> float:
        """Share of the spots that are lost, weighed by contrast, 0…1; 0 without spots."""
        return self.lost_contrast / self.contrast if self.contrast else 0.0

    @property
    def is_alarm(self) -> bool:
        """Whether more than :data:`core.retention.ALARM` is lost."""
        return self.share > ALARM

    def __add__(self, other: LostSpots) -> LostSpots:
        return LostSpots(
            self.spots + other.spots,
            self.lost + other.lost,
            self.contrast + other.contrast,
            self.lost_contrast + other.lost_contrast,
        )


@dataclass(frozen=True)
class RetentionTotals:
    """What is lost of both sources, in one image or in all slices of a volume.

    Attributes:
        a, b: of each source.
        images: how many were judged.
        alarms: indices of the slices that are an alarm by themselves; of one image 0 or nothing.
    """

    a: LostSpots = LostSpots()
    b: LostSpots = LostSpots()
    images: int = 0
    alarms: tuple[int, ...] = ()

    @classmethod
    def of(cls, found: Retention, index: int = 0) -> RetentionTotals:
        """Those of one image, or of the slice ``index``."""
        alarms = (index,) if found.is_alarm else ()
        return cls(LostSpots.of(found.a), LostSpots.of(found.b), 1, alarms)

    @property
    def is_alarm(self) -> bool:
        """Whether more than :data:`core.retention.ALARM` of either source is lost in all."""
        return self.a.is_alarm or self.b.is_alarm

    def of_side(self, side: SourceSide) -> LostSpots:
        """That of one source."""
        return self.a if side == "a" else self.b

    def __add__(self, other: RetentionTotals) -> RetentionTotals:
        return replace(
            self,
            a=self.a + other.a,
            b=self.b + other.b,
            images=self.images + other.images,
            alarms=(*self.alarms, *other.alarms),
        )

    @property
    def text(self) -> Message:
        """One sentence for a person."""
        return Message(
            "Lost in the fused picture: {0} of {1} spots of A ({2} % of their contrast), "
            "{3} of {4} of B ({5} %).",
            self.a.lost,
            self.a.spots,
            round(100 * self.a.share),
            self.b.lost,
            self.b.spots,
            round(100 * self.b.share),
        )

    @property
    def notes(self) -> tuple[Message, ...]:
        """That sentence, and another one where it is an alarm; none where nothing was judged."""
        if not self.a.spots and not self.b.spots:
            return ()
        return (self.text, *self.warnings)

    @property
    def warnings(self) -> tuple[Message, ...]:
        """What an alarm says, if it is one."""
        return (alarm_note(self),) if self.is_alarm else ()

    @property
    def figures(self) -> dict[str, float]:
        """Shares and numbers by name, for tables and records; :func:`is_lost` reads them."""
        return {
            "lost_a": round(self.a.share, 4),
            "lost_b": round(self.b.share, 4),
            "spots_a": float(self.a.spots),
            "spots_b": float(self.b.spots),
            "lost_images": float(len(self.alarms)),
        }


def alarm_note(totals: RetentionTotals) -> Message:
    """What an alarm says."""
    if totals.images < 2:
        return Message("Much is lost: look at the sources, too.")
    return Message(
        "Much is lost, in {0} of {1} slices: look at the sources, too.",
        len(totals.alarms),
        totals.images,
    )


FIGURES = ("lost_a", "lost_b", "spots_a", "spots_b", "lost_images")
"""Names of :attr:`RetentionTotals.figures`: shares that are lost, 0…1; numbers of spots; and of how
many images, or slices, the loss is an alarm by itself."""


def is_lost(figures: Mapping[str, float]) -> bool:
    """Whether figures of a record are an alarm; not where they have none of them."""
    return any(figures.get(name, 0.0) > ALARM for name in ("lost_a", "lost_b"))


def _sum(spots: Iterable[Spot]) -> float:
    return float(sum(spot.contrast for spot in spots))
