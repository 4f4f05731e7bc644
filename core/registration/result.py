"""The outcome of a registration, with how much can be relied on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.messages import Message
from core.types import Transform, Verdict


@dataclass(frozen=True, kw_only=True)
class Registration:
    """How two images lie to each other, and how sure that is.

    Attributes:
        transform: points of the fixed image → points of the moving one.
        spread: at the corners of the fixed image, in pixels or millimetres: within this distance
            lie 95 % of the estimates from other parts of the images and other starts. Infinite
            where there is none to compare.
        measure: name of the similarity that ``before`` and ``after`` are in.
        before, after: similarity without and with ``transform``; higher is better.
        verdict: “good”: parts and starts agree within the accuracy that fusion needs. “doubtful”:
            the result may be right but nothing proves it, look at it before it is used. “failed”:
            nothing in the images supports it; ``transform`` is not to be used.
        reasons: why the verdict is not better, one readable sentence each; () if it is good.
        seconds: how long it took.
    """

    transform: Transform
    spread: float
    measure: Message
    before: float
    after: float
    verdict: Verdict
    reasons: tuple[Message, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Misalignment:
    """What a quick look says.

    Attributes:
        verdict: “shifted”, “aligned”, or “unknown” where the pictures share too little.
        shift: mean distance of the corners from where they should be, in pixels of the first
            picture; 0 where unknown.
        spread: of ``shift``, as in :class:`core.registration.result.Registration`.
    """

    verdict: Literal["shifted", "aligned", "unknown"]
    shift: float
    spread: float
