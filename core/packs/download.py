"""Fetching DINOv3 when a person asks for it: the only network call this program can make.

What is fetched is the very file that ``timm.create_model(…, pretrained=True)`` would load
(repository and file name are timm's, a test compares them). It holds timm's own names, so timm's
checkpoint filter has nothing to rename in it, and it is kept byte for byte. It is read over plain
HTTPS rather than by ``huggingface_hub``: that would send a login token where there is one, describe
the machine to the server, keep a second copy in a cache of its own and not stop when told to.

The file is pinned (:data:`RELEASE`): the address names a revision of the repository, and only a
file of that size and sha256 is kept, whatever the server, or a mirror, declares. The figures are
those that several public projects pin independently; the size is, to the byte, what writing timm's
own tensors takes (a test compares them).
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
"""What the licence asks for, in our own words; the text at LICENCE_ADDRESS is what counts."""


@dataclass(frozen=True)
class Release:
    """One file for all time: revision of the repository, size in bytes, sha256 in hex."""

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
_WAIT = 0.1
_ELSEWHERE = Message("Download the file with a browser, and choose it here instead.")


@dataclass(frozen=True)
class Stored:
    """A fetched file: where it is, its size, and its sha256 in hex."""

    path: Path
    bytes: int
    sha256: str


def address() -> str:
    """Where the file comes from. $HF_ENDPOINT names a mirror of the hub, as it does for timm."""
    hub = os.environ.get("HF_ENDPOINT", "").rstrip("/") or _HUB
    return f"{hub}/{REPOSITORY}/resolve/{RELEASE.revision}/{FILE}"


def page() -> str:
    """The page that tells about the file, where a browser can get it, too."""
    return f"{_HUB}/{REPOSITORY}"


def fetch_backbone(progress: Progress | None = None) -> Stored:
    """Fetch DINOv3, check it, and keep it where :func:`core.packs.paths.stored_backbone` looks.

    Call this only when a person asked for it and agreed to the licence. One file is asked for; the
    server learns the network address of this machine, the file's name, and name and version of the
    program. The file is kept only if size and sha256 are those of :data:`RELEASE` and every tensor
    fits :class:`Dinov3Backbone`; one that was there before stays till then.

    Raises:
        DownloadError: no connection, a refusal, a broken transfer, another file than the pinned.
        OutputError: it cannot be written. Cancelled: from ``progress``, within a fifth of a second
            while it is transferred.
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
        _insist_promised(head, host)
        _insist_room(target)
        with temporary.open("wb") as stream:
            done, digest = _written(blocks, stream, progress)
        _insist_kept(done, digest, host)
        progress.report(done, done, Message("checking the file"))
        try:
            Dinov3Backbone(CONFIG).load_weights(temporary, digest)
        except PackError as error:
            raise DownloadError(
                Message("What {0} sent", host), Message("it is no DINOv3 ViT-S/16"), _ELSEWHERE
            ) from error
        progress.check()
    return Stored(target, done, digest)


def _written(
    blocks: Iterator[Head | bytes], stream: BinaryIO, progress: Progress
) -> tuple[int, str]:
    """Write all blocks; (number of bytes, their sha256)."""
    digest, done = hashlib.sha256(), 0
    for block in blocks:
        assert isinstance(block, bytes)
        done += len(block)
        if done > RELEASE.bytes:
            break  # longer than the file: never the file
        stream.write(block)
        digest.update(block)
        progress.report(done, RELEASE.bytes, Message("downloading"))
    return done, digest.hexdigest()


def _insist_promised(head: Head, host: str) -> None:
    """Refuse, before a byte is taken, what is declared to be another file."""
    wrong_size = head.size and head.size != RELEASE.bytes
    if wrong_size or (head.sha256 and head.sha256 != RELEASE.sha256):
        raise DownloadError(
            Message("What {0} sent", host),
            Message(
                "it is another file than the one this program knows; perhaps a sign-in page of "
                "your network answered, or a mirror has another version"
            ),
            _ELSEWHERE,
        )


def _insist_room(target: Path) -> None:
    free = shutil.disk_usage(target.parent).free
    if free < RELEASE.bytes:
        raise OutputError(
            Message("Cannot write {0}", target),
            Message("{0} MB are needed, {1} MB are free", RELEASE.bytes // 10**6, free // 10**6),
            Message("Free some space, and try again."),
        )


def _insist_kept(done: int, digest: str, host: str) -> None:
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
    """Reads on a thread of its own: looking up a name or waiting for a server blocks, and a person
    who cancels shall not wait for it."""

    def __init__(self, url: str) -> None:
        super().__init__(name="download", daemon=True)
        self._url = url
        self._items: queue.Queue[Head | bytes | Exception | None] = queue.Queue(maxsize=16)
        self._stop_wanted = threading.Event()

    def run(self) -> None:
        """Read to the end, or until nobody wants it any more."""
        try:
            for item in read_file(self._url):
                self._put(item)
                if self._stop_wanted.is_set():
                    return
            self._put(None)
        except Exception as error:  # raised anew where it is waited for
            self._put(error)

    def _put(self, item: Head | bytes | Exception | None) -> None:
        while not self._stop_wanted.is_set():
            with contextlib.suppress(queue.Full):
                self._items.put(item, timeout=_WAIT)
                return

    def arrived(self, progress: Progress) -> Iterator[Head | bytes]:
        """What was read, as it comes."""
        while True:
            progress.check()
            try:
                item = self._items.get(timeout=_WAIT)
            except queue.Empty:
                continue
            if isinstance(item, Exception):
                raise item
            if item is None:
                return
            yield item

    def give_up(self) -> None:
        """Let the thread end at its next block, without waiting for that."""
        self._stop_wanted.set()


@contextlib.contextmanager
def _receiving(url: str, progress: Progress) -> Iterator[Iterator[Head | bytes]]:
    receiver = _Receiver(url)
    receiver.start()
    try:
        yield receiver.arrived(progress)
    finally:
        receiver.give_up()
