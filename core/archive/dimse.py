"""Archives by DICOM's own protocol: C-ECHO, C-FIND, C-GET or C-MOVE, and C-STORE."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from core.archive.answers import (
    IMAGE_KEYS,
    SERIES_KEYS,
    STUDY_KEYS,
    by_number,
    found_image,
    found_series,
    found_study,
    matches,
    newest_first,
    study_filters,
    without_warnings,
)
from core.archive.association import (
    PENDING,
    SUCCESS,
    Proposal,
    Session,
    StatusFailure,
    associated,
    check_open,
    failure,
    not_offered,
)
from core.archive.contexts import get_contexts, uncompressed
from core.archive.listener import Listener, Receiver
from core.archive.nodes import DicomNode
from core.archive.protocol import Receive
from core.archive.records import (
    ArchivedImage,
    ArchivedSeries,
    FoundStudies,
    SentFile,
    StudyQuery,
)
from core.archive.store_scu import store_files
from core.progress import Progress

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3))
"""Study root query and retrieve information models (PS3.4 C.6.2)."""
VERIFICATION = "1.2.840.10008.1.1"
_UIDS_AT_ONCE = 100
_WARNING = 0xB000

Found = TypeVar("Found")


class DimseArchive:
    """An archive that is a DICOM application entity."""

    def __init__(self, node: DicomNode) -> None:
        self._node = node

    def echo(self, progress: Progress) -> None:
        """C-ECHO."""
        proposal = Proposal(contexts=[(VERIFICATION, uncompressed())], needed=VERIFICATION)
        with associated(self._node, proposal, progress) as session:
            code = session.code(session.association.send_c_echo())
            if code != SUCCESS:
                raise failure(self._node, code)

    def find_studies(self, query: StudyQuery, most: int, progress: Progress) -> FoundStudies:
        """C-FIND at the level of studies."""
        filters = study_filters(query)
        asked = _identifier("STUDY", {**dict.fromkeys(STUDY_KEYS, ""), **filters})

        def taken(data: Dataset) -> Any:
            study = found_study(data)
            return study if study is not None and matches(study, query) else None

        found = self._find(asked, taken, progress, most + 1)
        return FoundStudies(newest_first(found[:most]), more=len(found) > most)

    def find_series(self, study_uid: str, progress: Progress) -> tuple[ArchivedSeries, ...]:
        """C-FIND at the level of series."""
        keys = {**dict.fromkeys(SERIES_KEYS, ""), "StudyInstanceUID": study_uid}
        asked = _identifier("SERIES", keys)
        found = self._find(asked, lambda data: found_series(data, study_uid), progress)
        return by_number(found)

    def find_images(self, series: ArchivedSeries, progress: Progress) -> tuple[ArchivedImage, ...]:
        """C-FIND at the level of images; empty where the archive knows no such level."""
        asked = _identifier("IMAGE", {**dict.fromkeys(IMAGE_KEYS, ""), **_keys(series)})
        try:
            return tuple(self._find(asked, found_image, progress))
        except StatusFailure:
            return ()

    def _find(
        self,
        asked: Dataset,
        taken: Callable[[Dataset], Found | None],
        progress: Progress,
        most: int | None = None,
    ) -> list[Found]:
        proposal = Proposal(contexts=[(FIND, uncompressed())], needed=FIND)
        found: list[Found] = []
        with associated(self._node, proposal, progress) as session:
            with without_warnings():
                answers = session.association.send_c_find(asked, FIND)
            for status, data in answers:
                code = session.code(status)
                if code in PENDING:
                    one = None if data is None else taken(data)
                    found += [] if one is None else [one]
                elif code != SUCCESS:
                    raise failure(self._node, code)
                if most is not None and len(found) >= most:
                    # Sooner than C-CANCEL, after which some archives send all the same.
                    session.association.abort()
                    break
        return found

    def fetch(
        self,
        series: ArchivedSeries,
        images: Sequence[ArchivedImage],
        receive: Receive,
        progress: Progress,
        *,
        whole: bool,
    ) -> None:
        """C-GET or C-MOVE, of the series or, in pieces, of the images."""
        node = self._node
        wanted = _requests(series, [] if whole else images)
        receiver = Receiver(receive, series, {image.uid for image in images})
        kinds = list(dict.fromkeys(image.kind for image in images if image.kind))
        if node.retrieve_by == "move":
            with Listener(node, receiver, kinds):
                proposal = Proposal(contexts=[(MOVE, uncompressed())], needed=MOVE)
                with associated(node, proposal, progress) as session:
                    receiver.on_arrival = session.heard
                    for asked in wanted:
                        check_open(session)
                        answers = session.association.send_c_move(asked, node.own_title, MOVE)
                        self._follow(session, answers, receiver)
            return
        contexts = [(GET, uncompressed()), *get_contexts(kinds)]
        received = [kind for kind, _ in contexts[1:]]
        proposal = Proposal(
            contexts=contexts, needed=GET, received=received, handlers=receiver.handlers()
        )
        with associated(node, proposal, progress) as session:
            receiver.on_arrival = session.heard
            if not _accepts_any(session, received):
                raise not_offered(node, received[0])
            for asked in wanted:
                check_open(session)
                self._follow(session, session.association.send_c_get(asked, GET), receiver)

    def _follow(
        self, session: Session, answers: Iterator[tuple[Dataset, Any]], receiver: Receiver
    ) -> None:
        """Wait for the end of a retrieval.

        Raises:
            ArchiveError: it failed as a whole; single images may be missing.
            Exception: what ``receive`` raised.
        """
        for status, _ in answers:
            receiver.raise_refusal()
            code = session.code(status)
            if code not in (*PENDING, SUCCESS, _WARNING):
                raise failure(self._node, code)

    def send(self, files: Sequence[Path], progress: Progress) -> Iterator[SentFile]:
        """C-STORE."""
        return store_files(self._node, files, progress)


def _accepts_any(session: Session, kinds: Sequence[str]) -> bool:
    accepted = {str(one.abstract_syntax) for one in session.association.accepted_contexts}
    return not accepted.isdisjoint(kinds)


def _requests(series: ArchivedSeries, images: Sequence[ArchivedImage]) -> list[Dataset]:
    """What to retrieve: the series as a whole, or its images, a number at once."""
    if not images:
        return [_identifier("SERIES", _keys(series))]
    uids = [image.uid for image in images]
    pieces = [uids[at : at + _UIDS_AT_ONCE] for at in range(0, len(uids), _UIDS_AT_ONCE)]
    return [_identifier("IMAGE", {**_keys(series), "SOPInstanceUID": piece}) for piece in pieces]


def _keys(series: ArchivedSeries) -> dict[str, str]:
    return {"StudyInstanceUID": series.study_uid, "SeriesInstanceUID": series.uid}


def _identifier(level: str, keys: dict[str, Any]) -> Dataset:
    from pydicom.dataset import Dataset

    with without_warnings():
        made = Dataset()
        made.QueryRetrieveLevel = level
        if not all(value.isascii() for value in keys.values() if isinstance(value, str)):
            made.SpecificCharacterSet = "ISO_IR 192"
        for keyword, value in keys.items():
            setattr(made, keyword, value)
    return made
