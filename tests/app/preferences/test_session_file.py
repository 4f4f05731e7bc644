"""The session on disk: what is in it, who may write it, and what a crash leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.preferences.session_autosave import SessionAutosave
from app.preferences.session_file import (
    ListedPair,
    Snapshot,
    dataclass_from_json,
    from_json,
    is_over,
    to_json,
)
from app.viewer.display_state import (
    COMPARE_MODES,
    LAYOUTS,
    Compare,
    DisplayState,
    FeatureView,
    PaneDisplay,
)
from core.io.atomic import atomic_write
from core.types import PairTransform, Transform

_REPO = Path(__file__).resolve().parents[3]

_number = st.floats(-1e6, 1e6)
_looks = st.builds(
    PaneDisplay,
    window=st.none() | st.tuples(_number, _number),
    palette=st.sampled_from(["grey", "hot"]),
)
_displays = st.builds(
    DisplayState,
    a=_looks,
    b=_looks,
    fused=_looks,
    compare=st.builds(
        Compare, mode=st.sampled_from(COMPARE_MODES), position=_number, overlaid=st.booleans()
    ),
    features=st.builds(
        FeatureView, adapter=st.sampled_from(["a", "b"]), channel=st.integers(0, 99)
    ),
    layout=st.sampled_from(LAYOUTS),
    crosshair=st.booleans(),
)
_transforms = st.builds(
    PairTransform,
    transform=st.builds(
        lambda x, y: Transform.of("translation", [[1, 0, x], [0, 1, y], [0, 0, 1]]),
        st.floats(-99, 99),
        st.floats(-99, 99),
    ),
    moving=st.sampled_from(["a", "b"]),
    origin=st.sampled_from(["registered", "file", "rig", "hand"]),
    verdict=st.sampled_from([None, "good", "doubtful"]),
    crop=st.booleans(),
)
_paths = st.none() | st.text("abcü €/\udcff", min_size=1).map(lambda text: Path(text + ".png"))


@settings(deadline=None, max_examples=60)
@given(
    st.builds(
        Snapshot,
        task=st.sampled_from(["mif", "mff"]),
        method=st.text(max_size=5),
        a=_paths,
        b=_paths,
        pairs=st.lists(
            st.just(ListedPair(Path("x/ä.png"), Path("y.png"), "1", Path("p"))), max_size=2
        ).map(tuple),
        display=_displays,
        transform=st.none() | _transforms,
    )
)
def test_a_session_comes_back_as_it_was(snapshot):
    assert from_json(to_json(snapshot)) == snapshot


@pytest.mark.parametrize("transform", [5, {}, {"moving": "a"}, [], "x"])
def test_a_transform_of_another_version_costs_no_session(transform):
    data = {"version": 1, "task": "mif", "a": "x.png", "transform": transform}
    assert from_json(json.dumps(data).encode()) == Snapshot("mif", a=Path("x.png"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"version": 2, "task": "mif"}',
        b'{"version": 1, "task": "tomography"}',
        b'{"version": 1, "task": ["mif"]}',
        b'{"version": 1, "task": "mif", "a": 5}',
        b'{"version": 1, "task": "mif", "a": "x\\u0000y"}',
        b'{"version": 1, "task": "mif", "pairs": [["x"]]}',
        b'{"version": 1, "task": "mif", "pairs": 3}',
        b'{"version": 1, "task": "mif", "method": {}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_session_is_said_to_be_none(data):
    with pytest.raises((ValueError, RecursionError)):
        from_json(data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (None, DisplayState()),
        ({"layout": "spiral", "crosshair": True}, DisplayState(crosshair=True)),
        ({"crosshair": 1, "news": {}, "a": "grey"}, DisplayState()),
        ({"a": {"window": [0, 5], "palette": 7}}, DisplayState(a=PaneDisplay((0, 5)))),
        ({"a": {"window": [0, 1, 2]}}, DisplayState()),
        ({"a": {"window": [0, float("nan")]}, "b": {"window": None}}, DisplayState()),
        ({"a": {"window": [0, 10**400]}}, DisplayState()),
        ({"features": {"channel": True}}, DisplayState()),
    ],
)
def test_display_settings_of_another_kind_stay_as_delivered(data, expected):
    assert dataclass_from_json(DisplayState(), data) == expected


# --- keeping -----------------------------------------------------------------------------------


class Holder:
    """Something to keep."""

    def __init__(self) -> None:
        self.snapshot = Snapshot("mif", "laplacian", Path("/data/pet.png"), Path("/data/mri.png"))

    def __call__(self) -> Snapshot:
        return self.snapshot


@pytest.fixture
def holder() -> Holder:
    return Holder()


def test_a_proper_end_is_no_crash_and_the_session_is_there(qapp, tmp_path, holder):
    folder = tmp_path / "not" / "there yet"
    autosave = SessionAutosave(folder, holder)
    first = autosave.begin()
    assert (first.snapshot, first.crashed, first.notice) == (None, False, "")
    autosave.end()
    assert [path.name for path in folder.iterdir()] == ["session.json"]
    again = SessionAutosave(folder, holder)
    second = again.begin()
    assert (second.snapshot, second.crashed, second.notice) == (holder.snapshot, False, "")
    again.end()


def test_changes_are_written_while_the_program_runs(qtbot, tmp_path, holder):
    autosave = SessionAutosave(tmp_path, holder)
    autosave.begin()
    holder.snapshot = replace(holder.snapshot, display=DisplayState(crosshair=True))
    autosave.note_change()
    file = tmp_path / "session.json"
    qtbot.waitUntil(file.exists, timeout=10_000)
    assert from_json(file.read_bytes()) == holder.snapshot
    assert "pixel" not in file.read_text(encoding="utf-8")
    autosave.end()


def test_a_sample_does_not_replace_the_session_before(qapp, tmp_path, holder):
    autosave = SessionAutosave(tmp_path, holder)
    autosave.begin()
    autosave.end()
    kept = holder.snapshot
    holder.snapshot = Snapshot("mff")
    autosave = SessionAutosave(tmp_path, holder)
    autosave.begin()
    autosave.end()
    assert from_json((tmp_path / "session.json").read_bytes()) == kept


def crashed(autosave: SessionAutosave) -> None:
    """End a autosave as a killed program ends: nothing more is written, and the mark stays."""
    mark = autosave._folder / "running.lock"
    left = mark.read_bytes()
    autosave._timer.stop()
    autosave._runner.shutdown()
    autosave._mark.unlock()
    mark.write_bytes(left.replace(str(os.getpid()).encode(), b"99999999"))


def test_a_crash_without_files_does_not_offer_the_pair_of_the_session_before(
    qapp, tmp_path, holder
):
    autosave = SessionAutosave(tmp_path, holder)
    autosave.begin()
    autosave.end()
    before, holder.snapshot = holder.snapshot, Snapshot("mff")
    second = SessionAutosave(tmp_path, holder)
    second.begin()
    crashed(second)
    third = SessionAutosave(tmp_path, holder)
    previous = third.begin()
    assert previous.crashed
    assert previous.of_earlier
    assert previous.snapshot == before  # for “Reopen last session”, which asks nobody
    third.end()


def test_a_pair_that_was_offered_after_a_crash_is_not_offered_after_the_next(
    qtbot, tmp_path, holder
):
    autosave = SessionAutosave(tmp_path, holder)
    autosave.begin()
    autosave.note_change()
    qtbot.waitUntil((tmp_path / "session.json").exists, timeout=10_000)
    crashed(autosave)
    holder.snapshot = Snapshot("mff")
    second = SessionAutosave(tmp_path, holder)
    previous = second.begin()
    assert (previous.crashed, previous.of_earlier) == (True, False)
    qtbot.waitUntil(lambda: is_over((tmp_path / "session.json").read_bytes()), timeout=10_000)
    crashed(second)
    third = SessionAutosave(tmp_path, holder)
    assert third.begin().of_earlier
    third.end()


def test_a_session_that_was_closed_before_the_end_is_over_all_the_same(qtbot, tmp_path, holder):
    autosave = SessionAutosave(tmp_path, holder)
    autosave.begin()
    autosave.note_change()
    qtbot.waitUntil((tmp_path / "session.json").exists, timeout=10_000)
    qtbot.waitUntil(lambda: autosave._written != b"", timeout=10_000)
    holder.snapshot = Snapshot("mff")  # the pictures were closed
    autosave.end()
    second = SessionAutosave(tmp_path, holder)
    second.begin()
    crashed(second)
    third = SessionAutosave(tmp_path, holder)
    assert third.begin().of_earlier
    third.end()


@pytest.mark.parametrize(
    "mark",
    [
        b"",
        b"4711",
        b"no mark at all \xff\xfe",
        b"99999999\npython3\nthis machine under its former name\n\n\n",
        b"1\npython3\nanother machine\n\n\n",
    ],
)
def test_a_mark_that_nobody_holds_is_healed(qapp, tmp_path, holder, mark):
    atomic_write(tmp_path / "session.json", to_json(holder.snapshot))
    (tmp_path / "running.lock").write_bytes(mark)
    autosave = SessionAutosave(tmp_path, holder)
    previous = autosave.begin()
    assert autosave.owns_session
    assert (previous.snapshot, previous.crashed) == (holder.snapshot, True)
    autosave.end()
    assert not (tmp_path / "running.lock").exists()


def test_a_mark_that_another_program_holds_is_respected(qapp, tmp_path, holder):
    code = (
        "import sys; from pathlib import Path; from PySide6.QtCore import QCoreApplication\n"
        "from app.preferences.session_autosave import SessionAutosave\n"
        "app = QCoreApplication([]); autosave = SessionAutosave(Path(sys.argv[1]), None)\n"
        "autosave.begin(); print(autosave.owns_session, flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=_REPO,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdout.readline() == "True\n"
        autosave = SessionAutosave(tmp_path, holder)
        autosave.begin()
        assert not autosave.owns_session
        autosave.end()
        assert (tmp_path / "running.lock").exists()
    finally:
        other.stdin.close()
        other.wait(20)
        other.stdout.close()


@pytest.mark.parametrize(
    "content",
    [
        to_json(Snapshot("mif", a=Path("/data/pet.png")))[:-20],
        b'{"version": 1, "task": "mif", "display": ' + b"[" * 50_000,
        b'{"version": 1, "task": "mif", "pairs": [[[[]]]]}',
        b'{"version": 1, "task": {"mif": 1}}',
        b'{"version": 1, "task": "mif", "a": ["x"]}',
    ],
)
def test_a_session_cut_short_or_of_wrong_types_is_ignored_and_said(qapp, tmp_path, holder, content):
    (tmp_path / "session.json").write_bytes(content)
    autosave = SessionAutosave(tmp_path, holder)
    previous = autosave.begin()
    assert previous.snapshot is None
    assert "could not be read" in previous.notice
    autosave.end()
    assert from_json((tmp_path / "session.json").read_bytes()) == holder.snapshot


def test_a_relative_path_is_no_session_for_another_folder(qapp, tmp_path, holder):
    snapshot = Snapshot("mif", a=Path("pet.png"), b=Path("mri.png"))
    atomic_write(tmp_path / "session.json", to_json(snapshot))
    autosave = SessionAutosave(tmp_path, holder)
    assert autosave.begin().snapshot is None
    autosave.end()


@pytest.mark.parametrize(
    ("window", "kept"), [((5.0, 1.0), None), ((3.0, 3.0), None), ((1.0, 5.0), (1.0, 5.0))]
)
def test_an_empty_window_is_not_shown_again(window, kept):
    display = DisplayState(a=PaneDisplay(window), compare=Compare(span=0.0, position=7.0)).checked()
    assert display.a.window == kept
    assert display.compare.span == Compare().span
    assert display.compare.position == 1.0


@pytest.mark.parametrize("content", [b"", b"{half", b'{"version": 99}'])
def test_a_damaged_session_is_ignored_and_said(qapp, tmp_path, holder, content):
    (tmp_path / "session.json").write_bytes(content)
    autosave = SessionAutosave(tmp_path, holder)
    previous = autosave.begin()
    assert previous.snapshot is None
    assert "could not be read" in previous.notice
    autosave.end()
    assert from_json((tmp_path / "session.json").read_bytes()) == holder.snapshot


def test_a_second_window_leaves_the_session_to_the_first(qapp, tmp_path, holder):
    first = SessionAutosave(tmp_path, holder)
    first.begin()
    other = Holder()
    other.snapshot = Snapshot("mff", a=Path("/other.png"))
    second = SessionAutosave(tmp_path, other)
    previous = second.begin()
    assert not second.owns_session
    assert (previous.crashed, previous.snapshot) == (False, None)
    second.note_change()
    second.end()
    assert not (tmp_path / "session.json").exists()
    assert first.owns_session
    first.end()


def test_after_a_killed_program_the_session_is_offered(qapp, tmp_path, holder):
    atomic_write(tmp_path / "session.json", to_json(holder.snapshot))
    code = (
        "import os, sys; from pathlib import Path; from PySide6.QtCore import QCoreApplication\n"
        "from app.preferences.session_autosave import SessionAutosave\n"
        "from app.preferences.session_file import Snapshot\n"
        "app = QCoreApplication([]); autosave = SessionAutosave(Path(sys.argv[1]), None)\n"
        "previous = autosave.begin(); print(autosave.owns_session, previous.crashed, flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=_REPO,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == (["True", "False"], "")
    assert (tmp_path / "running.lock").exists()
    autosave = SessionAutosave(tmp_path, holder)
    previous = autosave.begin()
    assert (previous.crashed, previous.snapshot) == (True, holder.snapshot)
    autosave.end()
    assert not (tmp_path / "running.lock").exists()


def test_a_folder_that_cannot_be_written_is_said_once_and_stops_nothing(qtbot, tmp_path, holder):
    autosave = SessionAutosave(tmp_path, holder)
    autosave.begin()
    # A folder in the file's place: the writing fails for root as for anybody.
    (tmp_path / "session.json").mkdir()
    heard = []
    autosave.failed.connect(heard.append)
    with qtbot.waitSignal(autosave.failed, timeout=10_000):
        autosave.note_change()
    assert "session.json" in str(heard[0])
    autosave.end()


def test_where_nothing_can_be_created_the_window_opens_all_the_same(qapp, tmp_path, holder):
    (tmp_path / "file").write_bytes(b"")
    autosave = SessionAutosave(tmp_path / "file" / "folder", holder)
    previous = autosave.begin()
    assert (previous.snapshot, previous.crashed) == (None, False)
    autosave.note_change()
    autosave.end()


def test_the_file_names_no_more_than_paths_and_settings(holder):
    found = json.loads(to_json(holder.snapshot))
    names = ["a", "b", "display", "method", "pairs", "scans", "slice", "task", "version"]
    assert sorted(found) == names
    assert sorted(found["slice"]) == ["a", "b", "frame_a", "frame_b", "index", "plane"]
    assert found["a"] == os.fspath(holder.snapshot.a)
