"""Retrieves series of a study into a folder, and goes on where an earlier retrieval stopped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.archive.incoming import IncomingSeries, retrieving_into
from core.archive.protocol import Archive
from core.archive.records import ArchivedSeries, RetrievedSeries
from core.errors import ArchiveError, Message
from core.progress import Progress


def retrieve_series(
    archive: Archive, series: Sequence[ArchivedSeries], folder: Path, progress: Progress
) -> tuple[RetrievedSeries, ...]:
    """Retrieve ``series`` into folders of their own in ``folder``.

    Images that are there already are not retrieved again. What arrived of a series that is not
    complete is kept out of sight for the next time.

    Args:
        archive: that they are in.
        folder: is made where it is missing, for its owner only.

    Returns:
        What arrived of each. Where the archive fails on the way, that is in ``why``.

    Raises:
        ArchiveError: the archive failed before anything had arrived.
        OutputError: the folder cannot be written, or the disk is full; what had arrived is kept.
        Cancelled: by ``progress``; what had arrived is kept.
    """
    found: list[RetrievedSeries] = []
    failed: ArchiveError | None = None
    with retrieving_into(folder):
        total = sum(one.images or 0 for one in series)
        for one in series:
            share = _Share(progress, sum(each.arrived for each in found), total)
            incoming = IncomingSeries(folder, one)
            incoming.open()
            try:
                if failed is None:
                    failed = _retrieve(archive, one, incoming, share, found)
                else:
                    found.append(_outcome(one, incoming, one.images or 0, failed.message))
            finally:
                incoming.close()
    if failed is not None and not any(one.arrived for one in found):
        raise failed
    return tuple(found)


class _Share:
    """Progress of one series among several."""

    def __init__(self, progress: Progress, before: int, total: int) -> None:
        self._progress, self._before, self._total = progress, before, total
        self.check = progress.check

    def report(self, done: float, total: float, stage: str) -> None:
        """Add what the series before had."""
        self._progress.report(self._before + done, max(self._total, total), stage)


def _retrieve(
    archive: Archive,
    series: ArchivedSeries,
    incoming: IncomingSeries,
    progress: Progress,
    found: list[RetrievedSeries],
) -> ArchiveError | None:
    """Retrieve one series; adds what became of it to ``found``, returns why the archive failed."""
    expected = series.images or 0
    failed: ArchiveError | None = None

    def receive(uid: str, content: bytes) -> None:
        incoming.receive(uid, content)
        _report(incoming, expected, progress)

    try:
        progress.check()
        progress.report(0, expected, Message("Asking for the images"))
        listed = archive.find_images(series, progress)
        expected = max(expected, len(listed))
        _report(incoming, expected, progress)
        wanted = [image for image in listed if image.uid not in incoming.arrived]
        if wanted or (not listed and len(incoming.arrived) < max(expected, 1)):
            # A series of which nothing is there yet is asked for as a whole, which every archive
            # understands; and so is one whose images the archive does not list.
            whole = len(wanted) == len(listed)
            archive.fetch(series, wanted, receive, progress, whole=whole)
    except ArchiveError as error:
        failed = error
    why = failed.message if failed else Message("the archive did not send the others")
    found.append(_outcome(series, incoming, expected, why))
    return failed


def _report(incoming: IncomingSeries, expected: int, progress: Progress) -> None:
    arrived = len(incoming.arrived)
    stage = Message("Retrieving: {0} of {1} images", arrived, max(expected, arrived))
    progress.report(arrived, max(expected, arrived), stage)


def _outcome(
    series: ArchivedSeries, incoming: IncomingSeries, expected: int, why: str
) -> RetrievedSeries:
    arrived = len(incoming.arrived)
    expected = max(expected, arrived)
    if arrived and arrived == expected:
        return RetrievedSeries(series, incoming.complete(), arrived, expected)
    return RetrievedSeries(series, None, arrived, expected, why)
