"""Download of DINOv3, which happens on request of the user alone.

The file is the one that ``timm.create_model(…, pretrained=True)`` would load (repository and file
name are timm's; a test compares them). Its tensors have timm's names, so that timm's checkpoint
filter has nothing to rename, and it is stored unchanged. It is read over plain HTTPS instead of
with ``huggingface_hub``, which would send a login token if there is one, describe the machine to
the server, keep a second copy in its own cache, and could not be cancelled.

The file is pinned (:data:`RELEASE`): the URL names a revision of the repository, and only a file of
that size and SHA-256 is kept, whatever the server or a mirror declares. Several public projects pin
the same values independently; the size is exactly that of timm's tensors (a test compares them).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from core.errors import DownloadError, Message, OutputError, PackError
from core.io.atomic import atomic_path, output_error
from core.models.backbone import Dinov3Backbone
from core.models.config import DINOV3_TIMM_NAME, BackboneConfig
from core.packs.http import Head, read_file
from core.packs.paths import backbone_file
from core.progress import NullProgress, Progress

REPOSITORY = f"timm/{DINOV3_TIMM_NAME}"
FILE = "model.safetensors"

LICENCE = "DINOv3 License"
LICENCE_ADDRESS = "https://ai.meta.com/resources/models-and-libraries/dinov3-license/"
TERMS = (
    Message(
        "You may use, copy, change and pass on the weights without payment, also commercially."
    ),
    Message(
        "Whoever passes on the weights, or something made from them, does so under the same "
        "licence, with a copy of it and the words “Built with DINOv3”."
    ),
    Message("Publications of results that DINOv3 had a part in say so."),
    Message(
        "Not allowed: military, nuclear and espionage purposes, weapons, breach of trade "
        "controls, and reverse engineering."
    ),
    Message("There is no warranty. Meta may change the licence, and may end it for who breaks it."),
)
"""Summary of the licence in our own words; the text at LICENCE_ADDRESS is authoritative."""


@dataclass(frozen=True)
class Release:
    """A pinned file: revision of the repository, size in bytes, SHA-256 in hex."""

    revision: str
    bytes: int
    sha256: str


RELEASE = Release(
    "3bf4720a82ec2066db88137180ff1f83a675cef0",
    86_362_376,
    "2a1ec16ae28ffa07bc0ead0241ee7df9fc26451fe6f9f839b7b3afa0a906b040",
)

CONFIG = BackboneConfig()
_HUB = "https://huggingface.co"
_POLL_INTERVAL = 0.1
_BROWSER_REMEDY = Message("Download the file with a browser, and choose it here instead.")


@dataclass(frozen=True)
class Stored:
    """A downloaded file: path, size, and SHA-256 in hex."""

    path: Path
    bytes: int
    sha256: str


def address() -> str:
    """URL of the file. $HF_ENDPOINT selects a mirror of the hub, as for timm."""
    hub = os.environ.get("HF_ENDPOINT", "").rstrip("/") or _HUB
    return f"{hub}/{REPOSITORY}/resolve/{RELEASE.revision}/{FILE}"


def page() -> str:
    """URL of the web page of the file, from which a browser can download it."""
    return f"{_HUB}/{REPOSITORY}"


def fetch_backbone(progress: Progress | None = None) -> Stored:
    """Download and check DINOv3, and store it for :func:`core.packs.paths.stored_backbone`.

    Call this only after the user requested it and accepted the licence. One file is requested; the
    server learns the network address of this machine, the file name, and name and version of the
    program. The file is kept only if size and SHA-256 match :data:`RELEASE` and all tensors fit
    :class:`Dinov3Backbone`; an existing file is kept until then.

    Raises:
        DownloadError: no connection, refused, interrupted, or not the pinned file.
        OutputError: it cannot be written. Cancelled: raised by ``progress``, within 0.2 s during
            the transfer.
    """
    progress = progress or NullProgress()
    target, url = backbone_file(), address()
    host = urlsplit(url).hostname or url
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(target, error) from error
    with atomic_path(target) as temporary, _receiving(url, progress) as blocks:
        progress.report(0, RELEASE.bytes, Message("connecting"))
        head = next(blocks)
        assert isinstance(head, Head)
        _check_declared(head, host)
        _check_disk_space(target)
        with temporary.open("wb") as stream:
            done, digest = _written(blocks, stream, progress)
        _check_received(done, digest, host)
        progress.report(done, done, Message("checking the file"))
        try:
            Dinov3Backbone(CONFIG).load_weights(temporary, digest)
        except PackError as error:
            raise DownloadError(
                Message("What {0} sent", host), Message("it is no DINOv3 ViT-S/16"), _BROWSER_REMEDY
            ) from error
        progress.check()
    return Stored(target, done, digest)


def _written(
    blocks: Iterator[Head | bytes], stream: BinaryIO, progress: Progress
) -> tuple[int, str]:
    """Write all blocks; returns their total size and SHA-256."""
    digest, done = hashlib.sha256(), 0
    for block in blocks:
        assert isinstance(block, bytes)
        done += len(block)
        if done > RELEASE.bytes:
            break  # longer than the pinned file
        stream.write(block)
        digest.update(block)
        progress.report(done, RELEASE.bytes, Message("downloading"))
    return done, digest.hexdigest()


def _check_declared(head: Head, host: str) -> None:
    """Refuse a file whose declared size or hash differs, before reading it."""
    wrong_size = head.size and head.size != RELEASE.bytes
    if wrong_size or (head.sha256 and head.sha256 != RELEASE.sha256):
        raise DownloadError(
            Message("What {0} sent", host),
            Message(
                "it is another file than the one this program knows; perhaps a sign-in page of "
                "your network answered, or a mirror has another version"
            ),
            _BROWSER_REMEDY,
        )


def _check_disk_space(target: Path) -> None:
    free = shutil.disk_usage(target.parent).free
    if free < RELEASE.bytes:
        raise OutputError(
            Message("Cannot write {0}", target),
            Message("{0} MB are needed, {1} MB are free", RELEASE.bytes // 10**6, free // 10**6),
            Message("Free some space, and try again."),
        )


def _check_received(done: int, digest: str, host: str) -> None:
    what = Message("The file from {0}", host)
    if done < RELEASE.bytes:
        why = Message("the transfer broke off after {0} of {1} bytes", done, RELEASE.bytes)
        raise DownloadError(what, why, Message("Try again."))
    if done > RELEASE.bytes or digest != RELEASE.sha256:
        raise DownloadError(
            what,
            Message("its sha256 {0}… is not {1}…", digest[:12], RELEASE.sha256[:12]),
            Message("It was damaged or exchanged on its way, and was not kept. Try again."),
        )


class _Receiver(threading.Thread):
    """Reads in a separate thread, because name resolution and waiting for a server block and must
    not delay cancellation."""

    def __init__(self, url: str) -> None:
        super().__init__(name="download", daemon=True)
        self._url = url
        self._items: queue.Queue[Head | bytes | Exception | None] = queue.Queue(maxsize=16)
        self._stop_wanted = threading.Event()

    def run(self) -> None:
        """Read to the end, or until the transfer is aborted."""
        try:
            for item in read_file(self._url):
                self._put(item)
                if self._stop_wanted.is_set():
                    return
            self._put(None)
        except Exception as error:  # raised again in the waiting thread
            self._put(error)

    def _put(self, item: Head | bytes | Exception | None) -> None:
        while not self._stop_wanted.is_set():
            with contextlib.suppress(queue.Full):
                self._items.put(item, timeout=_POLL_INTERVAL)
                return

    def blocks(self, progress: Progress) -> Iterator[Head | bytes]:
        """The blocks as they arrive."""
        while True:
            progress.check()
            try:
                item = self._items.get(timeout=_POLL_INTERVAL)
            except queue.Empty:
                continue
            if isinstance(item, Exception):
                try:
                    raise item
                finally:
                    # Its traceback holds this frame: a cycle, and the socket in it, would live on.
                    del item
            if item is None:
                return
            yield item

    def abort(self) -> None:
        """Let the thread end at its next block, without waiting for it."""
        self._stop_wanted.set()


@contextlib.contextmanager
def _receiving(url: str, progress: Progress) -> Iterator[Iterator[Head | bytes]]:
    receiver = _Receiver(url)
    receiver.start()
    try:
        yield receiver.blocks(progress)
    finally:
        receiver.abort()
