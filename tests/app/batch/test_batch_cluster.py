"""Other computers in the Batch workspace: choices, looking for workers, a run on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.batch.last_batch import LastBatch, load_last_batch, save_last_batch
from app.batch.page import BatchPage
from app.batch.settings import BatchChoices
from app.pairs import cluster_rows
from core.cluster.errors import ClusterError
from core.pairing.plan import PairingPlan
from core.progress import NullProgress
from tests.app.acts import HeldTask, settled
from tests.app.batch.conftest import WAIT, make_pairs, over, planned, states, when
from tests.cluster_processes import ClusterProcesses


def _type(page: BatchPage, address: str) -> None:
    page.choices.cluster.scheduler.setText(address)
    page.choices.cluster.scheduler.textEdited.emit(address)


def _look(qtbot, page: BatchPage) -> str:
    rows = page.choices.cluster
    rows.look()
    qtbot.waitUntil(rows.cancel_button.isHidden, timeout=WAIT)
    return rows.state.text()


def test_the_choice_is_remembered_and_opens_its_section(page, tmp_path: Path) -> None:
    rows = page.choices.cluster
    assert rows.more.isHidden()
    assert not rows.connect_button.isEnabled()
    choices = replace(
        BatchChoices("mif"), scheduler="tls://here:1", certificates="/keys", rows_per_worker=7
    )
    save_last_batch(tmp_path, LastBatch((), choices, PairingPlan(())), NullProgress())
    last = load_last_batch(tmp_path, NullProgress())
    assert last is not None
    assert last.choices == choices
    page.choices.show_choices(last.choices)
    assert rows.toggle.isChecked()
    assert rows.settings == {
        "scheduler": "tls://here:1", "certificates": "/keys", "rows_per_worker": 7
    }  # fmt: skip


def test_an_address_that_is_not_safe_stops_the_start(page, qtbot, study: Path) -> None:
    batch = page.batch
    with planned(qtbot, batch):
        page.take([study])
    with planned(qtbot, batch):
        _type(page, "tcp://10.1.2.3:8786")
    assert not batch.planned.can_run
    assert "only tls:// with certificates" in page.choices.trouble.text()
    assert "only tls:// with certificates" in _look(qtbot, page)
    with planned(qtbot, batch):
        _type(page, "")
    assert batch.planned.can_run
    assert batch.planned.cluster is None


@pytest.fixture
def silent():
    """A port at which somebody listens and says nothing."""
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"


def test_looking_for_workers_can_be_cancelled(page, qtbot, silent: str) -> None:
    pytest.importorskip("distributed")
    rows = page.choices.cluster
    _type(page, silent)
    rows.look()
    assert not rows.connect_button.isEnabled()
    rows.cancel_button.click()
    qtbot.waitUntil(rows.cancel_button.isHidden, timeout=3000)  # it would wait for ten seconds
    assert rows.state.text() == "Cancelled."
    assert "nobody answers" in _look(qtbot, page) or "does not answer" in rows.state.text()


@pytest.mark.parametrize("answer", [(), ClusterError("it", "is gone")])
def test_what_is_at_one_address_is_not_said_of_another(page, qtbot, monkeypatch, answer) -> None:
    pytest.importorskip("distributed")
    rows = page.choices.cluster
    looking = HeldTask(monkeypatch, cluster_rows, "find_workers")
    looking.answers = [answer]
    _type(page, "tcp://127.0.0.1:1")
    rows.look()
    looking.wait()
    rows.rows.setValue(3)  # this changes nothing of what is looked for
    assert not rows.connect_button.isEnabled()
    _type(page, "tcp://127.0.0.1:2")
    assert rows.state.text() == ""
    assert rows.connect_button.isEnabled()
    looking.gate.set()
    settled(qtbot, rows._runner)
    assert rows.state.text() == ""


def test_a_batch_runs_on_workers_and_can_be_paused(page, qtbot, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    batch, rows = page.batch, page.choices.cluster
    with planned(qtbot, batch):
        page.take([make_pairs(tmp_path / "many", 12)])
    with planned(qtbot, batch):
        batch.choose_method("average")
    with ClusterProcesses(tmp_path) as cluster:
        with planned(qtbot, batch):
            _type(page, cluster.address)
        assert f"unifusion worker {cluster.address}" in _look(qtbot, page)
        cluster.start_workers(1)
        assert "1 worker, pairs at once: 1" in _look(qtbot, page)
        rows.rows.setValue(1)
        with qtbot.waitSignal(batch.planned_changed, timeout=WAIT):
            pass
        assert cluster.address in page.foot.text.text()
        with when(qtbot, batch, lambda: "done" in states(batch).values()):
            page.foot.start_button.click()
        batch.run.pause()
        assert "1 worker gets pairs" in rows.state.text()
        _until_it_rests(qtbot, batch)
        done = sum(state == "done" for state in states(batch).values())
        assert done < 12
        qtbot.wait(500)
        assert sum(state == "done" for state in states(batch).values()) == done
        with over(qtbot, batch):
            batch.run.resume()
        assert set(states(batch).values()) == {"done"}
        assert len(list((tmp_path / "many-fused").rglob("p*.png"))) == 12


def _until_it_rests(qtbot, batch) -> None:
    def rests() -> bool:
        return not {"reading", "fusing", "writing"} & set(states(batch).values())

    qtbot.waitUntil(rests, timeout=WAIT)
