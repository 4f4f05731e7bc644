"""Console functions of all commands: error lines, exit codes, progress on a terminal."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Self, TextIO

import typer

from core.errors import Cancelled, FusionError
from core.printable import one_line

DONE, FAILED, BAD_INPUT, SOME_FAILED, CANCELLED = 0, 1, 2, 3, 130
_JUDGED_AFTER = 3.0
"""Seconds of work from which the remaining time is estimated."""
_GONE = {errno.EPIPE, errno.EIO}


@contextlib.contextmanager
def _ignore_closed_stream() -> Iterator[None]:
    """Ignore a closed pipe, or a terminal that is closed (after SIGHUP)."""
    try:
        yield
    except OSError as error:
        if error.errno not in _GONE:
            raise


def fit_streams() -> None:
    """Print characters missing in the terminal's encoding as question marks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(text: str, stream: TextIO | None = None) -> None:
    """Print one line with control characters removed. A closed stream is not an error."""
    show(one_line(text), stream)


def show(text: str, stream: TextIO | None = None) -> None:
    """Print the program's own output, including escape sequences, e.g. tables."""
    stream = stream or sys.stdout
    encoding = stream.encoding or "utf-8"
    with _ignore_closed_stream():
        print(text.encode(encoding, "replace").decode(encoding), file=stream, flush=True)


def note(text: str) -> None:
    """Print a note to standard error."""
    say(f"note: {text}", sys.stderr)


_DEBUG = "UNIFUSION_DEBUG"


def show_details() -> None:
    """From now on print tracebacks of unexpected errors, also in child processes."""
    os.environ[_DEBUG] = "1"


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Turn errors into one line on standard error and an exit code.

    Unexpected errors are one line, too, with exit code 1; their traceback is printed before it
    if ``--debug`` is given or $UNIFUSION_DEBUG is set.
    """
    try:
        yield
    except FusionError as error:
        say(f"unifusion: {error}", sys.stderr)
        raise typer.Exit(BAD_INPUT) from None
    except (KeyboardInterrupt, Cancelled):
        say("unifusion: cancelled", sys.stderr)
        raise typer.Exit(CANCELLED) from None
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            say(f"unifusion: {error.filename}: the name is too long. Choose another.", sys.stderr)
            raise typer.Exit(BAD_INPUT) from None
        if os.environ.get(_DEBUG):
            traceback.print_exc()
        say(f"unifusion: {_unexpected(error)}", sys.stderr)
        raise typer.Exit(FAILED) from None


def _unexpected(error: Exception) -> str:
    """One line about an unexpected error."""
    said = " ".join(str(error).split()) or type(error).__name__
    if _is_out_of_memory(error):
        text = (
            f"There is not enough memory for the program itself: {said}. Close other programs, or "
            "allow it more address space (ulimit -v)."
        )
    elif isinstance(error, ImportError):
        text = f"A part of the program cannot be loaded: {said}. Install the program again."
    elif isinstance(error, MemoryError):
        text = "There is not enough memory. Close other programs, or use smaller pictures."
    else:
        text = f"Something unexpected went wrong: {type(error).__name__}: {said}."
    hint = "" if os.environ.get(_DEBUG) else " Details: unifusion --debug …"
    return text + hint


def _is_out_of_memory(error: Exception) -> bool:
    """Whether loading a library failed for lack of memory."""
    if not isinstance(error, (ImportError, OSError)):
        return False
    said = str(error).lower()
    # The loader reports the same for a noexec file system, but with the reason.
    told = "failed to map segment" in said and "not permitted" not in said
    return told or "cannot allocate memory" in said or "paging file is too small" in said


class TerminalProgress:
    """Progress as one rewritten line on a terminal; silent elsewhere.

    As a context manager it handles Ctrl-C, SIGTERM (a scheduler, a container, a log-out), SIGHUP
    (a terminal that is closed; not under ``nohup``) and Ctrl-Break, so that the work stops at its
    next safe point. Only a second Ctrl-C interrupts at once: schedulers send SIGTERM twice, and an
    interrupted step would lose everything since the last checkpoint.
    """

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._stop = False
        self._begun, self._share = 0.0, 1.0
        self._previous: dict[int, signal.Handlers | Callable[..., object] | int | None] = {}

    def __enter__(self) -> Self:
        names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
        for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
            ignored = signal.getsignal(number) == signal.SIG_IGN
            if number == signal.SIGINT or not ignored:
                self._previous[number] = signal.signal(number, self._interrupted)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self.clear()

    def _interrupted(self, number: int, _frame: object) -> None:
        if self._stop and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._stop = True

    def report(self, done: float, total: float, stage: str) -> None:
        """Show ``stage`` with its percentage, and the time that is left once that can be told."""
        if self._live:
            share = f"{100 * done / total:3.0f} %" if total else "     "
            left = self._time_left(done / total if total else 0.0)
            with _ignore_closed_stream():
                shown = one_line(stage) + left
                print(f"\r\x1b[K{share} {shown}", end="", file=sys.stderr, flush=True)

    def _time_left(self, share: float) -> str:
        now = time.monotonic()
        if share < self._share:  # other work
            self._begun = now
        self._share = share
        elapsed = now - self._begun
        if elapsed < _JUDGED_AFTER or not 0 < share < 1:
            return ""
        seconds = elapsed * (1 - share) / share
        text = f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
        return f", about {text} left"

    def check(self) -> None:
        """Raise :class:`core.errors.Cancelled` after Ctrl-C or another termination signal."""
        if self._stop:
            raise Cancelled

    def clear(self) -> None:
        """Clear the line."""
        if self._live:
            with _ignore_closed_stream():
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
