"""Texts on the panes: what an image is, or why there is none."""

from __future__ import annotations

from app.fuse.messages import reason_of
from app.fuse.slice_bar import plane_title
from app.fuse.slice_view import SliceView
from app.fuse.state import FuseState, LoadedSource, Outcome
from app.fuse.studies import kind_of
from app.i18n.numbers import number
from app.i18n.translate import tr, translate
from app.widgets.device_chip import short_device
from core.tasks import TaskSpec, get_task

SOURCES = ("a", "b")
_KINDS = {"PT": "PET", "NM": "SPECT", "CT": "CT"}


def source_title(session: FuseState, pane: str) -> str:
    """What a source on show is called, see :func:`title_of`.

    Args:
        pane: “a” or “b”.
    """
    return title_of(session.sources.slice, session.task, SOURCES.index(pane))


def source_titles(session: FuseState) -> tuple[str, str]:
    """What both sources on show are called."""
    return source_title(session, "a"), source_title(session, "b")


def title_of(view: SliceView | None, task: TaskSpec, side: int) -> str:
    """What a source is: its own kind where it is a series that says so, else its part in the task.

    A and B of a study may have been exchanged, or be of other kinds than the task expects.

    Args:
        view: the slice that both are; None for images.
        side: 0 for A, 1 for B.
    """
    kind = "" if view is None else kind_of(view.volumes.series[side])
    if kind == "MR":
        return translate(get_task("mif").label_b)
    return _KINDS.get(kind) or translate((task.label_a, task.label_b)[side])


def source_placeholder(session: FuseState, pane: str, open_key: str) -> str:
    """The text of an empty source pane: an invitation, or the selected file and its state.

    Args:
        pane: “a” or “b”.
        open_key: the key that opens files; "" if there is none.
    """
    sources, side = session.sources, SOURCES.index(pane)
    path = sources.requested[side]
    if path is None:
        label = translate((session.task.label_a, session.task.label_b)[side])
        text = tr("Drop {0} here\nor press {1}") if open_key else tr("Drop {0} here")
        return text.format(label, open_key)
    name = sources.requested_name(side)
    if sources.error is None:
        return name
    reason = reason_of(sources.error, path, sources.requested)
    return "\n".join(line for line in (name, reason) if line)


def result_placeholder(session: FuseState, pane: str) -> str:
    """The text of a result pane without an image."""
    outcome = session.outcome
    if outcome is None and session.sources.error is not None:
        return tr("Nothing is fused: the sources are not shown.") if pane == "fused" else ""
    view = session.sources.slice
    if outcome is None and view is not None and view.volumes.are_apart:
        text = tr("A and B share no place in the patient.\nAlign them before they are fused.")
        return text if pane == "fused" else ""
    if outcome is None and view is not None and view.lone is not None:
        text = tr("Only {0} has data in this slice: there is nothing to fuse.")
        return text.format(view.lone.upper()) if pane == "fused" else ""
    if outcome is None:
        if pane == "fused":
            return tr("The fused picture appears here.")
        if pane == "features":
            return tr("What the network saw appears here.")
        return tr("The network's reconstruction appears here.")
    if outcome.is_preview:
        return tr("The model is at work…")
    return _why_missing(outcome, features=pane == "features")


def _why_missing(outcome: Outcome, *, features: bool) -> str:
    """Why a result has no features or no reconstructions."""
    if outcome.is_model and outcome.is_stored:
        if features:
            return tr("A result read from its file has no features: fuse it anew.")
        return tr("A result read from its file has no reconstructions: fuse it anew.")
    if features:
        return tr("Only models have features.")
    return tr("Only models have reconstructions.")


def waiting_text(session: FuseState, pane: str) -> str:
    """The text on the skeleton of a pane: the file being read, and how far reading has come."""
    if pane not in SOURCES:
        return ""
    name = session.sources.requested_name(SOURCES.index(pane))
    return "\n".join(text for text in (name, _reading_progress(session)) if text)


def _reading_progress(session: FuseState) -> str:
    running = session.running
    if running is None or running.fusing or not running.total:
        return ""
    current = min(int(running.done) + 1, int(running.total))
    return tr("Reading picture {0} of {1}…").format(current, int(running.total))


def source_info(loaded: LoadedSource) -> str:
    """Name, size and depth of a source."""
    image = loaded.image
    depth = "float" if image.bit_depth == 32 else f"{image.bit_depth} bit"
    parts = [image.name, f"{image.width}×{image.height}", depth]
    return " · ".join(part for part in parts if part)


def frame_text(view: SliceView, side: int) -> str:
    """Which volume of its series a source is; "" where there is only one."""
    count = view.volumes.frame_counts[side]
    text = tr("frame {0} of {1}").format(view.volumes.frames[side] + 1, count)
    return text if count > 1 else ""


def slice_info(view: SliceView, side: int) -> tuple[str, str]:
    """Title, slice and unit of a source that is a slice of a volume; and its title alone."""
    volume = view.volumes.native[side]
    name = view.volumes.names[side]
    plane = f"{plane_title(view.plane)} {view.index + 1}/{view.count}"
    columns, rows = volume.shape[2], volume.shape[1]
    parts = [
        name,
        frame_text(view, side),
        plane,
        f"{columns}×{rows}×{volume.shape[0]}",
        volume.unit,
    ]
    return " · ".join(part for part in parts if part), name


def registration_tag(view: SliceView | None) -> tuple[str, str]:
    """Tag and tool tip of volumes that may not lie on each other; empty where they do."""
    if view is not None and view.volumes.are_of_two_patients:
        return tr("Two patients"), tr("A and B are of two different patients.")
    if view is None or view.volumes.is_registered:
        return "", ""
    if view.volumes.are_apart:
        tip = tr(
            "A and B share no place in the patient. A is moved to the middle of B, only to be "
            "seen. Click to align them."
        )
        return tr("Apart"), tip
    tip = tr(
        "Nothing says that the millimetres of the two volumes are the same: "
        "what lies on each other need not belong together. Click to align them."
    )
    return tr("Not registered"), tip


def no_data_tag(view: SliceView | None, side: str) -> tuple[str, str]:
    """Tag and tool tip of a source with no data in the slice, which is black and not 0."""
    if view is None or view.lone in (None, side):
        return "", ""
    return tr("No data"), tr("Nothing was measured in this slice: black is not a value of 0 here.")


def result_info(outcome: Outcome) -> str:
    """Method, device and duration of a fusion."""
    if outcome.is_stored:
        return " · ".join((outcome.method_title, translate(outcome.result.device.reason)))
    device = short_device(outcome.result.device)
    parts = [outcome.method_title, device, f"{number(outcome.seconds, '.1f')} s"]
    return " · ".join(part for part in parts if part)
