"""Runs an external fusion program for one pair."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from core.errors import InputError, Message
from core.evaluation.peak_memory import ProgramMeter
from core.io.reader import read_image
from core.progress import Progress
from core.types import Image

_FIRST_POLL, _POLL = 0.005, 0.05
"""Seconds between looks at a program, doubled from the first to the longest."""
_TAIL = 300
"""Characters of its last output that an error quotes."""
_PLACES = ("{a}", "{b}", "{out}")


def split_command(text: str) -> tuple[str, ...]:
    """The program and its arguments in ``text``, quoted as in a shell.

    Raises:
        InputError: quotes do not match, or a place for a file is missing.
    """
    try:
        # A backslash is part of a path on Windows, so that quotes have to be taken off there.
        posix = os.name != "nt"
        arguments = tuple(
            part if posix else part.strip("\"'") for part in shlex.split(text, posix=posix)
        )
    except ValueError as error:
        raise InputError(
            Message("The command “{0}”", text),
            Message("it cannot be read ({0})", error),
            Message("Close its quotation marks."),
        ) from error
    missing = [place for place in _PLACES if not any(place in part for part in arguments[1:])]
    if not arguments or missing:
        raise InputError(
            Message("The command “{0}”", text),
            Message("it does not say where {0} goes", ", ".join(missing)),
            Message("Write it as: {0}", "program {a} {b} {out}"),
        )
    return arguments


def run_program(
    arguments: Sequence[str], a: Path, b: Path, *, timeout: float, progress: Progress
) -> tuple[Image, int | None]:
    """Run a program on a pair and read the picture it writes.

    Also returns the peak memory in bytes of the program and what it started, as far as a look at
    least every 50 ms shows it; None if it ended before the first.

    The program is started without a shell, and ended with all programs it started when it takes
    too long or the work is cancelled. ``{out}`` is a PNG file in a folder of its own.

    Raises:
        InputError: it cannot be started, fails, takes longer than ``timeout`` seconds, or writes no
            picture that can be read. Cancelled: by ``progress``.
    """
    name = Path(arguments[0]).name
    with tempfile.TemporaryDirectory(prefix="unifusion-", ignore_cleanup_errors=True) as folder:
        out = Path(folder) / "fused.png"
        files = {"{a}": str(a.resolve()), "{b}": str(b.resolve()), "{out}": str(out)}
        command = [arguments[0], *(_filled(part, files) for part in arguments[1:])]
        with (Path(folder) / "output.txt").open("w+b") as output:
            code, peak = _run(command, output.fileno(), timeout, progress)
            output.seek(0)
            said = output.read().decode(errors="replace").strip()[-_TAIL:]
        if code != 0:
            raise InputError(
                Message("The program {0}", name),
                Message("it ended with code {0}: {1}", code, said or "–"),
                Message("Try it by hand on this pair."),
            )
        if not out.is_file():
            raise InputError(
                Message("The program {0}", name),
                Message("it wrote no picture"),
                Message("It must write the file given as {0}.", "{out}"),
            )
        try:
            return read_image(out), peak
        except InputError as error:
            raise InputError(
                Message("The program {0}", name),
                Message("it wrote something that is no picture ({0})", Message.plain(error.why)),
                Message("It must write the file given as {0}.", "{out}"),
            ) from error


def _filled(part: str, files: dict[str, str]) -> str:
    # In one pass: the path of a source may itself contain “{out}”.
    return re.sub("|".join(map(re.escape, files)), lambda found: files[found[0]], part)


def _run(
    command: Sequence[str], output: int, timeout: float, progress: Progress
) -> tuple[int, int | None]:
    """Its exit code, and its peak memory."""
    name = Path(command[0]).name
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except OSError as error:
        raise InputError(
            Message("The program {0}", name),
            Message("it cannot be started ({0})", error.strerror or error),
            Message("Check that it is installed and its name is right."),
        ) from error
    end = monotonic() + timeout
    meter, pause = ProgramMeter(process.pid), _FIRST_POLL
    try:
        while True:
            meter.sample()
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(pause), meter.peak
            pause = min(2 * pause, _POLL)
            progress.check()
            if monotonic() > end:
                raise InputError(
                    Message("The program {0}", name),
                    Message("it had not ended after {0} seconds", round(timeout)),
                    Message("Allow more time, or try it by hand on this pair."),
                )
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the program and, where the system knows groups, what it started."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        process.kill()
    process.wait()
