"""The notice that results carry in their metadata and on their images, always in English."""

from __future__ import annotations

RESEARCH_NOTICE = "Research use only"
"""Of images that no network had a part in: a source alone, or a classical method."""

NETWORK_NOTICE = "Research use only – AI-generated image"


def notice_for(*, by_network: bool) -> str:
    """The notice of an image that a network made, or that none had a part in."""
    return NETWORK_NOTICE if by_network else RESEARCH_NOTICE
