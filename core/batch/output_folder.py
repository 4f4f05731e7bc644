"""Checks during a run that the output folder still exists, is the same, and is writable."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from core.errors import Message, OutputError
from core.io.atomic import output_error


class Stopped(OutputError):
    """No more rows can be written: the run stops, and can be resumed later."""


class DiskFull(Stopped):
    """The disk is full."""

    @classmethod
    def of(cls, error: BaseException) -> DiskFull:
        """Of an error of which :func:`is_disk_full` holds."""
        return cls(
            getattr(error, "what", str(error)), Message("the disk is full"),
            Message("Free some space, then go on with the batch."),
        )  # fmt: skip


class WorkerDiskFull(Stopped):
    """The disk of a worker is full on which it keeps what it sends back: others may go on."""


def is_disk_full(error: BaseException) -> bool:
    """Whether ``error`` was raised since the disk, or the share of the user, is full."""
    cause = error.__cause__
    full = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
    return isinstance(cause, OSError) and cause.errno in full


class FolderLost(Stopped):
    """The output folder was removed, replaced, or made read-only."""


class OutputFolder:
    """Identity of the output folder at the start of a run. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            OutputError: the folder does not exist, or cannot be opened.
        """
        self._folder = folder
        self._handle: int | None = None
        try:
            if hasattr(os, "O_DIRECTORY"):
                # A handle keeps its identity, also on file systems whose inode numbers change.
                self._handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            self._known = folder.stat()
        except OSError as error:
            self.close()
            raise output_error(folder / "x", error) from error

    def check(self) -> None:
        """Check that the folder is the same.

        Raises:
            FolderLost: it was removed, replaced, or cannot be reached.
        """
        try:
            known = self._known if self._handle is None else os.fstat(self._handle)
            if os.path.samestat(known, self._folder.stat()):
                return
            why = Message("it was replaced by another folder while the batch was running")
        except FileNotFoundError:
            why = Message("it was removed while the batch was running")
        except OSError as error:
            why = Message("it cannot be reached any more ({0})", error.strerror or error)
        raise FolderLost(
            Message("The folder {0}", self._folder),
            why,
            Message(
                "Bring it back and go on with the batch, or begin again; what was written to it "
                "before is only there if the folder is."
            ),
        )

    def check_writable(self) -> None:
        """Check that the folder is the same, and writable.

        Raises:
            FolderLost: it is not.
        """
        self.check()
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise FolderLost(
                Message("The folder {0}", self._folder),
                Message("it is not writable any more"),
                Message("Change its permissions, then go on with the batch."),
            )

    def close(self) -> None:
        """Close the handle."""
        if self._handle is not None:
            with contextlib.suppress(OSError):
                os.close(self._handle)
            self._handle = None


def make_folder(folder: Path) -> None:
    """Make ``folder`` and its parents.

    Raises:
        OutputError: that fails.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder / "x", error) from error


def make_below(top: Path, folder: Path) -> None:
    """Make ``folder`` and its parents below ``top``, but not ``top``, which may have been removed.

    Raises:
        OutputError: that fails.
    """
    try:
        parts = folder.relative_to(top).parts
        for number in range(1, len(parts) + 1):
            top.joinpath(*parts[:number]).mkdir(exist_ok=True)
    except OSError as error:
        raise output_error(folder / "x", error) from error
