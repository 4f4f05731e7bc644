"""Archives: query, retrieve and send by DICOM and DICOMweb, only when asked.

Nothing connects or listens before a method of an :class:`Archive` is called for an archive that
the user has set up.
"""

from core.archive.connecting import archive_of
from core.archive.node_list import find_node, keep_node, list_nodes, node_file, remove_node
from core.archive.nodes import (
    OWN_TITLE,
    RETRIEVE_WAYS,
    ArchiveNode,
    DicomNode,
    RetrieveWay,
    TlsFiles,
    WebNode,
    warning_of,
)
from core.archive.protocol import Archive
from core.archive.records import (
    MOST_STUDIES,
    ArchivedSeries,
    ArchivedStudy,
    FoundStudies,
    RetrievedSeries,
    SentFile,
    StudyQuery,
)
from core.archive.retrieved import (
    clear_retrieved,
    retrieved_bytes,
    retrieved_folder,
    study_folder,
)
from core.archive.retrieving import retrieve_series
from core.archive.sending import files_to_send, send_files

__all__ = [
    "MOST_STUDIES",
    "OWN_TITLE",
    "RETRIEVE_WAYS",
    "Archive",
    "ArchiveNode",
    "ArchivedSeries",
    "ArchivedStudy",
    "DicomNode",
    "FoundStudies",
    "RetrieveWay",
    "RetrievedSeries",
    "SentFile",
    "StudyQuery",
    "TlsFiles",
    "WebNode",
    "archive_of",
    "clear_retrieved",
    "files_to_send",
    "find_node",
    "keep_node",
    "list_nodes",
    "node_file",
    "remove_node",
    "retrieve_series",
    "retrieved_bytes",
    "retrieved_folder",
    "send_files",
    "study_folder",
    "warning_of",
]
