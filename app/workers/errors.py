"""Conversion of any exception into a readable error."""

from __future__ import annotations

import traceback

from core.errors import DeviceFault, DeviceMemoryError, FusionError, Message


def as_fusion_error(error: BaseException) -> FusionError:
    """``error`` as a :class:`FusionError`, with the traceback kept as text.

    The live traceback is dropped, because its frames would keep the images of failed work in
    memory for as long as the error card is shown. Read the text back with :func:`details_of`.
    """
    text = "".join(traceback.format_exception(error))
    is_memory, is_fault = _of_device(error)
    if isinstance(error, FusionError):
        found = error
    elif is_memory:
        found = DeviceMemoryError(
            Message("There is not enough memory for this"),
            str(error) or Message("the system refused to give more"),
            Message("Close other programs, or use smaller pictures."),
        )
    elif is_fault:
        found = DeviceFault(
            Message("The graphics card failed"),
            Message("{0}: {1}", type(error).__name__, str(error).partition("\n")[0]),
            Message("Try again; if it happens again, compute on the CPU."),
        )
    else:
        found = FusionError(
            Message("Something unexpected went wrong"),
            Message("{0}: {1}", type(error).__name__, str(error)),
            Message("Try again; if it happens again, copy the details and report them."),
        )
    found.__cause__ = found.__context__ = None
    found.with_traceback(None)
    if not details_of(found):
        found.add_note(text)
    return found


def _of_device(error: BaseException) -> tuple[bool, bool]:
    """Whether memory ran out, and whether a graphics card failed."""
    if not isinstance(error, RuntimeError):
        return isinstance(error, MemoryError), False
    from core.device import is_device_fault, is_out_of_memory  # late: it imports OpenCV

    return is_out_of_memory(error), is_device_fault(error)


def details_of(error: BaseException) -> str:
    """The traceback kept by :func:`as_fusion_error`, or ""."""
    return "\n".join(getattr(error, "__notes__", ()))
