"""Jobs of queueing systems: their scripts, and a Slurm that runs them here."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import app
from core.batch import BatchFinished, BatchOptions, plan_batch, run_batch
from core.batch.manifest import MANIFEST_NAME
from core.cluster.address import ClusterAddress
from core.cluster.certificates import make_certificates
from core.cluster.choice import ClusterChoice
from core.cluster.errors import ClusterError
from core.cluster.jobs import ClusterJobs
from core.fusion.classical_engine import ClassicalEngine
from core.pairing.folders import pair_paths
from tests.core.batch.test_batch_cluster import sources

pytest.importorskip("dask_jobqueue")
_SBATCH = """#!/bin/bash
cp "$1" "{folder}/script.sh"
setsid bash "{folder}/script.sh" > "{folder}/job.log" 2>&1 < /dev/null &
echo "Submitted batch job $!"
"""
_SCANCEL = """#!/bin/bash
echo "$1" >> "{folder}/cancelled"
kill -TERM -- "-$1"
"""


def described(folder: Path, text: str) -> Path:
    path = folder / "jobs.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("system", "lines"),
    [
        ("slurm", ["#SBATCH -p short", "#SBATCH -A imaging", "#SBATCH --cpus-per-task=4",
                   "#SBATCH -t 02:00:00", "#SBATCH --gres=gpu:1"]),
        ("pbs", ["#PBS -q short", "#PBS -A imaging", "#PBS -l walltime=02:00:00"]),
        ("lsf", ["#BSUB -q short", '#BSUB -P "imaging"', "#BSUB -n 4", "#BSUB -W 02:00\n"]),
    ],
)  # fmt: skip
def test_scripts(tmp_path: Path, system: str, lines: list[str]) -> None:
    make_certificates(tmp_path / "keys")
    path = described(
        tmp_path,
        f"""
system = "{system}"
cores = 4
memory = "16GB"
walltime = "02:00:00"
queue = "short"
account = "imaging"
host = "login1"
device = "cuda"
python = "/opt/python"
certificates = "{tmp_path / "keys"}"
directives = ["--gres=gpu:1"]
prologue = ["module load cuda"]
""",
    )
    script = ClusterJobs.read(path).script(ClusterAddress.parse("tls://login1:9999"))
    for line in lines:
        assert line in script, script
    assert "\nmodule load cuda\n" in script
    last = script.strip().splitlines()[-1]
    assert last.startswith("/opt/python -m core.cluster.job_worker tls://login1:9999 --name NAME")
    assert f"--certificates {tmp_path / 'keys'}" in last
    assert "--nthreads 4" in last
    assert "--device cuda" in last


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "system: Field required"),
        ("system = 'slurm", "it is no TOML"),
        ("system = 'condor'", "system: Input should be"),
        ("system = 'slurm'\nnodes = 3", "nodes: Unexpected keyword argument"),
        ("system = 'slurm'\njobs = 0", "jobs: 0 is not possible. Choose 1 to 10000"),
        ("system = 'pbs'\ncores = -4", "cores: -4 is not possible"),
        ("system = 'slurm'\npatience = -1", "patience: -1.0 is no number of seconds. Choose how"),
        ("system = 'slurm'\npatience = inf", "patience: inf is no number"),
        ("system = 'slurm'\npatience = nan", "patience: nan is no number"),
        ("system = 'slurm'\nwalltime = '4h'", "walltime: “4h” is no time that slurm takes. Write"),
        ("system = 'slurm'\nwalltime = '-01:00:00'", "walltime: “-01:00:00” is no time"),
        ("system = 'slurm'\nwalltime = '01:75:00'", "walltime: “01:75:00” is no time"),
        ("system = 'slurm'\nwalltime = '00:00:00'", "walltime: “00:00:00” is no time"),
        ("system = 'pbs'\nwalltime = '1-12'", "walltime: “1-12” is no time that pbs takes"),
        ("system = 'lsf'\nwalltime = ''", "walltime: “” is no time that lsf takes"),
        ("system = 'slurm'\ndevice = 'gpu'", "device: there is no “gpu”. Choose cpu, cuda or auto"),
        ("system = 'slurm'\nmemory = '0GB'", "memory: “0GB” is no size"),
        ("system = 'slurm'\nhost = 'login1'", "it names no certificates"),
        ("system = 'slurm'\ninterface = 'ib0'", "it names no certificates"),
        ("system = 'slurm'\nhost = 'a'\ninterface = 'b'", "both a host and an interface"),
    ],
)
def test_descriptions_that_cannot_be_used_are_told(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ClusterError, match=why):
        ClusterJobs.read(described(tmp_path, text))
    with pytest.raises(ClusterError, match=why):
        ClusterChoice(jobs=described(tmp_path, text)).check()


def test_without_a_queueing_system_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = described(tmp_path, "system = 'slurm'")
    with (
        pytest.raises(ClusterError, match="A job of the queueing system: it cannot be submitted"),
        ClusterChoice(jobs=path).opened(),
    ):
        pass


@pytest.mark.long
def test_a_batch_runs_on_jobs_and_ends_them(slurm: Path, tmp_path: Path) -> None:
    options = BatchOptions("mff", "average", out=tmp_path / "out")
    plan = plan_batch(pair_paths([sources(tmp_path / "in", 6)], "mff"), options)
    events = list(run_batch(plan, ClassicalEngine(), cluster=ClusterChoice(jobs=slurm)))
    assert isinstance(events[-1], BatchFinished)
    assert events[-1].tally.done == 6
    assert (tmp_path / "cancelled").read_text().strip().isdecimal()


@pytest.mark.slow  # test_cluster_run has the command without jobs of its own
def test_an_evaluation_runs_on_jobs_and_ends_them(slurm: Path, tmp_path: Path) -> None:
    pairs, cache = sources(tmp_path / "in", 3), tmp_path / "cache"
    words = ["evaluate", f"--sources={pairs}", "--task=mff", "--method=average"]
    result = CliRunner().invoke(app, [*words, f"--cluster={slurm}", f"--cache={cache}"])
    assert result.exit_code == 0, result.output
    assert "Means over 3 pairs." in result.output
    assert "on workers of a cluster" in result.output
    assert (tmp_path / "cancelled").read_text().strip().isdecimal()


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A description of jobs for a stand-in of Slurm that runs them here."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in (("sbatch", _SBATCH), ("scancel", _SCANCEL)):
        (folder / name).write_text(text.format(folder=tmp_path))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return described(tmp_path, "system = 'slurm'\npatience = 60\nmemory = '3GB'")


@pytest.mark.parametrize(
    ("system", "walltime"),
    [("slurm", "90"), ("slurm", "1-12"), ("slurm", "2-00:30:00"), ("slurm", "36:00:00"),
     ("pbs", "120:00:00"), ("lsf", "04:00"), ("lsf", "04:00:00")],
)  # fmt: skip
def test_times_that_the_systems_take(tmp_path: Path, system: str, walltime: str) -> None:
    text = f"system = '{system}'\nwalltime = '{walltime}'\ndevice = 'cuda:1'"
    assert ClusterJobs.read(described(tmp_path, text)).walltime == walltime


def test_a_batch_whose_cluster_is_not_there_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    options = BatchOptions("mff", "average", out=tmp_path / "out")
    plan = plan_batch(pair_paths([sources(tmp_path / "in", 1)], "mff"), options)
    choice = ClusterChoice(jobs=described(tmp_path, "system = 'slurm'"))
    with pytest.raises(ClusterError, match="cannot be submitted"):
        list(run_batch(plan, ClassicalEngine(), cluster=choice))
    assert list((tmp_path / "out").iterdir()) == []
    # What an earlier run recorded stays.
    assert isinstance(list(run_batch(plan, ClassicalEngine()))[-1], BatchFinished)
    before = (tmp_path / "out" / MANIFEST_NAME).read_bytes()
    again = plan_batch(pair_paths([tmp_path / "in"], "mff"), replace(options, resume=True))
    with pytest.raises(ClusterError, match="cannot be submitted"):
        list(run_batch(again, ClassicalEngine(), cluster=choice))
    assert (tmp_path / "out" / MANIFEST_NAME).read_bytes() == before


@pytest.mark.parametrize("memory", ["lots", "16", "-1GB", "GB", ""])
def test_memory_that_is_no_size_is_told_before_anything_is_written(
    tmp_path: Path, memory: str
) -> None:
    path = tmp_path / "jobs.toml"
    path.write_text(f'system = "slurm"\nmemory = "{memory}"\n', encoding="utf-8")
    with pytest.raises(ClusterError, match="is no size"):
        ClusterJobs.read(path)
    for fine in ("16GB", "16G", "1.5 GiB", "900MB"):
        path.write_text(f'system = "slurm"\nmemory = "{fine}"\n', encoding="utf-8")
        assert ClusterJobs.read(path).memory == fine
