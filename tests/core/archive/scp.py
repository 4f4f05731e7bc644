"""A second archive, of pynetdicom, in this process: it fails in all the ways that one may fail."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    PositronEmissionTomographyImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    Verification,
)

from core.archive import DicomNode
from tests.orthanc import free_port

RLE = "1.2.840.10008.1.2.5"


@dataclass
class Scp:
    """What the archive holds, and how it behaves.

    Attributes:
        files: of one series.
        sends: how many of them it sends before ``then``.
        then: what it does after that; None to send all.
        claims: how many images it says that the series has.
        lists: whether it answers at the level of images.
        on_store: called before each image that is stored is answered.
        asked: UIDs of images that were asked for, of each request.
    """

    files: Sequence[Path] = ()
    sends: int | None = None
    then: Callable[[Any], None] | None = None
    claims: int | None = None
    lists: bool = True
    store_status: int = 0x0000
    on_store: Callable[[], object] | None = None
    asked: list[list[str]] = field(default_factory=list)
    sent: threading.Event = field(default_factory=threading.Event)
    port: int = field(default_factory=free_port)

    def node(self, **changes: Any) -> DicomNode:
        given = {"name": "scp", "host": "127.0.0.1", "port": self.port, "title": "SCP"}
        return DicomNode(**(given | changes))

    def find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        level = event.identifier.QueryRetrieveLevel
        data = [dcmread(path, stop_before_pixels=True) for path in self.files]
        if level == "IMAGE" and self.lists:
            for one in data:
                yield 0xFF00, _taken(one, ("SOPInstanceUID", "SOPClassUID"))
        elif level == "IMAGE":
            yield 0xA900, None
        else:
            answer = _taken(data[0], ("StudyInstanceUID", "SeriesInstanceUID", "Modality"))
            claimed = len(data) if self.claims is None else self.claims
            answer.NumberOfSeriesRelatedInstances = answer.NumberOfStudyRelatedInstances = claimed
            yield 0xFF00, answer

    def get(self, event: Any) -> Iterator[Any]:
        wanted = event.identifier.get("SOPInstanceUID")
        uids = [wanted] if isinstance(wanted, str) else list(wanted or ())
        self.asked.append(uids)
        data = [dcmread(path) for path in self.files]
        chosen = [one for one in data if not uids or one.SOPInstanceUID in uids]
        yield len(chosen)
        for number, one in enumerate(chosen):
            if number == self.sends:
                self.sent.set()
                if self.then is None:
                    yield 0xB000, None
                    return
                self.then(event)
            yield 0xFF00, one

    def store(self, event: Any) -> int:
        if self.on_store is not None:
            self.on_store()
        return self.store_status

    @contextlib.contextmanager
    def running(self, context: ssl.SSLContext | None = None, **entity: Any) -> Iterator[Scp]:
        """Listen while this is entered. ``entity``: attributes of the application entity."""
        ae = AE(ae_title="SCP")
        for name, value in entity.items():
            setattr(ae, name, value)
        ae.add_supported_context(Verification)
        ae.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
        ae.add_supported_context(StudyRootQueryRetrieveInformationModelGet)
        ae.add_supported_context(
            PositronEmissionTomographyImageStorage, [RLE], scu_role=True, scp_role=True
        )
        handlers: list[Any] = [
            (evt.EVT_C_FIND, self.find),
            (evt.EVT_C_GET, self.get),
            (evt.EVT_C_STORE, self.store),
        ]
        server = ae.start_server(
            ("127.0.0.1", self.port), block=False, evt_handlers=handlers, ssl_context=context
        )
        try:
            yield self
        finally:
            left = list(server.active_associations)
            for association in left:
                association.abort(block=False)
            server.shutdown()
            for association in left:
                association.join(5)


def _taken(data: Dataset, keywords: Sequence[str]) -> Dataset:
    made = Dataset()
    for keyword in keywords:
        setattr(made, keyword, data.get(keyword))
    return made
