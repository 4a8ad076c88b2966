"""What a switch announces of its limits, and the pace that we keep because of it."""

import pytest

from fsctl.controller.capacity import FRESH, PAUSE, Announced, Capacities, Capacity, read_status
from fsctl.esl.codec import Frame

STATUS = """UP 0 years, 0 days, 0 hours, 1 minute, 2 seconds, 3 milliseconds, 4 microseconds
FreeSWITCH (Version 1.10.12-release 64bit) is ready
52 session(s) since startup
{sessions} session(s) - peak 12, last 5min 12
3 session(s) per Sec out of max {rate}, peak 14, last 5min 14
{most} session(s) max
min idle cpu 0.00/99.53
Current Stack Size/Max 240K/8192K
"""


def status(sessions: int = 1, rate: int = 30, most: int = 1000) -> Frame:
    text = STATUS.format(sessions=sessions, rate=rate, most=most)
    return Frame("api/response", {}, text.encode())


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def capacity(clock: Clock) -> Capacity:
    return Capacity(clock=clock)


def admitted(capacity: Capacity, most: int = 100) -> int:
    """Return how many legs may be ordered at once."""
    return next((count for count in range(most) if not capacity.admits()), most)


def test_what_is_announced() -> None:
    assert read_status(status(7, 30, 1000).data) == Announced(7, 1000, 30)
    assert read_status("-ERR status Command not found!") is None


def test_before_the_switch_has_told_anything_all_are_ordered(capacity: Capacity) -> None:
    assert admitted(capacity) == 100


def test_a_part_of_what_the_switch_makes_in_a_second_is_ours(
    capacity: Capacity, clock: Clock
) -> None:
    capacity.learn(status(rate=30))
    assert admitted(capacity) == 24
    assert capacity.opens() == clock.now + 1.0
    clock.now += 1.0
    assert admitted(capacity) == 24


def test_no_second_has_more_wherever_it_begins(capacity: Capacity, clock: Clock) -> None:
    capacity.learn(status(rate=10))
    assert [capacity.admits() for _ in range(4)] == [True] * 4
    clock.now += 0.6
    assert admitted(capacity) == 4
    clock.now += 0.5
    assert admitted(capacity) == 4
    assert capacity.opens() == pytest.approx(clock.now + 0.5)


def test_several_phones_of_a_member_count(capacity: Capacity) -> None:
    capacity.learn(status(rate=10))
    capacity.order()
    assert admitted(capacity) == 7


def test_after_a_refusal_the_second_is_let_pass(capacity: Capacity, clock: Clock) -> None:
    capacity.refuse()
    assert not capacity.admits()
    assert capacity.opens() == clock.now + PAUSE
    clock.now += PAUSE
    assert capacity.admits()
    assert capacity.refusals == 1


def test_a_full_switch_is_asked_again_and_gets_what_it_has_room_for(
    capacity: Capacity, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    capacity.refuse()
    assert capacity.to_be_asked()
    assert not capacity.to_be_asked()
    capacity.learn(status(12, 30, 12))
    assert capacity.full
    [line] = caplog.messages
    assert line.startswith("the switch is full: 12 of 12 sessions, at most 30 new sessions a")
    clock.now = capacity.opens()
    assert not capacity.admits()
    assert capacity.to_be_asked()
    capacity.learn(status(10, 30, 12))
    assert admitted(capacity) == 2
    assert len(caplog.messages) == 1


def test_a_switch_that_refuses_nothing_is_asked_seldom(capacity: Capacity, clock: Clock) -> None:
    assert capacity.to_be_asked()
    clock.now += FRESH - 1
    assert not capacity.to_be_asked()
    clock.now += 1
    assert capacity.to_be_asked()


def test_room_is_no_matter_where_nothing_was_refused(capacity: Capacity) -> None:
    capacity.learn(status(990, 1000, 1000))
    assert admitted(capacity) == 100


def test_each_switch_is_known_apart_and_what_was_refused_is_not_forgotten() -> None:
    capacities = Capacities(processes=2)
    first = capacities.of("a")
    first.learn(status(rate=30))
    assert admitted(first) == 12
    assert capacities.of("b") is not first
    assert capacities.of("a") is first
    first.refuse()
    for number in range(100):
        capacities.of(str(number))
    assert capacities.refusals == 1
    assert capacities.held == 0
