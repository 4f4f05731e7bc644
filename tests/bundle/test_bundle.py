"""The stand-alone program, run as on a machine that has nothing else.

``python -m pytest -m slow tests/bundle`` builds it, by the documented command, into a temporary
folder::

    python -m PyInstaller build.spec --noconfirm

That takes minutes and, with the CUDA build of torch, about 5 GB of disk (removed at the end).
``UNIFUSION_BUNDLE=dist/unifusion`` tests a folder that is already there.

Every run gets an empty environment: HOME is a new folder, there is no PATH and no locale.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from core import __version__
from core.tasks import TASKS
from trainer.config import recipes

WITH_PACK = [name for name in TASKS if recipes.path_of(name)]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="checks the Linux bundle"),
]

_REPO = Path(__file__).resolve().parents[2]
_SAMPLES = _REPO / "resources" / "samples"
_RUN_LIMIT = 300


def _build(room: Path) -> Path:
    pytest.importorskip("PyInstaller", reason="needs the bundle extra: pip install -e '.[bundle]'")
    command = [sys.executable, "-m", "PyInstaller", "build.spec", "--noconfirm"]
    folders = ["--distpath", str(room / "dist"), "--workpath", str(room / "work")]
    done = subprocess.run(command + folders, cwd=_REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return room / "dist" / "unifusion"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder to be handed to a user."""
    ready = os.environ.get("UNIFUSION_BUNDLE")
    if ready:
        yield Path(ready).resolve()
        return
    room = tmp_path_factory.mktemp("bundle")
    try:
        yield _build(room)
    finally:
        shutil.rmtree(room, ignore_errors=True)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with nothing in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def _run(bundle: Path, home: Path, *words: object, **extra: str) -> subprocess.CompletedProcess:
    """The program with an environment of HOME and ``extra`` alone, in an empty folder."""
    return subprocess.run(
        [str(bundle / "unifusion"), *map(str, words)],
        env={"HOME": str(home), **extra},
        cwd=home,
        capture_output=True,
        encoding="utf-8",
        timeout=_RUN_LIMIT,
        check=False,
    )


def _sample(task: str) -> tuple[Path, Path]:
    """Two pictures; of “mif”, two series of slices."""
    suffix = "" if task == "mif" else ".png"
    return _SAMPLES / f"{task}_a{suffix}", _SAMPLES / f"{task}_b{suffix}"


def _pixels(path: Path) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None, f"{path} is no picture"
    return pixels


def _colours(pixels: np.ndarray) -> int:
    return len(np.unique(pixels.reshape(-1, pixels.shape[-1]), axis=0))


def test_holds_all_that_is_no_code_and_the_licence(bundle: Path) -> None:
    inside = bundle / "_internal"
    wanted = [
        path
        for folder in (
            "resources/packs",
            "resources/samples",
            "resources/style",
            "resources/recipes",
            "resources/i18n/de/LC_MESSAGES",
        )
        for path in (_REPO / folder).iterdir()
        if path.is_file()
        and path.suffix in {".safetensors", ".md", ".png", ".svg", ".qss", ".txt", ".toml", ".mo"}
    ]
    assert {path.suffix for path in wanted} >= {".safetensors", ".png", ".qss", ".toml", ".mo"}
    for path in wanted:
        assert (inside / path.relative_to(_REPO)).read_bytes() == path.read_bytes()
    assert (bundle / "LICENSE").read_bytes() == (_REPO / "LICENSE").read_bytes()


def test_holds_versions_and_licences_of_all_packages_in_it(bundle: Path) -> None:
    inside = bundle / "_internal"
    records = {path.name.split("-")[0].lower(): path for path in inside.glob("*.dist-info")}
    assert all((path / "METADATA").is_file() for path in records.values())
    project = tomllib.loads((_REPO / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[<>=!~]", text)[0] for text in project["dependencies"]}
    there = {
        package.metadata["Name"]
        for package in metadata.distributions()
        if package.metadata["Name"] != project["name"]  # its licence lies beside the program
        and any(".dist-info" not in str(f) and (inside / f).is_file() for f in package.files or ())
    }
    assert there >= {"torch", "psutil", "simplejpeg", "numpy"}
    assert {re.sub(r"[-_.]+", "_", name).lower() for name in needed | there} <= set(records)
    assert any(path.name.startswith("LICEN") for path in records["simplejpeg"].rglob("*"))
    # No record that tells where the program was built.
    assert not list(inside.rglob("direct_url.json"))


def test_leaves_tests_and_other_dead_weight_out(bundle: Path) -> None:
    names = {path.name.lower() for path in (bundle / "_internal").iterdir()}
    assert not names & {"triton", "tkinter", "tcl", "pytest", "pyqt6"}
    assert not list(bundle.rglob("*Qt6WebEngine*"))
    assert not list(bundle.rglob("*libqgtk3*"))


def test_says_its_version(bundle: Path, home: Path) -> None:
    done = _run(bundle, home, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert __version__ in done.stdout


@pytest.mark.parametrize("task", WITH_PACK)
def test_fuses_by_the_default_pack_as_the_installed_program_does(
    bundle: Path, home: Path, task: str
) -> None:
    a, b = _sample(task)
    # Names beyond ASCII, though the environment names no encoding.
    frozen, installed = home / "Größe μ 图.png", home / "installed.png"
    words = ["fuse", a, b, "--task", task, "--device", "cpu", "-o"]
    if a.is_dir():
        words[3:3] = ["--slice", "25"]

    done = _run(bundle, home, *words, frozen)
    assert done.returncode == 0, done.stderr
    assert str(frozen) in done.stdout
    subprocess.run(
        [sys.executable, "-m", "app", *map(str, words), str(installed)],
        cwd=_REPO,
        check=True,
        capture_output=True,
        timeout=_RUN_LIMIT,
    )

    ours = _pixels(frozen)
    if a.is_file():
        assert ours.shape[:2] == _pixels(a).shape[:2]
    assert ours.std() > 10
    assert np.abs(ours.astype(int) - _pixels(installed).astype(int)).max() <= 1


def test_writes_reconstructions_and_features(bundle: Path, home: Path) -> None:
    folder = home / "more"
    done = _run(
        bundle, home, "fuse", *_sample("ivif"), "--task", "ivif", "-o", home / "out.png",
        "--recon", folder, "--features", folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == [
        "out_features_a.png",
        "out_features_b.png",
        "out_reconstruction_a.png",
        "out_reconstruction_b.png",
    ]
    assert all(_pixels(path).std() > 1 for path in folder.iterdir())


def _external_backbone_pack(folder: Path) -> tuple[Path, Path]:
    """A pack of the paper's kind with a small random DINOv3, and that backbone's own file."""
    import torch
    from safetensors.torch import save_file

    from core.models.backbone import Dinov3Backbone, file_sha256
    from core.models.config import BackboneConfig, NetworkConfig
    from core.models.network import UniFusionNet
    from core.packs.format import PackManifest, write_pack
    from core.tasks import get_task

    backbone = BackboneConfig(dim=48, depth=4, heads=3, taps=(0, 1, 2, 3))
    config = NetworkConfig(
        backbone, in_channels=1, channels=8, heads=2, fusion_blocks=1, reconstruction_blocks=1
    )
    torch.manual_seed(0)
    network = UniFusionNet(config)
    assert isinstance(network.backbone, Dinov3Backbone)
    weights = folder / "backbone.safetensors"
    save_file({k: v.contiguous() for k, v in network.backbone.vit.state_dict().items()}, weights)
    pack = folder / "paper.safetensors"
    manifest = PackManifest(
        "paper", "Paper", "mif", config, get_task("mif").colour,
        backbone_sha256=file_sha256(weights),
    )  # fmt: skip
    write_pack(pack, network, manifest)
    return pack, weights


def test_runs_a_pack_with_the_external_backbone(bundle: Path, home: Path, tmp_path: Path) -> None:
    # The one path through timm and torchvision.
    pack, weights = _external_backbone_pack(tmp_path)
    out = home / "out.png"
    done = _run(
        bundle, home, "fuse", *_sample("ivif"), "--task", "mif", "-o", out,
        "--pack", pack, "--backbone", weights,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert _pixels(out).std() > 0


@pytest.mark.parametrize(
    "codec", ["lzw", "zlib", "zstd", "jpeg", "jpeg2000", "webp", "jpegxl", "jpegxr"]
)
def test_reads_tiff_codecs(bundle: Path, home: Path, codec: str) -> None:
    # Codecs are opened by name when a file needs them: nothing but a file shows they are there.
    ramp = np.repeat(np.linspace(0, 255, 64).round().astype(np.uint8)[None], 64, axis=0)
    image = np.stack([ramp, ramp.T, ramp[:, ::-1]], axis=-1)
    source, out = home / "a.tif", home / "out.png"
    tifffile.imwrite(source, image, compression=codec, photometric="rgb")
    done = _run(
        bundle, home, "fuse", source, source, "--task", "mef", "--pack", "average", "-o", out
    )
    assert done.returncode == 0, done.stderr
    assert np.abs(_pixels(out)[..., ::-1].astype(int) - image.astype(int)).mean() < 4


def _write_ramps(folder: Path) -> np.ndarray:
    """One picture, H×W×3, in all kinds whose decoders run in a process of their own."""
    ramp = np.repeat(np.linspace(0, 255, 64).round().astype(np.uint8)[None], 48, axis=0)
    image = np.stack([ramp, ramp[::-1], ramp[:, ::-1]], axis=-1)
    folder.mkdir(parents=True)
    for codec in ("jpeg2000", "jpegxr", "lerc"):
        tifffile.imwrite(folder / f"{codec}.tif", image, compression=codec, photometric="rgb")
    (folder / "jp2.jp2").write_bytes(imagecodecs.jpeg2k_encode(image, level=0))
    (folder / "jxl.jxl").write_bytes(imagecodecs.jpegxl_encode(image, lossless=True))
    (folder / "jls.jls").write_bytes(imagecodecs.jpegls_encode(image))
    Image.fromarray(image).save(folder / "avif.avif", quality=100, subsampling="4:4:4")
    return image


def test_decodes_risky_kinds_in_a_process_of_its_own(bundle: Path, home: Path) -> None:
    # The program starts itself as the decoder.
    sources = home / "in" / "a"
    image = _write_ramps(sources)
    shutil.copytree(sources, home / "in" / "b")
    out = home / "out"
    words = ["batch", home / "in", "-o", out, "--task", "mef", "--pack", "average"]
    done = _run(bundle, home, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    for source in sources.iterdir():
        fused = _pixels(out / f"{source.stem}.png")[..., ::-1].astype(int)
        assert np.abs(fused - image.astype(int)).mean() < 2, source.name


def test_a_decoder_that_crashes_costs_one_file(bundle: Path, home: Path, shared_data: Path) -> None:
    killer = shared_data / "hostile" / "jpegxr_sigfpe.tif"
    if not killer.exists():
        pytest.skip("no hostile files beside the real pairs")
    done = _run(
        bundle, home, "fuse", killer, killer, "--task", "mef", "--pack", "average",
        "-o", home / "out.png",
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"{killer}: " in done.stderr
    assert "its decoder crashed over it" in done.stderr

    for side in "ab":
        _write_ramps(home / "in" / side)
        shutil.copy(killer, home / "in" / side / "k.tif")
    words = ["batch", home / "in", "-o", home / "out", "--task", "mef", "--pack", "average"]
    done = _run(bundle, home, *words)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "7 fused, 1 failed, of 8" in done.stdout
    assert "its decoder crashed over it" in done.stderr


def test_trains_by_two_processes(bundle: Path, home: Path) -> None:
    # The second is the program, started anew by itself.
    for side, source in zip("ab", _sample("ivif"), strict=True):
        (home / "in" / side).mkdir(parents=True)
        for name in "12":
            shutil.copy(source, home / "in" / side / f"{name}.png")
    out = home / "mine.safetensors"
    done = _run(
        bundle, home, "train", "--task", "mif", "--data", home / "in", "--share", "0", "--out", out,
        "--init", "mif-compact", "--steps", "1", "--batch", "2", "--devices", "2",
        "--device", "cpu",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert _run(bundle, home, "packs", "info", out).returncode == 0


def test_bad_input_is_one_line_and_nothing_written(bundle: Path, home: Path) -> None:
    junk = home / "junk.png"
    junk.write_bytes(b"no picture at all")
    done = _run(
        bundle, home, "fuse", junk, _sample("ivif")[1], "--task", "ivif", "-o", home / "out.png"
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert str(junk) in done.stderr
    assert [path.name for path in home.iterdir()] == ["junk.png"]


def test_doctor_reports(bundle: Path, home: Path) -> None:
    done = _run(bundle, home, "doctor")
    assert done.returncode in (0, 1), done.stderr
    assert done.stderr == ""
    wanted = (__version__, "torch ", "timm ", "simplejpeg ", "psutil ", "PySide6-Essentials ")
    for word in (*wanted, "device", "packs"):
        assert word in done.stdout
    # Nothing that came with the program is reported as not installed or unusable.
    assert "not installed" not in done.stdout
    assert "pack for task" not in done.stdout


def test_lists_a_pack_for_each_task(bundle: Path, home: Path) -> None:
    done = _run(bundle, home, "packs", "list")
    assert done.returncode == 0, done.stderr
    for task in WITH_PACK:
        assert task in done.stdout


@pytest.fixture
def display() -> Iterator[str]:
    """A screen of its own for the window."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1920x1200x24"]
    server = subprocess.Popen(
        [*command, "-nolisten", "tcp"],
        pass_fds=[writing],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as number:
            name = number.readline().strip()
        assert name, "Xvfb did not start"
        yield f":{name}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def test_opens_the_window_on_the_sample(bundle: Path, home: Path, display: str) -> None:
    shot = home / "window.png"
    done = _run(bundle, home, "gui", "--screenshot", shot, DISPLAY=display)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    _looks_like_the_window(_pixels(shot))


def _processes(bundle: Path) -> dict[int, list[str]]:
    """Command lines of all processes of this program, by their numbers."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue  # it has just ended
        if words[0] == str(bundle / "unifusion"):
            found[int(folder.name)] = words[1:]
    return found


def test_fuses_in_a_child_of_its_own_that_ends_with_it(
    bundle: Path, home: Path, display: str
) -> None:
    # What a model gives is in the picture, and the window itself has nothing of torch mapped.
    shot, children, torch = home / "window.png", set(), {}
    command = [str(bundle / "unifusion"), "gui", "--screenshot", str(shot)]
    window = subprocess.Popen(command, env={"HOME": str(home), "DISPLAY": display}, cwd=home)
    try:
        deadline = time.monotonic() + _RUN_LIMIT
        while window.poll() is None and time.monotonic() < deadline:
            for pid, words in _processes(bundle).items():
                children |= {pid} if words[:1] == ["--compute"] else set()
                with contextlib.suppress(OSError):
                    maps = Path(f"/proc/{pid}/maps").read_text()
                    torch[pid] = torch.get(pid, False) or "libtorch" in maps
            time.sleep(0.05)
    finally:
        window.kill()
        code = window.wait()
    assert code == 0
    _looks_like_the_window(_pixels(shot))
    assert len(children) == 1
    assert torch[children.copy().pop()]
    assert not torch[window.pid]
    deadline = time.monotonic() + 10
    while _processes(bundle) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _processes(bundle) == {}


def test_a_window_that_is_killed_leaves_no_child(bundle: Path, home: Path, display: str) -> None:
    command = [str(bundle / "unifusion"), "gui"]
    window = subprocess.Popen(command, env={"HOME": str(home), "DISPLAY": display}, cwd=home)
    deadline = time.monotonic() + 60
    while len(_processes(bundle)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    both = set(_processes(bundle))
    window.kill()
    window.wait()
    assert len(both) == 2
    deadline = time.monotonic() + 20
    while _processes(bundle) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _processes(bundle) == {}


def test_opens_the_window_on_a_pair(bundle: Path, home: Path, display: str) -> None:
    shot = home / "window.png"
    words = ["gui", *_sample("mff"), "--task", "mff", "--screenshot", shot]
    done = _run(bundle, home, *words, DISPLAY=display)
    assert done.returncode == 0, done.stderr
    _looks_like_the_window(_pixels(shot))


def _looks_like_the_window(window: np.ndarray) -> None:
    """Large enough; pictures above (sources, fused) and below (what only a model gives)."""
    height, width = window.shape[:2]
    assert width >= 1200
    assert height >= 800
    for part in (window[: height // 2], window[height * 3 // 5 :]):
        # Panes without a picture stay below 11 and 500.
        assert part.std() > 20
        assert _colours(part) > 1500
