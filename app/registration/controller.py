"""The requests made while aligning: begin, register, files, accept; with a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.compute.held import Held
from app.compute.remote import compute
from app.fuse.controller import Controller
from app.fuse.results import AS_DAMAGED, LoadedSource, resampled_side
from app.fuse.slice_view import SliceView
from app.fuse.state import FuseState, Offer
from app.registration import tasks
from app.registration.nudges import volume_centre
from app.registration.pending_offer import PendingOffer
from app.registration.state import AlignState, NativeSources
from app.workers import Job, Runner
from core.errors import FusionError, InputError, Message, RigExists
from core.types import PairTransform, SourceSide, Transform, Volume
from core.types.moves import centre_of

if TYPE_CHECKING:
    from core.alignment.rigs import Rig
    from core.registration import Registration


class AlignController(QObject):
    """Aligns the pair on screen. Whatever ends for another pair than that is dropped."""

    work_changed = Signal()
    """:attr:`stage` or :attr:`registration` has changed."""
    rigs_changed = Signal()
    """:attr:`rigs` has changed."""
    rig_kept = Signal(object)
    """A :class:`app.registration.tasks.RigRequest` that was carried out."""
    rig_exists = Signal(str)
    """A rig is to be kept under a name that another one has."""
    written = Signal(object)
    """Path of the file that was written."""

    def __init__(
        self, session: FuseState, controller: Controller, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.session = session
        self.state = AlignState(self)
        self.stage: tuple[str, float, float] | None = None
        """What is being done, how much of it, out of how much; None for nothing."""
        self.registration: Registration | None = None
        """The last one of this pair, whether it could be used or not."""
        self.rigs: tuple[Rig, ...] = ()
        """All rigs of the user, by name, as they were when aligning began."""
        self._controller = controller
        self._runner = Runner("registration", self)
        self._drawing = Runner("moved slice", self)
        self._job: Job | None = None
        self._pair: object = None
        """What identifies the pair being aligned."""
        self._volume: Held[Volume] | None = None
        """A of the volumes being aligned, for the slices that are drawn of it."""
        self._accepted: tuple[PairTransform | None, PairTransform | None] | None = None
        """Before and after the last one accepted, until it is on screen."""
        self._undo: PairTransform | None = None
        """Of the pair before the last one was accepted."""
        self._pending = PendingOffer(session, self)
        session.sources_changed.connect(self._follow)
        self.state.edited.connect(self._draw)

    def shutdown(self) -> None:
        """Cancel everything and wait for the thread."""
        self._runner.shutdown()
        self._drawing.shutdown()

    # --- begin and end ---------------------------------------------------------------------

    @property
    def can_align(self) -> bool:
        """Whether there are two volumes on screen, or picture files, also of different sizes."""
        sources = self.session.sources
        if sources.slice is not None:
            return True
        return not (any(sources.names) or None in sources.paths or sources.is_loading)

    def begin(self, *, register: bool = False) -> None:
        """Align the pair on screen.

        Args:
            register: register it at once.
        """
        if self.state.is_active:
            if register:
                self.register()
            return
        if not self.can_align or self._job is not None:
            return
        sources = self.session.sources
        self._pair = self._identity()
        then = partial(self._begin, register)
        if sources.slice is not None:
            then(self._slice_sources())
            return
        if sources.pair is not None and sources.transform is None and self._is_native():
            assert sources.a is not None
            assert sources.b is not None
            then(NativeSources(sources.a, sources.b))
            return
        a, b = sources.paths
        assert a is not None
        assert b is not None
        damaged = AS_DAMAGED in (sources.stamp or ())
        self._work(
            lambda progress: tasks.native_sources(a, b, damaged=damaged, progress=progress),
            then,
            self.tr("Reading pictures"),
        )

    def _is_native(self) -> bool:
        return not resampled_side(self.session.sources.stamp)

    def _begin(self, register: bool, sources: NativeSources) -> None:
        self.registration = None
        self.session.set_offer(None)  # the answer is given
        self.list_rigs()
        self.state.begin(sources, self.session.sources.transform)
        if register:
            self.register()

    def _slice_sources(self) -> NativeSources:
        sources = self.session.sources
        assert sources.a is not None
        assert sources.b is not None
        return NativeSources(sources.a, sources.b, sources.slice)

    def _draw(self) -> None:
        """Draw the slice of A through the transform so far, on a thread of its own."""
        state = self.state
        if state.view is None:
            return
        transform, view = state.edit.transform, state.view
        volume = view.volumes.native_a
        if self._volume is None or self._volume.value is not volume:
            self._volume = Held(volume)
        wanted = tasks.SliceRequest.of(view, transform)
        work = compute(tasks.moved_slice, self._volume, wanted)
        job = self._drawing.submit(work, key="moved slice")
        job.finished.connect(partial(self._drawn, view, transform))

    def _drawn(self, view: SliceView, by: Transform, drawn: LoadedSource) -> None:
        # A slightly older transform is better than none while it is dragged.
        if self.state.view is view:
            self.state.show_drawn(drawn, by)

    def _identity(self) -> object:
        sources = self.session.sources
        if sources.slice is not None:
            return sources.slice.volumes
        return sources.paths, sources.stamp, sources.transform

    def _follow(self) -> None:
        """Stop aligning a pair that is no longer on screen; offer to undo what was accepted."""
        sources = self.session.sources
        if self._pair is not None and self._pair != self._identity():
            self.leave()
        elif self.state.view is not None and self.state.view is not sources.slice:
            self.state.show_slice(self._slice_sources())
            self._draw()
        if self._accepted is None or sources.is_loading:
            return
        before, after = self._accepted
        self._accepted = None
        if sources.pair is not None and sources.transform == after:
            self._undo = before
            text = self.tr("The pair is aligned anew, and fused so.")
            offer = Offer(text, (("undo_alignment", self.tr("Undo")),))
            self._pending.ask(sources.pair, offer)

    def leave(self) -> None:
        """Leave the pair as it is."""
        self._pair = self._volume = None
        self.cancel()
        self.state.end()

    def accept(self) -> None:
        """Read the pair with the transform so far, and fuse it."""
        state = self.state
        if not state.is_active:
            return
        if not state.overlaps:
            error = InputError(
                Message("The transform"),
                Message("it moves one picture off the other one"),
                Message("Move it back, or choose Reset."),
            )
            self.session.show_error(error)
            return
        result, before = state.result, self.session.sources.transform
        if self.session.sources.slice is not None and before is not None:
            before = before.moving_side("a")
        is_new = result != before or self.session.sources.pair is None
        self.leave()
        if is_new:
            self._accepted = (before, result)
            self._controller.set_transform(result)

    def undo_accepted(self) -> None:
        """Read the pair as it was before the last transform was accepted."""
        self._controller.set_transform(self._undo)

    def look_at(self, index: int) -> None:
        """Show the slice of B that a point lies in; of pictures all is in view."""
        state = self.state
        if state.view is None or not 0 <= index < len(state.edit.landmarks):
            return
        mark = state.edit.landmarks[index]
        place = mark.b
        if place is None and mark.a is not None:
            place = tuple(state.edit.transform.inverse().apply([mark.a])[0])
        if place is not None:
            x, y, z = (float(value) for value in place)
            self._controller.volumes.look_at((x, y, z))

    # --- registration ----------------------------------------------------------------------

    def register(self) -> None:
        """Estimate the transform from the pictures, of the kind that is chosen."""
        state = self.state
        if state.sources is None:
            return
        edit = state.edit
        request = tasks.RegistrationRequest(self.session.task.name, edit.kind)
        fixed, moving = tasks.to_register(state.sources, edit.moving)
        self.registration = None
        self._work(
            compute(tasks.register_sources, fixed, moving, request),
            partial(self._registered, edit.moving),
            self.tr("Registering"),
        )

    def _registered(self, moving: SourceSide, found: Registration) -> None:
        # Another source may be the one that is moved by now.
        self.registration = found
        state = self.state
        if found.verdict != "failed":
            state.show_before(False)
            state.history.end_gesture()
            by = PairTransform(found.transform, moving, origin="registered", verdict=found.verdict)
            state.set_edit(state.edit.with_result(by))
        self.work_changed.emit()

    # --- files -----------------------------------------------------------------------------

    def import_transform(self, path: Path) -> None:
        """Take the transform in a file, from A to B or from the source that is kept."""
        self._work(
            partial(tasks.read_transform, path),
            partial(self._imported, path.name, self.state.edit.moving),
            self.tr("Reading the transform"),
        )

    def _imported(self, name: str, moving: SourceSide, transform: Transform) -> None:
        state = self.state
        if transform.dimension != state.edit.transform.dimension:
            is_of = Message("its transform is one of volumes, and these are pictures")
            if transform.dimension == 2:
                is_of = Message("its transform is one of pictures, and these are volumes")
            error = InputError(name, is_of, Message("Choose another transform."))
            self.session.show_error(error)
            return
        by = PairTransform(transform, moving, origin="file", name=name)
        state.set_edit(state.edit.with_result(by))

    def export_transform(self, path: Path) -> None:
        """Write the transform so far, from the source that is kept to the one that is moved."""
        state = self.state
        if state.sources is None:
            return
        centre: tuple[float, ...] = centre_of(state.sizes[1])
        if state.view is not None:
            centre = volume_centre(state.view)
        work = partial(tasks.write_transform, path, state.edit.transform, centre)
        self._work(work, self.written.emit, self.tr("Writing the transform"))

    # --- rigs ------------------------------------------------------------------------------

    def list_rigs(self) -> None:
        """Look which rigs there are; ``rigs_changed`` follows."""
        job = self._runner.submit(tasks.list_rigs, key="rigs")
        job.finished.connect(self._set_rigs)

    def _set_rigs(self, rigs: tuple[Rig, ...]) -> None:
        self.rigs = rigs
        self.rigs_changed.emit()

    def take_rig(self, name: str) -> None:
        """Take the transform that is kept under a name now."""
        sources = self.state.sources
        if sources is not None and sources.view is None:
            sizes = sources.a.image.size, sources.b.image.size
            work = partial(tasks.rig_transform, name, *sizes)
            self._work(work, self._take, self.tr("Reading the rig"))

    def _take(self, by: PairTransform) -> None:
        self.state.history.end_gesture()
        self.state.set_edit(self.state.edit.with_result(by))

    def keep_rig(self, name: str, *, replaces: bool = False) -> None:
        """Keep the transform so far under a name; ``rig_exists`` is asked where there is one.

        Args:
            replaces: replace the rig of that name.
        """
        sources = self.state.sources
        if sources is not None and sources.view is None:
            sizes = sources.a.image.size, sources.b.image.size
            rig = tasks.RigRequest(name, self.state.edit.by, *sizes, replaces=replaces)
            then = partial(self._kept, rig)
            self._work(partial(tasks.keep_rig, rig), then, self.tr("Writing the rig"))

    def _kept(self, rig: tasks.RigRequest, rigs: tuple[Rig, ...]) -> None:
        self._set_rigs(rigs)
        self.rig_kept.emit(rig)

    def remove_rig(self, name: str) -> None:
        """Delete a rig."""
        work = partial(tasks.remove_rig, name)
        self._work(work, self._set_rigs, self.tr("Deleting the rig"))

    # --- work ------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Cancel what is being done; the transform stays as it is."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            self._set_stage(None)

    def _work(self, work: Callable[..., object], then: Callable[..., object], stage: str) -> None:
        self.cancel()
        job = self._job = self._runner.submit(work)
        job.progress.connect(lambda done, total, text: self._set_stage((text, done, total)))
        job.finished.connect(partial(self._finished, job, then))
        job.failed.connect(partial(self._failed, job))
        self._set_stage((stage, 0.0, 0.0))

    def _finished(self, job: Job, then: Callable[..., object], answer: object) -> None:
        if job is self._job:
            self._job = None
            self._set_stage(None)
            then(answer)

    def _failed(self, job: Job, error: FusionError) -> None:
        if job is self._job:
            self._job = None
            self._set_stage(None)
            if isinstance(error, RigExists):
                self.rig_exists.emit(error.name)
            else:
                self.session.show_error(error)

    def _set_stage(self, stage: tuple[str, float, float] | None) -> None:
        self.stage = stage
        self.work_changed.emit()

    def set_crop(self, crop: bool) -> None:
        """Crop the pair to what both show, or not."""
        self.state.set_edit(self.state.edit.with_crop(crop))
