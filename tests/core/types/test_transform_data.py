"""A pair's transform in a record is what it was."""

from __future__ import annotations

import json

import pytest

from core.types import PairTransform, Transform
from core.types.transform_data import transform_of_record, transform_record

_BENT = Transform.of("homography", [[1.1, 0.02, 3], [0.01, 0.9, 2], [1e-4, -1 / 3e4, 1]])
_ALL = [
    PairTransform(_BENT, "a", origin="rig", name="mast", crop=True),
    PairTransform(Transform.identity(3), "b", origin="registered", verdict="doubtful"),
    PairTransform(Transform.identity()),
]


@pytest.mark.parametrize("by", _ALL)
def test_a_record_gives_back_what_was_recorded(by):
    assert transform_of_record(json.loads(json.dumps(transform_record(by)))) == by


@pytest.mark.parametrize(
    "change",
    [
        {"moving": "c"},
        {"origin": "heaven"},
        {"verdict": "perfect"},
        {"transform": {}},
        {"transform": transform_record(_ALL[0])["transform"] | {"version": 9}},
        {"transform": transform_record(_ALL[0])["transform"] | {"kind": "rigid"}},
    ],
)
def test_a_changed_record_is_none(change):
    with pytest.raises(ValueError, match=r"."):
        transform_of_record(transform_record(_ALL[0]) | change)
    with pytest.raises(ValueError, match="no transform"):
        transform_of_record([])
