"""How much memory there is: machine, control groups of both versions, limits of the process."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from core import available_memory
from core.available_memory import available_bytes

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

MB = 2**20
V1_MOUNT = "35 31 0:32 {root} {point} rw,relatime - cgroup cgroup rw,memory"
V2_MOUNT = "41 31 0:38 {root} {point} rw,nosuid - cgroup2 cgroup2 rw"


@pytest.fixture
def machine(tmp_path):
    """A machine with 8,000 MB available, whose process is in no group."""

    class Machine:
        root = tmp_path

        def write(self, path, text):
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

        def groups(self, membership, *mounts):
            self.write("proc/self/cgroup", membership + "\n")
            self.write("proc/self/mountinfo", "\n".join(mounts) + "\n")

        def v2(self, group, current, *, maximum="max", high="max", stat=""):
            self.write(f"{group}/memory.max", f"{maximum}\n")
            self.write(f"{group}/memory.high", f"{high}\n")
            self.write(f"{group}/memory.current", f"{current}\n")
            self.write(f"{group}/memory.stat", stat)

        def v1(self, group, usage, limit, stat=""):
            self.write(f"{group}/memory.limit_in_bytes", f"{limit}\n")
            self.write(f"{group}/memory.usage_in_bytes", f"{usage}\n")
            self.write(f"{group}/memory.stat", stat)

        def available(self):
            return available_bytes(root=tmp_path)

    made = Machine()
    made.write(
        "proc/meminfo",
        f"MemTotal: {16000 * 1024} kB\nMemFree: {3000 * 1024} kB\n"
        f"MemAvailable: {8000 * 1024} kB\nHugePages_Total:       0\n",
    )
    made.groups("0::/")
    return made


def test_without_groups_it_is_what_the_machine_has(machine):
    assert machine.available() == 8000 * MB
    assert available_memory.process_memory(machine.root) is None  # no statm


def test_nothing_told_is_not_nothing_there(tmp_path):
    assert available_bytes(root=tmp_path) is None


def test_an_old_kernel_does_not_work_it_out(machine):
    machine.write("proc/meminfo", "MemTotal: 9000 kB\nMemFree: 3000 kB\nCached: 2000 kB\n")
    assert machine.available() == 5000 * 1024


def test_version_2_limit_less_usage_but_file_pages_can_go(machine):
    machine.groups("0::/box", V2_MOUNT.format(root="/", point="/sys/fs/cgroup"))
    machine.v2("sys/fs/cgroup/box", 900 * MB, maximum=2000 * MB)
    assert machine.available() == 1100 * MB
    stat = (
        f"anon {500 * MB}\ninactive_file {300 * MB}\nactive_file {50 * MB}\nfile_mapped {90 * MB}\n"
    )
    machine.v2("sys/fs/cgroup/box", 900 * MB, maximum=2000 * MB, stat=stat)
    assert machine.available() == 1400 * MB
    # Files read twice are "active"; only what programs have mapped is not to be given up.
    stat = f"inactive_file {100 * MB}\nactive_file {350 * MB}\nfile_mapped {50 * MB}\n"
    machine.v2("sys/fs/cgroup/box", 900 * MB, maximum=2000 * MB, stat=stat)
    assert machine.available() == 1500 * MB


def test_the_high_mark_counts_like_a_limit(machine):
    machine.groups("0::/box", V2_MOUNT.format(root="/", point="/sys/fs/cgroup"))
    machine.v2("sys/fs/cgroup/box", 900 * MB, maximum=2000 * MB, high=1000 * MB)
    assert machine.available() == 100 * MB


def test_a_group_around_may_be_the_tighter_one(machine):
    machine.groups("0::/outer/inner/job", V2_MOUNT.format(root="/", point="/sys/fs/cgroup"))
    machine.v2("sys/fs/cgroup/outer", 2500 * MB, maximum=3000 * MB)
    machine.v2("sys/fs/cgroup/outer/inner", 200 * MB)
    machine.v2("sys/fs/cgroup/outer/inner/job", 100 * MB, maximum=1000 * MB)
    assert machine.available() == 500 * MB


def test_a_group_over_its_limit_leaves_nothing(machine):
    machine.groups("0::/box", V2_MOUNT.format(root="/", point="/sys/fs/cgroup"))
    machine.v2("sys/fs/cgroup/box", 1100 * MB, maximum=1000 * MB)
    assert machine.available() == 0


def test_version_1_beside_an_empty_version_2(machine):
    machine.groups(
        "4:cpu,memory:/slurm/job_7\n1:cpu:/\n0::/",
        "34 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu",
        V1_MOUNT.format(root="/", point="/sys/fs/cgroup/memory"),
        V2_MOUNT.format(root="/", point="/sys/fs/cgroup/unified"),
    )
    unlimited = 9223372036854771712
    machine.v1("sys/fs/cgroup/memory", 4000 * MB, unlimited)
    machine.v1("sys/fs/cgroup/memory/slurm", 1000 * MB, 5000 * MB)
    stat = f"inactive_file 0\ntotal_inactive_file {200 * MB}\n"
    machine.v1("sys/fs/cgroup/memory/slurm/job_7", 700 * MB, 1500 * MB, stat)
    assert machine.available() == 1000 * MB


def test_in_a_container_the_own_group_is_what_is_mounted(machine):
    # Docker without a namespace for groups: the host's path, mounted as the root of what is seen.
    mount = V1_MOUNT.format(root="/docker/4f5e", point="/sys/fs/cgroup/memory")
    machine.groups("4:memory:/docker/4f5e", mount)
    machine.v1("sys/fs/cgroup/memory", 300 * MB, 1000 * MB)
    assert machine.available() == 700 * MB
    machine.groups("4:memory:/elsewhere", mount)
    assert machine.available() == 700 * MB
    machine.groups("4:memory:/../..", V1_MOUNT.format(root="/", point="/sys/fs/cgroup/memory"))
    assert machine.available() == 700 * MB


def test_a_mount_point_with_a_blank(machine):
    machine.groups("0::/", V2_MOUNT.format(root="/", point="/my\\040groups"))
    machine.v2("my groups", 100 * MB, maximum=400 * MB)
    assert machine.available() == 300 * MB


def test_damaged_records_are_passed_over(machine):
    machine.groups("nonsense", "too short - cgroup2", "")
    assert machine.available() == 8000 * MB
    machine.groups("0::/box", V2_MOUNT.format(root="/", point="/sys/fs/cgroup"))
    machine.v2("sys/fs/cgroup/box", "many", maximum=1000 * MB)
    assert machine.available() == 8000 * MB


@pytest.mark.parametrize("limit", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_limits_of_the_process_itself(limit):
    code = (
        "import resource, core.available_memory as m, sys\n"
        f"kind = resource.{limit}\n"
        "resource.setrlimit(kind, (700 * 2**20, resource.getrlimit(kind)[1]))\n"
        "before = m.available_bytes()\n"
        "block = bytearray(200 * 2**20)\n"
        "print(before, before - m.available_bytes())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, taken = map(int, done.stdout.split())
    assert 500 * MB < before < 700 * MB
    assert 199 * MB < taken < 203 * MB


def test_elsewhere_the_system_is_asked_through_psutil(monkeypatch):
    monkeypatch.setattr(available_memory, "_is_linux", lambda: False)
    import psutil

    told = available_bytes()
    assert told is not None
    assert abs(told - psutil.virtual_memory().available) < 2**30
    usage = available_memory.process_memory()
    assert usage is not None
    assert 0 < usage.used < usage.total


def test_a_card_is_only_asked_where_torch_is_there():
    assert available_bytes("cuda:0", root=available_memory._ROOT) is None or "torch" in sys.modules


_GNU = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc takes the options")


def _measured(code: str) -> list[int]:
    """The numbers that ``code`` prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return [int(word) for word in done.stdout.split()]


@_GNU
@pytest.mark.parametrize("in_thread", [False, True])
def test_large_arrays_reuse_the_pages_of_those_that_were_freed(in_thread: bool) -> None:
    code = (
        "{first}\n"
        "import resource, threading\n"
        "def pages():\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "def work():\n"
        "    for _ in range(3): b'1' * (40 * 2**20)\n"
        "    before = pages()\n"
        "    for _ in range(10): b'1' * (40 * 2**20)\n"
        "    print(pages() - before)\n"
        + ("t = threading.Thread(target=work); t.start(); t.join()" if in_thread else "work()")
    )
    (plain,) = _measured(code.format(first=""))
    (kept,) = _measured(code.format(first="import app"))
    assert kept < plain / 10


@_GNU
def test_retained_memory_is_given_back_before_something_is_refused() -> None:
    code = (
        "import app, numpy\n"
        "from core.available_memory import available_bytes, process_memory\n"
        "blocks = [numpy.ones(8 * 2**20, numpy.uint8) for _ in range(40)]\n"
        "pin = blocks[-1]\n"
        "del blocks\n"
        "held = process_memory().used\n"
        "available_bytes(wanted=1)\n"
        "kept = process_memory().used\n"
        "available_bytes(wanted=2**60)\n"
        "print(held, kept, process_memory().used)\n"
    )
    held, kept, given = _measured(code)
    assert abs(held - kept) < 10 * MB
    assert held - given > 250 * MB
