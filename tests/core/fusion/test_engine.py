"""The one call: a request in, a result out, for every method, task and mishap."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core.baselines import BASELINES
from core.errors import (
    Cancelled,
    DeviceMemoryError,
    DeviceUnavailable,
    InputError,
    PackError,
)
from core.fusion.chroma import luma
from core.fusion.color import split
from core.fusion.engine import FusionEngine
from core.models.backbone import file_sha256
from core.models.network import UniFusionNet
from core.packs.external_backbone import attach_backbone
from core.packs.format import read_manifest, read_pack
from core.packs.registry import Catalogue
from core.tasks import TASKS, ColourPolicy, get_task
from core.types import FusionRequest, Image, SourcePair
from tests.tiny import (
    backbone_file,
    pair,
    tiny_compact,
    tiny_network,
    tiny_pack,
    tiny_paper,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pack for each task."""
    packs = tmp_path / "packs"
    packs.mkdir()
    for seed, task in enumerate(TASKS):
        tiny_pack(packs / f"{task}-tiny.safetensors", task=task, seed=seed)
    return packs


@pytest.fixture
def engine(folder: Path) -> FusionEngine:
    return FusionEngine("cpu", Catalogue([folder]))


class _Recorder:
    """Remembers the stages; says stop when ``stop_at`` is about to begin."""

    def __init__(self, stop_at: str = "") -> None:
        self.stages: list[str] = []
        self.shares: list[float] = []
        self.checks = 0
        self.stop_at = stop_at

    def report(self, done: float, total: float, stage: str) -> None:
        self.stages.append(stage)
        self.shares.append(done / total)

    def check(self) -> None:
        self.checks += 1
        if self.stop_at and self.stages[-1:] == [self.stop_at]:
            raise Cancelled


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("channels", [(1, 1), (3, 1), (1, 3), (3, 3)], ids=str)
def test_every_method_fuses_every_task(
    engine: FusionEngine, task: str, channels: tuple[int, int]
) -> None:
    sources = pair(37, 50, channels)
    for method in engine.methods(task):
        result = engine.fuse(FusionRequest(sources, task, method.name, request_id=7))
        assert result.fused.shape == (37, 50, 1 if channels == (1, 1) else 3)
        assert result.fused.dtype == np.float32
        assert np.isfinite(result.fused).all()
        assert 0 <= result.fused.min() <= result.fused.max() <= 1
        assert (result.method, result.task, result.request_id) == (method.name, task, 7)
        assert result.device.name == "cpu"
        assert result.device.label
        assert result.device.reason
        assert result.timings
        assert all(seconds >= 0 for seconds in result.timings.values())


def test_packs_come_first_then_the_baselines(engine: FusionEngine) -> None:
    methods = engine.methods("mif")
    assert [m.name for m in methods] == ["mif-tiny", *BASELINES]
    assert [m.default for m in methods] == [True] + [False] * len(BASELINES)
    assert all(m.title and m.summary for m in methods)
    assert len(BASELINES) == 5


def test_a_pack_gives_what_its_network_gives(engine: FusionEngine, folder: Path) -> None:
    """Engine output against the network called by hand on the same lumas."""
    sources = pair(32, 48)
    network, _ = read_pack(folder / "mif-tiny.safetensors")
    parts = split(sources, get_task("mif").colour)
    x, y = (torch.from_numpy(p.transpose(2, 0, 1)[None].copy()) for p in (parts.a, parts.b))
    with torch.no_grad():
        features = network.encode(x, y)
        fused = network.fuse(features, x, y).clamp(0, 1)
        reconstructions = network.reconstruct(features)
    assert reconstructions is not None
    result = engine.fuse(
        FusionRequest(sources, "mif", "mif-tiny", reconstructions=True, features=True)
    )
    np.testing.assert_allclose(result.fused[..., 0], fused[0, 0].numpy(), atol=1e-5)
    for got, wanted in zip(
        (result.reconstruction_a, result.reconstruction_b), reconstructions, strict=True
    ):
        assert got is not None
        np.testing.assert_allclose(got[..., 0], wanted[0, 0].clamp(0, 1).numpy(), atol=1e-5)
    for feature, expected in zip((result.features_a, result.features_b), features, strict=True):
        assert feature is not None
        np.testing.assert_allclose(feature, expected[0].numpy(), atol=1e-5)


@pytest.mark.parametrize("wanted", [(False, False), (True, False), (False, True), (True, True)])
def test_extras_come_only_when_asked_for(engine: FusionEngine, wanted: tuple[bool, bool]) -> None:
    reconstructions, features = wanted
    result = engine.fuse(
        FusionRequest(pair(33, 21), "mif", "", reconstructions=reconstructions, features=features)
    )
    for got in (result.reconstruction_a, result.reconstruction_b):
        assert (got is not None) == reconstructions
        if got is not None:
            assert got.shape == (33, 21, 1)
            assert 0 <= got.min() <= got.max() <= 1
    for got in (result.features_a, result.features_b):
        assert (got is not None) == features
        if got is not None:
            assert got.shape == (8, 9, 6)  # 33 × 21 at a quarter, rounded up
    assert ("reconstructing" in result.timings) == reconstructions


def test_classical_methods_say_that_they_have_no_extras(engine: FusionEngine) -> None:
    result = engine.fuse(FusionRequest(pair(), "mif", "average", reconstructions=True))
    assert result.reconstruction_a is None
    assert any("no reconstructions" in note for note in result.notes)
    assert engine.fuse(FusionRequest(pair(), "mif", "average")).notes == ()


def test_a_pack_without_reconstruction_gives_none(engine: FusionEngine, folder: Path) -> None:
    path = folder / "bare.safetensors"
    tiny_pack(path, network=tiny_network(tiny_compact(reconstruction=False)))
    result = engine.fuse(FusionRequest(pair(), "mif", "bare", reconstructions=True))
    assert result.reconstruction_a is None
    assert result.reconstruction_b is None


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (16, 16), (15, 17), (47, 64)])
def test_any_size_comes_back_as_it_went_in(engine: FusionEngine, size: tuple[int, int]) -> None:
    for method in ("mif-tiny", *BASELINES):
        result = engine.fuse(FusionRequest(pair(*size), "mif", method))
        assert result.fused.shape == (*size, 1)
        assert np.isfinite(result.fused).all()


def test_padding_is_cut_off_and_hardly_felt(engine: FusionEngine) -> None:
    """Far from the padded border a picture of 48 and its first 47 columns agree closely."""
    whole = pair(48, 48)
    images = (whole.a, whole.b)
    cut = SourcePair(*(replace(i, data=i.data[:, :47]) for i in images))
    one = engine.fuse(FusionRequest(whole, "mif")).fused[:, :47]
    two = engine.fuse(FusionRequest(cut, "mif")).fused
    assert np.abs(one - two)[:, :24].mean() < 0.02


def test_the_same_request_twice_is_bit_identical(engine: FusionEngine, folder: Path) -> None:
    request = FusionRequest(pair(45, 61), "mif", "", reconstructions=True, features=True)
    results = [
        engine.fuse(request),
        engine.fuse(request),
        FusionEngine("cpu", Catalogue([folder])).fuse(request),
    ]
    for result in results[1:]:
        for name in ("fused", "reconstruction_a", "reconstruction_b", "features_a", "features_b"):
            assert np.array_equal(getattr(result, name), getattr(results[0], name)), name


def test_sources_are_not_changed(engine: FusionEngine) -> None:
    sources = pair(32, 32, (3, 1))
    before = sources.a.data.copy(), sources.b.data.copy()
    for method in ("", *BASELINES):
        engine.fuse(FusionRequest(sources, "mif", method, reconstructions=True, features=True))
    assert np.array_equal(sources.a.data, before[0])
    assert np.array_equal(sources.b.data, before[1])


def test_the_deeper_bit_depth_is_carried(engine: FusionEngine) -> None:
    deep, flat = pair(bit_depth=16), pair(bit_depth=8)
    mixed = SourcePair(flat.a, deep.b)
    for method in ("", "average"):
        assert engine.fuse(FusionRequest(deep, "mif", method)).bit_depth == 16
        assert engine.fuse(FusionRequest(flat, "mif", method)).bit_depth == 8
        assert engine.fuse(FusionRequest(mixed, "mif", method)).bit_depth == 16


def test_sixteen_bits_are_not_reduced_to_eight(engine: FusionEngine) -> None:
    """One grey level of 65535 in a source is a difference in the result."""
    rows = np.full((32, 32, 1), 30000, np.float32)
    image = Image(rows, window=(0.0, 65535.0), bit_depth=16)
    brighter = replace(image, data=rows + 1)
    one = engine.fuse(FusionRequest(SourcePair(image, image), "mif", "average")).fused
    two = engine.fuse(FusionRequest(SourcePair(brighter, brighter), "mif", "average")).fused
    np.testing.assert_allclose((two - one) * 65535, 1, atol=0.02)


def test_a_coloured_pet_and_a_grey_mri_give_rgb_with_the_pets_chroma(
    engine: FusionEngine,
) -> None:
    rng = np.random.default_rng(0)
    # Pale colours, so that no result leaves the RGB cube and chroma is carried exactly.
    pet = rng.uniform(110, 145, (32, 48, 3)).astype(np.float32)
    mri = rng.uniform(100, 155, (32, 48, 1)).astype(np.float32)
    sources = SourcePair(Image(pet, (0.0, 255.0)), Image(mri, (0.0, 255.0)))
    for method in ("average", "laplacian"):
        fused = engine.fuse(FusionRequest(sources, "mif", method)).fused
        assert fused.shape == (32, 48, 3)
        # Chroma is what is left when luma is taken away: R − Y and B − Y.
        wanted = pet / np.float32(255)
        np.testing.assert_allclose(fused - luma(fused), wanted - luma(wanted), atol=1e-4)
        assert not np.allclose(luma(fused), luma(wanted))


def test_stages_are_timed_and_reported_in_order(engine: FusionEngine) -> None:
    progress = _Recorder()
    request = FusionRequest(pair(), "mif", "", reconstructions=True, features=True)
    result = engine.fuse(request, progress)
    expected = ["loading the model", "preparing", "encoding", "fusing", "reconstructing", "colour"]
    assert list(result.timings) == expected
    assert progress.stages == [*expected, "done"]
    assert progress.shares == sorted(progress.shares)
    assert progress.shares[-1] == 1
    assert progress.checks >= len(expected)


@pytest.mark.parametrize(
    ("method", "stage"),
    [
        ("", "loading the model"),
        ("", "encoding"),
        ("", "fusing"),
        ("average", "preparing"),
        ("average", "fusing"),
    ],
)
def test_cancelling_takes_effect_at_the_next_stage(
    engine: FusionEngine, method: str, stage: str
) -> None:
    progress = _Recorder(stop_at=stage)
    with pytest.raises(Cancelled):
        engine.fuse(FusionRequest(pair(), "mif", method), progress)
    assert progress.stages[-1] == stage
    # The engine is none the worse.
    assert engine.fuse(FusionRequest(pair(), "mif", method)).fused.shape == (40, 56, 1)


class _Threads(_Recorder):
    """Remembers the threads as well; ``at`` a stage, interrupts who waits, and holds on a while."""

    def __init__(self, at: str = "") -> None:
        super().__init__()
        self.threads: set[int] = set()
        self._at = at

    def report(self, done: float, total: float, stage: str) -> None:
        super().report(done, total, stage)
        if stage != "done":
            self.threads.add(threading.get_ident())
        if stage == self._at:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            time.sleep(0.2)


def test_a_network_runs_on_one_thread_whoever_asks(engine: FusionEngine) -> None:
    seen = [_Threads(), _Threads()]
    request = FusionRequest(pair(), "mif", "")
    engine.fuse(request, seen[0])
    other = threading.Thread(target=lambda: engine.fuse(request, seen[1]))
    other.start()
    other.join()
    assert seen[0].threads == seen[1].threads
    assert len(seen[0].threads) == 1


def test_pairs_fuse_side_by_side_to_the_bit_as_by_themselves(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.fusion.engine.usable_cores", lambda: 2)
    threads = torch.get_num_threads()
    torch.set_num_threads(3)  # so that one core is not what there is anyway
    engine = FusionEngine("cpu", Catalogue([folder]))
    requests = [FusionRequest(pair(40 + 16 * s, 56), "mif", "") for s in range(2)]
    alone = [engine.fuse(request) for request in requests]
    both_in = threading.Barrier(2, timeout=20)
    cores: list[int] = []

    class Meets(_Recorder):
        def report(self, done: float, total: float, stage: str) -> None:
            super().report(done, total, stage)
            if stage == "encoding":
                both_in.wait()
                cores.append(torch.get_num_threads())

    try:
        with ThreadPoolExecutor(2) as callers:
            together = [
                callers.submit(engine.fuse, request, Meets(), beside_others=True)
                for request in requests
            ]
            for one, other in zip(alone, together, strict=True):
                np.testing.assert_array_equal(one.fused, other.result().fused)
    finally:
        torch.set_num_threads(threads)
    assert cores == [1, 1]


def test_of_a_heavy_network_there_is_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.fusion.engine.usable_cores", lambda: 2)
    tiny_pack(tmp_path / "heavy.safetensors", network=tiny_network(tiny_compact(stride=1)))
    engine = FusionEngine("cpu", Catalogue([tmp_path]))
    seen = [_Threads(), _Threads()]
    request = FusionRequest(pair(), "mif", "")
    with ThreadPoolExecutor(2) as callers:
        runs = [callers.submit(engine.fuse, request, one, beside_others=True) for one in seen]
        assert all(run.result().fused.shape == (40, 56, 1) for run in runs)
    assert len(seen[0].threads | seen[1].threads) == 1


def test_an_engine_that_is_held_up_holds_up_no_other(engine: FusionEngine, folder: Path) -> None:
    """As a batch that is paused, which waits where its engine asks whether to go on."""
    go_on, held = threading.Event(), threading.Event()

    class Paused(_Recorder):
        def check(self) -> None:
            held.set()
            go_on.wait(30)

    request = FusionRequest(pair(), "mif", "")
    batch = threading.Thread(target=lambda: engine.fuse(request, Paused()))
    batch.start()
    assert held.wait(10)
    try:
        assert FusionEngine("cpu", Catalogue([folder])).fuse(request).fused.shape == (40, 56, 1)
        assert batch.is_alive()
    finally:
        go_on.set()
        batch.join()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Python as it is in a terminal: shells let what they start in the background ignore Ctrl+C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals to one thread here")
@pytest.mark.usefixtures("interruptible")
def test_a_network_stops_when_who_asked_is_interrupted(engine: FusionEngine) -> None:
    seen = _Threads(at="encoding")
    with pytest.raises(KeyboardInterrupt):
        engine.fuse(FusionRequest(pair(), "mif", ""), seen)
    engine.fuse(FusionRequest(pair(), "mif", ""))  # begins when the other has ended
    assert seen.stages[-1] == "encoding"


def test_provenance_says_what_made_it_and_holds_no_folder(
    engine: FusionEngine, folder: Path, tmp_path: Path
) -> None:
    origins = (tmp_path / "secret" / "pet.png", tmp_path / "secret" / "mri.png")
    sources = pair(origins=origins)
    result = engine.fuse(FusionRequest(sources, "mif", str(folder / "mif-tiny.safetensors")))
    sha = read_manifest(folder / "mif-tiny.safetensors").weights_sha256
    assert result.provenance["weights_sha256"] == sha
    assert result.provenance["method"] == "mif-tiny"
    assert result.provenance["source_a"] == "pet.png"
    assert result.provenance["source_b"] == "mri.png"
    assert result.provenance["notice"] == "Research use only – AI-generated image"
    assert result.provenance["software"].startswith("UniFusion Studio ")
    assert not [v for v in result.provenance.values() if "secret" in v or os.sep in v]
    classical = engine.fuse(FusionRequest(sources, "mff", "average")).provenance
    assert "notice" not in classical
    assert "weights_sha256" not in classical
    medical = engine.fuse(FusionRequest(sources, "mif", "average")).provenance
    assert medical["notice"] == "Research use only"


def test_a_note_about_both_sources_is_said_once(engine: FusionEngine) -> None:
    sources = pair()
    note = ("Source A and source B are the same picture.",)
    noted = SourcePair(replace(sources.a, notes=note), replace(sources.b, notes=note))
    assert engine.fuse(FusionRequest(noted, "mif", "average")).notes == note


def test_reader_notes_reach_the_result_with_their_side(engine: FusionEngine) -> None:
    sources = pair()
    noted = SourcePair(replace(sources.a, notes=("Alpha was dropped.",)), sources.b)
    for method in ("", "average"):
        assert engine.fuse(FusionRequest(noted, "mif", method)).notes == ("A: Alpha was dropped.",)


def test_the_pack_is_loaded_once(engine: FusionEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[Path] = []

    def counted(path: Path, backbone: Path | None) -> object:
        loads.append(path)
        return read_pack(path, backbone)

    monkeypatch.setattr("core.fusion.engine.read_pack", counted)
    for task in ("mif", "mif", "mef", "mef"):
        engine.fuse(FusionRequest(pair(), task))
    assert [path.stem for path in loads] == ["mif-tiny", "mef-tiny"]


def test_a_pack_replaced_on_disk_is_read_again(engine: FusionEngine, folder: Path) -> None:
    first = engine.fuse(FusionRequest(pair(), "mif"))
    path = folder / "mif-tiny.safetensors"
    tiny_pack(path, seed=99)
    os.utime(path, ns=(1, 1))  # whatever the clock's grain, the file has another date
    second = engine.fuse(FusionRequest(pair(), "mif"))
    assert not np.array_equal(first.fused, second.fused)
    assert second.provenance["weights_sha256"] == read_manifest(path).weights_sha256
    path.write_bytes(b"broken")
    with pytest.raises(PackError, match="mif-tiny"):
        engine.fuse(FusionRequest(pair(), "mif", str(path)))


def test_a_pack_of_another_task_is_refused(engine: FusionEngine, folder: Path) -> None:
    with pytest.raises(PackError, match="trained for task mef, not mif") as caught:
        engine.fuse(FusionRequest(pair(), "mif", str(folder / "mef-tiny.safetensors")))
    assert caught.value.remedy
    with pytest.raises(InputError, match="No pack “mef-tiny” for task mif"):
        engine.fuse(FusionRequest(pair(), "mif", "mef-tiny"))


def test_unknown_tasks_methods_and_devices_are_refused(engine: FusionEngine) -> None:
    with pytest.raises(InputError, match="Unknown task"):
        engine.fuse(FusionRequest(pair(), "xyz"))
    with pytest.raises(InputError, match="Unknown task"):
        engine.methods("xyz")
    with pytest.raises(InputError, match="No pack “best”"):
        engine.fuse(FusionRequest(pair(), "mif", "best"))
    with pytest.raises(DeviceUnavailable):
        FusionEngine("abacus")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
    ids=["cuda", "cpu", "numpy"],
)
@pytest.mark.parametrize("place", ["encode", "fuse", "split", "merge"])
def test_running_out_of_memory_is_told_with_size_and_remedy(
    engine: FusionEngine, monkeypatch: pytest.MonkeyPatch, error: Exception, place: str
) -> None:
    def fail(*_: object, **__: object) -> object:
        raise error

    target = UniFusionNet if place in ("encode", "fuse") else "core.fusion.engine"
    if isinstance(target, str):
        monkeypatch.setattr(f"{target}.{place}", fail)
    else:
        monkeypatch.setattr(target, place, fail)
    with pytest.raises(DeviceMemoryError, match=r"56×40 pixels") as caught:
        engine.fuse(FusionRequest(pair(), "mif"))
    assert caught.value.remedy
    monkeypatch.undo()
    assert engine.fuse(FusionRequest(pair(), "mif")).fused.shape == (40, 56, 1)


def test_opencvs_lack_of_memory_is_told_too(
    engine: FusionEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> object:
        raise cv2.error("OpenCV: error: (-4:Insufficient memory) Failed to allocate 9 bytes")

    broken = replace(BASELINES["guided"], method=fail)
    monkeypatch.setitem(BASELINES, "guided", broken)
    with pytest.raises(DeviceMemoryError):
        engine.fuse(FusionRequest(pair(), "mif", "guided"))


def test_other_runtime_errors_are_not_taken_for_it(
    engine: FusionEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> object:
        raise RuntimeError("a mistake in the program")

    monkeypatch.setattr(UniFusionNet, "encode", fail)
    with pytest.raises(RuntimeError, match="a mistake in the program"):
        engine.fuse(FusionRequest(pair(), "mif"))


def test_a_dinov3_pack_runs_with_its_backbone_file(tmp_path: Path) -> None:
    weights = backbone_file(tmp_path / "dino.safetensors")
    network = tiny_network(tiny_paper())
    attach_backbone(network, "", weights, "test")
    pack = tmp_path / "paper.safetensors"
    tiny_pack(
        pack,
        network=network,
        backbone_sha256=file_sha256(weights),
        colour=ColourPolicy("rgb", "a"),
    )
    catalogue = Catalogue([tmp_path])
    request = FusionRequest(pair(33, 40, (3, 1)), "mif", "paper", True, True)
    result = FusionEngine("cpu", catalogue, weights).fuse(request)
    assert result.fused.shape == (33, 40, 3)
    assert result.reconstruction_b is not None
    assert result.reconstruction_b.shape == (33, 40, 3)
    assert result.features_a is not None
    assert result.features_a.shape == (8, 33, 40)
    assert FusionEngine("cpu", catalogue, weights).unused_backbone("mif", "paper") is None
    assert FusionEngine("cpu", catalogue).unused_backbone("mif", "average") is None
    with pytest.raises(PackError, match="--backbone"):
        FusionEngine("cpu", catalogue).fuse(request)


def test_identical_sources_come_back_unchanged_from_the_classics(engine: FusionEngine) -> None:
    image = pair().a
    for method in ("average", "maximum", "laplacian", "guided"):
        fused = engine.fuse(FusionRequest(SourcePair(image, image), "mif", method)).fused
        np.testing.assert_allclose(fused, image.normalised(), atol=2e-3)
