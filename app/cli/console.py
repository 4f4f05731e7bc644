"""What all commands share: one line per error, exit codes, progress on a terminal."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Self, TextIO

import typer

from core.errors import Cancelled, FusionError

DONE, FAILED, BAD_INPUT, CANCELLED = 0, 1, 2, 130


def say(text: str, stream: TextIO | None = None) -> None:
    """Print one line; a closed pipe on the other side is not an error."""
    with contextlib.suppress(BrokenPipeError):
        print(text, file=stream or sys.stdout, flush=True)


def note(text: str) -> None:
    """A remark on the error stream, so that the output stays clean."""
    say(f"note: {text}", sys.stderr)


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Turn errors into one line on the error stream and an exit code."""
    try:
        yield
    except FusionError as error:
        say(f"unifusion: {' '.join(str(error).split())}", sys.stderr)
        raise typer.Exit(BAD_INPUT) from None
    except (KeyboardInterrupt, Cancelled):
        say("unifusion: cancelled", sys.stderr)
        raise typer.Exit(CANCELLED) from None


class TerminalProgress:
    """Progress as one rewritten line on a terminal; silent elsewhere.

    Used as a context manager it takes over Ctrl-C: the first one asks the work to stop at its next
    clean point, a second one interrupts at once.
    """

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._stop = False
        self._previous: signal.Handlers | Callable[..., object] | int | None = None

    def __enter__(self) -> Self:
        self._previous = signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._previous)
        self.clear()

    def _interrupted(self, *_: object) -> None:
        if self._stop:
            raise KeyboardInterrupt
        self._stop = True

    def report(self, done: float, total: float, stage: str) -> None:
        """Show ``stage`` with its share done."""
        if self._live:
            share = f"{100 * done / total:3.0f} %" if total else "     "
            print(f"\r\x1b[K{share} {stage}", end="", file=sys.stderr, flush=True)

    def check(self) -> None:
        """Raise :class:`core.errors.Cancelled` after Ctrl-C."""
        if self._stop:
            raise Cancelled

    def clear(self) -> None:
        """Clear the line."""
        if self._live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
