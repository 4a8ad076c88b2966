"""The line: who is first, what place each has, and that nobody is overtaken."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fsctl.hunt.line import SETTLE, Line, Others, Ticket, Welcome, parts_of, together, told

AGAIN = 10.0


def tickets(count: int, of: str = "u") -> list[Ticket]:
    return [Ticket(float(number), f"{of}{number}") for number in range(count)]


class Callers(RuleBasedStateMachine):
    """Callers come, hunt, come back, give up; the model is a list in the order in which they came.

    ``places`` and ``most`` are small, so that both are met.
    """

    places, most = 4, 2

    def __init__(self) -> None:
        super().__init__()
        self.line = Line()
        self.now = 0.0
        self.came = 0
        self.standing: list[Ticket] = []
        self.hunting: list[Ticket] = []

    @rule()
    def somebody_comes(self) -> None:
        self.came += 1
        ticket = Ticket(float(self.came), f"u{self.came}")
        welcome = self.line.welcome(self.most, self.places)
        full = len(self.hunting) >= self.most
        if welcome is Welcome.HUNT:
            assert not self.standing, "a newcomer overtakes"
            assert not full
            self.line.begin(ticket, self.now, self.most, AGAIN)
            self.hunting.append(ticket)
        elif welcome is Welcome.STAND:
            assert self.standing or full
            self.line.join(ticket)
            self.standing.append(ticket)
        else:
            assert len(self.standing) == self.places

    @rule(seconds=st.floats(0.0, 30.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def a_member_hangs_up(self) -> None:
        self.line.open(self.now)

    @precondition(lambda self: self.standing)
    @rule()
    def whoever_may_hunts(self) -> None:
        waiting = [one for one in self.standing if one not in self.hunting]
        may = [one for one in waiting if self.line.due(one, self.most) <= self.now]
        assert may in ([], waiting[:1]), "another than the first may hunt"
        for ticket in may:
            assert len(self.hunting) < self.most
            self.line.begin(ticket, self.now, self.most, AGAIN)
            self.hunting.append(ticket)

    @precondition(lambda self: self.hunting)
    @rule(data=st.data(), busy=st.booleans())
    def a_hunt_ends(self, data: st.DataObject, busy: bool) -> None:
        ticket = data.draw(st.sampled_from(self.hunting))
        stood = ticket in self.standing
        comes_back = busy and (stood or self.line.has_room(self.places))
        if comes_back:
            self.line.keep(ticket)
        self.line.end(self.now, AGAIN, busy, answered=not busy)
        self.hunting.remove(ticket)
        if comes_back:
            self.line.join(ticket)
            self.standing = sorted({*self.standing, ticket})
        else:
            self.line.leave(ticket)
            self.standing = [one for one in self.standing if one != ticket]

    @precondition(lambda self: set(self.standing) - set(self.hunting))
    @rule(data=st.data())
    def somebody_gives_up(self, data: st.DataObject) -> None:
        waiting = [one for one in self.standing if one not in self.hunting]
        ticket = data.draw(st.sampled_from(waiting))
        before = {one: self.line.position(one) for one in self.standing}
        self.line.leave(ticket)
        self.standing.remove(ticket)
        for one in self.standing:
            assert self.line.position(one) == before[one] - (before[one] > before[ticket])

    @invariant()
    def places_are_in_order(self) -> None:
        places = [self.line.position(one) for one in self.standing]
        assert places == list(range(1, len(self.standing) + 1))
        assert len(self.line) == len(self.standing)
        assert self.line.hunting == len(self.hunting)

    @invariant()
    def somebody_will_try(self) -> None:
        """Nobody waits for good: the first may hunt some time, or somebody hunts."""
        waiting = [one for one in self.standing if one not in self.hunting]
        if waiting and not self.hunting:
            assert self.line.due(waiting[0], self.most) < math.inf


TestCallers = Callers.TestCase


def test_a_hunt_that_finds_everybody_busy_is_no_reason_for_the_next() -> None:
    line, (first, second) = Line(), tickets(2)
    for ticket in (first, second):
        line.join(ticket)
    line.open(5.0)
    assert line.due(first, None) <= 5.0
    line.begin(first, 5.0, None, AGAIN)
    assert line.due(second, None) == math.inf
    assert line.position(second) == 2
    line.end(5.1, AGAIN, busy=True, answered=False)
    line.join(first)
    assert line.due(first, None) == 5.1 + AGAIN
    assert line.due(second, None) == math.inf


def test_after_an_answer_the_switches_have_time_to_tell() -> None:
    line, (first, second) = Line(), tickets(2)
    line.join(second)
    line.begin(first, 0.0, 1, AGAIN)
    assert line.due(second, 1) == math.inf
    line.end(3.0, AGAIN, busy=False, answered=True)
    assert line.due(second, 1) == 3.0 + SETTLE


def test_others_count_as_far_as_they_have_told() -> None:
    mine, theirs = Ticket(5.0, "m"), tickets(3, "t")
    line = Line()
    line.join(mine)
    line.open(0.0)
    assert line.due(mine, None) <= 0.0
    line.hear(Others(1, 3, tuple(theirs)), 1.0)
    assert (line.position(mine), len(line)) == (4, 4)
    assert line.due(mine, None) == math.inf
    assert line.due(mine, 1) == math.inf
    assert line.welcome(None, 4) is Welcome.FULL
    # More than they tell by name: of those only counted nobody knows where they stand.
    line.hear(Others(1, 500, tuple(theirs)), 1.0)
    assert line.position(mine) == 501
    # Theirs are gone: that is a reason, and the limit is told of still.
    assert line.hear(Others(1), 2.0)
    assert line.due(mine, 1) == math.inf
    assert line.due(mine, 2) <= 2.0
    assert not line.hear(Others(1), 3.0)


def test_a_hunt_elsewhere_that_finds_everybody_busy_is_no_reason() -> None:
    mine, (first, second) = Ticket(5.0, "m"), tickets(2, "t")
    line = Line()
    line.join(mine)
    out = frozenset({first})
    line.hear(Others(1, 1, (first,), out), 1.0)
    line.hear(Others(0, 1, (first,)), 2.0)
    line.hear(Others(1, 1, (first,), out), 3.0)
    assert line.due(mine, None) == math.inf
    # One comes back, another who never stood in line has a member: a place is free.
    line.hear(Others(2, 1, (first,), out), 4.0)
    line.hear(Others(0, 1, (first,)), 5.0)
    line.hear(Others(1, 1, (first,), out), 6.0)
    assert line.due(mine, None) == 5.0
    line.begin(mine, 6.0, None, AGAIN)
    line.join(mine)
    # One who was out is there no more: somebody has him, or he gave up.
    line.hear(Others(1, 2, (first, second), frozenset({first})), 7.0)
    line.hear(Others(1, 1, (second,), frozenset({second})), 8.0)
    assert line.due(mine, None) == 8.0


@given(st.lists(st.lists(st.integers(0, 50), max_size=5), max_size=4))
def test_what_several_tell_is_one_line(told_of: list[list[int]]) -> None:
    several = [
        Others(1, len(some), tuple(sorted(Ticket(float(came), f"{n}-{came}") for came in some)))
        for n, some in enumerate(told_of)
    ]
    found = together(several)
    assert (found.hunting, found.standing) == (len(told_of), sum(map(len, told_of)))
    assert list(found.tickets) == sorted(one for each in several for one in each.tickets)


NUMBER = "file_string://ivr/ivr-you_are_number.wav!digits/{position}.wav"


@pytest.mark.parametrize(
    ("sound", "position", "said"),
    [
        (NUMBER, 7, "file_string://ivr/ivr-you_are_number.wav!digits/7.wav"),
        (NUMBER, 20, "file_string://ivr/ivr-you_are_number.wav!digits/20.wav"),
        (NUMBER, 103, "file_string://ivr/ivr-you_are_number.wav!digits/1.wav!digits/0.wav!digits/3.wav"),
        ("{position}.wav", 3, "3.wav"),
        ("{position}.wav", 21, "file_string://2.wav!1.wav"),
        ("wait.wav", 21, "wait.wav"),
    ],
)  # fmt: skip
def test_a_place_is_told(sound: str, position: int, said: str) -> None:
    assert told(sound, position) == said
    assert parts_of(said)
