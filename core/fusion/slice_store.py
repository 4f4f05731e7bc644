"""Fused slices on disk until all of them are there: a run that was killed goes on from there."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from core import __version__
from core.errors import Cancelled, Message, OutputError
from core.fusion.slices import VolumePair, slice_pair
from core.fusion.volume_fusion import FusedSlice, SliceSettings
from core.geometry.grids import grid_of
from core.geometry.planes import axes_of
from core.io.atomic import atomic_write, output_error
from core.io.volume_writer import quantised
from core.messages import from_data, to_data
from core.types import RESEARCH_NOTICE, FloatArray

_PIXELS, _JOURNAL, _STATE, _LOCK = "slices.raw", "slices.jsonl", "state.json", "lock"
_UNFINISHED = ".unfinished"
_SAME = ("software", "method", "weights_sha256")
"""What must be equal of slices of one volume."""
_NOTICE = {"notice": RESEARCH_NOTICE}
"""Where all slices show one source alone, hence nothing that a network made."""
_MARGIN = 64 << 20
_KEPT_SECONDS = 30 * 86_400
"""How long slices of an unfinished run of another output stay."""


def store_beside(path: Path) -> Path:
    """The folder in which slices of the output ``path`` are collected."""
    return path.parent / f".{path.name}{_UNFINISHED}"


def _output_of(folder: Path) -> Path:
    """The output whose slices are collected in ``folder``."""
    return folder.with_name(folder.name.removeprefix(".").removesuffix(_UNFINISHED))


def discard_store(path: Path) -> None:
    """Remove what an unfinished run of the output ``path`` left, unless a run is writing it."""
    folder = store_beside(path)
    if folder.is_dir() and _is_free(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _is_free(folder: Path) -> bool:
    """Whether no run writes into a folder of slices."""
    lock = FileLock(folder / _LOCK, timeout=0, mode=0o666, fallback_to_soft=False)
    with contextlib.suppress(Timeout, OSError):
        lock.acquire()
        lock.release()
        return True
    return False


def tidy_beside(path: Path) -> tuple[Message, ...]:
    """Remove what unfinished runs of other outputs left beside ``path`` long ago.

    Returns:
        What of others is there still, and why nobody sees it: its name begins with a dot.
    """
    found = []
    with contextlib.suppress(OSError):
        for folder in sorted(path.parent.glob(f".*{_UNFINISHED}")):
            if folder == store_beside(path) or not _is_left(folder):
                continue
            files = [one.stat() for one in folder.iterdir()]
            if time.time() - max(one.st_mtime for one in files) > _KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
                continue
            found.append(
                Message(
                    "{0} was not finished, and its slices are kept in {1} ({2} MB): give it again, "
                    "and it goes on, or remove that folder. After {3} days it is removed.",
                    _output_of(folder).name,
                    folder.name,
                    round(sum(one.st_size for one in files) / 10**6),
                    _KEPT_SECONDS // 86_400,
                )
            )
    return tuple(found)


def _is_left(folder: Path) -> bool:
    """Whether a folder is one of slices, and nobody writes into it."""
    names = {one.name for one in folder.iterdir()} if folder.is_dir() else set()
    ours = {_STATE} <= names <= {_STATE, _PIXELS, _JOURNAL, _LOCK}
    return ours and _is_free(folder)


class SliceStore:
    """The slices of one plane, each written once, in a file that is mapped into memory.

    As a context manager it holds a lock, so that no two runs write the same output. It removes its
    folder when the block ends, and when it is cancelled unless that is to be kept; after another
    error, and when the process is killed, the folder stays, and the next run of the same pair and
    settings goes on from there.
    """

    def __init__(
        self,
        folder: Path,
        pair: VolumePair,
        settings: SliceSettings,
        *,
        keeps_cancelled: bool = False,
    ) -> None:
        """
        Args:
            folder: see :func:`store_beside`; made when the block begins.
            pair, settings: whose slices are collected; those of others are thrown away.
            keeps_cancelled: what is there when it is cancelled stays, too; :func:`discard_store`
                removes it.
        """
        self._keeps_cancelled = keeps_cancelled
        self._folder = folder
        self._path = _output_of(folder)
        self._axes = axes_of(grid_of(pair.b), settings.plane)
        self.channels = _channels(pair, settings)
        kind = np.uint8 if self.channels == 3 else np.float32
        self._kind: np.dtype[Any] = np.dtype(kind)
        self._shape = (*self._axes.shape, self.channels)
        self._state = {"fingerprint": _fingerprint(pair, settings), "shape": list(self._shape)}
        self._done: dict[int, dict[str, Any]] = {}
        self._provenance: dict[str, str] = {}
        self._lock = FileLock(
            folder / _LOCK, timeout=0, mode=0o666, thread_local=False, fallback_to_soft=False
        )
        self.resumed = 0
        """Slices that an earlier run had left."""

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(exist_ok=True)
            self._lock.acquire()
        except Timeout as error:
            raise OutputError(
                Message("Cannot write {0}", str(self._path)),
                Message("another run is writing the same result"),
                Message("Wait for it, or name another output."),
            ) from error
        except OSError as error:
            raise output_error(self._path, error) from error
        try:
            self._open()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        stopped = kind is not None and issubclass(kind, (Cancelled, KeyboardInterrupt))
        keep = kind is not None and (self._keeps_cancelled or not stopped)
        keep = keep and bool(self._done)
        self._lock.release()
        if not keep:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _open(self) -> None:
        try:
            if not self._is_ours():
                self._begin()
            self._read_journal()
        except OSError as error:
            raise output_error(self._path, error) from error
        self.resumed = len(self._done)

    def _is_ours(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            known = json.loads((self._folder / _STATE).read_text("utf-8"))
            size = (self._folder / _PIXELS).stat().st_size
            return bool(known == self._state) and size == self._bytes
        return False

    @property
    def _bytes(self) -> int:
        return int(np.prod(self._shape, dtype=np.int64)) * self._kind.itemsize

    def _begin(self) -> None:
        for name in (_STATE, _JOURNAL, _PIXELS):
            (self._folder / name).unlink(missing_ok=True)
        free = shutil.disk_usage(self._folder).free
        needed = 2 * self._bytes + _MARGIN
        if free < needed:
            raise OutputError(
                Message("Cannot write {0}", str(self._path)),
                Message(
                    "it takes {0} MB on the disk while it is made, and {1} MB are free",
                    needed // 10**6,
                    free // 10**6,
                ),
                Message("Free some space or save somewhere else."),
            ) from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with (self._folder / _PIXELS).open("wb") as stream:
            stream.truncate(self._bytes)
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(stream.fileno(), 0, self._bytes)
        atomic_write(self._folder / _STATE, json.dumps(self._state).encode())

    def _read_journal(self) -> None:
        """Take over the slices whose pixels are on disk as they were noted."""
        self._done, self._provenance = {}, {}
        path = self._folder / _JOURNAL
        if not path.exists():
            return
        pixels = self.pixels
        for line in path.read_text("utf-8", "replace").splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError, IndexError):
                entry = json.loads(line)
                entry["notes"] = [from_data(note) for note in entry["notes"]]
                if zlib.crc32(pixels[entry["index"]].tobytes()) == entry["crc"]:
                    self._done[int(entry["index"])] = entry
                    self._provenance = self._provenance or dict(entry["provenance"])

    @property
    def pixels(self) -> npt.NDArray[Any]:
        """N×H×W×C, uint8 (colour) or float32 in [0, 1] (grey), mapped from the file."""
        return np.memmap(self._folder / _PIXELS, self._kind, "r", shape=self._shape)

    @property
    def missing(self) -> list[int]:
        """Slices that are still to be fused."""
        return [index for index in range(self._shape[0]) if index not in self._done]

    def fill(self, slices: Iterable[FusedSlice]) -> bool:
        """Keep ``slices``. False where those kept before were made by another method or another
        version, and had to be thrown away.

        Raises:
            OutputError: the disk is full.
            FusionError, Cancelled: as the slices raise it.
        """
        return all(self._put(one) for one in slices)

    def _put(self, one: FusedSlice) -> bool:
        made = {} if one.result is None else dict(one.result.provenance)
        alike = not made or not self._provenance or _alike(made, self._provenance)
        try:
            if not alike:
                (self._folder / _JOURNAL).unlink(missing_ok=True)
                self._done, self._provenance = {}, {}
            self._provenance = self._provenance or made
            pixels = quantised(one.pixels, self._kind)
            self._write(one.index, pixels)
            entry = {
                "index": one.index,
                "crc": zlib.crc32(pixels.tobytes()),
                "shows": one.shows,
                "notes": list(one.notes),
                "provenance": made,
            }
            line = json.dumps({**entry, "notes": [to_data(note) for note in one.notes]})
            with (self._folder / _JOURNAL).open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")
        except OSError as error:
            raise output_error(self._path, error) from error
        self._done[one.index] = entry
        return alike

    def _write(self, index: int, pixels: npt.NDArray[Any]) -> None:
        with (self._folder / _PIXELS).open("r+b") as stream:
            stream.seek(index * pixels.nbytes)
            stream.write(pixels.tobytes())
            stream.flush()
            os.fsync(stream.fileno())

    def slice_pixels(self, index: int) -> FloatArray:
        """A slice that is there, H×W×C float32 in [0, 1]."""
        kept: FloatArray = np.array(self.pixels[index], np.float32)
        return kept / np.float32(255) if self._kind == np.uint8 else kept

    @property
    def provenance(self) -> dict[str, str]:
        """Of the fused slices; of a volume without any, the notice alone."""
        plane = {"picture": "fused", "plane": self._axes.plane}
        return {**_NOTICE, **self._provenance, **plane}

    @property
    def notes(self) -> tuple[str, ...]:
        """Of all slices, each once; first, how many an earlier run had left."""
        first = []
        if self.resumed:
            first.append(
                Message("{0} slices of a run that had ended early were kept.", self.resumed)
            )
        kept = (self._done[index]["notes"] for index in sorted(self._done))
        return tuple(dict.fromkeys((*first, *(note for notes in kept for note in notes))))

    @property
    def method(self) -> str:
        """That made the slices; "" where each shows one source alone."""
        return self._provenance.get("method", "")

    @property
    def of_both(self) -> list[int]:
        """Slices that were fused of both sources."""
        return [index for index in sorted(self._done) if self._done[index]["shows"] == "fused"]

    def colour_slices(self) -> StoredSlices:
        """N×H×W×3 uint8, whatever the slices are; each is read when it is asked for."""
        return StoredSlices(self._folder / _PIXELS, self._shape, self._kind)


class StoredSlices:
    """Slices in a file as colours; none of them stays in memory.

    Attributes:
        shape: (N, H, W, 3).
        nbytes: of all of them in colour.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], kind: np.dtype[Any]) -> None:
        self._path = path
        self._stored = shape[1:]
        self._kind = kind
        self.shape = (*shape[:3], 3)
        self.nbytes = int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int) -> npt.NDArray[np.uint8]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        count = int(np.prod(self._stored))
        start = index * count * self._kind.itemsize
        pixels = np.fromfile(self._path, self._kind, count, offset=start).reshape(self._stored)
        if self._kind == np.uint8:
            return pixels
        return np.repeat(quantised(pixels, np.dtype(np.uint8)), 3, axis=2)


def _channels(pair: VolumePair, settings: SliceSettings) -> int:
    first = slice_pair(
        pair, settings.plane, 0, windows=settings.windows, palettes=settings.palettes
    )
    return 3 if first.a.is_colour or first.b.is_colour else 1


def _alike(one: dict[str, str], other: dict[str, str]) -> bool:
    return all(one.get(name) == other.get(name) for name in _SAME)


def _fingerprint(pair: VolumePair, settings: SliceSettings) -> str:
    """A hash of all that the slices depend on; tiles give the same result."""
    settings = replace(settings, tiles=False)
    found = hashlib.blake2b(repr((__version__, settings)).encode(), digest_size=16)
    for part in _parts(pair):
        found.update(np.ascontiguousarray(part).data)
    return found.hexdigest()


def _parts(pair: VolumePair) -> Iterator[npt.NDArray[Any]]:
    for volume in (pair.a, pair.b):
        yield np.array(volume.window)
        yield volume.affine
        for voxels in (volume.data, volume.mask):
            if voxels is not None:
                yield from voxels
