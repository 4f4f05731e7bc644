"""The command line as a person types it: real processes where exit codes and streams matter."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from app.cli.console import reported
from app.cli.main import app
from core.io import read_image, write_image
from core.models.config import BackboneConfig, NetworkConfig
from core.models.network import UniFusionNet
from core.packs.format import PackManifest, write_pack
from core.tasks import TASKS

ROOT = Path(__file__).resolve().parents[3]
runner = CliRunner()

TINY = NetworkConfig(
    backbone=BackboneConfig(kind="encoder", dim=32, depth=4, heads=2, taps=(0, 1, 2, 3)),
    in_channels=1,
    channels=8,
    stride=4,
    heads=2,
    fusion_blocks=1,
    reconstruction_blocks=1,
    head="blend",
    head_channels=4,
)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    rng = np.random.default_rng(3)
    a, b = tmp_path / "größe a.png", tmp_path / "b.png"
    write_image(a, rng.random((40, 56, 3), dtype=np.float32), bit_depth=8)
    write_image(b, rng.random((40, 56, 1), dtype=np.float32), bit_depth=16)
    return a, b


@pytest.fixture
def tiny_pack(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    path = tmp_path / "tiny.safetensors"
    manifest = PackManifest("tiny", "A tiny pack", "mif", TINY, TASKS["mif"].colour)
    write_pack(path, UniFusionNet(TINY), manifest)
    return path


def command(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **more},
        timeout=120,
        check=False,
    )


def test_fuse_writes_the_picture_and_says_where_it_ran(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    done = command("fuse", *pair, "-t", "mif", "-o", out, "--pack", "laplacian")
    assert done.returncode == 0, done.stderr
    assert "laplacian" in done.stdout
    assert "CPU" in done.stdout
    image = read_image(out)
    assert image.size == (56, 40)
    assert image.bit_depth == 16, "the deeper of the two sources decides"


def test_fuse_with_a_pack_writes_reconstructions_and_features(
    pair: tuple[Path, Path], tiny_pack: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.tif"
    extra = tmp_path / "more" / "deep"
    result = runner.invoke(
        app,
        ["fuse", *map(str, pair), "-t", "mif", "-o", str(out), "--pack", str(tiny_pack)]
        + [f"--recon={extra}", f"--features={extra}"],
    )
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in extra.iterdir()) == [
        "out_features_a.png",
        "out_features_b.png",
        "out_reconstruction_a.tif",
        "out_reconstruction_b.tif",
    ]
    assert read_image(extra / "out_reconstruction_a.tif").size == (56, 40)
    assert read_image(extra / "out_features_a.png").data.shape == (10, 14, 3)


def test_bad_input_is_one_clear_line_and_exit_code_2(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    out = tmp_path / "out.png"
    done = command("fuse", broken, broken, "-t", "mif", "-o", out, "--pack", "average")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert str(broken) in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-t", "xray"], "mif, ivif, mef, mff"),
        (["-t", "mif", "--pack", "nonesuch"], "nonesuch"),
        (["-t", "mif", "--device", "toaster"], "toaster"),
        (["-t", "mif", "--device", "cuda:99"], "cuda:99"),
    ],
)
def test_wrong_options_are_named(
    pair: tuple[Path, Path], tmp_path: Path, words: list[str], expected: str
) -> None:
    out = tmp_path / "out.png"
    result = runner.invoke(app, ["fuse", str(pair[0]), str(pair[1]), "-o", str(out), *words])
    assert result.exit_code == 2
    assert expected in result.stderr
    assert not out.exists()


def test_sizes_that_differ_are_both_named_and_resampled_on_request(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    small, out = tmp_path / "small.png", tmp_path / "out.png"
    write_image(small, np.full((20, 28, 1), 0.5, np.float32), bit_depth=8)
    words = ["fuse", str(pair[0]), str(small), "-t", "mif", "-o", str(out), "--pack", "average"]
    refused = runner.invoke(app, words)
    assert refused.exit_code == 2
    assert "56×40" in refused.stderr
    assert "28×20" in refused.stderr
    assert "--resample" in refused.stderr
    assert runner.invoke(app, [*words, "--resample"]).exit_code == 0
    assert read_image(out).size == (56, 40)


def test_a_source_is_never_overwritten(pair: tuple[Path, Path]) -> None:
    before = pair[1].read_bytes()
    words = ["fuse", str(pair[0]), str(pair[1]), "-t", "mif", "--pack", "average"]
    result = runner.invoke(app, [*words, "-o", str(pair[1])])
    assert result.exit_code == 2
    assert "never overwritten" in result.stderr
    assert pair[1].read_bytes() == before


def test_a_missing_output_folder_is_said_before_any_work(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "nowhere" / "out.png"
    result = runner.invoke(
        app, ["fuse", str(pair[0]), str(pair[1]), "-t", "mif", "--pack", "average", "-o", str(out)]
    )
    assert result.exit_code == 2
    assert str(out.parent) in result.stderr


def test_packs_info_tells_what_is_inside(tiny_pack: Path) -> None:
    result = runner.invoke(app, ["packs", "info", str(tiny_pack)])
    assert result.exit_code == 0
    assert "A tiny pack" in result.stdout
    assert "encoder backbone, C = 8, 1/4" in result.stdout


def test_packs_list_shows_users_packs_and_names_unusable_files(
    tiny_pack: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "home" / "packs"
    folder.mkdir(parents=True)
    (folder / "tiny.safetensors").write_bytes(tiny_pack.read_bytes())
    (folder / "bad.safetensors").write_text("no pack")
    done = command("packs", "list", UNIFUSION_HOME=str(tmp_path / "home"))
    assert done.returncode == 0
    assert "A tiny pack" in done.stdout
    assert "bad.safetensors" in done.stdout


def test_doctor_names_versions_device_and_packs() -> None:
    result = runner.invoke(app, ["doctor"])
    assert result.exit_code in (0, 1)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [re.split(r"[<>=!~ ]", text)[0] for text in project["dependencies"]]
    for package in needed:
        assert f"{package} {metadata.version(package)}" in result.stdout
    for word in ("device", "packs", "cpu"):
        assert word in result.stdout


def test_evaluate_scores_folders_and_methods_side_by_side(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    for folder in ("s/a", "s/b", "mine"):
        (tmp_path / folder).mkdir(parents=True)
        for name in ("one", "two"):
            pixels = rng.random((48, 48, 1), dtype=np.float32)
            write_image(tmp_path / folder / f"{name}.png", pixels, bit_depth=8)
    table = tmp_path / "table.csv"
    result = runner.invoke(
        app,
        ["evaluate", "--task=mif", "--metrics=MI,PSNR", "--method=average"]
        + [f"--sources={tmp_path / 's'}", f"--csv={table}", f"--method=mine={tmp_path / 'mine'}"],
    )
    assert result.exit_code == 0, result.output
    assert "mine" in result.stdout
    assert "average" in result.stdout
    assert "one" in table.read_text()


def test_train_writes_a_pack_that_fuses_and_a_log(pair: tuple[Path, Path], tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    for side in "ab":
        (tmp_path / "data" / side).mkdir(parents=True)
        pixels = rng.random((64, 64, 1), dtype=np.float32)
        write_image(tmp_path / "data" / side / "x.png", pixels, bit_depth=8)
    settings = tmp_path / "run.toml"
    settings.write_text(
        'task = "mif"\nsteps = 3\nbatch = 2\ncrop = 32\nlog_every = 1\n'
        '[network]\nin_channels = 1\nchannels = 8\nstride = 4\nheads = 2\nhead = "blend"\n'
        "fusion_blocks = 1\nreconstruction_blocks = 1\n"
        '[network.backbone]\nkind = "encoder"\ndim = 32\ndepth = 4\nheads = 2\ntaps = [0,1,2,3]\n'
    )
    out = tmp_path / "mine.safetensors"
    words = ["train", "--data", str(tmp_path / "data"), "--out", str(out)]
    result = runner.invoke(app, [*words, "--config", str(settings), "--backbone", "dino.pth"])
    assert result.exit_code == 0, result.output
    told = "note: The DINOv3 file is not used: the network of this run needs none."
    assert result.stderr.splitlines().count(told) == 1
    log = (tmp_path / "mine.run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == [0, 1, 2, 3]  # 0: where, and how exactly
    fused = tmp_path / "fused.png"
    done = runner.invoke(
        app,
        ["fuse", str(pair[0]), str(pair[1]), "-t", "mif", "-o", str(fused), "--pack", str(out)],
    )
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("method", ["tiny", "average", ""])
def test_a_backbone_that_is_not_needed_is_said_to_be_unused(
    pair: tuple[Path, Path], tiny_pack: Path, tmp_path: Path, method: str
) -> None:
    """By the packs with an encoder of their own, by classical methods, by the default pack."""
    name = {"tiny": "tiny", "average": "average", "": "mif-compact"}[method]
    told = f"note: The DINOv3 file dino.pth is not used: {name} needs none"
    words = ["--task", "mif", "--backbone", "elsewhere/dino.pth"]
    words += ["--pack", str(tiny_pack) if method == "tiny" else method] if method else []
    one = ["fuse", *map(str, pair), "--out", str(tmp_path / "x.png"), *words]
    result = runner.invoke(app, one)
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines().count(told) == 1
    sources = tmp_path / "in"
    for side, path in zip("ab", pair, strict=True):
        for number in (1, 2):
            (sources / side).mkdir(parents=True, exist_ok=True)
            (sources / side / f"{number}.png").write_bytes(path.read_bytes())
    many = ["batch", str(sources), "--out", str(tmp_path / "out"), *words]
    result = runner.invoke(app, many)
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines().count(told) == 1
    del one[one.index("--backbone") : one.index("--backbone") + 2]
    result = runner.invoke(app, one)
    assert result.exit_code == 0, result.output
    assert "DINOv3" not in result.output


def test_train_names_a_wrong_setting(tmp_path: Path) -> None:
    settings = tmp_path / "run.toml"
    settings.write_text('task = "mif"\nstepz = 3\n')
    words = ["train", "--data", str(tmp_path), "--out", str(tmp_path / "x.safetensors")]
    result = runner.invoke(app, [*words, "--config", str(settings)])
    assert result.exit_code == 2
    assert "stepz" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_ends_training_with_130_and_keeps_a_checkpoint(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    for side in "ab":
        (tmp_path / "data" / side).mkdir(parents=True)
        pixels = rng.random((64, 64, 1), dtype=np.float32)
        write_image(tmp_path / "data" / side / "x.png", pixels, bit_depth=8)
    out = tmp_path / "mine.safetensors"
    settings = tmp_path / "run.toml"
    settings.write_text('task = "mif"\nsteps = 100000\nbatch = 1\ncrop = 32\nlog_every = 1\n')
    with subprocess.Popen(
        [sys.executable, "-m", "app", "train", f"--data={tmp_path / 'data'}"]
        + [f"--out={out}", f"--config={settings}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.split()[0] == "2":
                process.send_signal(signal.SIGINT)
                break
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert (tmp_path / "mine.run" / "checkpoint.safetensors").is_file()
    assert not out.exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have a display")
def test_the_window_without_a_display_is_one_clear_line() -> None:
    bare = {k: v for k, v in os.environ.items() if "DISPLAY" not in k and k != "QT_QPA_PLATFORM"}
    done = subprocess.run(
        [sys.executable, "-m", "app", "gui"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=bare,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "DISPLAY" in done.stderr


def test_the_command_line_loads_no_qt() -> None:
    code = (
        "import sys, app.cli.main, app.cli.fuse, app.cli.train, app.cli.packs, app.cli.doctor, "
        "app.cli.evaluate; print([m for m in sys.modules if m.startswith(('PySide6', 'shiboken'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.fixture
def broken_engine(tmp_path: Path) -> dict[str, str]:
    """The environment of an installation in which torch cannot be loaded."""
    folder = tmp_path / "broken" / "torch"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text('raise ImportError("libcudart.so: cannot open")')
    path = os.pathsep.join([str(folder.parent), os.environ.get("PYTHONPATH", "")])
    return {"PYTHONPATH": path}


@pytest.mark.parametrize("debug", [False, True])
def test_a_part_that_cannot_be_loaded_is_one_line_and_exit_code_1(
    pair: tuple[Path, Path], tmp_path: Path, broken_engine: dict[str, str], debug: bool
) -> None:
    before = ["--debug"] if debug else []
    out = tmp_path / "out.png"
    result = command(*before, "fuse", *pair, "--task", "mif", "-o", out, **broken_engine)
    assert result.returncode == 1
    *details, last = result.stderr.strip().splitlines()
    assert last.startswith("unifusion: A part of the program cannot be loaded: libcudart.so")
    assert "Install the program again." in last
    assert ("Traceback" in "\n".join(details)) == debug
    assert debug or (details == [] and "--debug" in last)
    assert not out.exists()


@pytest.mark.parametrize(
    ("error", "lacks_memory"),
    [
        (ImportError("libx.so: failed to map segment from shared object"), True),
        (OSError("libx.so: cannot map zero-fill pages: Cannot allocate memory"), True),
        (OSError("[WinError 1455] The paging file is too small for this operation"), True),
        (ImportError("libx.so: failed to map segment: Operation not permitted"), False),
        (ImportError("libx.so: cannot open shared object file"), False),
    ],
)
def test_a_part_that_found_no_memory_is_not_to_be_installed_again(
    error: Exception, lacks_memory: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, reported():
        raise error
    assert ended.value.exit_code == 1
    told = capsys.readouterr().err
    assert ("not enough memory for the program itself" in told) == lacks_memory
    assert ("Install the program again" in told) == (
        isinstance(error, ImportError) and not lacks_memory
    )


@pytest.mark.skipif(sys.platform != "linux", reason="limits as on Linux")
def test_too_little_address_space_for_torch_is_said_as_that(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (400 << 20,) * 2); "
        "from app.cli import main; sys.exit(main())"
    )
    words = ["fuse", *map(str, pair), "--task", "mif", "-o", str(tmp_path / "f.png")]
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True, text=True, cwd=ROOT, timeout=120, check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert "memory" in line
    assert "Install" not in line
