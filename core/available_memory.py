"""How much memory there is for this process, told by whoever could end it for taking more.

Free memory of the machine is not enough to know: a container, a batch queue or a shell's limit may
give less. Nothing here imports torch, and what is asked costs less than a millisecond, so that it
can be asked before every fusion and from the window's own thread.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

_UNLIMITED = 2**60
"""Control groups of version 1 write a number beyond every machine for "no limit"."""
_ROOT = Path("/")


@dataclass(frozen=True)
class Usage:
    """Bytes this process holds, and bytes the machine (or device) has."""

    used: int
    total: int


def available_bytes(device: str = "cpu", root: Path = _ROOT) -> int | None:
    """Bytes that this process can still take without being refused, killed or swapped out.

    The least of what the machine has, what every control group around the process leaves (page
    cache that can be given up is counted as free) and what its own limits leave.

    Args:
        device: ``cpu``, or a CUDA device, of which the driver is asked.
        root: where the system's files are looked for.

    Returns:
        None when the system does not tell.
    """
    if device.startswith("cuda"):
        card = device_memory(device)
        return None if card is None else card.total - card.used
    if not _is_linux():
        return _asked_of_psutil()
    rooms = [_machine_room(root), *_group_rooms(root), *_own_rooms(root)]
    known = [room for room in rooms if room is not None]
    return max(0, min(known)) if known else None


def process_memory(root: Path = _ROOT) -> Usage | None:
    """Resident memory of this process and the machine's; None where it cannot be told."""
    try:
        if _is_linux():
            pages = int((root / "proc/self/statm").read_text().split()[1])
            return Usage(pages * _page(), _meminfo(root)["MemTotal"])
        import psutil

        return Usage(int(psutil.Process().memory_info().rss), int(psutil.virtual_memory().total))
    except (OSError, ValueError, IndexError, KeyError, ImportError):
        return None


def peak_bytes() -> int | None:
    """The most this process held so far; None when the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return int(getattr(psutil.Process().memory_info(), "peak_wset", 0)) or None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def device_memory(device: str) -> Usage | None:
    """What is taken of a CUDA device (by every program) and what it has; None for others.

    torch is asked only where it has been imported already: this may run on the GUI thread.
    """
    torch = sys.modules.get("torch")
    if not device.startswith("cuda") or torch is None:
        return None
    try:
        free, total = torch.cuda.mem_get_info(device)
    except (RuntimeError, AttributeError):
        return None
    return Usage(int(total - free), int(total))


def release_memory() -> None:
    """Give the system what was freed and is kept for later.

    The GNU library keeps freed blocks of up to 32 MB, and what lies between them is lost. To give
    it back once after a pass over a large image costs little; a lower limit to what is kept,
    so that every temporary comes from the system anew, costs five times the system's time.
    """
    library = _gnu_library()
    if library is not None:
        library.malloc_trim(0)


@cache
def _gnu_library() -> Any:
    if not _is_linux():
        return None
    try:
        library = ctypes.CDLL("libc.so.6")
        library.malloc_trim  # noqa: B018
    except (OSError, AttributeError):
        return None
    return library


def _is_linux() -> bool:
    system: str = sys.platform  # not the one the types are checked on
    return system.startswith("linux")


def _asked_of_psutil() -> int | None:
    try:
        import psutil

        return int(psutil.virtual_memory().available)
    except (OSError, ImportError):
        return None


def _page() -> int:
    import resource

    return resource.getpagesize()


def _meminfo(root: Path) -> dict[str, int]:
    lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
    pairs = (line.split(":", 1) for line in lines if line.endswith(" kB"))
    return {name: int(value.split()[0]) * 1024 for name, value in pairs}


def _machine_room(root: Path) -> int | None:
    try:
        told = _meminfo(root)
    except (OSError, ValueError, IndexError):
        return None
    # Kernels before 3.14 do not work it out.
    return told.get("MemAvailable", told.get("MemFree", 0) + told.get("Cached", 0)) or None


def _own_rooms(root: Path) -> Iterator[int]:
    """What limits of the process itself leave (``ulimit -v``, ``ulimit -d``)."""
    import resource

    try:
        pages = (root / "proc/self/statm").read_text(encoding="ascii").split()
        taken = {resource.RLIMIT_AS: int(pages[0]), resource.RLIMIT_DATA: int(pages[5])}
    except (OSError, ValueError, IndexError):
        return
    for kind, held in taken.items():
        limit = resource.getrlimit(kind)[0]
        if limit != resource.RLIM_INFINITY:
            yield limit - held * _page()


@dataclass(frozen=True)
class _Version:
    """Names of what a version of control groups tells of memory."""

    limits: tuple[str, ...]
    usage: str
    prefix: str
    """Of the lines of ``memory.stat`` that count the groups below as well."""


_V1 = _Version(("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_")
_V2 = _Version(("memory.max", "memory.high"), "memory.current", "")


def _group_rooms(root: Path) -> Iterator[int]:
    """What each control group around the process leaves, from the innermost outwards."""
    for top, own, version in _groups(root):
        folder = own
        while True:
            room = _room_of(folder, version)
            if room is not None:
                yield room
            if folder == top:
                break
            folder = folder.parent


def _groups(root: Path) -> Iterator[tuple[Path, Path, _Version]]:
    """Of each hierarchy that counts memory: where it is mounted, and the process's own group."""
    try:
        memberships = (root / "proc/self/cgroup").read_text().splitlines()
        mounts = (root / "proc/self/mountinfo").read_text().splitlines()
    except (OSError, ValueError):
        return
    paths: dict[_Version, str] = {}
    for line in memberships:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            paths[_V2] = path
        elif "memory" in controllers.split(","):
            paths[_V1] = path
    for line in mounts:
        head, _, kind = line.partition(" - ")
        fields, version = head.split(), _version_of(kind)
        if version in paths and len(fields) > 4:
            mounted, place = fields[3:5]
            top = root / _unescaped(place).lstrip("/")
            yield top, top / _below(paths[version], _unescaped(mounted)), version


def _version_of(kind: str) -> _Version | None:
    words = kind.split()
    if words[:1] == ["cgroup2"]:
        return _V2
    if words[:1] == ["cgroup"] and "memory" in words[-1].split(","):
        return _V1
    return None


def _unescaped(path: str) -> str:
    return path.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")


def _below(path: str, mounted: str) -> PurePosixPath:
    """The group ``path`` as seen from a mount that shows ``mounted`` and what is below it."""
    try:
        inside = PurePosixPath(path).relative_to(mounted)
    except ValueError:
        # In a container the path may be the host's: what is mounted there is the own group.
        return PurePosixPath()
    # A process that was moved out of its namespace sees "/../…".
    return PurePosixPath() if ".." in inside.parts else inside


def _room_of(folder: Path, version: _Version) -> int | None:
    limits = [limit for name in version.limits if (limit := _number(folder / name)) is not None]
    limits = [limit for limit in limits if limit < _UNLIMITED]
    usage = _number(folder / version.usage)
    if not limits or usage is None:
        return None
    return min(limits) - max(0, usage - _reclaimable(folder, version.prefix))


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # "max", or the root group, which has no limit
        return None


def _reclaimable(folder: Path, prefix: str) -> int:
    """Bytes of files in memory that are given up when memory is wanted.

    Not those mapped by a program that runs: without them it would only read its own code.
    """
    try:
        lines = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
        told = {name: int(value) for name, value in (line.split() for line in lines)}
    except (OSError, ValueError):
        return 0
    inactive, active = (told.get(f"{prefix}{kind}_file", 0) for kind in ("inactive", "active"))
    mapped = told.get("file_mapped", told.get(f"{prefix}mapped_file", 0))
    return max(inactive, inactive + active - mapped)
