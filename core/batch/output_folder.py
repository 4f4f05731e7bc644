"""The output folder while a run is on: still there, still the same, still writable."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from core.errors import Message, OutputError
from core.io.atomic import output_error


class Stopped(OutputError):
    """No row can be written any more: the run stops and can go on later."""


class DiskFull(Stopped):
    """There is no space left for results or for the record."""


class FolderLost(Stopped):
    """The output folder is gone, is another one now, or cannot be written any more."""


class OutputFolder:
    """The folder as it was when the run began. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """Raises OutputError when it is not there."""
        self._folder = folder
        self._handle: int | None = None
        try:
            if hasattr(os, "O_DIRECTORY"):
                # What is open stays the same folder, also where numbers of files are made up anew.
                self._handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            self._known = folder.stat()
        except OSError as error:
            self.close()
            raise output_error(folder / "x", error) from error

    def check(self) -> None:
        """Raises FolderLost when the folder is gone or another one has its name."""
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
        """Raises FolderLost also when nothing can be written to it any more."""
        self.check()
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise FolderLost(
                Message("The folder {0}", self._folder),
                Message("it is not writable any more"),
                Message("Change its permissions, then go on with the batch."),
            )

    def close(self) -> None:
        """Let go of it."""
        if self._handle is not None:
            with contextlib.suppress(OSError):
                os.close(self._handle)
            self._handle = None


def make_folder(folder: Path) -> None:
    """Make ``folder`` and those above it; OutputError when that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder / "x", error) from error


def make_below(top: Path, folder: Path) -> None:
    """Make ``folder`` and those above it, but never ``top``, which may be gone for a reason.

    Raises:
        OutputError: that fails.
    """
    try:
        parts = folder.relative_to(top).parts
        for number in range(1, len(parts) + 1):
            top.joinpath(*parts[:number]).mkdir(exist_ok=True)
    except OSError as error:
        raise output_error(folder / "x", error) from error
