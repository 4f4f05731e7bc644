"""Which result belongs to which pair, and what the scores of folders are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from core.errors import Cancelled, InputError
from core.evaluation.methods import read_luma8
from core.evaluation.plan import EvaluationPlan, MethodChoice
from core.evaluation.result import EvaluationFinished, EvaluationResult, MethodScores
from core.evaluation.run import evaluate_plan
from core.metrics import Luma, evaluate, psnr_pair
from core.progress import Progress


def write(path: Path, image: Luma) -> Luma:
    path.parent.mkdir(parents=True, exist_ok=True)
    PilImage.fromarray(image).save(path)
    return image


def noise(seed: int, size: tuple[int, int] = (20, 24)) -> Luma:
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)


def evaluated(plan: EvaluationPlan, progress: Progress | None = None) -> EvaluationResult:
    *_, last = evaluate_plan(plan, progress)
    assert isinstance(last, EvaluationFinished)
    return last.result


def score_folder(
    sources: Path, results: Path, metrics: tuple[str, ...] = ("CC",), **settings: object
) -> MethodScores:
    choice = MethodChoice("folder", str(results))
    plan = EvaluationPlan(sources, [choice], metrics, **settings)  # type: ignore[arg-type]
    return evaluated(plan).methods[0]


def error_of(scores: MethodScores) -> str:
    """The error of the only pair that could not be scored."""
    (found,) = [score.error for score in scores.pairs if score.error is not None]
    return str(found)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Three pairs; the first has a ground truth."""
    folder = tmp_path / "sources"
    for index, name in enumerate(("eins", "zwei", "drei")):
        write(folder / "a" / f"{name}.png", noise(index))
        write(folder / "b" / f"{name}.bmp", noise(index + 10))
    write(folder / "gt" / "eins.png", noise(20))
    return folder


def test_scores_are_those_of_the_pictures(sources: Path, tmp_path: Path) -> None:
    results = tmp_path / "mine"
    fused = {name: write(results / f"{name}.png", noise(30)) for name in ("eins", "zwei", "drei")}
    scores = score_folder(sources, results, ("MI", "CC"))
    assert scores.method.name == "mine"
    assert [score.pair for score in scores.pairs] == ["drei", "eins", "zwei"]
    assert scores.missing == scores.ignored == scores.problems == ()
    by_name = {score.pair: score for score in scores.pairs}
    assert by_name["zwei"].values == evaluate(noise(1), noise(11), fused["zwei"], ["MI", "CC"])
    assert list(by_name["eins"].values) == ["MI", "CC", "PSNR_gt", "SSIM_gt"]
    assert by_name["eins"].values["PSNR_gt"] == psnr_pair(noise(20), fused["eins"])
    assert by_name["eins"].fused == results / "eins.png"
    assert by_name["eins"].milliseconds.keys() == {"MI", "CC"}


def test_missing_foreign_and_doubled_results_are_told(sources: Path, tmp_path: Path) -> None:
    results = tmp_path / "mine"
    for name in ("eins.png", "zwei.png", "zwei.bmp", "vier.png", ".hidden.png"):
        write(results / name, noise(31))
    (results / "notes.txt").write_text("not a picture", encoding="utf-8")
    scores = score_folder(sources, results)
    assert [score.pair for score in scores.pairs] == ["eins"]
    assert scores.missing == ("drei", "zwei")
    assert scores.ignored == ("vier.png",)
    assert len(scores.problems) == 1
    assert "zwei.bmp, zwei.png" in scores.problems[0]


@pytest.mark.parametrize(
    ("a", "b", "result", "name"),
    [
        ("{}_ir.png", "{}_vis.png", "{}.png", "{}"),
        ("{}_ir.png", "{}_vis.png", "{}_ir.png", "{}"),
        ("ir/{}.png", "vis/{}.png", "{}.png", "{}"),
        ("LLVIP/infrared/test/{}.png", "LLVIP/visible/test/{}.png", "{}.png", "LLVIP/test/{}"),
        ("s1/ir/{}.png", "s1/vis/{}.png", "s1/{}.png", "s1/{}"),
        ("{}/room_-2EV.png", "{}/room_+2EV.png", "{}/room.png", "{}/room"),
    ],
)
def test_sources_are_found_in_any_layout(
    tmp_path: Path, a: str, b: str, result: str, name: str
) -> None:
    """The results may lie inside the sources' folder without being taken for sources."""
    folder, results = tmp_path / "set", tmp_path / "set" / "mine"
    for index, scene in enumerate(("eins", "zwei")):
        write(folder / a.format(scene), noise(index))
        write(folder / b.format(scene), noise(index + 10))
        write(results / result.format(scene), noise(30))
    scores = score_folder(folder, results)
    assert [score.pair for score in scores.pairs] == [name.format("eins"), name.format("zwei")]
    assert scores.missing == scores.ignored == ()
    assert scores.pairs[1].values == evaluate(noise(1), noise(11), noise(30), ["CC"])


def test_a_name_in_two_folders_needs_the_folder(tmp_path: Path) -> None:
    for scene in ("day", "night"):
        write(tmp_path / "set" / scene / "1_ir.png", noise(1))
        write(tmp_path / "set" / scene / "1_vis.png", noise(2))
    write(tmp_path / "mine" / "1.png", noise(3))
    with pytest.raises(InputError, match=r"its one picture does not have.*“day/1.png”"):
        score_folder(tmp_path / "set", tmp_path / "mine")
    write(tmp_path / "mine" / "night" / "1.png", noise(3))
    scores = score_folder(tmp_path / "set", tmp_path / "mine")
    assert [score.pair for score in scores.pairs] == ["night/1"]
    assert scores.missing == ("day/1",)
    assert scores.ignored == ("1.png",)


@pytest.mark.parametrize("folder", ["gt", "GT", "ground_truth", "full_clear"])
def test_the_truth_is_found_whatever_its_folder_and_suffix(tmp_path: Path, folder: str) -> None:
    write(tmp_path / "source_1" / "1.png", noise(1))
    write(tmp_path / "source_2" / "1.png", noise(2))
    truth = write(tmp_path / folder / "1.bmp", noise(3))
    fused = write(tmp_path / "results" / "1.png", noise(4))
    scores = score_folder(tmp_path, tmp_path / "results")
    assert scores.pairs[0].values["PSNR_gt"] == psnr_pair(truth, fused)


def test_colour_results_count_by_their_luma(sources: Path, tmp_path: Path) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    path = tmp_path / "mine" / "eins.png"
    write(path, rgb)
    expected = np.asarray(PilImage.fromarray(rgb).convert("L"))
    np.testing.assert_array_equal(read_luma8(path), expected)
    scores = score_folder(sources, path.parent)
    assert scores.pairs[0].values["CC"] == evaluate(noise(0), noise(10), expected, ["CC"])["CC"]


def test_16_bit_results_count_by_their_full_range(sources: Path, tmp_path: Path) -> None:
    """A dark 16-bit result is not stretched to its own brightest pixel."""
    path = tmp_path / "mine" / "eins.png"
    path.parent.mkdir()
    PilImage.fromarray((noise(0).astype(np.uint16) // 4) * 257).save(path)
    np.testing.assert_array_equal(read_luma8(path), noise(0) // 4)


def test_what_cannot_be_scored_costs_its_pair(sources: Path, tmp_path: Path) -> None:
    results = tmp_path / "mine"
    write(results / "zwei.png", noise(5))
    write(results / "eins.png", noise(1, (10, 12)))
    assert "12×10" in (told := error_of(score_folder(sources, results)))
    assert "24×20" in told
    (results / "eins.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    assert "eins.png" in error_of(score_folder(sources, results))
    write(results / "eins.png", noise(1))
    write(sources / "gt" / "eins.png", noise(1, (3, 4)))
    scores = score_folder(sources, results)
    assert "the ground truth is 4×3" in error_of(scores)
    assert list(scores.scored()) == ["zwei"]


def test_a_source_that_cannot_be_read_costs_its_pair(sources: Path, tmp_path: Path) -> None:
    for name in ("eins", "zwei", "drei"):
        write(tmp_path / "mine" / f"{name}.png", noise(1))
    (sources / "a" / "zwei.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    scores = score_folder(sources, tmp_path / "mine")
    assert "zwei.png" in error_of(scores)
    assert list(scores.scored()) == ["drei", "eins"]


def test_what_makes_no_evaluation_is_refused_by_name(sources: Path, tmp_path: Path) -> None:
    results = tmp_path / "mine"
    with pytest.raises(InputError, match=r"mine.*no such folder"):
        score_folder(sources, results)
    results.mkdir()
    with pytest.raises(InputError, match="there are no pictures in it"):
        score_folder(sources, results)
    for name, told in (("x", "its one picture does not have"), ("y", "none of its 2 pictures has")):
        write(results / f"{name}.png", noise(3))
        with pytest.raises(InputError, match=told):
            score_folder(sources, results)
    write(results / "eins.png", noise(1))
    with pytest.raises(InputError, match="Unknown metric “Beauty”"):
        score_folder(sources, results, ("Beauty",))
    choices = [MethodChoice("folder", str(results))] * 2
    with pytest.raises(InputError, match="two methods are called “mine”"):
        evaluated(EvaluationPlan(sources, choices, ("CC",)))
    with pytest.raises(InputError, match="no method was chosen"):
        evaluated(EvaluationPlan(sources, (), ("CC",)))


def test_a_wrong_window_is_told_before_a_pair_is_read(sources: Path, tmp_path: Path) -> None:
    write(tmp_path / "m" / "eins.png", noise(3))
    for windows in (((5.0, 5.0), None), (None, (float("nan"), 3.0))):
        with pytest.raises(InputError, match="low end must be a number below") as told:
            score_folder(sources, tmp_path / "m", windows=windows)
        assert "eins" not in str(told.value)


def test_progress_is_told_and_may_cancel(sources: Path, tmp_path: Path) -> None:
    for name in ("eins", "zwei", "drei"):
        write(tmp_path / "mine" / f"{name}.png", noise(1))

    class AfterTwo:
        def __init__(self) -> None:
            self.seen: list[tuple[float, float, str]] = []

        def report(self, done: float, total: float, stage: str) -> None:
            self.seen.append((done, total, stage))

        def check(self) -> None:
            if len(self.seen) == 2:
                raise Cancelled

    progress = AfterTwo()
    choice = MethodChoice("folder", str(tmp_path / "mine"))
    with pytest.raises(Cancelled):
        evaluated(EvaluationPlan(sources, [choice], ("CC",)), progress)
    assert progress.seen == [(0, 3, "drei, mine"), (1, 3, "eins, mine")]


def test_methods_of_a_flat_collection(sources: Path, tmp_path: Path) -> None:
    """As VIFB and MEFB publish them; a name that begins another's does not take its files."""
    for index, scene in enumerate(("eins_2", "eins_2_b")):
        write(sources / "a" / f"{scene}.png", noise(index + 40))
        write(sources / "b" / f"{scene}.png", noise(index + 50))
    flat = tmp_path / "flat"
    write(flat / "eins_GFF.png", noise(60))
    write(flat / "zwei_GFF.jpg", noise(61))
    write(flat / "eins_2_GFF.png", noise(62))
    write(flat / "eins_2_b_DLF.png", noise(63))
    write(flat / "vier_GFF.png", noise(64))
    plan = EvaluationPlan(sources, [MethodChoice("collection", str(flat))], ("CC",))
    dlf, gff = evaluated(plan).methods
    assert (dlf.method.name, gff.method.name) == ("DLF", "GFF")
    assert [score.pair for score in dlf.pairs] == ["eins_2_b"]
    assert [score.pair for score in gff.pairs] == ["eins", "eins_2", "zwei"]
    assert gff.pairs[1].values == evaluate(noise(40), noise(50), noise(62), ["CC"])
    assert dlf.ignored == ("vier_GFF.png",)
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="called like a pair and a method"):
        evaluated(EvaluationPlan(sources, [MethodChoice("collection", str(tmp_path / "none"))]))
