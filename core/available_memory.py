"""Memory available to this process within all limits that are imposed on it.

The free memory of the machine is not sufficient: containers, batch queues and shell limits may
allow less. This module does not import torch, and a query takes less than a millisecond, so that it
may be made before every fusion and on the GUI thread.
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
"""cgroup v1 writes a number larger than any machine's memory for "no limit"."""
_ROOT = Path("/")


@dataclass(frozen=True)
class Usage:
    """Bytes in use by this process, and bytes that the machine (or device) has."""

    used: int
    total: int


def available_bytes(device: str = "cpu", root: Path = _ROOT, *, wanted: int = 0) -> int | None:
    """Bytes that this process can allocate without being refused, killed or swapped out.

    The minimum over the machine, every control group of the process (reclaimable page cache counts
    as free) and the resource limits of the process.

    Args:
        device: ``cpu``, or a CUDA device, whose driver is queried.
        root: root folder of the system files, for tests.
        wanted: bytes that the caller is about to use. If fewer are available, memory that the
            allocator retains, which counts as used, is given back first.

    Returns:
        None if the system does not report it.
    """
    if device.startswith("cuda"):
        card = device_memory(device)
        return None if card is None else card.total - card.used
    if not _is_linux():
        return _psutil_available()
    room = _linux_available(root)
    if room is not None and room < wanted:
        release_memory()
        room = _linux_available(root)
    return room


def _linux_available(root: Path) -> int | None:
    rooms = [_machine_available(root), *_cgroups_available(root), *_rlimits_available(root)]
    known = [room for room in rooms if room is not None]
    return max(0, min(known)) if known else None


def process_memory(root: Path = _ROOT) -> Usage | None:
    """Resident memory of this process and total memory of the machine; None if unknown."""
    try:
        if _is_linux():
            pages = int((root / "proc/self/statm").read_text().split()[1])
            return Usage(pages * _page(), _meminfo(root)["MemTotal"])
        import psutil

        return Usage(int(psutil.Process().memory_info().rss), int(psutil.virtual_memory().total))
    except (OSError, ValueError, IndexError, KeyError, ImportError):
        return None


def peak_bytes() -> int | None:
    """Peak resident memory of this process in bytes; None if the system does not report it."""
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return int(getattr(psutil.Process().memory_info(), "peak_wset", 0)) or None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def device_memory(device: str) -> Usage | None:
    """Memory in use on a CUDA device, by all programs, and its total memory; None for others.

    Queries torch only if it has been imported already, because this may run on the GUI thread.
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
    """Return freed memory that the allocator retains to the system.

    It retains it on purpose (:func:`retain_freed_memory`), and counts as used. Trimming once after
    a pass over a large image is cheap.
    """
    library = _gnu_library()
    if library is not None:
        library.malloc_trim(0)


_MALLOC_OPTIONS = {
    -4: 0,  # M_MMAP_MAX: no block is a mapping of its own
    -1: 256 * 2**20,  # M_TRIM_THRESHOLD: free bytes at the end of the heap that are retained
    -2: 64 * 2**20,  # M_TOP_PAD: bytes by which the heap grows at least
    -8: 1,  # M_ARENA_MAX: one heap for all threads, so that each reuses what another has freed
}
"""Options of glibc's ``mallopt`` by number, as in ``malloc.h``."""


def retain_freed_memory() -> bool:
    """Let the allocator reuse large blocks instead of mapping each of them anew; glibc only.

    By default every array of a few megabytes is a mapping of its own, whose pages the kernel clears
    one by one at each allocation: a third of the processor time of a network at 1024×768. To be
    called once, before other threads are started. The results are the same.

    Returns:
        Whether the allocator takes these options.
    """
    library = _gnu_library()
    if library is None:
        return False
    return all(library.mallopt(number, value) for number, value in _MALLOC_OPTIONS.items())


@cache
def _gnu_library() -> Any:
    if not _is_linux():
        return None
    try:
        library = ctypes.CDLL("libc.so.6")
        library.malloc_trim, library.mallopt  # noqa: B018
    except (OSError, AttributeError):
        return None
    return library


def _is_linux() -> bool:
    system: str = sys.platform  # hidden from type checkers
    return system.startswith("linux")


def _psutil_available() -> int | None:
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


def _machine_available(root: Path) -> int | None:
    try:
        entries = _meminfo(root)
    except (OSError, ValueError, IndexError):
        return None
    # Kernels before 3.14 do not report MemAvailable.
    return entries.get("MemAvailable", entries.get("MemFree", 0) + entries.get("Cached", 0)) or None


def _rlimits_available(root: Path) -> Iterator[int]:
    """Bytes left by the resource limits of the process (``ulimit -v``, ``ulimit -d``)."""
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
class _CgroupVersion:
    """File and entry names of the memory controller in one version of cgroups."""

    limits: tuple[str, ...]
    usage: str
    prefix: str
    """Prefix of the ``memory.stat`` entries that include child groups."""


_V1 = _CgroupVersion(("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_")
_V2 = _CgroupVersion(("memory.max", "memory.high"), "memory.current", "")


def _cgroups_available(root: Path) -> Iterator[int]:
    """Bytes left by each control group of the process, from the innermost outwards."""
    for top, own, version in _groups(root):
        folder = own
        while True:
            room = _cgroup_available(folder, version)
            if room is not None:
                yield room
            if folder == top:
                break
            folder = folder.parent


def _groups(root: Path) -> Iterator[tuple[Path, Path, _CgroupVersion]]:
    """Mount point and own group of the process for each hierarchy that limits memory."""
    try:
        memberships = (root / "proc/self/cgroup").read_text().splitlines()
        mounts = (root / "proc/self/mountinfo").read_text().splitlines()
    except (OSError, ValueError):
        return
    paths: dict[_CgroupVersion, str] = {}
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


def _version_of(kind: str) -> _CgroupVersion | None:
    words = kind.split()
    if words[:1] == ["cgroup2"]:
        return _V2
    if words[:1] == ["cgroup"] and "memory" in words[-1].split(","):
        return _V1
    return None


def _unescaped(path: str) -> str:
    return path.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")


def _below(path: str, mounted: str) -> PurePosixPath:
    """The group ``path`` relative to a mount whose root is the group ``mounted``."""
    try:
        inside = PurePosixPath(path).relative_to(mounted)
    except ValueError:
        # In a container the path may be that of the host: the mount root is the own group.
        return PurePosixPath()
    # A process that was moved out of its namespace sees "/../…".
    return PurePosixPath() if ".." in inside.parts else inside


def _cgroup_available(folder: Path, version: _CgroupVersion) -> int | None:
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
    """Bytes of page cache that the kernel can reclaim.

    Excludes pages mapped by running programs: reclaiming those would only cause page faults.
    """
    try:
        lines = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
        entries = {name: int(value) for name, value in (line.split() for line in lines)}
    except (OSError, ValueError):
        return 0
    inactive, active = (entries.get(f"{prefix}{kind}_file", 0) for kind in ("inactive", "active"))
    mapped = entries.get("file_mapped", entries.get(f"{prefix}mapped_file", 0))
    return max(inactive, inactive + active - mapped)
