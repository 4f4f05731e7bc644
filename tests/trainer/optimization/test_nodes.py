"""Several machines that train one network, here two addresses of the loopback range."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch

from core import __version__
from core.errors import InputError
from tests.trainer.optimization.test_world import BOTH, assert_same_run
from tests.trainer.runs import make_pairs
from trainer.config.settings_file import save_config
from trainer.optimization.distributed import DistributedContext
from trainer.run.launcher import process_group
from trainer.run.loop import RunPlan, train
from trainer.run.same_run import same_command
from trainer.run_folder.registry import read_record

ROOT = Path(__file__).resolve().parents[3]
NODES = ("127.0.0.2", "127.0.0.3")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has them unasked")

SLURM = ROOT / "docs" / "train_on_nodes.sbatch"
SRUN = """#!/bin/sh
# A stand-in: two tasks on this machine, each at the address of its node.
[ "$1" = --kill-on-bad-exit=1 ] || exit 9
shift
SLURMD_NODENAME=127.0.0.2 "$@" &
SLURMD_NODENAME=127.0.0.3 "$@" &
wait %1 && wait %2
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pairs(tmp_path_factory.mktemp("data") / "set")


def _free_port() -> int:
    """A free one among those that the script derives from the number of a job."""
    for port in range(20000 + os.getpid() % 9000, 30000):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind((NODES[0], port))
            return port
    raise AssertionError("no free port")


def _start(words: Sequence[str], **more: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | more
    return subprocess.Popen(
        [sys.executable, *words], env=environment, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def _torchrun(port: int, words: Sequence[str]) -> list[subprocess.Popen[str]]:
    """What ``docs/cluster/train.sbatch`` starts on each node."""
    return [
        _start(["-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1",
                "--rdzv-id=7", "--rdzv-backend=c10d", f"--rdzv-endpoint={NODES[0]}:{port}",
                f"--local-addr={address}", *words])
        for address in NODES
    ]  # fmt: skip


@pytest.mark.long
def test_the_slurm_script_trains_as_one_machine_with_the_whole_batch(
    data: Path, tmp_path: Path
) -> None:
    one = RunPlan(data, tmp_path / "one.safetensors", device="cpu")
    list(train(BOTH, one))
    tools, out, settings = tmp_path / "bin", tmp_path / "two.safetensors", tmp_path / "run.toml"
    tools.mkdir()
    python = f'exec "{sys.executable}" -m'
    for name, text in (
        ("srun", SRUN),
        ("scontrol", "#!/bin/sh\nprintf '127.0.0.2\\n127.0.0.3\\n'\n"),
        ("torchrun", f'#!/bin/sh\n{python} torch.distributed.run "$@"\n'),
        ("unifusion", f'#!/bin/sh\n{python} app "$@"\n'),
    ):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    save_config(BOTH, settings)
    job = _free_port() - 20000
    done = subprocess.run(
        ["bash", str(SLURM)], check=False, capture_output=True, text=True, timeout=100,
        cwd=tmp_path, env=os.environ | {
            "PYTHONPATH": str(ROOT), "PATH": f"{tools}:{os.environ['PATH']}",
            "ENVIRONMENT": str(tmp_path / "none"), "DATA": str(data), "OUT": str(out),
            "SETTINGS": f"--config {settings} --share 0 --device cpu", "PROCESSES": "1",
            "SLURM_JOB_ID": str(job), "SLURM_JOB_NUM_NODES": "2", "SLURM_CPUS_PER_TASK": "1",
            "SLURM_JOB_NODELIST": "node[2-3]",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert_same_run(one, replace(one, out=out))


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1])
def test_a_run_whose_node_was_killed_ends_with_a_line_and_is_gone_on_with(
    data: Path, tmp_path: Path, killed: int
) -> None:
    long = replace(BOTH, steps=40, checkpoint_every=3)
    settings, out = tmp_path / "run.toml", tmp_path / "two.safetensors"
    save_config(long, settings)
    words = ["-m", "app", "train", f"--config={settings}", f"--data={data}", f"--out={out}",
             "--share=0", "--device=cpu"]  # fmt: skip
    nodes = _torchrun(_free_port(), words)
    checkpoint = RunPlan(data, out).previous  # the second one has been written
    while not checkpoint.is_file():
        assert all(node.poll() is None for node in nodes)
        time.sleep(0.1)
    for pid in (*_children(nodes[killed].pid), nodes[killed].pid):
        os.kill(pid, signal.SIGKILL)
    _, errors = nodes[1 - killed].communicate(timeout=60)
    nodes[killed].communicate()
    lines = [line for line in errors.splitlines() if line.startswith("unifusion:")]
    assert len(lines) == 1, errors
    assert "one of them ended, or could not be reached" in lines[0]
    read_step = read_record(tmp_path / "two.run").step
    assert 3 <= read_step < 40
    nodes = _torchrun(_free_port(), words)
    ends = [node.communicate(timeout=300) for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], ends
    resumed = re.search(r"resuming at step (\d+) of 40", ends[0][0] + ends[1][0])
    assert resumed is not None
    # Killed between checkpoint and record, the checkpoint is ahead.
    assert read_step <= int(resumed[1]) < 40
    assert out.is_file()


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


DIFFERENT = """
import sys
from dataclasses import replace
from pathlib import Path
from core.errors import FusionError
from tests.trainer.optimization.test_world import BOTH
from trainer.run.launcher import process_group
from trainer.run.loop import RunPlan, train
own, data, other, out, elsewhere = sys.argv[1] == '1', *map(Path, sys.argv[2:])
plan = RunPlan(data, out, device='cpu')
cases = (
    (replace(BOTH, steps=9 if own else 6), plan),
    (BOTH, replace(plan, data=other if own else data)),
    (BOTH, replace(plan, out=elsewhere / 'p.safetensors' if own else out)),
)
with process_group(BOTH, plan, 1, 2) as world:
    for config, plan in cases:
        try:
            list(train(config, plan, world=world))
        except FusionError as error:
            print(error)
    list(train(BOTH, RunPlan(other.with_name('copy') if own else data, out), world=world))
"""


@pytest.mark.long
def test_what_differs_between_nodes_is_told_by_each_before_the_first_step(
    data: Path, tmp_path: Path
) -> None:
    """The two also meet without torchrun; copies of the pictures on each machine are the same."""
    other = tmp_path / "other"
    shutil.copytree(data, other)
    shutil.copytree(data, tmp_path / "copy", copy_function=shutil.copy)  # other times
    for path in other.glob("a/pair0.png"):
        path.write_bytes((data / "b" / "pair0.png").read_bytes())
    script, out, elsewhere = tmp_path / "both.py", tmp_path / "o.safetensors", tmp_path / "else"
    elsewhere.mkdir()
    script.write_text(DIFFERENT)
    port = str(_free_port())
    nodes = [
        _start([str(script), rank, *map(str, (data, other, out, elsewhere))],
               NODE_RANK=rank, MASTER_ADDR=NODES[0], MASTER_PORT=port)
        for rank in "01"
    ]  # fmt: skip
    for rank, node in enumerate(nodes):
        printed, errors = node.communicate(timeout=100)
        assert node.returncode == 0, errors
        settings, pictures, folder = printed.splitlines()
        assert settings.startswith("Process 1 of this run: it differs from the first process")
        assert "other settings" in settings
        assert "other pictures" in pictures
        assert str((elsewhere if rank else tmp_path) / ("p.run" if rank else "o.run")) in folder
        assert "see one and the same folder" in folder
    assert out.is_file()
    assert not [path for path in tmp_path.rglob("shared-*")]


@dataclass(frozen=True)
class _Answering(DistributedContext):
    """A process whose other one is of another version."""

    other: tuple[str, ...] = field(default=())

    def of_all(self, texts: Sequence[str], device: str) -> list[tuple[str, ...]]:
        theirs = tuple(new or own for own, new in zip(texts, self.other, strict=True))
        return [tuple(texts), theirs]


def test_another_version_is_named(data: Path, tmp_path: Path) -> None:
    plan = RunPlan(data, tmp_path / "p.safetensors")
    plan.run_folder.mkdir()
    for other, words in (
        (("", "9.9", "", ""), f"UniFusion 9.9, not {__version__}"),
        (("", "", "1.0", ""), f"torch 1.0, not {torch.__version__}"),
    ):
        world = _Answering(0, 2, other=other)
        with (
            pytest.raises(InputError, match=re.escape(words)),
            same_command(BOTH, plan, world, "cpu"),
        ):
            pass
    with same_command(BOTH, plan, _Answering(0, 2, other=("",) * 4), "cpu") as shared:
        assert shared is not None
        assert shared.exists()
    assert not shared.exists()


def test_a_master_that_cannot_be_is_refused(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = RunPlan(data, tmp_path / "p.safetensors", device="cpu")
    monkeypatch.setenv("NODE_RANK", "1")
    monkeypatch.setenv("MASTER_PORT", "29500")
    monkeypatch.setenv("MASTER_ADDR", "no-such-machine.invalid")
    with pytest.raises(InputError, match="does not know it"), process_group(BOTH, plan, 1, 2):
        pass
    monkeypatch.setenv("MASTER_ADDR", NODES[0])
    monkeypatch.setenv("NODE_RANK", "0")
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        monkeypatch.setenv("MASTER_PORT", str(taken.getsockname()[1]))
        with pytest.raises(InputError, match="cannot listen"), process_group(BOTH, plan, 1, 2):
            pass
