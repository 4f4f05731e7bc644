"""The requests that the window makes of the Fuse workspace, each forwarded to its part."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.engine import EngineFactory, LazyEngine
from app.fuse import source_tasks
from app.fuse.export import ExportPlan
from app.fuse.feature_renderer import FeatureRenderer
from app.fuse.fuse_on_change import FuseOnChange
from app.fuse.fusion_runner import FusionRunner
from app.fuse.job_tracker import JobTracker
from app.fuse.key_images import KeyImages
from app.fuse.pair_loader import LoadRequest, PairLoader
from app.fuse.result_cache import ResultCache
from app.fuse.result_writer import ResultWriter
from app.fuse.sample_opener import SampleOpener
from app.fuse.state import FuseState, Outcome, Side
from app.fuse.stored_result_loader import StoredResultLoader
from app.fuse.stored_results import StoredResult
from app.fuse.studies import ListedSeries
from app.fuse.task_selection import TaskSelection
from app.fuse.volume_export import VolumeExporter
from app.fuse.volume_loader import VolumeLoader
from app.workers import Runner
from core.alignment.choice import AlignChoice
from core.types import PairTransform
from core.windows import Windows

if TYPE_CHECKING:
    from core.io.volumes import Acceptance
    from core.pairing.study_pairs import SeriesPair


class Controller(QObject):
    """Connects loading, task selection, fusing and saving; owns the thread that accesses files."""

    previewed = Signal()
    """A classical preview is on screen, or will not come."""
    idle = Signal()
    """The last job has ended, whether it finished, failed or was cancelled."""
    saved = Signal(object)
    """Path of the file that was written."""
    exported = Signal(object)
    """Paths of the files that were written."""
    copied = Signal(object)
    """A QImage for the clipboard."""

    def __init__(
        self,
        session: FuseState,
        factory: EngineFactory,
        samples: Path,
        parent: QObject | None = None,
        cpu: EngineFactory | None = None,
    ) -> None:
        """
        Args:
            factory: makes the engine, on the thread that computes.
            samples: folder of the sample pairs.
            cpu: makes an engine for the CPU, offered when a device runs out of memory.
        """
        super().__init__(parent)
        self.session = session
        self.suffixes: tuple[str, ...] = ()
        """File name suffixes of the formats that can be read; empty until the codecs are loaded."""
        self._files = Runner("files", self)
        self._jobs = JobTracker(session, self)
        cache = ResultCache(session, self)
        self._loader = PairLoader(
            session, files=self._files, jobs=self._jobs, cache=cache, parent=self
        )
        self._fusion = FusionRunner(session, LazyEngine(factory, cpu), self._jobs, self)
        fuse_new = partial(self._fusion.fuse, preview=True)
        self.volumes = VolumeLoader(
            session, files=self._files, jobs=self._jobs, cache=cache, fuse=fuse_new, parent=self
        )
        """Pairs of series, and the slice of them that is on show."""
        self.volume_export = VolumeExporter(session, self._fusion, self)
        """Writes all slices of the study on show."""
        self.key_images = KeyImages(self)
        self._samples = SampleOpener(
            session,
            samples,
            loader=self._loader,
            volumes=self.volumes,
            files=self._files,
            jobs=self._jobs,
            parent=self,
        )
        self._tasks = TaskSelection(session, self._loader, fuse_new, self._samples.open, self)
        self._stored = StoredResultLoader(session, self._loader, self._files, self._jobs, self)
        self.on_change = FuseOnChange(session, self._fusion.fuse, self)
        """Whether a change of window or palette fuses again."""
        self._features = FeatureRenderer(session, self._files, self._jobs, self)
        self._writer = ResultWriter(session, self._files, self)
        self._connect()

    def _connect(self) -> None:
        self._loader.loaded.connect(self._tasks.fuse_or_ask)
        self._jobs.idle.connect(self.idle)
        self._fusion.previewed.connect(self.previewed)
        self._writer.saved.connect(self.saved)
        self._writer.exported.connect(self.exported)
        self.volume_export.exported.connect(self.exported)
        self._writer.copied.connect(self.copied)

    # --- life cycle ------------------------------------------------------------------------

    def start(self) -> None:
        """Make the engine and import the codecs, in the background."""
        self._fusion.start()
        suffixes = self._files.submit(source_tasks.image_suffixes)
        suffixes.finished.connect(self._set_suffixes)
        suffixes.failed.connect(partial(self._jobs.show_error, ""))

    def _set_suffixes(self, suffixes: tuple[str, ...]) -> None:
        self.suffixes = suffixes

    def shutdown(self) -> None:
        """Cancel everything and wait for the threads; no error is shown afterwards."""
        self._jobs.close()
        self.volumes.shutdown()
        self.volume_export.shutdown()
        self._fusion.shutdown()
        self._files.shutdown()

    # --- sources ---------------------------------------------------------------------------

    def open_sample(self) -> None:
        """Open the sample pair of the selected task."""
        self._samples.open()

    def open_pair(
        self,
        a: Path,
        b: Path,
        *,
        task_known: bool = False,
        transform: PairTransform | None = None,
        align: AlignChoice | None = None,
    ) -> None:
        """Open two files and fuse them, or two series where these are known by the files.

        Args:
            task_known: the person has said which task these two are for.
            transform: by which one of two pictures is resampled onto the other.
            align: how two pictures are laid on each other, without a transform.
        """
        if self.volumes.knows((a, b)):
            self.volumes.open((a, b))
        else:
            request = LoadRequest(a, b, transform=transform, align=align)
            self._loader.load(request, self._tasks.fuse_new if task_known else None)

    def open_study(
        self,
        study: SeriesPair,
        accept: Collection[Acceptance] = (),
        *,
        transform: PairTransform | None = None,
        align: AlignChoice | None = None,
    ) -> None:
        """Open two series and fuse the slice on show.

        Args:
            accept: problems of the series that are accepted.
            transform: by which A is brought onto B.
            align: how A is brought onto B, without a transform.
        """
        listed = ListedSeries(study.a, study.b, study.reason, transform=transform, align=align)
        self.volumes.add_pair(listed)
        self.volumes.open(listed.key, accept)

    def open_fused_pair(
        self,
        a: Path,
        b: Path,
        result: Path,
        task: str,
        method: str,
        *,
        resample: bool = False,
        windows: Windows = (None, None),
        transform: PairTransform | None = None,
    ) -> None:
        """Open a pair with the fused image that a batch wrote of it, without fusing it again.

        Args:
            result: the file of the fused image.
            task, method: what it was fused for, and by.
            resample: whether B was resampled onto A for it.
            windows: those it was fused in; None for the files' own.
            transform: by which one source was resampled onto the other for it.
        """
        stored = StoredResult(result, task, method, windows)
        self._stored.open(LoadRequest(a, b, resample=resample, transform=transform), stored)

    def open_fused_results(
        self,
        a: Path,
        b: Path,
        results: Sequence[tuple[str, Path]],
        task: str,
        *,
        transform: PairTransform | None = None,
    ) -> None:
        """Open a pair with the fused images of several methods, side by side.

        Args:
            results: methods, and the files of their fused images; if there are none, the pair is
                fused.
            task: what they were fused for.
            transform: by which one source was resampled onto the other for them.
        """
        stored = tuple(StoredResult(path, task, method) for method, path in results)
        if stored:
            self._stored.open(LoadRequest(a, b, transform=transform), *stored)
        else:
            self.set_task(task)
            self.open_pair(a, b, task_known=True, transform=transform)

    def replace_side(self, side: Side, path: Path) -> None:
        """Open one file; the other side stays, unless it belongs to a sample."""
        self._loader.replace_side(side, path)

    def set_transform(self, transform: PairTransform | None) -> None:
        """Read the pair on screen again with another transform, or with none, and fuse it."""
        if self.volumes.is_open:
            self.volumes.set_transform(transform)
        else:
            self._loader.load_transformed(transform)

    def resample_pending(self) -> None:
        """Load the pair that was refused because of its sizes, with B resampled onto A."""
        self._loader.load_resampled()

    def show_damaged(self) -> None:
        """Load the files that were refused as damaged, as far as they can be decoded."""
        self._loader.load_damaged()

    def reload(self) -> None:
        """Read the selected files again."""
        (self.volumes.reopen if self.volumes.is_open else self._loader.reload)()

    def swap(self) -> None:
        """Exchange A and B, see the loaders. Does nothing while a side is being read."""
        (self.volumes.swap if self.volumes.is_open else self._loader.swap)()

    def close_pictures(self) -> None:
        """Cancel everything and close both sources."""
        self._loader.close_pictures()

    def dismiss_problem(self) -> None:
        """Take the error card away."""
        self._loader.dismiss_problem()

    # --- task ------------------------------------------------------------------------------

    def set_task(self, name: str) -> None:
        """Select a task for the person; a sample on screen is replaced by that of the task."""
        self._tasks.choose(name)

    def switch_task(self) -> None:
        """Fuse for the task that the file names suggest."""
        self._tasks.accept_suggestion()

    def keep_task(self) -> None:
        """Fuse for the selected task, whatever the file names suggest."""
        self._tasks.keep()

    # --- fusing ----------------------------------------------------------------------------

    def fuse(self, *, preview: bool = False) -> None:
        """Fuse the pair on screen instead of whatever is being read or fused.

        Args:
            preview: show a classical fusion until the model has finished.
        """
        self._fusion.fuse(preview=preview)

    def fuse_in_tiles(self) -> None:
        """Fuse in small pieces: slower, with the same result and the least memory."""
        self._fusion.fuse_in_tiles()

    def use_cpu(self) -> None:
        """Compute on the CPU from now on, and fuse the pair on screen there."""
        self._fusion.use_cpu()

    def refresh_methods(self) -> None:
        """Ask the engine again which methods there are, after packs were added or removed."""
        self._fusion.refresh_methods()

    def cancel(self) -> None:
        """Cancel reading and fusing."""
        running = self.session.running
        if running is not None:
            stage = self.tr("Cancelling…")
            self.session.set_running(replace(running, stage=stage, cancelling=True))
        self._jobs.cancel()

    # --- files out -------------------------------------------------------------------------

    def save(self, path: Path, outcome: Outcome | None = None) -> None:
        """Write the fused image of ``outcome``, or of the result on screen."""
        self._writer.save(path, outcome)

    def export(self, plan: ExportPlan, outcome: Outcome | None = None) -> None:
        """Write what was chosen of ``outcome``, or of the result on screen."""
        self._writer.export(plan, outcome)

    def copy_picture(self) -> None:
        """Make the fused image for the clipboard."""
        self._writer.copy_picture()
