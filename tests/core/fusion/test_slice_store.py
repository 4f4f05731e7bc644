"""Fused slices on disk: kept through a kill, thrown away where they do not belong."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import Cancelled, OutputError
from core.fusion.slice_store import SliceStore, store_beside, tidy_beside
from core.fusion.slices import VolumePair, align
from core.fusion.volume_fusion import FusedSlice, SliceSettings
from core.messages import Message
from core.types import DeviceChoice, FusionResult, Volume

SETTINGS = SliceSettings("mif", "average", palettes=("grey", None))


def pair_of(seed: int = 1, count: int = 6) -> VolumePair:
    rng = np.random.default_rng(seed)
    a, b = (Volume(data=rng.random((count, 7, 9), np.float32), affine=np.eye(4)) for _ in range(2))
    return align(a, b)


def fused(index: int, method: str = "average", channels: int = 1) -> FusedSlice:
    pixels = np.full((7, 9, channels), index / 10, np.float32)
    result = FusionResult(
        fused=pixels, task="mif", method=method, device=DeviceChoice("cpu", "CPU", ""),
        provenance={"method": method, "software": "9"}, bit_depth=32,
    )  # fmt: skip
    return FusedSlice(index, pixels, result, (f"note {index % 2}",))


def _after_error(folder: Path, kind: type[BaseException], done: range) -> None:
    def slices() -> Iterator[FusedSlice]:
        yield from map(fused, done)
        raise kind

    with pytest.raises(kind), SliceStore(folder, pair_of(), SETTINGS) as store:
        store.fill(slices())


def test_notes_can_be_translated_before_and_after_a_run_is_taken_up(tmp_path: Path) -> None:
    """Templates and values are what another language is made of; both are kept on disk."""
    count = Message.plural("{0} slice", "{0} slices", 2)
    said = (Message("{0} voxels are {1}", 3, Message("empty")), count)

    def parts(notes: tuple[str, ...]) -> list[tuple[object, ...]]:
        assert all(isinstance(note, Message) for note in notes)
        return [(str(n), n.template, n.many, n.values) for n in notes if isinstance(n, Message)]

    def slices() -> Iterator[FusedSlice]:
        yield replace(fused(0), notes=said)
        assert parts(store.notes) == parts(said)
        raise RuntimeError

    store = SliceStore(store_beside(tmp_path / "out"), pair_of(), SETTINGS)
    with pytest.raises(RuntimeError), store:
        store.fill(slices())
    with SliceStore(store_beside(tmp_path / "out"), pair_of(), SETTINGS) as again:
        assert again.resumed == 1
        assert parts(again.notes[1:]) == parts(said)
        assert isinstance(parts(again.notes)[1][3][1], Message)


def test_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    """SIGKILL in another process after three of six slices, the last of them half noted."""
    folder = store_beside(tmp_path / "out")
    script = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from tests.core.fusion.test_slice_store import *\n"
        f"folder = Path({str(folder)!r})\n"
        "store = SliceStore(folder, pair_of(), SETTINGS).__enter__()\n"
        "store.fill(fused(index) for index in (4, 0, 2))\n"
        "with (folder / 'slices.jsonl').open('a') as stream:\n"
        '    stream.write(\'{"index": 3, "cr\')\n'
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    with SliceStore(folder, pair_of(), SETTINGS) as store:
        assert (store.resumed, store.missing) == (3, [1, 3, 5])
        assert store.fill(fused(index) for index in store.missing)
        np.testing.assert_array_equal(store.pixels[:, 0, 0, 0], np.float32(np.arange(6) / 10))
        kept = "3 slices of a run that had ended early were kept."
        assert store.notes == (kept, "note 0", "note 1")
        assert store.provenance["method"] == "average"
    assert list(tmp_path.iterdir()) == []


def test_pixels_that_are_not_as_noted_are_made_again(tmp_path: Path) -> None:
    _after_error(tmp_path / "s", RuntimeError, range(4))
    with (tmp_path / "s" / "slices.raw").open("r+b") as stream:
        stream.seek(2 * 7 * 9 * 4 + 5)
        stream.write(b"\xff")
    with SliceStore(tmp_path / "s", pair_of(), SETTINGS) as store:
        assert store.missing == [2, 4, 5]


@pytest.mark.parametrize(
    ("pair", "settings"),
    [
        (pair_of(2), SETTINGS),
        (pair_of(), replace(SETTINGS, windows=((0, 2), None))),
        (pair_of(), replace(SETTINGS, plane="coronal")),
        (pair_of(), replace(SETTINGS, palettes=("pet", None))),
    ],
)
def test_slices_of_other_sources_or_settings_are_not_taken(
    tmp_path: Path, pair: VolumePair, settings: SliceSettings
) -> None:
    _after_error(tmp_path / "s", RuntimeError, range(4))
    with SliceStore(tmp_path / "s", pair, settings) as store:
        assert store.resumed == 0


def test_slices_of_other_weights_are_made_again(tmp_path: Path) -> None:
    _after_error(tmp_path / "s", RuntimeError, range(4))
    with SliceStore(tmp_path / "s", pair_of(), SETTINGS) as store:
        assert not store.fill(fused(index, "maximum") for index in store.missing)
        assert store.missing == [0, 1, 2, 3, 5]
        assert store.fill(fused(index, "maximum") for index in store.missing)
        assert store.provenance["method"] == "maximum"


@pytest.mark.parametrize("kind", [Cancelled, KeyboardInterrupt])
def test_nothing_stays_of_a_cancelled_run(tmp_path: Path, kind: Any) -> None:
    _after_error(tmp_path / "s", kind, range(4))
    assert list(tmp_path.iterdir()) == []


def test_two_runs_do_not_write_the_same_result(tmp_path: Path) -> None:
    with SliceStore(tmp_path / "s", pair_of(), SETTINGS) as store:
        store.fill([fused(0)])
        with (
            pytest.raises(OutputError, match="another run"),
            SliceStore(tmp_path / "s", pair_of(), SETTINGS),
        ):
            pass
        assert store.fill(fused(index) for index in store.missing)


def test_a_disk_without_room_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with (
        pytest.raises(OutputError, match=r"MB on the disk.*Free some space") as told,
        SliceStore(tmp_path / "s", pair_of(), SETTINGS),
    ):
        pass
    assert str(tmp_path) in str(told.value), "the whole path that was given is named"
    assert list(tmp_path.iterdir()) == []


def test_grey_slices_as_colours(tmp_path: Path) -> None:
    with SliceStore(tmp_path / "s", pair_of(), SETTINGS) as store:
        store.fill(fused(index) for index in range(6))
        colours = store.colour_slices()
        assert colours.shape == (6, 7, 9, 3)
        assert colours[5].dtype == np.uint8
        assert (colours[5] == 128).all()


def test_what_other_runs_left_is_told_and_goes_after_a_month(tmp_path: Path) -> None:
    """Not of this output, not of a run that goes on, and nothing that somebody else put there."""
    _after_error(store_beside(tmp_path / "other"), ValueError, range(3))
    _after_error(store_beside(tmp_path / "own"), ValueError, range(3))
    strange = tmp_path / ".strange.unfinished"
    strange.mkdir()
    (strange / "state.json").write_text("{}")
    (strange / "letter.txt").write_text("mine")
    with SliceStore(store_beside(tmp_path / "running"), pair_of(), SETTINGS) as store:
        store.fill([fused(0)])
        (told,) = tidy_beside(tmp_path / "own")
        assert str(told).startswith("other was not finished")
        assert ".other.unfinished" in str(told)
        long_ago = time.time() - 40 * 86_400
        for path in tmp_path.rglob("*"):
            if path.is_file():
                os.utime(path, (long_ago, long_ago))
        assert tidy_beside(tmp_path / "own") == ()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {".own.unfinished", ".strange.unfinished"}


def test_an_error_names_the_output_and_not_the_hidden_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with SliceStore(store_beside(tmp_path / "out"), pair_of(), SETTINGS) as store:
        monkeypatch.setattr(store, "_write", full)
        with pytest.raises(OutputError, match="disk is full") as caught:
            store.fill([fused(0)])
    assert str(tmp_path / "out") in str(caught.value)
    assert ".unfinished" not in str(caught.value)
