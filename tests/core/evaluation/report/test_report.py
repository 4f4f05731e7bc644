"""The four formats of the report."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from core.errors import InputError, OutputError
from core.evaluation.report import write_csv, write_html, write_pdf, write_tex
from core.evaluation.report.atlas import atlas, thumbnail_jpeg, worst_pairs
from core.evaluation.report.comparisons import verdict
from core.evaluation.report.content import values_by_method, warning_of
from core.evaluation.result import EvaluationResult, QuotedMeans, SetColumn
from core.evaluation.statistics import PairedComparison
from core.io import write_image
from core.types import PairTransform, Transform
from tests.core.evaluation.conftest import HOSTILE


@pytest.fixture(scope="module")
def page(result: EvaluationResult, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_html(result, path, reference="first", worst=1)
    return path.read_text("utf-8")


class _Tags(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def tags(page: str) -> _Tags:
    parser = _Tags()
    parser.feed(page)
    return parser


def test_page_escapes_names_and_loads_nothing(page: str, tags: _Tags) -> None:
    assert any(HOSTILE in text for text in tags.text)
    assert not any("onerror" in attributes for _, attributes in tags.tags)
    assert not any(name == "c" for name, _ in tags.tags)
    links = [value for _, attributes in tags.tags for name, value in attributes.items()
             if name in ("src", "href", "xlink:href") and value]  # fmt: skip
    assert all(link.startswith(("data:image/jpeg;base64,", "#")) for link in links)
    assert "@import" not in page
    assert sum(name == "script" for name, _ in tags.tags) == 1


def test_page_has_a_chart_of_each_kind_that_follows_the_theme(page: str) -> None:
    charts = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(charts) == 5  # two distributions, one scatter, two of lines
    for chart in charts:
        ElementTree.fromstring(chart.replace("xlink:href", "href"))
        assert "currentColor" in chart
        assert "#010101" not in chart
        assert "var(--rule)" in chart
    assert any("se&lt;c&gt;ond &amp; co_1" in chart for chart in charts)


def test_only_packs_are_called_ai_generated(result: EvaluationResult) -> None:
    kinds = ("pack", "classical", "command")
    methods = tuple(
        replace(scores, method=replace(scores.method, kind=kind))
        for scores, kind in zip(result.methods, kinds, strict=True)
    )
    medical = replace(result, settings={**result.settings, "task": "mif"})
    assert (
        warning_of(replace(medical, methods=methods))
        == "Research use only – AI-generated images: first"
    )
    assert warning_of(replace(medical, methods=methods[1:])) == "Research use only"
    infrared = replace(medical, settings={**result.settings, "task": "ivif"})
    assert warning_of(replace(infrared, methods=methods)) == ""


def test_page_says_what_is_missing_undefined_and_meant(page: str, tags: _Tags) -> None:
    text = " ".join(tags.text)
    assert "third failed on p5: /home/ann/x.png: too large" in text
    assert "third: MI is undefined on 1 of 4 pairs" in text
    assert "stray.png" in text
    assert "Research use only" in text
    assert "Shreyamsha Kumar" in text  # the reference of Nabf
    assert "1.2.3" in text
    assert "With 3 pairs the test cannot show a difference" in text
    # Means of MI without the fourth pair, on which it is undefined for “third”.
    assert "MI is averaged for every method over the same 3 of 4 pairs." in text
    assert "<b>3.0000</b>" in page  # (2 + 3 + 4) / 3
    assert page.count("<u>2.0000</u>") == 2


def test_page_shows_the_worst_pairs(tags: _Tags, result: EvaluationResult) -> None:
    found = {
        (pair, reason.metric, reason.method, reason.value)
        for pair, reasons in worst_pairs(result, 1).items()
        for reason in reasons
    }
    # Lowest MI: 1 on the first pair and on the second; the first comes first.
    assert found == {(HOSTILE, "MI", "first", 1.0), ("p4", "Nabf", "se<c>ond & co_1", 0.5)}
    pictures = [a["src"] for name, a in tags.tags if name == "img" and a.get("src")]
    assert len(pictures) == 2 * 4  # two sources and two kept results of two pairs
    assert tags.text.count("not kept") == 2
    first = Image.open(io.BytesIO(b64decode(str(pictures[0]).split(",")[1])))
    pixels = np.asarray(first)
    assert first.size == (256, 32)
    assert pixels[:, 0].mean() < 8  # the 16-bit ramp, from black to white
    assert pixels[:, -1].mean() > 247
    colours = np.asarray(Image.open(io.BytesIO(b64decode(str(pictures[1]).split(",")[1]))))
    assert colours[16, 128] == pytest.approx((200, 0, 0), abs=4)


def test_thumbnails_of_single_pixels_and_thin_pictures() -> None:
    for shape in ((1, 1, 1), (1, 3000, 3)):
        jpeg = thumbnail_jpeg(np.full(shape, 0.5, np.float32))
        size = Image.open(io.BytesIO(jpeg)).size
        assert max(size) <= 256
        assert min(size) >= 1


def test_the_same_result_gives_the_same_files_and_no_name_where_none_is_wanted(
    page: str, result: EvaluationResult, tmp_path: Path
) -> None:
    small = replace(result, metrics=("MI",))
    for name in ("one", "two"):
        write_html(small, tmp_path / f"{name}.html", anonymous=True, worst=1)
        write_pdf(small, tmp_path / f"{name}.pdf", anonymous=True, worst=1)
    write_csv(small, tmp_path / "table.csv", anonymous=True)
    for suffix in ("html", "pdf"):
        one, two = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in ("one", "two"))
        assert one == two
    for file in ("one.html", "table.csv"):
        text = (tmp_path / file).read_text("utf-8")
        assert "Pair 1" in text
        for name in ("home", "night", "stray", "p2", "p5"):
            assert not re.search(rf"\b{name}\b", re.sub(r"base64,[^\"]*", "", text)), name


def test_pdf_holds_tables_charts_and_pictures(result: EvaluationResult, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_pdf(result, path, reference="third", worst=1)
    data = path.read_bytes()
    assert data.startswith(b"%PDF-")
    assert data.count(b"/Subtype /Image") >= 2
    if shutil.which("pdftotext") is None:
        return
    text = subprocess.run(
        ["pdftotext", "-layout", path, "-"], capture_output=True, check=True
    ).stdout.decode()
    assert "se<c>ond & co_1" in text
    assert "Mutual information, MI ↑" in text  # the axis of a chart, as text
    assert "Is the difference from third more than chance?" in text
    assert "worst in N_AB/F" in text


def test_pdf_takes_more_methods_than_a_page_has_room_for(
    result: EvaluationResult, tmp_path: Path
) -> None:
    first = result.methods[0]
    many = tuple(
        replace(first, method=replace(first.method, name=f"{i} {'long name ' * 12}"))
        for i in range(30)
    )
    path = tmp_path / "many.pdf"
    write_pdf(replace(result, methods=many, metrics=("MI",)), path, worst=1)
    assert path.read_bytes().count(b"/Type /Page\n") > 4


def test_tex_is_escaped_and_balanced(result: EvaluationResult, tmp_path: Path) -> None:
    path = tmp_path / "table.tex"
    write_tex(result, path)
    text = path.read_text("utf-8")
    lines = text.splitlines()
    rows = [line for line in lines if " & " in line]
    assert all(line.endswith(r" \\") for line in rows)
    assert {len(re.findall(r"(?<!\\)&", line)) for line in rows} == {3}
    assert rows[0] == (
        r"Method & MI $\uparrow$ & $N_{\mathrm{AB/F}}$ $\downarrow$ & Mean rank $\downarrow$ \\"
    )
    assert rows[2].startswith(r"se<c>ond \& co\_1 & \textbf{3.0000} & 0.3000 & ")
    assert rows[1].startswith(r"first & \underline{2.0000} & \underline{0.2500} & ")
    body = re.sub(r"^%.*$", "", text, flags=re.MULTILINE)
    assert len(re.findall(r"(?<!\\)\{", body)) == len(re.findall(r"(?<!\\)\}", body))
    assert re.findall(r"\\(begin|end)\{(\w+)\}", text) == [
        ("begin", "table"), ("begin", "tabular"), ("end", "tabular"), ("end", "table"),
    ]  # fmt: skip


def test_csv_has_all_values_and_the_means_of_the_table(
    result: EvaluationResult, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    write_csv(result, path)
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
    assert list(rows[0]) == [
        "method", "picture", "group", "MI", "Nabf", "seconds", "first", "peak_bytes",
        "device_peak_bytes", "error", "MI_ms", "Nabf_ms",
    ]  # fmt: skip
    assert len(rows) == 3 * 6
    first, third = rows[:6], rows[12:]
    assert first[0]["picture"] == HOSTILE
    assert (first[0]["MI"], first[0]["seconds"], first[0]["MI_ms"]) == (
        "1.000000", "0.500000", "2.000",
    )  # fmt: skip
    assert (first[5]["picture"], first[5]["MI"]) == ("mean", "2.000000")  # without p4, p5
    assert (first[5]["MI_ms"], first[5]["Nabf_ms"]) == ("2.000", "4.000")
    assert third[3]["MI"] == ""
    assert third[4]["error"] == "/home/ann/x.png: too large"


def test_what_cannot_be_reported_is_refused(result: EvaluationResult, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing was evaluated"):
        write_html(replace(result, methods=()), tmp_path / "x.html")
    with pytest.raises(InputError, match="nobody"):
        write_pdf(result, tmp_path / "x.pdf", reference="nobody")
    with pytest.raises(OutputError):
        write_tex(result, tmp_path / "nowhere" / "x.tex")
    assert not list(tmp_path.iterdir())


def test_verdicts_follow_direction_and_correction() -> None:
    def said(metric: str, difference: float, p: float, half: float = 0.05) -> str:
        return verdict(
            PairedComparison(
                "x",
                metric,
                pairs=9,
                difference=difference,
                low=difference - half,
                high=difference + half,
                p=p / 2,
                p_holm=p,
            )
        )

    assert said("MI", 0.1, 0.01) == "better"
    assert said("Nabf", 0.1, 0.01) == "worse"
    assert said("MI", -0.1, 0.01) == "worse"
    assert said("MI", 0.1, 0.06) == "no difference shown"
    assert said("MI", 0.1, 0.01, half=0.2) == "unclear"
    assert said("MI", float("nan"), float("nan")) == "not comparable"


def test_charts_and_worst_pairs_are_over_the_pairs_of_the_means(result: EvaluationResult) -> None:
    """“third” has no MI on p4, whose MI of the others is in no mean and no chart."""
    shown = values_by_method(result, "MI")
    assert [np.isnan(values[3]) for values in shown.values()] == [True, True, True]
    assert shown["first"][:3] == [1.0, 2.0, 3.0]
    assert values_by_method(result, "Nabf")["third"] == [0.05, 0.3, 0.2, 0.1]
    # 4.0 and 5.0 are not the worst values, but for a metric where less is better they would be.
    turned = replace(
        result,
        methods=tuple(
            replace(
                scores,
                pairs=tuple(
                    replace(one, values={"Nabf": one.values["MI"]}) if one.values else one
                    for one in scores.pairs
                ),
            )
            for scores in result.methods
        ),
        metrics=("Nabf",),
    )
    assert list(worst_pairs(turned, 1)) == ["p3"]
    assert worst_pairs(turned, 1)["p3"][0].value == 4.0


def test_charts_hold_single_numbers(result: EvaluationResult, tmp_path: Path) -> None:
    whole = replace(
        result,
        set_columns=(SetColumn("mAP", {"first": 0.5, "third": 0.25}),),
        quoted=(QuotedMeans("Theirs", {"MI": 2.5}, "a table"),),
    )
    write_html(whole, tmp_path / "r.html", worst=0)
    text = (tmp_path / "r.html").read_text("utf-8")
    charts = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    labels = [re.search(r'aria-label="(.*?)"', chart)[1] for chart in charts]
    assert [label for label in labels if label.startswith("Distribution")] == [
        "Distribution of Mutual information, MI ↑",
        "Distribution of Artefacts, N_AB/F ↓",
        "Distribution of Mean average precision at IoUs of .5 to .95, mAP ↑",
    ]
    assert "Theirs (quoted)" in charts[0]
    assert "Theirs (quoted)" not in charts[1]
    assert "third" in charts[2]
    assert "Hollow diamond: a single number" in text


def test_the_atlas_shows_sources_as_they_were_laid_on_each_other(
    result: EvaluationResult, tmp_path: Path
) -> None:
    whole = np.zeros((40, 64, 1), np.float32)
    whole[10:20, 16:24] = 1
    write_image(tmp_path / "a.png", whole[:, :48], bit_depth=8)
    write_image(tmp_path / "b.png", whole[:, 16:], bit_depth=8)
    by = PairTransform(Transform.of("translation", [[1, 0, -16], [0, 1, 0], [0, 0, 1]]))
    files = {"a": tmp_path / "a.png", "b": tmp_path / "b.png", "transform": by}
    laid = replace(result, pairs=tuple(replace(pair, **files) for pair in result.pairs))
    entry = next(iter(atlas(laid, 1)))
    shown = [np.asarray(Image.open(io.BytesIO(t.jpeg))) for t in entry.thumbnails[:2]]
    assert [one.shape for one in shown] == [(40, 48), (40, 48)]
    for one in shown:
        assert one[15, 20] > 200
        assert one[15, 36] < 50  # where B shows it by itself
    assert shown[1][:, :15].max() < 30  # nothing is known of B there
