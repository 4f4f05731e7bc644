"""How many rows at once: the quicker way is found, kept, and looked for again."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator

import cv2
import pytest

from core.batch.concurrency import ConcurrencyController, side_by_side
from core.errors import Cancelled


class World:
    """Rows that end one after the other, in the time a row takes at the limit of the moment."""

    def __init__(self, few: int, most: int, seconds: Callable[[int, float], float]) -> None:
        self.now, self._seconds = 0.0, seconds
        self.pace = ConcurrencyController(few, most, lambda: self.now)
        self.rows: list[int] = []

    def run(self, rows: int) -> None:
        """Let so many rows end; remembers the limit each was worked on at."""
        places = []
        for _ in range(rows):
            while self.pace._inside < self.pace.limit:
                context = self.pace.slot(lambda: None)
                places.append((context, context.__enter__()))
            self.rows.append(self.pace.limit)
            self.now += self._seconds(self.pace.limit, self.now)
            context, _ = places.pop(0)
            if self.pace._row_ended():
                context.__exit__(None, None, None)
            else:
                places.append((context, _))

    def share(self, limit: int, last: int) -> float:
        """How many of the last rows were worked on at this limit."""
        return sum(row == limit for row in self.rows[-last:]) / last


@pytest.mark.parametrize("quicker", [2, 5])
def test_the_quicker_way_is_found_and_kept(quicker: int) -> None:
    world = World(2, 5, lambda limit, _: 0.005 if limit == quicker else 0.0065)
    world.run(6000)
    assert world.share(quicker, 4000) > 0.95
    assert world.share(7 - quicker, 6000) > 0, "the other way was tried"


def test_where_files_are_slow_many_rows_overlap_from_early_on() -> None:
    """Rows of an eighth of a second that overlap five times: few may go by two by two."""
    world = World(2, 5, lambda limit, _: 0.125 / limit)
    world.run(400)
    few = sum(row == 2 for row in world.rows)
    assert 0 < few <= 40
    assert world.now < 1.2 * 400 * 0.025


def test_a_trial_of_many_large_rows_that_fails_is_short() -> None:
    """Rows of a tenth of a second that many at once only make slower."""
    world = World(2, 5, lambda limit, _: 0.06 if limit == 2 else 0.15)
    world.run(48)
    assert sum(row == 5 for row in world.rows) <= 10


def test_what_changes_on_the_way_is_noticed() -> None:
    world = World(1, 4, lambda limit, now: 0.004 if (limit == 1) == (now > 20) else 0.008)
    world.run(4000)
    assert world.share(4, 1500) > 0.9
    world.run(8000)
    assert world.now > 40
    assert world.share(1, 2000) > 0.9


def test_one_row_at_a_time_is_never_more() -> None:
    world = World(1, 1, lambda _limit, _now: 0.005)
    world.run(500)
    assert set(world.rows) == {1}


def test_never_more_at_work_than_the_limit_and_nobody_is_forgotten() -> None:
    pace, inside, most, done = ConcurrencyController(1, 3), [0], [0], []
    guard, limits = threading.Lock(), [3, 1, 3, 1, 2]

    def work() -> None:
        with pace.slot(lambda: None) as slot:
            for _ in range(200):
                with guard:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                with guard:
                    inside[0] -= 1
                slot.next(lambda: None)
        done.append(1)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for limit in limits:
        with pace._changed:
            pace._set(limit)
    for thread in threads:
        thread.join(30)
    assert len(done) == 6
    assert most[0] <= 3
    assert pace._inside == 0


def test_waiting_for_a_place_ends_when_the_run_does() -> None:
    pace = ConcurrencyController(2, 1)

    def over() -> None:
        raise Cancelled

    with pace.slot(lambda: None), pytest.raises(Cancelled), pace.slot(over):
        pass
    with pace.slot(over):
        assert pace._inside == 1


@pytest.fixture
def switch() -> Iterator[float]:
    """Seconds of a turn as where no window has shortened it."""
    before, seconds = sys.getswitchinterval(), 0.005
    sys.setswitchinterval(seconds)
    yield seconds
    sys.setswitchinterval(before)


def test_helpers_of_opencv_and_turns_of_threads_come_back(switch: float) -> None:
    helpers = cv2.getNumThreads()

    def cancelled() -> None:
        with side_by_side():
            assert cv2.getNumThreads() == 1
            assert sys.getswitchinterval() < switch
            raise Cancelled

    with pytest.raises(Cancelled):
        cancelled()
    assert cv2.getNumThreads() == helpers
    assert sys.getswitchinterval() == pytest.approx(switch)
