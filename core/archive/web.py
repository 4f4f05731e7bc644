"""Archives by DICOMweb: QIDO-RS, WADO-RS and STOW-RS (PS3.18)."""

from __future__ import annotations

import contextlib
import io
import math
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
from core.archive.stow import store_file
from core.archive.watch import Watch
from core.archive.web_errors import http_error
from core.errors import Cancelled
from core.progress import Progress

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from core.archive.web_session import ArchiveSession

_TIMES = (5.0, 30.0)
"""Seconds within which a server is reached, and says the next thing."""
_MOST_IMAGES = 100_000


class WebArchive:
    """An archive that is a DICOMweb server."""

    def __init__(self, node: WebNode) -> None:
        self._node = node

    def echo(self, progress: Progress) -> None:
        """Search for one study: DICOMweb has no service of its own for this."""
        with self._client(progress) as client:
            client.search_for_studies(limit=1)

    def find_studies(self, query: StudyQuery, most: int, progress: Progress) -> FoundStudies:
        """QIDO-RS at the level of studies."""
        with self._client(progress) as client:
            answers = client.search_for_studies(
                limit=most + 1, fields=list(STUDY_KEYS), search_filters=_filters(query)
            )
        progress.check()
        studies = [found_study(one) for one in _datasets(answers)]
        found = [one for one in studies if one is not None and matches(one, query)]
        return FoundStudies(newest_first(found[:most]), more=len(answers) > most)

    def find_series(self, study_uid: str, progress: Progress) -> tuple[ArchivedSeries, ...]:
        """QIDO-RS at the level of series."""
        with self._client(progress) as client:
            answers = client.search_for_series(study_uid, fields=list(SERIES_KEYS))
        progress.check()
        series = (found_series(one, study_uid) for one in _datasets(answers))
        return by_number([one for one in series if one is not None])

    def find_images(self, series: ArchivedSeries, progress: Progress) -> tuple[ArchivedImage, ...]:
        """QIDO-RS at the level of instances."""
        with self._client(progress) as client:
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

        with self._client(progress) as client, without_warnings():
            for image in images:
                progress.check()
                data = client.retrieve_instance(series.study_uid, series.uid, image.uid)
                stream = io.BytesIO()
                dcmwrite(stream, data, enforce_file_format=True)
                receive(image.uid, stream.getvalue())

    def send(self, files: Sequence[Path], progress: Progress) -> Iterator[SentFile]:
        """STOW-RS, file by file, so that each has an outcome of its own."""
        with self._session(progress) as session:
            for path in files:
                progress.check()
                yield store_file(session, self._node.url, path, _TIMES)

    @contextlib.contextmanager
    def _client(self, progress: Progress) -> Iterator[Any]:
        """A client of dicomweb-client; raises as :meth:`_session`."""
        with self._session(progress) as session:
            from dicomweb_client.web import DICOMwebClient

            client = DICOMwebClient(self._node.url, session=session, timeout=_TIMES)
            client.set_http_retry_params(retry=False)
            yield client

    @contextlib.contextmanager
    def _session(self, progress: Progress) -> Iterator[ArchiveSession]:
        """Connections that end as soon as ``progress`` is cancelled.

        Raises:
            ArchiveError: instead of every error of the network inside.
            Cancelled: by ``progress``.
        """
        silence()
        progress.check()
        import requests

        from core.archive.web_session import ArchiveSession

        node = self._node
        with (
            ArchiveSession(node) as session,
            # What is silent for too long ends by the times of each request.
            Watch(progress, session.cut, math.inf) as watch,
        ):
            try:
                yield session
            except (requests.RequestException, OSError, ValueError, KeyError, TypeError) as error:
                if watch.is_cancelled:
                    raise Cancelled from None
                if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
                    raise
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
