"""Archives by DICOMweb: QIDO-RS, WADO-RS and STOW-RS (PS3.18)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from core.archive.nodes import WebNode
from core.archive.protocol import Receive
from core.archive.quiet import silence
from core.archive.records import (
    ArchivedImage,
    ArchivedSeries,
    FoundStudies,
    SentFile,
    StudyQuery,
)
from core.archive.web_errors import http_error
from core.errors import Message
from core.progress import Progress

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_CONNECT_SECONDS, _SILENT_SECONDS = 5.0, 30.0
_MOST_IMAGES = 100_000
_WARNING_REASON, _FAILURE_REASON = "WarningReason", "FailureReason"


class WebArchive:
    """An archive that is a DICOMweb server."""

    def __init__(self, node: WebNode) -> None:
        self._node = node

    def echo(self, progress: Progress) -> None:
        """Search for one study: DICOMweb has no service of its own for this."""
        progress.check()
        with self._client() as client:
            client.search_for_studies(limit=1)

    def find_studies(self, query: StudyQuery, most: int, progress: Progress) -> FoundStudies:
        """QIDO-RS at the level of studies."""
        progress.check()
        with self._client() as client:
            answers = client.search_for_studies(
                limit=most + 1, fields=list(STUDY_KEYS), search_filters=_filters(query)
            )
        progress.check()
        studies = [found_study(one) for one in _datasets(answers)]
        found = [one for one in studies if one is not None and matches(one, query)]
        return FoundStudies(newest_first(found[:most]), more=len(answers) > most)

    def find_series(self, study_uid: str, progress: Progress) -> tuple[ArchivedSeries, ...]:
        """QIDO-RS at the level of series."""
        progress.check()
        with self._client() as client:
            answers = client.search_for_series(study_uid, fields=list(SERIES_KEYS))
        progress.check()
        series = (found_series(one, study_uid) for one in _datasets(answers))
        return by_number([one for one in series if one is not None])

    def find_images(self, series: ArchivedSeries, progress: Progress) -> tuple[ArchivedImage, ...]:
        """QIDO-RS at the level of instances."""
        progress.check()
        with self._client() as client:
            answers = client.search_for_instances(
                series.study_uid,
                series.uid,
                limit=_MOST_IMAGES,
                fields=list(IMAGE_KEYS),
                get_remaining=False,
            )
        progress.check()
        images = (found_image(one) for one in _datasets(answers))
        return tuple(dict.fromkeys(image for image in images if image is not None))

    def fetch(
        self,
        series: ArchivedSeries,
        images: Sequence[ArchivedImage],
        receive: Receive,
        progress: Progress,
        *,
        whole: bool,
    ) -> None:
        """WADO-RS, image by image, each in the encoding that it is stored in."""
        from pydicom import dcmwrite

        with self._client() as client, without_warnings():
            for image in images:
                progress.check()
                data = client.retrieve_instance(series.study_uid, series.uid, image.uid)
                stream = io.BytesIO()
                dcmwrite(stream, data, enforce_file_format=True)
                receive(image.uid, stream.getvalue())

    def send(self, files: Sequence[Path], progress: Progress) -> Iterator[SentFile]:
        """STOW-RS, file by file, so that each has an outcome of its own."""
        with self._client() as client:
            for path in files:
                progress.check()
                yield self._sent(client, path)

    def _sent(self, client: Any, path: Path) -> SentFile:
        from pydicom import dcmread
        from requests.exceptions import HTTPError

        try:
            with without_warnings():
                data = dcmread(path)
                if "SOPInstanceUID" not in data:
                    raise ValueError(path)
        except Exception:  # whatever pydicom raises at a file that is none
            return SentFile(path, "failed", Message("it is no DICOM file that can be sent"))
        try:
            with without_warnings():
                answer = client.store_instances([data])
        except HTTPError as error:
            code = 0 if error.response is None else error.response.status_code
            if code in (400, 409, 413, 415):
                why = Message("the archive does not take it (HTTP {0})", code)
                return SentFile(path, "failed", why)
            raise
        return _outcome(path, answer)

    @contextlib.contextmanager
    def _client(self) -> Iterator[Any]:
        """A client of dicomweb-client.

        Raises:
            ArchiveError: instead of every error of the network inside.
        """
        silence()
        import requests
        from dicomweb_client.web import DICOMwebClient

        from core.archive.web_session import ArchiveSession

        node = self._node
        with ArchiveSession(node) as session:
            client = DICOMwebClient(
                node.url, session=session, timeout=(_CONNECT_SECONDS, _SILENT_SECONDS)
            )
            client.set_http_retry_params(retry=False)
            try:
                yield client
            except (requests.RequestException, ValueError, KeyError, TypeError) as error:
                raise http_error(node, error) from None


def _filters(query: StudyQuery) -> dict[str, str]:
    """As for DIMSE; a caret, which some servers do not decode, is any one character."""
    filters = study_filters(query)
    if "PatientName" in filters:
        filters["PatientName"] = filters["PatientName"].replace("^", "?")
    return filters


def _datasets(answers: Any) -> list[Dataset]:
    """
    Raises:
        ValueError: these are no data sets.
    """
    from pydicom.dataset import Dataset

    with without_warnings():
        return [Dataset.from_json(one) for one in answers]


def _outcome(path: Path, answer: Dataset) -> SentFile:
    """What the response of STOW-RS says of the one file that was sent (PS3.18 I.2)."""
    for item in answer.get("FailedSOPSequence", None) or ():
        code = int(item.get(_FAILURE_REASON, 0) or 0)
        why = Message("the archive does not take it (status {0:04X})", code)
        return SentFile(path, "failed", why)
    for item in answer.get("ReferencedSOPSequence", None) or ():
        code = int(item.get(_WARNING_REASON, 0) or 0)
        if code:
            why = Message("the archive changed something (status {0:04X})", code)
            return SentFile(path, "warned", why)
    return SentFile(path, "stored")
