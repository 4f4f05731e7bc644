"""What headers tell of a pair before it is fused, and the order of waiting rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from core.batch import (
    BatchOptions,
    QueueOrder,
    find_run,
    image_size,
    inspect_pair,
    plan_batch,
    run_batch,
)
from core.batch.events import Counter
from core.errors import InputError
from core.fusion.engine import FusionEngine
from core.io import read_image
from core.pairing.folders import Match, pair_paths


def save(path: Path, size: tuple[int, int], **extra: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("L", size, 99).save(path, **extra)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp", "gif", "tif"])
def test_the_size_is_that_of_the_picture_as_it_is_read(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"x.{suffix}", (13, 7))
    assert image_size(path) == (13, 7)
    image = read_image(path)
    assert (image.width, image.height) == (13, 7)


def test_a_turned_photograph_and_a_float_tiff(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    turned = save(tmp_path / "t.jpg", (16, 8), exif=exif)
    image = read_image(turned)
    assert image_size(turned) == (image.width, image.height) == (8, 16)
    floats = tmp_path / "f.tif"
    tifffile.imwrite(floats, np.zeros((5, 9), np.float32))
    assert image_size(floats) == (9, 5)


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("e.png", b"", "empty"),
        ("t.png", b"only text", "not a picture"),
        ("d.tif", b"II*\0", "damag"),
    ],
)
def test_what_is_wrong_is_said_and_not_raised(
    tmp_path: Path, name: str, content: bytes, word: str
) -> None:
    bad, good = tmp_path / name, save(tmp_path / "good.png", (4, 3))
    bad.write_bytes(content)
    with pytest.raises(InputError, match=word):
        image_size(bad)
    look = inspect_pair(Match("x", good, bad, ""))
    assert look.size_a == (4, 3)
    assert look.size_b is None
    assert word in look.problem
    assert str(bad) in look.problem
    assert not look.differs


def test_a_file_that_is_not_there_and_two_sizes(tmp_path: Path) -> None:
    one, other = save(tmp_path / "a.png", (4, 3)), save(tmp_path / "b.png", (4, 4))
    assert inspect_pair(Match("x", one, other, "")).differs
    assert "no such file" in inspect_pair(Match("x", one, tmp_path / "never.png", "")).problem


def test_an_order_names_what_comes_first_and_leaves_the_rest_as_it_is() -> None:
    order = QueueOrder()
    assert order.arranged("abcd", str) == list("abcd")
    order.set(["d", "b"])
    assert order.version == 1
    assert order.arranged("abcde", str) == list("dbace")


def test_time_that_does_not_count_does_not_slow_the_pace() -> None:
    now = [0.0]
    counter = Counter(10, lambda: now[0])
    for _ in range(4):
        now[0] += 0.5
        counter.count("done")
    tally = counter.tally()
    assert tally.rate == 2.0
    assert tally.seconds_left == 3.0


def test_a_found_run_tells_its_settings_and_changed_sources(tmp_path: Path) -> None:
    for side in "ab":
        for index in range(3):
            save(tmp_path / "in" / side / f"{index}.png", (6, 5))
    options = BatchOptions("mff", "average", out=tmp_path / "out")
    list(run_batch(plan_batch(pair_paths([tmp_path / "in"], "mff"), options), FusionEngine("cpu")))
    found = find_run(options)
    assert found is not None
    assert (found.done, found.total, found.changed, found.is_over) == (3, 3, 0, True)
    assert found.settings == options.settings()
    save(tmp_path / "in" / "b" / "1.png", (6, 4))
    found = find_run(options)
    assert found is not None
    assert (found.changed, found.is_over) == (1, False)
