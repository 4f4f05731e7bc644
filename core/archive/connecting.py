"""The archive that a description of it leads to."""

from __future__ import annotations

from core.archive.nodes import ArchiveNode, DicomNode
from core.archive.protocol import Archive


def archive_of(node: ArchiveNode) -> Archive:
    """The archive that ``node`` describes. Nothing is connected yet."""
    if isinstance(node, DicomNode):
        from core.archive.dimse import DimseArchive

        return DimseArchive(node)
    from core.archive.web import WebArchive

    return WebArchive(node)
