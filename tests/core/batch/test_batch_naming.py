"""Names of results: what a template may say, and what a name can never do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.batch import BatchOptions, plan_batch, preview
from core.batch.naming import FIELDS, fill, safe_folder, same_name_key, split_template
from core.batch.plan import plan_rows, row_key
from core.errors import InputError
from core.pairing.folders import Match, PairingPlan

PAIR = Match("scene", Path("/in/a/scene_ir.png"), Path("/in/b/scene_vis.jpg"), "test")


def options(out: Path, **more: object) -> BatchOptions:
    return BatchOptions("ivif", "average", out=out, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{name}", "scene.png"),
        ("{a_stem}_{task}.png", "scene_ir_ivif.png"),
        ("{b_stem}-{method}-{index}", "scene_vis-average-7.png"),
        ("{index:04}", "0007.png"),
        ("{task}/{name}", "ivif/scene.png"),
        ("{{{name}}}.TIF", "{scene}.tif"),
        ("result.v2 {name}", "result.v2 scene.png"),
    ],
)
def test_fields(tmp_path: Path, template: str, name: str) -> None:
    assert preview(PAIR, options(tmp_path, template=template), 7) == Path(name)


@pytest.mark.parametrize(
    ("template", "word"),
    [
        ("{nam}", "no field"),
        ("{}", "no field"),
        ("{name.__class__}", "no field"),
        ("{name!r}", "no format"),
        ("{name:>99999}", "no format"),
        ("{index:099999999}", "no format"),
        ("{name", "brace|expected|single"),
        ("../{name}", "leaves"),
        ("x/../../{name}", "leaves"),
        ("/etc/{name}", "leaves"),
        ("C:{name}", "not allowed"),
        ("a\\{name}", "not allowed"),
        ("{name}\0", "not allowed"),
        ("", "empty"),
        (".png", "empty"),
    ],
)
def test_bad_templates_are_refused(tmp_path: Path, template: str, word: str) -> None:
    with pytest.raises(InputError, match=f"(?i){word}"):
        preview(PAIR, options(tmp_path, template=template), 1)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"format": "psd"}, "Unknown format"),
        ({"format": "tif", "template": "{name}.png"}, "suffix"),
        ({"depth": 32}, "PNG holds at most 16"),
        ({"depth": 16, "format": "jpg"}, "JPG holds at most 8"),
        ({"depth": 12}, "12 bits"),
        ({"workers": 0}, "workers"),
        ({"task": "sculpture"}, "Unknown task"),
    ],
)
def test_bad_options_are_refused(tmp_path: Path, more: dict[str, object], word: str) -> None:
    bad = replace(options(tmp_path), **more)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=word):
        plan_batch(PairingPlan((PAIR,)), bad)


_NASTY = st.text(
    alphabet=st.sampled_from('ab./\\:*?"<>|\0\n ~%é\udcff') | st.characters(), max_size=12
)


@given(name=_NASTY, a=_NASTY, folder=st.lists(_NASTY, max_size=3))
def test_no_name_leaves_the_output_folder(name: str, a: str, folder: list[str]) -> None:
    match = Match(name or "x", Path("/in") / f"{a.replace('/', '')}.png", Path("/in/b.png"), "")
    for template in ("{name}", "{a_stem}", "{name}/{a_stem}", "x/{name}{a_stem}.{index}"):
        path = safe_folder(Path(*folder) if folder else Path()) / fill(
            template, match, "mif", "", 1
        )
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert path.parts
        for part in path.parts:
            assert part == part.strip()
            assert not part.startswith(".")
            assert not part.endswith(".")
            assert not set(part) & set('\\:*?"<>|\0\n')


def test_names_that_windows_keeps_for_itself() -> None:
    for name in ("con", "NUL", "com1", "aux.x"):
        assert fill("{name}", replace(PAIR, name=name), "mif", "", 1).name == f"_{name}"


def test_one_name_twice_is_numbered_in_order(tmp_path: Path) -> None:
    matches = tuple(
        Match(name, Path(f"/in/{i}/a.png"), Path(f"/in/{i}/b.png"), "test", Path(f"f{i}"))
        for i, name in enumerate(["x", "X", "x_2", "x"])
    )
    flat = options(tmp_path, keep_tree=False)
    rows = plan_rows(PairingPlan(matches), flat).rows
    assert [row.target.name for row in rows] == ["x.png", "X_2.png", "x_2_2.png", "x_3.png"]
    assert [bool(row.note) for row in rows] == [False, True, True, True]
    assert len({same_name_key(row.target) for row in rows}) == 4
    assert plan_rows(PairingPlan(matches), flat).rows == rows
    tree = plan_rows(PairingPlan(matches), options(tmp_path)).rows
    assert [row.target.as_posix() for row in tree] == [
        "f0/x.png",
        "f1/X.png",
        "f2/x_2.png",
        "f3/x.png",
    ]


def test_excluded_rows_and_repeated_pairs_are_left_out(tmp_path: Path) -> None:
    other = Match("y", Path("/in/c.png"), Path("/in/d.png"), "test")
    plan = PairingPlan((PAIR, other, PAIR)).exclude([1])
    assert [row.match.name for row in plan_rows(plan, options(tmp_path)).rows] == ["scene"]


def test_a_row_is_known_by_its_files_in_order() -> None:
    assert row_key(PAIR) == row_key(replace(PAIR, name="else", reason="x"))
    assert row_key(PAIR) != row_key(replace(PAIR, a=PAIR.b, b=PAIR.a))


def test_the_suffix_of_a_template_is_its_format(tmp_path: Path) -> None:
    assert split_template("{name}.tiff") == ("{name}", ".tiff")
    assert options(tmp_path, template="{name}.webp").suffix == ".webp"
    assert options(tmp_path, format="JPG").suffix == ".jpg"
    assert all(text for text in FIELDS.values())
