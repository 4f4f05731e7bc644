"""What all commands share: one line per error, exit codes, progress on a terminal."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Self, TextIO

import typer

from core.errors import Cancelled, FusionError
from core.printable import one_line

DONE, FAILED, BAD_INPUT, CANCELLED = 0, 1, 2, 130
_GONE = {errno.EPIPE, errno.EIO}


@contextlib.contextmanager
def _nobody_reads() -> Iterator[None]:
    """A closed pipe or a terminal that is gone (after SIGHUP) is not an error."""
    try:
        yield
    except OSError as error:
        if error.errno not in _GONE:
            raise


def fit_streams() -> None:
    """Print what the terminal's code page lacks as question marks, instead of ending with it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(text: str, stream: TextIO | None = None) -> None:
    """Print one line, nothing in which can steer the terminal.

    That nobody reads it any more is not an error.
    """
    show(one_line(text), stream)


def show(text: str, stream: TextIO | None = None) -> None:
    """Print lines of the program's own, escape sequences included: for tables it has drawn."""
    stream = stream or sys.stdout
    encoding = stream.encoding or "utf-8"
    with _nobody_reads():
        print(text.encode(encoding, "replace").decode(encoding), file=stream, flush=True)


def note(text: str) -> None:
    """A remark on the error stream, so that the output stays clean."""
    say(f"note: {text}", sys.stderr)


_DEBUG = "UNIFUSION_DEBUG"


def show_details() -> None:
    """From now on print the traceback of what nobody expected; also in child processes."""
    os.environ[_DEBUG] = "1"


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Turn errors into one line on the error stream and an exit code.

    What nobody expected is one line too, with exit code 1; its traceback is printed before it
    when ``--debug`` was given or $UNIFUSION_DEBUG is set.
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
    """One line on an error nobody foresaw."""
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
    """Whether a library is there, and whole, but did not fit into the memory there is."""
    if not isinstance(error, (ImportError, OSError)):
        return False
    said = str(error).lower()
    # The loader says the same of a disk from which nothing may be run, but then also why.
    told = "failed to map segment" in said and "not permitted" not in said
    return told or "cannot allocate memory" in said or "paging file is too small" in said


class TerminalProgress:
    """Progress as one rewritten line on a terminal; silent elsewhere.

    Used as a context manager it takes over Ctrl-C and what else asks a program to end: SIGTERM
    (a scheduler, a container, a log-out), SIGHUP (a terminal that is closed; not under ``nohup``)
    and Ctrl-Break. The work then stops at its next clean point. Only a second Ctrl-C interrupts at
    once: schedulers send SIGTERM twice, and a torn step would cost all that came after the last
    checkpoint.
    """

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._stop = False
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
        """Show ``stage`` with its share done."""
        if self._live:
            share = f"{100 * done / total:3.0f} %" if total else "     "
            with _nobody_reads():
                shown = one_line(stage)
                print(f"\r\x1b[K{share} {shown}", end="", file=sys.stderr, flush=True)

    def check(self) -> None:
        """Raise :class:`core.errors.Cancelled` after Ctrl-C or another signal to end."""
        if self._stop:
            raise Cancelled

    def clear(self) -> None:
        """Clear the line."""
        if self._live:
            with _nobody_reads():
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
