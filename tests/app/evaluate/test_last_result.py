"""The last result: kept whole, shown after a restart without scoring, refused when damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from math import isnan
from pathlib import Path

import pytest

from app.evaluate.controller import EvaluationController
from app.evaluate.last_result import load_result, save_result
from app.evaluate.settings import ChosenMethod, EvaluationChoices
from core.errors import Message
from core.evaluation.result import QuotedMeans, SetColumn
from core.progress import NullProgress
from core.types import PairTransform, Transform
from tests.app.evaluate.conftest import WAIT

MOVED = PairTransform(
    Transform.of("rigid", [[1, 0, 3], [0, 1, 4], [0, 0, 1]]), origin="rig", name="mast", crop=True
)
CHOICES = EvaluationChoices("ivif", "/pairs", (ChosenMethod("classical", "average"),))


def test_a_result_is_read_as_it_was_written(result, tmp_path):
    scored = replace(
        result.methods[0],
        missing=("p9",),
        problems=(Message("{0} is twice there.", "x"),),
        ignored=("z",),
    )
    whole = replace(
        result,
        methods=(scored, *result.methods[1:]),
        pairs=(replace(result.pairs[0], transform=MOVED), *result.pairs[1:]),
        settings={"task": "ivif"},
        created="2026-01-01T00:00:00+00:00",
        set_columns=(SetColumn("mAP50", {"best": 0.75}, "boxes.csv"), SetColumn("mIoU", {})),
        quoted=(QuotedMeans("U2Fusion", {"MI": 2.383}, "means.toml: a table", "PET"),),
    )
    save_result(tmp_path, CHOICES, whole, NullProgress())
    choices, found = load_result(tmp_path, NullProgress())
    assert choices == CHOICES
    assert isnan(found.methods[2].pairs[0].values["PSNR"])
    # NaN differs from itself.
    assert repr(found) == repr(whole)
    assert (found.set_columns, found.quoted) == (whole.set_columns, whole.quoted)
    assert isinstance(found.methods[0].pairs[7].error, Message)
    assert isinstance(found.methods[0].pairs[0].fused, Path)


def test_a_result_of_before_set_columns_is_read(result, tmp_path):
    save_result(tmp_path, CHOICES, result, NullProgress())
    file = tmp_path / "evaluation_result.json"
    data = json.loads(file.read_text())
    del data["result"]["set_columns"], data["result"]["quoted"]
    file.write_text(json.dumps(data))
    _, found = load_result(tmp_path, NullProgress())
    assert repr(found) == repr(result)


@pytest.mark.parametrize("text", ["", "[]", '{"version": 0}', '{"version": 1, "choices": {}}'])
def test_what_cannot_be_read_is_no_result(tmp_path, text):
    (tmp_path / "evaluation_result.json").write_text(text)
    assert load_result(tmp_path, NullProgress()) is None


def test_results_of_scans_are_not_kept(result, tmp_path):
    save_result(tmp_path, CHOICES, result, NullProgress())
    scan = replace(result.pairs[0], a=Path("/x/DOE_JANE.dcm"))
    named = replace(result, pairs=(scan, *result.pairs[1:]))
    save_result(tmp_path, CHOICES, named, NullProgress())
    assert load_result(tmp_path, NullProgress()) is None
    assert not list(tmp_path.glob("*.json"))


def test_the_next_session_shows_the_result_at_once(samples, tmp_path, qtbot, monkeypatch):
    home = tmp_path / "home"
    first = EvaluationController("mff", home)
    choices = EvaluationChoices(
        "mff", str(samples), (ChosenMethod("classical", "average"),), metrics=("MI",)
    )
    first.set_choices(choices)
    with qtbot.waitSignal(first.analysis_changed, timeout=WAIT):
        first.start()
    scored = first.analysis.summary
    first.shutdown()

    def not_again(*_: object) -> None:
        raise AssertionError("scored again")

    monkeypatch.setattr("app.evaluate.tasks.evaluate_choices", not_again)
    second = EvaluationController("mif", home)
    try:
        with qtbot.waitSignal(second.analysis_changed, timeout=WAIT):
            second.begin()
        assert second.analysis.summary == scored
        assert second.choices == second.evaluated
        assert not second.is_stale
    finally:
        second.shutdown()
