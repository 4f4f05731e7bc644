"""Before and after a run: is the data fit, what will it cost, is the pack better."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch

from core.errors import Cancelled, InputError, PackError
from core.fusion.engine import FusionEngine
from core.io import read_image, read_pair, write_image
from core.memory_model import training_bytes
from core.metrics import evaluate, to_luma8
from core.models.network import UniFusionNet
from core.packs.format import read_manifest
from core.pairing.dataset_descriptor import get_descriptor
from core.progress import NullProgress
from core.registration.quick_check import looks_misaligned
from core.types import FusionRequest
from tests.core.registration.scenes import texture
from tests.tiny import smooth, tiny_pack
from tests.trainer.runs import CONFIG, load_pairs, make_pairs
from trainer.config.config import TrainConfig
from trainer.config.run_plan import RunPairs
from trainer.data.dataset import read_held_out
from trainer.data.pairs import find_pairs
from trainer.data.preflight import run_preflight
from trainer.events import Finished, Started, Validated
from trainer.run.compare import NAMES, compare
from trainer.run.estimate import estimate
from trainer.run.loop import RunPlan, train
from trainer.run.memory_usage import PeakMemory
from trainer.run.score import score


class _Stop(NullProgress):
    def check(self) -> None:
        raise Cancelled


def test_a_survey_names_what_is_wrong_and_says_what_a_run_will_use(tmp_path: Path) -> None:
    data = make_pairs(tmp_path / "d", 6)
    (data / "b" / "pair1.png").write_bytes(b"no picture")
    write_image(data / "a" / "pair2.png", np.zeros((48, 47, 1), np.float32), bit_depth=8)
    write_image(data / "a" / "alone.png", np.zeros((8, 8, 1), np.float32), bit_depth=8)
    found = run_preflight(RunPairs(data, share=0.2), CONFIG)
    assert found.pairs == 4
    (bad,) = found.unreadable
    assert bad.name == "pair1"
    assert str(tmp_path) not in bad.reason
    (mismatch,) = found.mismatched
    assert (mismatch.name, "47×48" in mismatch.reason) == ("pair2", True)
    assert any(file.path.name == "alone.png" for file in found.unpaired)
    assert found.problems == 3
    assert found.sizes == ((48, 48), (48, 48))
    assert found.data_bytes == 4 * 48 * 48 * 4
    assert any("learn them by heart" in line for line in found.warnings)
    started = next(train(CONFIG, RunPlan(data, tmp_path / "p.safetensors", share=0.2)))
    assert isinstance(started, Started)
    assert started.pairs == len(found.split.train)
    assert started.validation == len(found.split.validation) > 0
    with pytest.raises(Cancelled):
        run_preflight(RunPairs(data, share=0.2), CONFIG, _Stop())


def test_a_survey_of_a_data_set_finds_the_pairs_that_its_run_reads(tmp_path: Path) -> None:
    for split, pairs in (("train", 5), ("test", 2)):
        folder = make_pairs(tmp_path / "d" / split, pairs)
        (folder / "a").rename(folder / "ir")
        (folder / "b").rename(folder / "vi")
    config, msrs = replace(CONFIG, task="ivif"), get_descriptor("msrs")
    found = run_preflight(RunPairs(tmp_path / "d", share=0.2, dataset=msrs, split="train"), config)
    assert (found.pairs, found.suggested_task) == (5, "ivif")
    assert {match.a.parent for match in found.split.train} == {tmp_path / "d" / "train" / "ir"}
    plan = RunPlan(
        tmp_path / "d", tmp_path / "p.safetensors", share=0.2, dataset=msrs, split="train"
    )
    held = read_held_out(config, plan, NullProgress())
    assert held.matches == found.split.validation
    assert run_preflight(RunPairs(tmp_path / "d", share=0.2, dataset=msrs), config).pairs == 2


def test_a_survey_tells_of_deep_and_of_incomplete_pictures(tmp_path: Path) -> None:
    """And training reads them in the range that the survey names, holes from the other source."""
    data = make_pairs(tmp_path / "d", 3)
    scene = smooth(48, 48, 1)[..., 0]
    counts = np.round(29300 + 1600 * (scene - scene.min()) / np.ptp(scene)).astype(np.uint16)
    cv2.imwrite(str(data / "a" / "pair0.png"), counts)
    degrees = scene.astype(np.float32) * 40
    degrees[:10, :12] = np.nan
    (data / "a" / "pair1.png").unlink()
    tifffile.imwrite(data / "a" / "pair1.tif", degrees)
    warnings = run_preflight(RunPairs(data, share=0.2), CONFIG).warnings
    (told,) = [line for line in warnings if "black to white" in line]
    assert told.startswith("In 2 pairs")
    assert "(pair0: 293" in told
    assert "1 pair has pixels without data; they are filled from the other source." in warnings
    read = {pair.name: pair for pair in load_pairs(data, CONFIG.colour).pairs}
    wanted = (counts.astype(np.float64) - 29300) / 1600 * 65535
    assert np.abs(read["pair0"].a[..., 0] - wanted).max() <= 0.04 * 65535
    holed = read["pair1"]
    np.testing.assert_array_equal(holed.a[:10, :12], holed.b[:10, :12])
    assert (holed.a[10:] != holed.b[10:]).mean() > 0.9


def test_a_survey_with_a_folder_to_judge_by_divides_nothing(tmp_path: Path) -> None:
    data, judged = make_pairs(tmp_path / "d", 3), make_pairs(tmp_path / "v", 2)
    found = run_preflight(RunPairs(data, validation=judged), CONFIG)
    assert (len(found.split.train), len(found.split.validation)) == (3, 2)
    assert found.split.by == "given"
    for path in (data / "a").iterdir():
        path.write_bytes(b"x")
    with pytest.raises(InputError, match="not one pair can be used"):
        run_preflight(RunPairs(data, validation=judged), CONFIG)


def test_a_shift_between_exposures_is_seen(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    scene = cv2.GaussianBlur(rng.random((150, 150)).astype(np.float32), (0, 0), 2)
    scene = (scene - scene.min()) / np.ptp(scene)
    for name, shift in (("still", 0), ("moved", 7)):
        under, over = 0.5 * scene[10:138, 10:138], scene[10:138, 10 + shift : 138 + shift]
        write_image(_ready(tmp_path / "a" / f"{name}.png"), under[..., None], bit_depth=8)
        write_image(_ready(tmp_path / "b" / f"{name}.png"), over[..., None], bit_depth=8)
    (moved,) = run_preflight(RunPairs(tmp_path), replace(CONFIG, task="mef")).misaligned
    assert moved.name == "moved"
    assert "7 pixels" in moved.reason


def test_scale_between_a_pair_is_seen_as_the_window_sees_it(tmp_path: Path) -> None:
    """Its centre stays where it is, so that no shift of the whole picture shows it."""
    grey = texture(240, 200)
    size = grey.shape[1], grey.shape[0]
    larger = cv2.warpAffine(
        grey, cv2.getRotationMatrix2D((119.5, 99.5), 0, 1.06), size, borderMode=cv2.BORDER_REFLECT
    )
    for side, picture in (("a", grey), ("b", larger)):
        path = _ready(tmp_path / side / "breathing.png")
        write_image(path, picture[..., np.newaxis], bit_depth=8)
    (moved,) = run_preflight(RunPairs(tmp_path), replace(CONFIG, task="mff")).misaligned
    a, b = (read_image(tmp_path / side / "breathing.png") for side in "ab")
    assert looks_misaligned(a, b, "mff").shift == pytest.approx(9.3, abs=0.5)
    assert "9 pixels" in moved.reason


def _ready(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    return path


@pytest.mark.long
def test_an_estimate_times_real_steps_and_leaves_no_trace(tmp_path: Path) -> None:
    data = make_pairs(tmp_path / "d", 4)
    found = run_preflight(RunPairs(data, share=0.2), CONFIG)
    state = torch.get_rng_state()
    guess = estimate(CONFIG, found, "cpu")
    assert torch.equal(torch.get_rng_state(), state)
    assert guess.seconds_per_step > 0
    assert guess.seconds_total > CONFIG.steps * guess.seconds_per_step
    assert guess.device == "cpu"
    assert guess.device_reason
    assert (guess.precision, str(guess.precision_reason)) == ("fp32", "it was asked for")
    measured = estimate(replace(CONFIG, steps=24_000, precision="auto"), found, "cpu")
    assert measured.seconds_total > 100 * measured.seconds_per_step
    assert measured.precision in ("fp32", "bf16")
    assert "in a test" in measured.precision_reason
    assert torch.equal(torch.get_rng_state(), state)
    assert guess.fits
    assert [path.name for path in tmp_path.iterdir()] == ["d"]
    with pytest.raises(Cancelled):
        estimate(CONFIG, found, "cpu", _Stop())
    with pytest.raises(PackError):
        estimate(replace(CONFIG, init=str(tmp_path / "none.safetensors")), found, "cpu")


def test_a_pack_is_compared_with_its_parent_as_people_would_see_both(tmp_path: Path) -> None:
    data = make_pairs(tmp_path / "d", 8)
    (data / "a" / "pair1.png").write_bytes(b"x")
    parent, child = tmp_path / "parent.safetensors", tmp_path / "child.safetensors"
    tiny_pack(parent, seed=1)
    tiny_pack(child, seed=2)
    matches = find_pairs(data, "mif").matches
    result = compare(parent, child, matches, device="cpu")
    assert (result.pairs, len(result.strips), len(result.problems)) == (7, 6, 1)
    assert "pair1" in result.problems[0]
    engine = FusionEngine("cpu")
    rows = []
    for match in matches:
        if match.name != "pair1":
            pair = read_pair(match.a, match.b)
            fused = engine.fuse(FusionRequest(pair, "mif", str(child))).fused
            luma = (to_luma8(p) for p in (pair.a.normalised(), pair.b.normalised(), fused))
            rows.append(evaluate(*luma, NAMES))
    for one in result.scores:
        assert one.child == pytest.approx(np.mean([row[one.name] for row in rows]))
        assert one.better == np.sign(round(one.child, 4) - round(one.parent, 4))
        assert one.difference == one.child - one.parent
    strip = result.strips[0]
    assert strip.child.shape[:2] == strip.a.shape[:2] == (48, 48)
    assert not np.array_equal(strip.parent, strip.child)
    same = compare(child, child, matches[:1], device="cpu")
    assert [f.better for f in same.scores] == [0] * len(NAMES)
    assert same.wins == 0
    baseline = compare("laplacian", child, matches[:1], device="cpu")
    assert baseline.scores[0].parent != baseline.scores[0].child
    with pytest.raises(InputError, match="none"):
        compare(parent, child, (), device="cpu")


def test_a_metric_without_a_value_on_a_pair_does_not_count_there(tmp_path: Path) -> None:
    data, child = make_pairs(tmp_path / "d", 2), tmp_path / "child.safetensors"
    tiny_pack(child)
    matches = find_pairs(data, "mif").matches
    alone = compare("average", child, matches[1:], device="cpu")
    for path in (matches[0].a, matches[0].b):
        write_image(path, np.full((48, 48, 1), 0.5, np.float32), bit_depth=8)
    both = compare("average", child, matches, device="cpu")
    assert both.pairs == 2
    assert both.problems == (
        "Edge preservation is not defined on 1 pair and does not count there.",
        "Visual information fidelity is not defined on 1 pair and does not count there.",
    )
    found = {score.name: score.child for score in both.scores}
    expected = {score.name: score.child for score in alone.scores}
    assert (found["Qabf"], found["VIF"]) == (expected["Qabf"], expected["VIF"])
    assert found["MI"] == expected["MI"] / 2  # a constant source shares nothing: that is a value
    nothing = compare("average", child, matches[:1], device="cpu")
    assert [score.name for score in nothing.scores] == ["MI", "SSIM"]


def test_large_pictures_are_shown_small(tmp_path: Path) -> None:
    for side, seed in (("a", 1), ("b", 2)):
        pixels = smooth(400, 800, 1, seed)
        write_image(_ready(tmp_path / side / "x.png"), pixels, bit_depth=8)
    child = tmp_path / "child.safetensors"
    tiny_pack(child)
    (strip,) = compare("average", child, find_pairs(tmp_path, "mif").matches, device="cpu").strips
    assert strip.a.shape == (192, 384, 1)
    assert strip.parent.shape[:2] == strip.child.shape[:2] == (192, 384)


def test_the_score_is_the_mean_multiple_of_the_start() -> None:
    start = {"Qabf": 0.5, "VIF": 0.8, "MI": 2.0, "reconstruction_psnr": 30.0}
    assert score(start, start) == 1
    better = {"Qabf": 0.6, "VIF": 0.8, "MI": 1.8, "reconstruction_psnr": 3.0}
    assert score(better, start) == pytest.approx((1.2 + 1.0 + 0.9) / 3)
    # A start near zero does not drown the others: 0.1, 0.1 and 0.5 are the least it counts.
    tiny = dict.fromkeys(start, 1e-9)
    assert score(better, tiny) == pytest.approx((6 + 8 + 3.6) / 3)
    assert score({}, start) == 0


def test_the_card_tells_the_run_without_names_of_files(tmp_path: Path) -> None:
    data = make_pairs(tmp_path / "Mrs Doe", 5)
    parent = tmp_path / "parent.safetensors"
    tiny_pack(parent)
    plan = RunPlan(
        data, tmp_path / "mine.safetensors", title="Mine", data_used=("a b",), share=0.2,
        device="cpu",
    )  # fmt: skip
    config = replace(CONFIG, init=str(parent))
    events = list(train(config, plan))
    done, judged = events[-1], [e for e in events if isinstance(e, Validated)]
    assert isinstance(done, Finished)
    card = done.report.read_text(encoding="utf-8")
    assert done.report == tmp_path / "mine.md"
    for words in ("Mrs Doe", "pair0", str(tmp_path), "parent.safetensors"):
        assert words not in card
    manifest = read_manifest(plan.out)
    for words in ("# Mine", manifest.training.parent, "- a b", manifest.weights_sha256,
                  "Research use only", f"{judged[0].scores['Qabf']:.4f}",
                  f"{manifest.training.scores['Qabf']:.4f}", "4 pairs to train on, 1 to judge by",
                  "| learning rate, lower level | 0.004 |", "weight of edge | 3.0"):  # fmt: skip
        assert words in card
    assert "## Curves" in card
    assert done.curves == plan.log


def test_a_strip_shows_the_start_beside_the_present(tmp_path: Path) -> None:
    data = make_pairs(tmp_path / "d", 3)
    plan = RunPlan(data, tmp_path / "p.safetensors", validation=data, device="cpu")
    run = train(CONFIG, plan)
    strips = {}
    for event in run:
        if isinstance(event, Validated):
            strips[event.step] = event.strip
            if event.step == 6:
                break
    run.close()  # type: ignore[attr-defined]
    assert np.array_equal(strips[0].now, strips[0].start)
    assert np.array_equal(strips[6].start, strips[0].now)
    assert not np.array_equal(strips[6].now, strips[6].start)
    # The start is on disk: a resumed run still shows it.
    (last,) = [e for e in train(CONFIG, plan) if isinstance(e, Validated)]
    assert last.step == 12
    assert np.array_equal(last.strip.start, strips[0].now)


def test_pairs_to_judge_by_can_be_limited(tmp_path: Path) -> None:
    data = make_pairs(tmp_path / "d", 5)
    plan = RunPlan(data, tmp_path / "p.safetensors", validation=data, device="cpu")
    started = next(train(replace(CONFIG, validate_pairs=2), plan))
    assert isinstance(started, Started)
    assert started.validation == 2


def test_a_tensorboard_log_needs_tensorboard_and_says_how_to_get_it(tmp_path: Path) -> None:
    data = make_pairs(tmp_path / "d", 2)
    plan = RunPlan(
        data, tmp_path / "p.safetensors", validation=data, device="cpu", tensorboard=True
    )
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError:
        with pytest.raises(InputError, match="not installed") as caught:
            next(train(CONFIG, plan))
        assert "pip install tensorboard" in caught.value.remedy
    else:
        list(train(CONFIG, plan))
        assert list((plan.run_folder / "tensorboard").glob("events.*"))


@pytest.mark.long
def test_memory_is_never_said_to_be_less_than_what_a_step_surely_takes(tmp_path: Path) -> None:
    """A second estimate grows the process by nothing; what is said must not shrink with it."""
    data = make_pairs(tmp_path / "d", 4, size=64)
    found = run_preflight(RunPairs(data, share=0.2), CONFIG)
    before = np.ones(200_000_000, np.uint8)  # a high-water mark far above what follows
    del before
    small = replace(CONFIG, crop=64, batch=1)
    large = replace(small, batch=8)
    network = UniFusionNet(CONFIG.network)
    weights = sum(parameter.nbytes for parameter in network.parameters())
    first, second, once_more = (
        estimate(config, found, "cpu").peak_bytes for config in (small, large, large)
    )
    # Weights, gradients and two moments; the average comes on top.
    assert min(first, second, once_more) > 4 * weights
    kept = (second - first) / 7
    assert kept > 64 * 64 * 4 * 10  # activations of one crop: ten maps of its size at the least
    assert once_more == pytest.approx(second, rel=0.5)


def test_what_is_kept_for_the_way_back_is_counted_once_and_given_back() -> None:
    peak = PeakMemory("cpu")
    x = torch.ones(1000, requires_grad=True)
    with peak.measure():
        for _ in range(3):
            y = x.exp()  # keeps its result: 4000 bytes
            (y * y).sum().backward()  # keeps y twice, which is there already
    assert peak.saved == 4000


def test_a_training_step_is_thought_to_take_what_was_measured_and_not_half_as_much_again() -> None:
    """16 crops of 128² pixels through the compact network: 1,100 MB beside what was held before."""
    config = TrainConfig(task="mef")
    assert (config.batch, config.crop) == (16, 128)
    assert 1100e6 <= training_bytes(config.network, 16, 128) <= 1650e6
