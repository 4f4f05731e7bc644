"""How many rows at once: the quicker way is found, kept, and looked for again."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from core.batch.pace import Pace
from core.errors import Cancelled


class World:
    """Rows that end one after the other, in the time a row takes at the limit of the moment."""

    def __init__(self, most: int, seconds: Callable[[int, float], float]) -> None:
        self.now, self._seconds = 0.0, seconds
        self.pace = Pace(most, lambda: self.now)
        self.rows: list[int] = []

    def run(self, rows: int) -> None:
        """Let so many rows end; remembers the limit each was worked on at."""
        places = []
        for _ in range(rows):
            while self.pace._inside < self.pace.limit:
                context = self.pace.place(lambda: None)
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


@pytest.mark.parametrize("quicker", [1, 5])
def test_the_quicker_way_is_found_and_kept(quicker: int) -> None:
    world = World(5, lambda limit, _: 0.005 if limit == quicker else 0.0065)
    world.run(6000)
    assert world.share(quicker, 4000) > 0.95
    assert world.share(6 - quicker, 6000) > 0, "the other way was tried"


def test_where_files_are_slow_the_plain_way_is_given_up_at_once() -> None:
    """Rows of an eighth of a second that overlap five times: a trial may cost few of them."""
    world = World(5, lambda limit, _: 0.125 / limit)
    world.run(400)
    singly = sum(row == 1 for row in world.rows)
    assert 0 < singly <= 24
    assert world.now < 1.25 * 400 * 0.025


def test_what_changes_on_the_way_is_noticed() -> None:
    world = World(4, lambda limit, now: 0.004 if (limit == 1) == (now > 20) else 0.008)
    world.run(4000)
    assert world.share(4, 1500) > 0.9
    world.run(8000)
    assert world.now > 40
    assert world.share(1, 2000) > 0.9


def test_one_row_at_a_time_is_never_more() -> None:
    world = World(1, lambda _limit, _now: 0.005)
    world.run(500)
    assert set(world.rows) == {1}


def test_never_more_at_work_than_the_limit_and_nobody_is_forgotten() -> None:
    pace, inside, most, done = Pace(3), [0], [0], []
    guard, limits = threading.Lock(), [3, 1, 3, 1, 2]

    def work() -> None:
        with pace.place(lambda: None) as place:
            for _ in range(200):
                with guard:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                with guard:
                    inside[0] -= 1
                place.next(lambda: None)
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
    pace = Pace(1)

    def over() -> None:
        raise Cancelled

    with pace.place(lambda: None), pytest.raises(Cancelled), pace.place(over):
        pass
    with pace.place(over):
        assert pace._inside == 1
