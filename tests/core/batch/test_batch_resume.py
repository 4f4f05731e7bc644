"""After any end of the program a batch goes on: nothing lost, nothing twice, nothing half."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.batch import (
    MANIFEST_NAME,
    BatchFinished,
    BatchOptions,
    BatchPlan,
    RowEvent,
    find_run,
    plan_batch,
    run_batch,
)
from core.batch.manifest import BatchManifest, FileStamp, RowRecord
from core.batch.row_choice import RowChoice
from core.errors import InputError, OutputError
from core.fusion.engine import FusionEngine
from core.io import read_image
from core.pairing.folders import pair_paths
from tests.tiny import tiny_compact, tiny_network

ROOT = Path(__file__).resolve().parents[3]


def image(path: Path, seed: int) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 24), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for index in range(6):
        for number, side in enumerate(("a", "b")):
            image(tmp_path / "in" / side / f"p{index:03}.png", 10 * index + number)
    return tmp_path / "in"


def planned(source: Path, out: Path, **more: object) -> BatchPlan:
    options = BatchOptions("mff", "average", out=out, **more)  # type: ignore[arg-type]
    return plan_batch(pair_paths([source], "mff", skip=[out]), options)


def run(plan: BatchPlan) -> dict[str, tuple[str, str]]:
    """Name → last state and the texts that were told, joined."""
    found: dict[str, tuple[str, str]] = {}
    for event in run_batch(plan, FusionEngine("cpu")):
        if isinstance(event, RowEvent):
            before = found.get(event.row.match.name, ("", ""))[1]
            found[event.row.match.name] = (event.record.state, before + event.record.text)
    return found


def states(found: dict[str, tuple[str, str]]) -> set[str]:
    return {state for state, _ in found.values()}


def stamps(out: Path) -> dict[str, tuple[int, int]]:
    return {p.name: (p.stat().st_mtime_ns, p.stat().st_ino) for p in out.glob("[!.]*.png")}


@pytest.mark.parametrize(
    ("total", "done", "said"),
    [
        (1, 0, "a batch of one pair"),
        (6, 1, "1 of 6 pairs is done"),
        (6, 2, "2 of 6 pairs are done"),
        (6, 0, "0 of 6 pairs are done"),
    ],
)
def test_what_a_folder_holds_is_said_in_its_number(
    source: Path, tmp_path: Path, total: int, done: int, said: str
) -> None:
    out = tmp_path / "out"
    plan = planned(source, out)
    run(replace(plan, rows=plan.rows[:total]))
    manifest = BatchManifest(out)
    records = manifest.records()
    for record in list(records.values())[done:]:
        manifest.end(replace(record, state="failed"))
        (out / record.target).unlink(missing_ok=True)
    manifest.close()
    with pytest.raises(InputError, match=said):
        planned(source, out)


def test_a_finished_run_is_not_done_again(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert find_run(BatchOptions("mff", "average", out=out)) is None
    assert states(run(planned(source, out))) == {"done"}
    before = stamps(out)
    with pytest.raises(InputError, match="6 of 6 pairs are done"):
        planned(source, out)
    found = find_run(BatchOptions("mff", "average", out=out))
    assert found is not None
    assert (found.total, found.done, found.failed, found.differences) == (6, 6, 0, ())
    again = run(planned(source, out, resume=True))
    assert set(again.values()) == {("skipped", "done before")}
    assert stamps(out) == before
    assert states(run(planned(source, out, overwrite=True))) == {"done"}
    assert stamps(out).keys() == before.keys()
    assert all(stamps(out)[name] != before[name] for name in before)


def test_failed_rows_are_tried_again(source: Path, tmp_path: Path) -> None:
    out, bad = tmp_path / "out", source / "b" / "p002.png"
    good = bad.read_bytes()
    bad.write_bytes(b"")
    assert run(planned(source, out))["p002"][0] == "failed"
    before = stamps(out)
    bad.write_bytes(good)
    again = run(planned(source, out, resume=True))
    assert again.pop("p002")[0] == "done"
    assert states(again) == {"skipped"}
    assert {name: stamps(out)[name] for name in before} == before


def test_changed_sources_are_noticed(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(planned(source, out))
    old = read_image(out / "p001.png").data.copy()
    changed, touched = source / "a" / "p001.png", source / "a" / "p003.png"
    size = changed.stat().st_size
    image(changed, 999)
    touched.write_bytes(touched.read_bytes())
    os.utime(touched, ns=(1, 1))
    again = run(planned(source, out, resume=True))
    assert again.pop("p001") == ("done", "A changed since: fused again")
    assert states(again) == {"skipped"}, "a new time with the same content is no change"
    assert not np.array_equal(read_image(out / "p001.png").data, old)
    assert size > 0


def test_same_size_and_content_but_other_bytes_inside(source: Path, tmp_path: Path) -> None:
    out, file = tmp_path / "out", source / "b" / "p000.png"
    bmp = source / "b" / "p000.bmp"
    file.unlink()
    pixels = np.zeros((20, 24), np.uint8)
    bmp.write_bytes(cv2.imencode(".bmp", pixels)[1].tobytes())
    run(planned(source, out))
    pixels[3, 4] = 255
    size = bmp.stat().st_size
    bmp.write_bytes(cv2.imencode(".bmp", pixels)[1].tobytes())
    assert bmp.stat().st_size == size
    assert run(planned(source, out, resume=True))["p000"][1] == "B changed since: fused again"


def test_lost_and_edited_results(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(planned(source, out))
    (out / "p000.png").unlink()
    (out / "p001.png").write_bytes(b"mine now")
    again = run(planned(source, out, resume=True))
    assert again["p000"] == ("done", "its result is gone: made again")
    assert again["p001"][0] == "skipped"
    assert "kept" in again["p001"][1]
    assert (out / "p001.png").read_bytes() == b"mine now"


def test_other_settings_are_noticed(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(planned(source, out))
    with pytest.raises(InputError, match=r"depth: as the sources then, 16 now"):
        planned(source, out, resume=True, depth=16)
    found = find_run(BatchOptions("mef", "average", out=out))
    assert found is not None
    assert found.differences == ("task: mff then, mef now",)


def test_another_pack_of_the_same_name_is_noticed(source: Path, tmp_path: Path) -> None:
    from core.packs.format import PackManifest as PackManifest
    from core.packs.format import write_pack
    from core.tasks import TASKS

    pack, out = tmp_path / "tiny.safetensors", tmp_path / "out"

    def made(seed: int) -> None:
        config = tiny_compact()
        manifest = PackManifest("tiny", "Tiny", "mff", config, TASKS["mff"].colour)
        write_pack(pack, tiny_network(config, seed), manifest)

    options = BatchOptions("mff", str(pack), out=out)
    made(1)
    assert states(run(plan_batch(pair_paths([source]), options))) == {"done"}
    (out / "p000.png").unlink()
    before = stamps(out)
    made(2)
    resumed = plan_batch(pair_paths([source]), replace(options, resume=True))
    with pytest.raises(InputError, match="another pack"):
        run(resumed)
    assert stamps(out) == before
    made(1)
    assert run(resumed)["p000"][0] == "done"


def test_files_of_others_are_never_replaced_unless_asked(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "p001.png").write_bytes(b"precious")
    for resume in (False, True):
        found = run(planned(source, out, resume=resume))
        assert found["p001"][0] == "failed"
        assert "there is a file of that name" in found["p001"][1]
    assert (out / "p001.png").read_bytes() == b"precious"
    assert run(planned(source, out, resume=True, overwrite=True))["p001"][0] == "done"


def test_sources_are_never_replaced(source: Path) -> None:
    before = {p: p.read_bytes() for p in source.rglob("*.png")}
    found = run(planned(source, source / "a", overwrite=True))
    assert states(found) == {"failed"} or not found
    assert {p: p.read_bytes() for p in source.rglob("*.png")} == before
    plan = plan_batch(
        pair_paths([source]), BatchOptions("mff", "average", out=source / "b", overwrite=True)
    )
    assert all("replace a source" in row.problem for row in plan.rows)
    assert states(run(plan)) == {"failed"}
    assert {p: p.read_bytes() for p in source.rglob("*.png")} == before


def test_rows_keep_their_names_when_files_are_added(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    template = {"template": "{index}_{task}"}
    first = planned(source, out, **template)
    run(first)
    names = {row.key: row.target for row in first.rows}
    for side in ("a", "b"):
        image(source / side / "aaa.png", 5)
    second = planned(source, out, resume=True, **template)
    assert second.rows[0].match.name == "aaa"
    assert {key: row.target for row in second.rows if (key := row.key) in names} == names
    assert second.rows[0].target == Path("1_mff_2.png"), "1_mff.png is taken"
    assert states(run(second)) == {"done", "skipped"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"not a database at all, but long enough to be looked at" * 50,
        lambda data: data[:100] + os.urandom(len(data) - 100),
    ],
)
def test_a_damaged_record_is_said_with_a_way_out(  # type: ignore[no-untyped-def]
    source: Path, tmp_path: Path, damage
) -> None:
    out = tmp_path / "out"
    run(planned(source, out))
    manifest = out / MANIFEST_NAME
    manifest.write_bytes(damage(manifest.read_bytes()))
    for resume in (False, True):
        with pytest.raises(InputError, match=r"damaged.*Delete unifusion-batch\.sqlite"):
            planned(source, out, resume=resume)
    manifest.unlink()
    assert states(run(planned(source, out, overwrite=True))) == {"done"}


def test_an_empty_record_is_a_new_one(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / MANIFEST_NAME).write_bytes(b"")
    assert states(run(planned(source, out))) == {"done"}


def test_a_record_of_another_version(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(planned(source, out))
    database = sqlite3.connect(out / MANIFEST_NAME)
    database.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    database.commit()
    database.close()
    with pytest.raises(InputError, match="another version"):
        planned(source, out, resume=True)


def test_an_unwritable_folder(source: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"x")
    with pytest.raises(InputError, match="it is a file"):
        planned(source, blocked)
    with pytest.raises(OutputError):
        run(planned(source, blocked / "below"))


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    odd = Path(os.fsdecode(b"caf\xe9 \xff.png"))
    record = RowRecord(
        "k", odd, Path("b"), Path("x/y.png"), "done", text="té\udcff"[:2],
        stamps=(FileStamp(1, 2, "d"), FileStamp(3, 2**62)), size=5, seconds=0.25,
        metrics={"MI": 1.5}, notes=("one", "two"),
    )  # fmt: skip
    manifest = BatchManifest(tmp_path)
    manifest.begin([record])
    manifest.set_meta(settings='{"task": "mff"}')
    manifest.close()
    manifest = BatchManifest(tmp_path)
    try:
        assert manifest.records() == {"k": record}
        assert manifest.settings() == {"task": "mff"}
        manifest.begin_anew()
        assert manifest.records() == {}
        assert manifest.settings() == {}
    finally:
        manifest.close()


def test_what_was_finished_but_not_recorded_counts(source: Path, tmp_path: Path) -> None:
    """The moment between a file's appearance and its record, made by hand."""
    out = tmp_path / "out"
    plan = planned(source, out)
    run(plan)
    manifest = BatchManifest(out)
    records = manifest.records()
    begun = [replace(records[row.key], state="begun", size=0) for row in plan.rows[:3]]
    begun[0] = replace(begun[0], choice=RowChoice(resample=True))
    manifest.begin(begun)
    manifest.close()
    (out / plan.rows[1].target).unlink()
    (out / f".{'0' * 32}.part.png").write_bytes(b"half a pict")
    (out / ".keep.part").write_bytes(b"of someone else")
    before = stamps(out)
    again = run(planned(source, out, resume=True))
    assert again["p000"] == ("skipped", "done before")
    assert again["p001"][0] == "done"
    manifest = BatchManifest(out)
    recorded = manifest.records()[plan.rows[0].key]
    manifest.close()
    assert (recorded.state, recorded.choice.resample) == ("done", True)
    assert recorded.size == (out / plan.rows[0].target).stat().st_size
    assert states(again) == {"skipped", "done"}
    assert {name: stamps(out)[name] for name in before} == before
    assert [p.name for p in out.glob(".*")] == [".keep.part"]


_CHILD = """
import sys
from pathlib import Path
from core.batch import BatchOptions, plan_batch, run_batch
from core.fusion.engine import FusionEngine
from core.pairing.folders import pair_paths
source, out = map(Path, sys.argv[1:])
plan = plan_batch(pair_paths([source], "mff"), BatchOptions("mff", "average", out=out, resume=True))
for event in run_batch(plan, FusionEngine("cpu")):
    print(event.record.state if hasattr(event, "record") else "end", flush=True)
"""


def _killed_runs(source: Path, out: Path, times: int, chance: random.Random) -> Iterator[None]:
    """Begin the batch in a process of its own, kill it at a random moment, yield; so many times.

    Always a fresh process: a fork of one that has torch and OpenCV in it may wait for ever on a
    lock that a thread of its parent held.
    """
    for _ in range(times):
        with subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(source), str(out)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        ) as child:
            assert child.stdout is not None
            wanted, done = chance.randrange(3, 25), 0
            for line in child.stdout:
                done += line.strip() == "done"
                if done == wanted:
                    break
            assert done == wanted, "the batch ended before it could be killed"
            time.sleep(chance.random() * 0.02)
            child.kill()
        yield


@pytest.mark.long
def test_kill_at_random_moments_and_go_on(tmp_path: Path) -> None:
    number = 150
    for index in range(number):
        for place, side in enumerate(("a", "b")):
            image(tmp_path / "in" / side / f"p{index:03}.png", 1000 * place + index)
    source, out = tmp_path / "in", tmp_path / "out"
    whole: dict[str, tuple[int, int]] = {}
    for _ in _killed_runs(source, out, 3, random.Random(20)):
        now = stamps(out)
        for name in now:
            assert read_image(out / name).size == (24, 20), "no half file under a result's name"
        assert {name: now[name] for name in whole} == whole, "no finished work is done again"
        assert len(now) > len(whole)
        whole = now
    assert len(whole) < number
    found = run(planned(source, out, resume=True))
    assert states(found) == {"skipped", "done"}
    assert sum(state == "skipped" for state, _ in found.values()) == len(whole)
    now = stamps(out)
    assert {name: now[name] for name in whole} == whole
    assert len(now) == number
    assert not list(out.glob(".*"))
    for name in ("p000.png", "p149.png"):
        a, b = (read_image(source / side / name).normalised() for side in "ab")
        got = read_image(out / name).normalised()
        assert np.abs(got - (a + b) / 2).max() <= 0.5 / 255 + 1e-6


def test_the_last_event_says_it_is_over(source: Path, tmp_path: Path) -> None:
    events = list(run_batch(planned(source, tmp_path / "out"), FusionEngine("cpu")))
    assert isinstance(events[-1], BatchFinished)
    assert sum(isinstance(event, BatchFinished) for event in events) == 1
