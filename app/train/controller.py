"""The controllers of the Train workspace and the worker threads they share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.compute.remote import compute
from app.train import tasks
from app.train.comparison import compare_packs, make_default
from app.train.curves import as_csv
from app.train.download import DownloadController
from app.train.images import write_image_file
from app.train.run import RunController
from app.train.setup import SetupController
from app.train.state import TrainState
from app.train.view_models import SavedPack
from app.workers import Job, Runner
from core.progress import Progress


class TrainController(QObject):
    """Owns three threads: training; surveys, estimates, comparisons and small files; downloads."""

    pack_written = Signal()
    """There is a new pack or another default: lists of packs are out of date."""

    def __init__(self, state: TrainState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self._trainer = Runner("training", self, background=True)
        self._files = Runner("training files", self)
        self.preparing = SetupController(state, self._files, self)
        self.running = RunController(state, self._trainer, self._files, self)
        self.running.finished.connect(self._finished)
        self.fetching = DownloadController(state, self)
        self.fetching.finished.connect(self.preparing.open)
        self._has_capabilities = False
        self._comparing: tuple[SavedPack, Job] | None = None
        state.capabilities_changed.connect(self._capabilities_changed)
        state.saved_pack_changed.connect(self._drop_comparison)

    def begin(self) -> None:
        """Read the capabilities when the page is first shown."""
        self.preparing.open()

    def start(self) -> None:
        """Start a run; estimates and comparisons under way are cancelled."""
        self.preparing.stop()
        self.running.start()

    def compare(self) -> None:
        """Fuse the validation pairs with the new pack and its parent."""
        kept, plan = self.state.saved_pack, self.running.plan
        if kept is None or plan is None or not kept.score:
            return
        settings = self.running.settings
        action = compute(compare_packs, kept.parent, kept.pack, settings, plan)
        job = self._files.submit(action, key="compare")
        self._comparing = kept, job
        self.preparing.follow("compare", job)
        job.finished.connect(self.state.set_comparison)

    def _drop_comparison(self) -> None:
        """Cancel the comparison of a pack that is no longer the new one; a run may wait for it."""
        if self._comparing is not None and self._comparing[0] is not self.state.saved_pack:
            self._comparing[1].cancel()
            self._comparing = None

    def make_default(self) -> None:
        """Make the new pack the default of its task."""
        kept = self.state.saved_pack
        if kept is None:
            return
        job = self._files.submit(compute(make_default, kept.task, kept.pack.stem))
        job.finished.connect(partial(self._made_default, kept))
        job.failed.connect(self.state.set_problem)

    def export_table(self, path: Path) -> None:
        """Write all curves as a CSV file."""
        state = self.state
        groups = {"loss": state.losses, "rate": state.rates, "validation": state.scores}
        self._write(partial(tasks.write_text, as_csv(groups), path), path)

    def export_picture(self, image: QImage, path: Path) -> None:
        """Write an image of the charts."""
        self._write(partial(write_image_file, image, path), path)

    def _write(self, action: Callable[[Progress], None], path: Path) -> None:
        job = self._files.submit(action)
        text = self.tr("Saved {0}.").format(path.name)
        job.finished.connect(lambda _none: self.state.set_message(text))
        job.failed.connect(self.state.set_problem)

    def shutdown(self) -> None:
        """Stop where the run can be resumed, and wait for the threads."""
        self.preparing.stop()
        self.running.close()
        self.fetching.shutdown()
        self._files.shutdown()
        self._trainer.shutdown()

    def _capabilities_changed(self) -> None:
        if not self._has_capabilities:
            self._has_capabilities = True
            self.running.find_runs()

    def _finished(self) -> None:
        self.pack_written.emit()
        # New packs may be parents of the next run.
        self.preparing.open()
        self.running.find_runs()
        self.compare()

    def _made_default(self, kept: SavedPack, _none: object) -> None:
        if kept is self.state.saved_pack:
            self.state.set_default()
        self.pack_written.emit()
