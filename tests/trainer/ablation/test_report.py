"""The report: mean ± SD worked out by hand, and the command that writes it."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from app.cli.main import app
from core.errors import OutputError
from tests.trainer.runs import CONFIG
from trainer.ablation.plan import AblationPlan
from trainer.ablation.report import check_report, format_spread, write_report
from trainer.ablation.results import RunResult
from trainer.ablation.summary import Spread, best_variants, partly_defined, summarise
from trainer.ablation.variants import VARIANTS


def result(variant: str, seed: int, *rows: dict[str, float]) -> RunResult:
    return RunResult(
        variant,
        replace(VARIANTS[variant].change(CONFIG), seed=seed),
        scores={f"p{i}": row for i, row in enumerate(rows)},
        steps=1,
        seconds=1.0,
        pairs=1,
        device="cpu",
        data_sha256="",
        validation_sha256="",
    )


def test_mean_and_deviation_are_over_the_seeds() -> None:
    full, less = summarise(
        [
            # Means over the pairs: 2, 4 and 9; their mean is 5, deviations −3, −1, 4: SD √(26/2).
            result("full", 0, {"MI": 1.0, "Nabf": 0.1}, {"MI": 3.0, "Nabf": 0.3}),
            result("full", 1, {"MI": 4.0, "Nabf": 0.2}, {"MI": 4.0, "Nabf": 0.2}),
            result("full", 2, {"MI": 8.0, "Nabf": 0.2}, {"MI": 10.0, "Nabf": 0.2}),
            # Of the seeds that both have, the differences are +1 and −1: mean 0, SD √2.
            result("no-adapter", 1, {"MI": 5.0, "Nabf": 0.1}),
            result("no-adapter", 2, {"MI": 8.0, "Nabf": 0.1}),
        ]
    )
    assert full.scores["MI"].mean == pytest.approx(5)
    assert full.scores["MI"].sd == pytest.approx(math.sqrt(13))
    assert format_spread(full.scores["MI"], "MI") == "5.000 ± 3.606"
    assert full.differences == {}
    assert less.seeds == (1, 2)
    assert less.differences["MI"].values == (1.0, -1.0)
    assert less.differences["MI"].sd == pytest.approx(math.sqrt(2))
    assert best_variants((full, less), "MI", 3) == {"no-adapter"}
    assert best_variants((full, less), "Nabf", 4) == {"no-adapter"}  # less is better


def test_a_metric_counts_where_it_is_defined() -> None:
    run = result("full", 0, {"MI": 1.0, "Qabf": 0.5}, {"MI": 3.0})
    assert run.means == {"MI": 2.0, "Qabf": 0.5}
    assert partly_defined([run]) == ("Qabf",)


def test_one_seed_has_no_deviation() -> None:
    assert math.isnan(Spread((0.5,)).sd)
    assert format_spread(Spread((0.5,)), "Qabf") == "0.5000"
    assert format_spread(Spread((0.5,)), "Qabf", "+") == "+0.5000"


def test_means_equal_as_printed_are_both_best() -> None:
    two = summarise(
        [result("full", 0, {"Qabf": 0.50001}), result("no-adapter", 0, {"Qabf": 0.50002})]
    )
    assert best_variants(two, "Qabf", 4) == {"full", "no-adapter"}


def test_the_command_reports_what_is_done(finished: AblationPlan, settings: Path) -> None:
    words = [
        "ablate", "--task=mif", f"--data={finished.data.parents[1]}", "--steps=2", "--seeds=2",
        "--variants=no-reconstruction", f"--config={settings}", "--batch=1", "--crop=32",
        f"--out={finished.out}", "--device=cpu",
        "--figure", str(finished.data / "a" / "pair0.png"), str(finished.data / "b" / "pair0.png"),
    ]  # fmt: skip
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert done.stdout.count("done before") == 4
    page = (finished.out / "mif.md").read_text(encoding="utf-8")
    assert "| full | ✓ | ✓ | ✓ | ✓ |" in page
    assert "| w/o reconstruction | ✓ | ✓ |  |  |" in page
    assert "stands in for DINOv3" in page
    assert "features of pair0.png, pair0.png" in page
    with (finished.out / "mif_pairs.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 2 * 2 * 2
    with (finished.out / "mif.csv").open(encoding="utf-8", newline="") as stream:
        table = {row["variant"]: row for row in csv.DictReader(stream)}
    own = {}
    for row in rows:
        if row["variant"] == "full":
            own.setdefault(row["seed"], []).append(float(row["MI"]))
    means = [sum(values) / len(values) for values in own.values()]
    assert float(table["full"]["MI_mean"]) == pytest.approx(sum(means) / 2)
    assert float(table["full"]["MI_sd"]) == pytest.approx(abs(means[0] - means[1]) / math.sqrt(2))
    figure = cv2.imread(str(finished.out / "mif_features.png"))
    assert figure is not None
    assert figure.shape[1] == 3 * 208 + 2 * 8


def test_the_command_refuses_what_it_cannot_run(tmp_path: Path) -> None:
    for words, reason in (
        (["--task=mif", f"--data={tmp_path}", "--seeds=0"], "at least one"),
        (["--task=mif", f"--data={tmp_path / 'none'}"], "no such folder"),
        (["--task=xyz", f"--data={tmp_path}"], "xyz"),
        (["--task=mif", f"--data={tmp_path}"], "no usable pair"),
    ):
        refused = CliRunner().invoke(app, ["ablate", f"--out={tmp_path / 'o'}", *words])
        assert refused.exit_code == 2
        assert reason in refused.stderr
    assert not (tmp_path / "o").exists()


def test_a_report_without_results_is_refused(finished: AblationPlan, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no run is finished"):
        write_report(replace(finished, out=tmp_path))


def test_a_report_replaces_an_earlier_one_and_nothing_else(
    finished: AblationPlan, tmp_path: Path
) -> None:
    files = write_report(finished, tmp_path)
    check_report(finished, tmp_path)
    write_report(finished, tmp_path)  # an earlier one of the same ablation
    files.page.write_text("My notes", encoding="utf-8")
    with pytest.raises(OutputError, match=r"mif\.md.*no report of an ablation"):
        write_report(finished, tmp_path)
    assert files.page.read_text(encoding="utf-8") == "My notes"
    files.page.unlink()
    files.table.write_text("mine,1\n", encoding="utf-8")
    with pytest.raises(OutputError, match=r"mif\.csv"):
        check_report(finished, tmp_path)
    assert files.table.read_text(encoding="utf-8") == "mine,1\n"


def test_a_report_never_replaces_a_picture_of_the_data(
    finished: AblationPlan, tmp_path: Path
) -> None:
    files = write_report(finished, tmp_path)
    assert files.figure is not None
    files.figure.unlink()
    files.figure.symlink_to(next((finished.data / "a").iterdir()))
    with pytest.raises(OutputError, match="one of the sources"):
        check_report(finished, tmp_path)


def test_the_command_refuses_before_it_trains(
    finished: AblationPlan, settings: Path, tmp_path: Path
) -> None:
    (tmp_path / "mif.csv").write_text("mine")
    refused = CliRunner().invoke(
        app,
        ["ablate", "--task=mif", f"--data={finished.data.parents[1]}", "--steps=2", "--seeds=1",
         f"--config={settings}", f"--out={tmp_path}", "--batch=1", "--crop=32"],
    )  # fmt: skip
    assert refused.exit_code == 2
    assert "no report of an ablation" in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mif.csv"]
