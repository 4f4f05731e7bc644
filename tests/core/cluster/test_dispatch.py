"""Which worker gets what, with workers that only this test plays."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from core.cluster.checking import WorkerAnswer, WorkerQuestion
from core.cluster.client import SeenWorker, TaskLost
from core.cluster.dispatch import Dispatcher
from core.cluster.errors import ClusterLost
from core.cluster.identity import ProgramIdentity

MINE = ProgramIdentity("1.0", "abc", ("",))
QUESTION = WorkerQuestion(MINE, (("mff", "average"),))


class Played:
    """A client whose workers answer when the test says so."""

    address = "tcp://127.0.0.1:1"

    def __init__(self, *slots: int, answers: WorkerAnswer | None = None) -> None:
        self.workers = {
            f"w{number}": SeenWorker(f"w{number}", f"w{number}", count)
            for number, count in enumerate(slots)
        }
        self._answer = answers or WorkerAnswer(MINE)
        self.calls: list[tuple[str, tuple[int, ...], int, Future[Any]]] = []
        self.dead_of_memory: set[str] = set()

    def submit(
        self, worker: str, function: Callable[..., Any], *values: Any, slots: int = 1
    ) -> Future[Any]:
        future: Future[Any] = Future()
        if function is work:
            self.calls.append((worker, values[1], slots, future))
        else:
            future.set_result(self._answer)
        return future

    def memory_deaths(self, since: float) -> set[str]:
        return self.dead_of_memory

    def finish(self, number: int = 0) -> None:
        _, items, _, future = self.calls.pop(number)
        future.set_result(tuple(item * 10 for item in items))


class Waiting:
    def __init__(self, number: int) -> None:
        self.items = deque(range(number))

    def __len__(self) -> int:
        return len(self.items)

    def take(self, count: int) -> Sequence[int]:
        return [self.items.popleft() for _ in range(min(count, len(self.items)))]


def work(shared: Any, items: tuple[int, ...]) -> Sequence[int]:
    return [item * 10 for item in items]


def dispatcher(
    client: Played, queue: Waiting, said: list[str] | None = None, **options: Any
) -> Dispatcher[int, int]:
    tell = (said if said is not None else []).append
    made: Any = Dispatcher
    return made(client, QUESTION, queue, work, None, tell=tell, **options)


def step_for_a_while(one: Dispatcher[int, int]) -> None:
    for _ in range(20):
        one.step(0.01)
        time.sleep(0.01)


def test_nothing_is_handed_out_before_the_check_and_little_after_it() -> None:
    client, queue = Played(1, 2), Waiting(50_000)
    one = dispatcher(client, queue, group=8)
    one.step(0)
    assert client.calls == []
    one.step(0)
    # A group on each slot, and one that waits on each worker.
    assert sorted(worker for worker, *_ in client.calls) == ["w0", "w0", "w1", "w1", "w1"]
    assert one.in_flight == 5 * 8
    for _ in range(3):
        one.step(0)
    assert len(queue) == 50_000 - 40


def test_results_come_in_order_of_their_group_and_the_rest_is_left() -> None:
    client, queue = Played(1), Waiting(3)
    one = dispatcher(client, queue, group=3)
    one.step(0)
    one.step(0)
    first = client.calls[0]
    assert first[1] == (0, 1), "small groups at the end"
    first[3].set_result((0,))
    (outcome,) = one.step(0)
    assert outcome.made == (0,)
    assert outcome.left == (1,)


def test_a_group_takes_two_seconds_where_no_number_is_chosen() -> None:
    client, queue = Played(1), Waiting(1000)
    one = dispatcher(client, queue)
    one.step(0)
    one.step(0)
    assert [len(items) for _, items, *_ in client.calls] == [1, 1]
    time.sleep(0.1)
    client.finish()
    one.step(0)
    one.step(0)
    assert 2 < len(client.calls[-1][1]) <= 20


def test_alone_a_worker_has_one_item_and_nothing_beside_it() -> None:
    client, queue = Played(4), Waiting(9)
    one = dispatcher(client, queue, group=5, alone=True)
    one.step(0)
    one.step(0)
    assert [(items, slots) for _, items, slots, _ in client.calls] == [((0,), 4)]


def test_of_a_worker_that_dies_only_what_it_worked_on_is_blamed() -> None:
    client, queue = Played(1, 1), Waiting(9)
    one = dispatcher(client, queue, group=1)
    one.step(0)
    one.step(0)
    client.dead_of_memory.add("w0")
    mine = [call for call in client.calls if call[0] == "w0"]
    del client.workers["w0"]
    outcomes = one.step(0)
    assert [(o.items, o.lost, o.begun, o.out_of_memory) for o in outcomes] == [
        (mine[0][1], True, True, True),
        (mine[1][1], True, False, True),
    ]
    assert list(one.fit) == ["w1"]


def test_a_dead_worker_that_is_still_listed_gets_nothing_more() -> None:
    client, queue = Played(1), Waiting(9)
    one = dispatcher(client, queue, group=1)
    one.step(0)
    one.step(0)
    client.calls[0][3].set_exception(TaskLost("w0"))
    (outcome,) = one.step(0)
    assert outcome.begun
    calls = len(client.calls)
    one.step(0)
    assert len(client.calls) == calls


@pytest.mark.parametrize(
    ("theirs", "why"),
    [
        (ProgramIdentity("0.9", "abc", ("",)), "it has version 0.9, and here is 1.0"),
        (ProgramIdentity("1.0", "xyz", ("",)), r"its engine differs \(xyz there, abc here\)"),
        (ProgramIdentity("1.0", "abc", ("f" * 64,)), "its pack average is another one"),
    ],
)
def test_a_worker_that_differs_gets_nothing(theirs: ProgramIdentity, why: str) -> None:
    client, queue = Played(1, answers=WorkerAnswer(theirs)), Waiting(3)
    said: list[str] = []
    one = dispatcher(client, queue, said, patience=0.05)
    one.step(0)
    with pytest.raises(ClusterLost, match=why):
        step_for_a_while(one)
    assert client.calls == []
    assert len(queue) == 3
    assert len(said) == 1


def test_workers_of_others_get_nothing() -> None:
    client, queue = Played(0), Waiting(3)
    said: list[str] = []
    one = dispatcher(client, queue, said)
    one.step(0)
    one.step(0)
    assert client.calls == []
    assert "was not started by “unifusion worker”" in said[0]


def test_no_worker_is_waited_for_and_then_told() -> None:
    one = dispatcher(Played(), Waiting(3), patience=0.05)
    with pytest.raises(ClusterLost, match="none came within"):
        step_for_a_while(one)


def test_a_worker_whose_call_fails_gets_nothing_more() -> None:
    client, queue = Played(1, 1), Waiting(9)
    said: list[str] = []
    one = dispatcher(client, queue, said, group=1)
    one.step(0)
    one.step(0)
    worker, items, _, future = client.calls[0]
    future.set_exception(ValueError("odd"))
    (outcome,) = one.step(0)
    assert (outcome.items, outcome.made, str(outcome.error)) == (items, (), "odd")
    assert worker not in one.fit
    assert "ValueError: odd" in said[0]
