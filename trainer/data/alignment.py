"""How the sources of training pairs are laid on each other; each estimate is made only once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from core.alignment.aligning import Aligned, RegistrationFailed, align_images, align_volumes
from core.alignment.choice import AlignChoice
from core.errors import InputError
from core.progress import Progress
from core.types import Image, Volume

_MOST = 100_000
"""Transforms that are remembered: some hundred bytes each."""

_Key = tuple[object, ...]


class _Quiet:
    """Passes cancellation on, and keeps the stage of the whole on show."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress

    def report(self, done: float, total: float, stage: str) -> None:
        """Show nothing."""

    def check(self) -> None:
        """Raise Cancelled after a cancellation."""
        if self._progress is not None:
            self._progress.check()


class PairAligner:
    """Lays sources on each other by one choice. Thread-safe.

    What a registration found is remembered for all aligners of this process, so that a run takes
    what its survey has estimated. A registration that fails is an error, whatever the choice says.
    """

    _found: ClassVar[OrderedDict[_Key, Aligned | RegistrationFailed]] = OrderedDict()
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, choice: AlignChoice, task: str, progress: Progress | None = None) -> None:
        self._choice = replace(choice, keep_failed=False)
        self._task = task
        self._progress = _Quiet(progress)

    def pictures(self, a: Image, b: Image, files: tuple[Path, Path]) -> Aligned:
        """The transform of two pictures as they were read from ``files``.

        Raises:
            RegistrationFailed, InputError, Cancelled: as
                :func:`core.alignment.aligning.align_images`.
        """
        return self._once(
            files, lambda: align_images(self._choice, a, b, self._task, self._progress)
        )

    def volumes(self, a: Volume, b: Volume, files: tuple[Path, Path]) -> Aligned:
        """The transform of two volumes, ``files`` being the first ones of their series.

        Raises:
            RegistrationFailed, InputError, Cancelled: as
                :func:`core.alignment.aligning.align_volumes`.
        """
        return self._once(
            files, lambda: align_volumes(self._choice, a, b, self._task, self._progress)
        )

    def _once(self, files: tuple[Path, Path], estimate: Callable[[], Aligned]) -> Aligned:
        if self._choice.way != "register":
            return estimate()
        key = (self._choice, self._task, *map(_stamp, files))
        with self._lock:
            found = self._found.get(key)
        if found is None:
            try:
                found = estimate()
            except RegistrationFailed as error:
                found = error
            with self._lock:
                self._found[key] = found
                while len(self._found) > _MOST:
                    self._found.popitem(last=False)
        if isinstance(found, InputError):
            raise found
        return found


def _stamp(path: Path) -> tuple[str, int, int]:
    stat = path.stat()
    return str(path), stat.st_mtime_ns, stat.st_size
