"""Scoring folders, and the table."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from app.cli.score_table import render_table
from core.baselines import BASELINES
from core.errors import Cancelled, InputError, OutputError
from core.metrics import Luma, evaluate, psnr_pair, to_luma8
from core.metrics.evaluation import (
    ImageScore,
    MethodScore,
    common_images,
    read_luma8,
    score_folder,
    score_with,
    write_csv,
)
from core.pairing.folders import Match


def write(path: Path, image: Luma) -> Luma:
    path.parent.mkdir(parents=True, exist_ok=True)
    PilImage.fromarray(image).save(path)
    return image


def noise(seed: int, size: tuple[int, int] = (20, 24)) -> Luma:
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)


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
    score = score_folder(sources, results, ["MI", "CC"])
    assert score.method == "mine"
    assert [image.name for image in score.images] == ["drei", "eins", "zwei"]
    assert score.missing == score.ignored == score.problems == ()
    by_name = {image.name: image.values for image in score.images}
    assert by_name["zwei"] == evaluate(noise(1), noise(11), fused["zwei"], ["MI", "CC"])
    assert list(by_name["eins"]) == ["MI", "CC", "PSNR_gt", "SSIM_gt"]
    assert by_name["eins"]["PSNR_gt"] == psnr_pair(noise(20), fused["eins"])
    means = score.means()
    assert means["MI"] == pytest.approx(np.mean([values["MI"] for values in by_name.values()]))
    assert means["PSNR_gt"] == by_name["eins"]["PSNR_gt"]
    assert "Means over 3 pairs.\nGround truth is there for 1 of them." in render_table([score])


def test_missing_foreign_and_doubled_results_are_told(sources: Path, tmp_path: Path) -> None:
    results = tmp_path / "mine"
    for name in ("eins.png", "zwei.png", "zwei.bmp", "vier.png", ".hidden.png"):
        write(results / name, noise(31))
    (results / "notes.txt").write_text("not a picture", encoding="utf-8")
    score = score_folder(sources, results, ["CC"])
    assert [image.name for image in score.images] == ["eins"]
    assert score.missing == ("drei", "zwei")
    assert score.ignored == ("vier.png",)
    assert len(score.problems) == 1
    assert "zwei.bmp, zwei.png" in score.problems[0]
    table = render_table([score])
    assert "Means over 1 pair." in table
    assert "mine has no result for: drei, zwei." in table
    assert "vier.png" in table


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
    sources, results = tmp_path / "set", tmp_path / "set" / "mine"
    for index, scene in enumerate(("eins", "zwei")):
        write(sources / a.format(scene), noise(index))
        write(sources / b.format(scene), noise(index + 10))
        write(results / result.format(scene), noise(30))
    score = score_folder(sources, results, ["CC"])
    assert [p.name for p in score.images] == [name.format("eins"), name.format("zwei")]
    assert score.missing == score.ignored == ()
    assert score.images[1].values == evaluate(noise(1), noise(11), noise(30), ["CC"])


def test_a_name_in_two_folders_needs_the_folder(tmp_path: Path) -> None:
    for scene in ("day", "night"):
        write(tmp_path / "set" / scene / "1_ir.png", noise(1))
        write(tmp_path / "set" / scene / "1_vis.png", noise(2))
    write(tmp_path / "mine" / "1.png", noise(3))
    with pytest.raises(InputError, match=r"its one picture does not have.*“day/1.png”"):
        score_folder(tmp_path / "set", tmp_path / "mine", ["CC"])
    write(tmp_path / "mine" / "night" / "1.png", noise(3))
    score = score_folder(tmp_path / "set", tmp_path / "mine", ["CC"])
    assert [p.name for p in score.images] == ["night/1"]
    assert score.missing == ("day/1",)
    assert score.ignored == ("1.png",)


@pytest.mark.parametrize("folder", ["gt", "GT", "ground_truth", "full_clear"])
def test_the_truth_is_found_whatever_its_folder_and_suffix(tmp_path: Path, folder: str) -> None:
    write(tmp_path / "source_1" / "1.png", noise(1))
    write(tmp_path / "source_2" / "1.png", noise(2))
    truth = write(tmp_path / folder / "1.bmp", noise(3))
    fused = write(tmp_path / "results" / "1.png", noise(4))
    score = score_folder(tmp_path, tmp_path / "results", ["CC"])
    assert score.images[0].values["PSNR_gt"] == psnr_pair(truth, fused)


def test_colour_results_count_by_their_luma(sources: Path, tmp_path: Path) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    path = tmp_path / "mine" / "eins.png"
    write(path, rgb)
    expected = np.asarray(PilImage.fromarray(rgb).convert("L"))
    np.testing.assert_array_equal(read_luma8(path), expected)
    score = score_folder(sources, path.parent, ["CC"])
    assert score.images[0].values["CC"] == evaluate(noise(0), noise(10), expected, ["CC"])["CC"]


def test_baselines_are_scored_without_files(sources: Path) -> None:
    def average(pair: Match) -> Luma | None:
        a, b = (read_luma8(path)[:, :, None].astype(np.float32) / 255 for path in (pair.a, pair.b))
        return None if pair.name == "drei" else to_luma8(BASELINES["average"].fuse(a, b))

    score = score_with(sources, average, ["MSE"], "average")
    assert score.missing == ("drei",)
    a, b = noise(0).astype(float), noise(10).astype(float)
    # Each source is half their difference away from the average, but for rounding to 8 bits.
    expected = ((a - b) ** 2).mean() / 4 / 255**2
    assert score.images[0].values["MSE"] == pytest.approx(expected, rel=1e-3)


def test_what_cannot_be_scored_is_refused_by_name(sources: Path, tmp_path: Path) -> None:
    results = tmp_path / "mine"
    with pytest.raises(InputError, match=r"mine.*no such folder"):
        score_folder(sources, results)
    write(results / "fused_eins.png", noise(1))
    with pytest.raises(InputError, match=r"its one picture does not have.*“drei.png”"):
        score_folder(sources, results)
    write(results / "eins.png", noise(1, (10, 12)))
    with pytest.raises(InputError, match=r"Pair “eins”.*12×10.*24×20"):
        score_folder(sources, results)
    (results / "eins.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with pytest.raises(InputError, match=r"eins\.png"):
        score_folder(sources, results)
    write(results / "eins.png", noise(1))
    with pytest.raises(InputError, match="Unknown metric “Beauty”"):
        score_folder(sources, results, ["Beauty"])
    write(sources / "gt" / "eins.png", noise(1, (3, 4)))
    with pytest.raises(InputError, match=r"gt.*ground truth is 4×3"):
        score_folder(sources, results)


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
    with pytest.raises(Cancelled):
        score_folder(sources, tmp_path / "mine", ["CC"], progress=progress)
    assert progress.seen == [(0, 3, "drei"), (1, 3, "eins")]


def method(name: str, **values: float) -> MethodScore:
    return MethodScore(name, (ImageScore("p", values),))


def test_best_is_bold_and_second_underlined() -> None:
    scores = [
        method("first", MI=3.0, MSE=0.3),
        method("second", MI=2.0, MSE=0.2),
        method("third", MI=1.0, MSE=0.1),
    ]
    lines = render_table(scores, "markdown").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:5]]
    assert cells[0] == ["Method", "MI ↑", "MSE ↓"]
    assert cells[2] == ["first", "**3.0000**", "0.3000"]
    assert cells[3] == ["second", "<u>2.0000</u>", "<u>0.2000</u>"]
    assert cells[4] == ["third", "1.0000", "**0.1000**"]
    assert len({len(line) for line in lines[:5]}) == 1


def test_ansi_marks_take_no_room() -> None:
    scores = [method("one", MI=3.0, PSNR=31.25), method("longer name", MI=12.0, PSNR=9.5)]
    ansi = render_table(scores, "ansi")
    assert "\x1b[1m12.000\x1b[0m" in ansi
    assert "\x1b[4m3.0000\x1b[0m" in ansi
    lines = [re.sub(r"\x1b\[\d+m", "", line) for line in ansi.splitlines()[:4]]
    assert len({len(line) for line in lines}) == 1


def test_equal_scores_share_a_place_and_a_lone_method_wins_nothing() -> None:
    scores = [method("a", MI=2.00001), method("b", MI=2.00002), method("c", MI=1.0)]
    table = render_table(scores)
    assert table.count("*2.0000*") == 2
    assert "_1.0000_" in table
    assert "*" not in render_table(scores[:1])


def test_means_compare_the_same_pictures() -> None:
    easy, hard = ImageScore("easy", {"MI": 5.0}), ImageScore("hard", {"MI": 1.0})
    both, only_easy = MethodScore("both", (easy, hard)), MethodScore("easy", (easy,), ("hard",))
    assert common_images([both, only_easy]) == {"easy"}
    table = render_table([both, only_easy])
    assert "3.0000" not in table
    assert "easy has no result for: hard." in table


def test_tables_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="name of its own"):
        render_table([method("a", MI=1.0), method("a", MI=2.0)])
    with pytest.raises(InputError, match="name of its own"):
        render_table([])
    other = MethodScore("b", (ImageScore("q", {"MI": 1.0}),))
    with pytest.raises(InputError, match="no pair that every method"):
        render_table([method("a", MI=1.0), other])


def test_csv_holds_every_picture_and_the_means(tmp_path: Path) -> None:
    scores = [
        MethodScore(
            "ours, new",
            (ImageScore("p", {"MI": 1.0, "PSNR_gt": 30.0}), ImageScore("q", {"MI": 2.0})),
        ),
        method("theirs", MI=0.123456789),
    ]
    path = tmp_path / "table.csv"
    write_csv(path, scores)
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert rows == [
        ["method", "picture", "MI", "PSNR_gt"],
        ["ours, new", "p", "1.000000", "30.000000"],
        ["ours, new", "q", "2.000000", ""],
        ["ours, new", "mean", "1.500000", "30.000000"],
        ["theirs", "p", "0.123457", ""],
        ["theirs", "mean", "0.123457", ""],
    ]
    with pytest.raises(OutputError):
        write_csv(tmp_path / "nowhere" / "table.csv", scores)


def test_real_multi_focus_pair_with_its_truth(shared_data: Path, tmp_path: Path) -> None:
    """Guided-filter fusion comes closer to the sharp picture than the average."""
    names = ("nyud_048",)
    folder = tmp_path / "sources"
    for part in ("a", "b", "gt"):
        for name in names:
            source = shared_data / "val" / "mff" / part / f"{name}.jpg"
            write(folder / part / f"{name}.png", np.asarray(PilImage.open(source).convert("L")))
    scores = []
    for baseline in (BASELINES["average"], BASELINES["guided"]):

        def fuse(pair: Match, fuse=baseline.fuse) -> Luma | None:  # type: ignore[no-untyped-def]
            a, b = (read_luma8(path)[:, :, None] / np.float32(255) for path in (pair.a, pair.b))
            return to_luma8(fuse(a, b))

        scores.append(score_with(folder, fuse, ["Qabf"], baseline.name))
    average, guided = (score.means() for score in scores)
    assert guided["Qabf"] > average["Qabf"]
    assert guided["PSNR_gt"] > average["PSNR_gt"]


def test_what_fits_no_pair_is_counted_as_people_do(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    with pytest.raises(InputError, match="there are no pictures in it"):
        score_folder(sources, tmp_path / "m")
    for name, told in (("x", "its one picture does not have"), ("y", "none of its 2 pictures has")):
        write(tmp_path / "m" / f"{name}.png", noise(3))
        with pytest.raises(InputError, match=told):
            score_folder(sources, tmp_path / "m")


def test_a_wrong_window_is_told_before_a_pair_is_read(sources: Path, tmp_path: Path) -> None:
    write(tmp_path / "m" / "eins.png", noise(3))
    for windows in (((5.0, 5.0), None), (None, (float("nan"), 3.0))):
        with pytest.raises(InputError, match="low end must be a number below") as told:
            score_folder(sources, tmp_path / "m", windows=windows)
        assert "eins" not in str(told.value)
