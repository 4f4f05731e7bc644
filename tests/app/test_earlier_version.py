"""A session that an earlier version kept is opened."""

from __future__ import annotations

from app.preferences.session_file import from_json
from app.viewer.display_state import DisplayState
from tests.earlier import old_files


def test_a_session_is_read(tmp_path):
    root = old_files(tmp_path / "earlier")
    kept = from_json((root / "session.json").read_bytes())
    assert (kept.task, kept.method) == ("mif", "laplacian")
    assert kept.a == root / "data" / "a" / "pair0.png"
    assert kept.b == root / "data" / "b" / "pair0.png"
    assert [pair.name for pair in kept.pairs] == ["pair0", "pair1", "pair2"]
    assert kept.display == DisplayState()
