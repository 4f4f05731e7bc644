"""SIGTERM and its like end a run as Ctrl-C does: a checkpoint, and in the end the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import trainer.run_folder.checkpoint
from app.cli.main import app
from core.io.atomic import atomic_write
from core.packs.format import read_manifest
from tests.trainer.runs import CONFIG, make_pairs
from trainer.config.settings_file import save_config
from trainer.optimization.distributed import DistributedContext, NextAction
from trainer.run_folder.registry import read_record

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX signals")

# The run saves only when it is told to end: whatever is kept, that signal has kept.
LONG = replace(CONFIG, steps=40, log_every=1, checkpoint_every=0, validate_every=0, batch=2)


def _finished(words: list[str], folder: Path) -> str:
    """The hash of what the command makes, in a process of its own."""
    command = [sys.executable, "-m", "app", *words]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    return read_manifest(folder / "mine.safetensors").weights_sha256


def _words(data: Path, folder: Path) -> list[str]:
    settings = folder / "run.toml"
    save_config(LONG, settings)
    return ["train", f"--out={folder / 'mine.safetensors'}", "--device=cpu", "--share=0",
            f"--data={data}", f"--config={settings}"]  # fmt: skip


@contextmanager
def _training(words: list[str], *before: str, until: int = 2) -> Iterator[subprocess.Popen[str]]:
    """The command, once it has done the step ``until``."""
    with subprocess.Popen(
        [*before, sys.executable, "-m", "app", *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.split()[0] == str(until):
                break
        yield process


@pytest.mark.long
def test_a_run_told_to_end_is_gone_on_with_to_the_same_bits(data: Path, tmp_path: Path) -> None:
    words, until = _words(data, tmp_path), 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        with _training(words, until=until) as process:
            for _ in range(2):  # schedulers say it twice
                process.send_signal(number)
            _, errors = process.communicate(timeout=60)
        assert process.returncode == 130, errors
        assert "cancelled" in errors
        assert "Traceback" not in errors
        record = read_record(tmp_path / "mine.run")
        assert (record.state, record.why) == ("stopped", "")
        assert until <= record.step < LONG.steps
        until = record.step + 4
        assert not (tmp_path / "mine.safetensors").exists()
    whole = tmp_path / "whole"
    whole.mkdir()
    assert _finished(words, tmp_path) == _finished(_words(data, whole), whole)


@pytest.mark.long
def test_two_processes_told_to_end_together_keep_what_they_did(data: Path, tmp_path: Path) -> None:
    words = [*_words(data, tmp_path), "--devices=2"]
    with _training(words) as process:
        os.killpg(process.pid, signal.SIGTERM)  # as Slurm and systemd do
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert read_record(tmp_path / "mine.run").step >= 2
    _wait_until_gone(process.pid)


def _wait_until_gone(group: int) -> None:
    """Nobody is left behind; multiprocessing's own helper takes a moment."""
    for _ in range(200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("processes of the run are still there")


@pytest.mark.slow
def test_under_torchrun_any_process_may_be_the_one_that_is_told(data: Path, tmp_path: Path) -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [*launcher, "-m", "app", *_words(data, tmp_path)]
    with _training_command(command) as process:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=90)
    assert process.returncode != 0
    record = read_record(tmp_path / "mine.run")
    assert record.state == "stopped"
    assert 2 <= record.step < LONG.steps


@contextmanager
def _training_command(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if line.split()[:1] == ["2"]:
                break
        yield process


@pytest.mark.long
def test_a_terminal_that_closes_under_nohup_is_no_reason_to_end(data: Path, tmp_path: Path) -> None:
    ignoring = [
        sys.executable,
        "-c",
        "import os, signal, sys;"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])",
    ]
    with _training(_words(data, tmp_path), *ignoring) as process:
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert (tmp_path / "mine.safetensors").is_file()


@pytest.mark.long
def test_told_to_end_in_the_middle_of_writing_a_checkpoint(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = _words(data, tmp_path)
    save_config(replace(LONG, checkpoint_every=7), tmp_path / "run.toml")
    written: list[Path] = []

    def write(path: Path, content: bytes) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        atomic_write(path, content)
        written.append(path)

    with monkeypatch.context() as patched:
        patched.setattr(trainer.run_folder.checkpoint, "atomic_write", write)
        result = CliRunner().invoke(app, words)
    assert result.exit_code == 130, result.output
    assert len(written) == 1
    assert read_record(tmp_path / "mine.run").step == 7
    assert CliRunner().invoke(app, words).exit_code == 0
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    again = [word.replace(f"--out={tmp_path}", f"--out={undisturbed}") for word in words]
    assert CliRunner().invoke(app, again).exit_code == 0
    hashes = {read_manifest(f / "mine.safetensors").weights_sha256 for f in (tmp_path, undisturbed)}
    assert len(hashes) == 1


def test_the_smaller_wish_prevails() -> None:
    assert NextAction.ABORT < NextAction.FINISH < NextAction.CONTINUE
    for action in NextAction:
        assert DistributedContext().agree_on(action, "cpu") is action


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_commands_heed_it_too(
    tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``evaluate``: told to end while the first pair is scored, it ends with that code."""
    data = make_pairs(tmp_path / "set", 6)
    import core.evaluation.scoring

    real = core.evaluation.scoring.evaluate_timed

    def scored(*given: object) -> object:
        os.kill(os.getpid(), number)
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(core.evaluation.scoring, "evaluate_timed", scored)
    before = signal.getsignal(number)
    result = CliRunner().invoke(
        app, ["evaluate", f"--sources={data}", "--method=average", "--task=mif"]
    )
    assert result.exit_code == 130, result.output
    assert signal.getsignal(number) is before
