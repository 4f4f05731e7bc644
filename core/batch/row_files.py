"""The files of a finished row: from where a worker wrote them to their places in the output folder.

A worker writes below a folder of its own, never to the places of results: a worker that is given up
and wakes up again replaces nothing, and a row that two workers have fused is there once. Whoever
keeps the manifest moves the files, the fused image last, as everywhere.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from core.batch.options import BatchOptions
from core.batch.output_folder import make_below
from core.batch.plan import BatchPlan, BatchRow
from core.errors import Message, OutputError
from core.io.atomic import (
    atomic_folder,
    atomic_write,
    output_error,
    replace_folder,
    sync_folder,
)

STAGING_PREFIX = ".unifusion-workers-"
PROBE = "probe"
_REMOVALS, _REMOVAL_SECONDS = 20, 0.05


@dataclass(frozen=True)
class SharedFolder:
    """A folder that a worker sees where it is mounted there under the same path.

    Attributes:
        path: below the output folder. token: what its probe holds, by which it is recognised.
    """

    path: Path
    token: str

    @classmethod
    def make(cls, out: Path) -> SharedFolder:
        """A new one below the output folder ``out``.

        Raises:
            OutputError: it cannot be made.
        """
        token = uuid.uuid4().hex
        path = out.absolute() / f"{STAGING_PREFIX}{token[:12]}"
        try:
            path.mkdir()
            (path / PROBE).write_bytes(token.encode())
        except OSError as error:
            shutil.rmtree(path, ignore_errors=True)
            # Its hidden name would tell nobody which folder is meant.
            told = output_error(path, error)
            what = Message("Cannot write to the folder {0}", out.absolute())
            raise OutputError(what, told.why, told.remedy) from error
        return cls(path, token)

    def is_here(self) -> bool:
        """Whether this computer sees it."""
        try:
            return (self.path / PROBE).read_text("ascii") == self.token
        except (OSError, ValueError):
            return False

    def new_place(self) -> Path | None:
        """A new folder in it for one row; None where this computer cannot write there."""
        place = self.path / uuid.uuid4().hex
        try:
            place.mkdir()
        except OSError:
            return None
        return place

    def remove(self) -> None:
        """Remove it with all that workers left in it, also while they still write."""
        gone = self.path.with_name(f"{self.path.name}-gone")
        # Under the old name a file that arrives after the folder was listed would keep it there.
        with suppress(OSError):
            self.path.rename(gone)
        # A call that had found the folder before may still put something into it: it waits for the
        # disk, as all calls that change the folder do.
        for _ in range(_REMOVALS):
            for path in (gone, self.path):
                shutil.rmtree(path, ignore_errors=True)
            if not gone.exists() and not self.path.exists():
                return
            time.sleep(_REMOVAL_SECONDS)


def remove_staging(out: Path) -> None:
    """Remove what runs that were killed left; only while no other run writes to ``out``."""
    for path in out.glob(f"{STAGING_PREFIX}*"):
        shutil.rmtree(path, ignore_errors=True)


@dataclass(frozen=True)
class RowFiles:
    """Files of a row: in a folder that is shared, or with their content.

    Attributes:
        place: the folder of the row; None where they were sent back.
        content: path below the folder, and bytes; a folder of slices is several of them.
    """

    place: Path | None = None
    content: tuple[tuple[Path, bytes], ...] = ()

    @property
    def size(self) -> int:
        """Bytes that were sent back."""
        return sum(len(data) for _, data in self.content)


def options_below(options: BatchOptions, place: Path) -> BatchOptions:
    """The options of a worker that writes below ``place``, where nothing is yet."""
    return replace(options, out=place, overwrite=False, resume=False)


def outputs_below(row: BatchRow, plan: BatchPlan) -> tuple[Path, ...]:
    """Paths below the output folder of what a finished ``row`` has, its fused image last."""
    out = plan.options.out
    fused, *others = (path.relative_to(out) for path in plan.outputs(row))
    if plan.options.contact_sheet:
        others.append(plan.thumbnail(row))
    return (*others, fused)


def read_files(row: BatchRow, plan: BatchPlan) -> RowFiles:
    """The files of ``row`` with their content, to be sent back.

    Raises:
        OSError: one cannot be read.
    """
    out = plan.options.out
    found: list[tuple[Path, bytes]] = []
    for path in outputs_below(row, plan):
        place = out / path
        if place.is_dir():
            inside = sorted(one for one in place.rglob("*") if one.is_file())
            found += [(one.relative_to(out), one.read_bytes()) for one in inside]
        elif place.exists():
            found.append((path, place.read_bytes()))
    return RowFiles(content=tuple(found))


def put_files(files: RowFiles, row: BatchRow, plan: BatchPlan) -> None:
    """Put the files of ``row`` to their places below the output folder of ``plan``.

    Raises:
        OutputError: a file of another origin is there, or it cannot be written.
    """
    out = plan.options.out
    paths = outputs_below(row, plan)
    for path in paths:
        target = out / path
        if target.exists() and not plan.overwrites(row):
            raise OutputError(
                Message("Cannot write {0}", target),
                Message("there is a file of that name"),
                Message("Use another template or folder, or allow overwriting."),
            )
    if files.place is not None:
        _move(files.place, out, paths)
    else:
        for path in paths:
            _write(out, path, files)


def _move(place: Path, out: Path, paths: tuple[Path, ...]) -> None:
    for path in paths:
        staged, target = place / path, out / path
        if not staged.exists():
            continue
        make_below(out, target.parent)
        try:
            if staged.is_dir():
                replace_folder(staged, target)
            else:
                staged.replace(target)
        except OSError as error:
            raise output_error(target, error) from error
        if path != paths[-1]:  # that of the fused image is the manifest's business
            sync_folder(target.parent)
    shutil.rmtree(place, ignore_errors=True)


def _write(out: Path, path: Path, files: RowFiles) -> None:
    inside = dict(_below(files, path))
    if not inside:
        return
    make_below(out, (out / path).parent)
    if Path() in inside:
        atomic_write(out / path, inside[Path()])
        return
    with atomic_folder(out / path) as folder:
        for name, data in inside.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())


def _below(files: RowFiles, path: Path) -> Iterator[tuple[Path, bytes]]:
    """Those of ``files`` that are ``path``, or below it, by their paths below it."""
    for name, data in files.content:
        if name == path or path in name.parents:
            yield name.relative_to(path), data
