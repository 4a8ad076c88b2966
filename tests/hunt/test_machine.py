"""The hunt as a state machine, driven by every order of events that hypothesis can think of."""

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fsctl.hunt import events as ev
from fsctl.hunt.machine import CLAIM_TIME, NEWS_TIME, Hunt, Phase
from fsctl.hunt.outcomes import Outcome
from fsctl.hunt.schedule import Ring, Schedule
from fsctl.hunt.simulation import Phones, simulate

FAILURES = [
    "USER_BUSY",
    "CALL_REJECTED",
    "USER_NOT_REGISTERED",
    "SUBSCRIBER_ABSENT",
    "NO_ANSWER",
    "NORMAL_CLEARING",
    "SOMETHING_NEW",
    "LOSE_RACE",
    "PICKED_OFF",
    "ORIGINATOR_CANCEL",
]
times = st.integers(0, 300).map(lambda tenths: tenths / 10)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    wait_ms = draw(st.integers(1_000, 40_000))
    wait = wait_ms / 1000
    milliseconds = st.integers(0, wait_ms - 1).map(lambda ms: ms / 1000)
    starts = draw(st.lists(milliseconds, max_size=6))
    lengths = st.one_of(st.just(inf), st.integers(1, 20_000).map(lambda ms: ms / 1000))
    return Schedule(
        tuple(Ring(f"m{i}", start, draw(lengths)) for i, start in enumerate(starts)),
        wait,
        draw(st.booleans()),
        draw(st.booleans()),
    )


@st.composite
def repeated(draw: st.DrawFn) -> Schedule:
    """Schedules in which members ring again, at times or beyond the wait."""
    once = draw(schedules())
    after = draw(st.integers(0, 30))
    again = tuple(
        Ring(ring.member, ring.start + min(ring.ring_for, 30) + after, ring.ring_for)
        for ring in once.rings
        if draw(st.booleans())
    )
    return replace(once, rings=(*once.rings, *again))


class HuntMachine(RuleBasedStateMachine):
    """Reality is kept beside the hunt: which legs the switch has, whether the caller is there."""

    @initialize(schedule=st.one_of(schedules(), repeated()), origin=st.floats(0, 1e6))
    def begin(self, schedule: Schedule, origin: float) -> None:
        self.now = origin
        self.origin = origin
        self.hunt = Hunt(schedule, origin)
        self.switch_has: set[int] = set()
        self.started: list[int] = []
        self.told_to_end: dict[int, str] = {}
        self.answered: set[int] = set()
        self.caller_here = True
        self.asked_release: str | None = None
        self.over = False
        self.carry_out(self.hunt.tick(self.now))

    def carry_out(self, actions: list[ev.Action]) -> None:
        if self.over:
            assert not [a for a in actions if not isinstance(a, ev.CancelLeg | ev.CancelAll)]
        for action in actions:
            if isinstance(action, ev.StartLeg):
                assert action.leg not in self.started
                assert self.asked_release is None, "a leg starts after the release"
                assert action.ring_for > 0
                self.started.append(action.leg)
                self.switch_has.add(action.leg)
            elif isinstance(action, ev.CancelLeg):
                assert action.leg in self.switch_has
                assert action.leg not in self.told_to_end
                self.told_to_end[action.leg] = action.cause
            elif isinstance(action, ev.CancelAll):
                for leg in self.switch_has:
                    self.told_to_end.setdefault(leg, action.cause)
            else:
                assert self.asked_release is None, "released twice"
                self.asked_release = action.cause
        self.over = self.over or self.hunt.ended

    def tell(self, event: ev.Event) -> None:
        self.carry_out(self.hunt.handle(event, self.now))

    @rule()
    def time_comes(self) -> None:
        due = self.hunt.due
        if due is not None:
            self.now = max(self.now, due)
            self.carry_out(self.hunt.tick(self.now))
            due = self.hunt.due
            assert due is None or due > self.now, "time does not go on"

    @rule(passed=times)
    def time_passes(self, passed: float) -> None:
        self.now = max(self.now, min(self.now + passed, self.hunt.due or inf))

    @precondition(lambda self: self.switch_has)
    @rule(data=st.data(), cause=st.sampled_from(FAILURES))
    def leg_ends(self, data: st.DataObject, cause: str) -> None:
        leg = data.draw(st.sampled_from(sorted(self.switch_has)))
        self.switch_has.discard(leg)
        self.tell(ev.LegEnded(leg, self.told_to_end.get(leg, cause)))

    @precondition(lambda self: self.answered & self.switch_has)
    @rule(data=st.data())
    def an_answer_is_lost(self, data: st.DataObject) -> None:
        self.tell(
            ev.AnswerLost(data.draw(st.sampled_from(sorted(self.answered & self.switch_has))))
        )

    @precondition(lambda self: self.switch_has)
    @rule(data=st.data(), cause=st.sampled_from(FAILURES[:7]), for_all=st.booleans())
    def a_phone_of_several_refuses(self, data: st.DataObject, cause: str, for_all: bool) -> None:
        leg = data.draw(st.sampled_from(sorted(self.switch_has)))
        self.tell(ev.PhoneRefused(leg, cause, for_all))
        if for_all and leg not in self.answered and self.hunt.phase is Phase.HUNTING:
            assert not self.hunt.legs[leg].live

    @precondition(lambda self: self.switch_has)
    @rule(data=st.data())
    def leg_answers(self, data: st.DataObject) -> None:
        leg = data.draw(st.sampled_from(sorted(self.switch_has)))
        self.answered.add(leg)
        self.tell(ev.LegRinging(leg))
        self.tell(ev.LegAnswered(leg))

    @precondition(lambda self: self.caller_here)
    @rule()
    def somebody_picks_up(self) -> None:
        """Their leg begins with its answer, and silences those that ring."""
        over, leg = self.hunt.ended, len(self.hunt.legs) + 1
        if not over:
            self.started.append(leg)
            self.switch_has.add(leg)
            self.answered.add(leg)
        self.tell(ev.PickedUp(leg, "picker"))
        assert (leg in self.hunt.legs) == (not over)

    @precondition(
        lambda self: (
            self.answered & self.switch_has and self.caller_here and self.hunt.winner is None
        )
    )
    @rule(data=st.data())
    def leg_wins(self, data: st.DataObject) -> None:
        leg = data.draw(st.sampled_from(sorted(self.answered & self.switch_has)))
        self.tell(ev.LegConnected(leg))
        assert self.hunt.phase is Phase.CONNECTED
        assert self.hunt.winner is self.hunt.legs[leg]
        left_alone = self.switch_has - self.told_to_end.keys() - {leg}
        assert not left_alone, "a leg rings on beside the winner"

    @precondition(lambda self: self.caller_here)
    @rule()
    def caller_leaves(self) -> None:
        self.caller_here = False
        talked = self.hunt.phase is Phase.CONNECTED
        self.tell(ev.CallerGone(self.asked_release or "ORIGINATOR_CANCEL"))
        if not talked:
            assert self.hunt.phase is Phase.GONE
            assert self.switch_has <= self.told_to_end.keys(), "a leg rings for nobody"

    @rule(leg=st.integers(-1, 9), cause=st.sampled_from(FAILURES))
    def nonsense_arrives(self, leg: int, cause: str) -> None:
        """Events of legs that are unknown or over change nothing."""
        if leg in self.switch_has:
            return
        before = (self.hunt.phase, len(self.hunt.legs))
        refused = ev.PhoneRefused(leg, cause, True)
        for event in (ev.LegRinging(leg), ev.LegAnswered(leg), ev.LegEnded(leg, cause), refused):
            assert self.hunt.handle(event, self.origin) == []
        assert self.hunt.handle(ev.LegConnected(leg), self.origin) == []
        assert (self.hunt.phase, len(self.hunt.legs)) == before

    @invariant()
    def one_winner_at_most(self) -> None:
        connected = [leg for leg in self.hunt.legs.values() if leg.connected is not None]
        assert len(connected) <= 1
        assert (self.hunt.phase is Phase.CONNECTED) == bool(connected)

    @invariant()
    def never_beyond_the_wait(self) -> None:
        due = self.hunt.due
        assert due is None or due <= self.origin + self.hunt.schedule.wait + 1e-6
        for leg in self.hunt.legs.values():
            assert leg.stop_at <= self.hunt.schedule.wait

    @invariant()
    def no_phone_is_called_while_it_rings(self) -> None:
        legs = self.hunt.legs.values()
        ringing = [leg.member for leg in legs if leg.live and not leg.picked_up]
        assert len(ringing) == len(set(ringing))

    @invariant()
    def every_leg_ends_once(self) -> None:
        assert set(self.started) == set(self.hunt.legs)
        for number, leg in self.hunt.legs.items():
            assert (leg.ended is None) == (number in self.switch_has)

    def teardown(self) -> None:
        """Whatever happened: with silent phones the rest of the hunt ends by itself."""
        if not hasattr(self, "hunt"):
            return
        for _ in range(200):
            if self.hunt.due is None:
                break
            self.time_comes()
        assert self.hunt.phase is not Phase.HUNTING
        assert self.over or self.asked_release


HuntMachine.TestCase.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)
TestHunt = HuntMachine.TestCase


@given(
    st.one_of(schedules(), repeated()),
    st.dictionaries(st.sampled_from([f"m{i}" for i in range(6)]), times),
    st.dictionaries(st.sampled_from([f"m{i}" for i in range(6)]), st.sampled_from(FAILURES)),
    st.one_of(st.none(), times),
)
def test_every_simulated_call_ends_within_the_wait(
    schedule: Schedule, answers: dict[str, float], refuses: dict[str, str], hang_up: float | None
) -> None:
    call = simulate(schedule, Phones(answers, refuses, hang_up))
    assert 0 <= call.ended <= schedule.wait
    assert (call.winner is None) == bool(call.cause)
    assert all(leg.ended is not None or leg.member == call.winner for leg in call.legs)


@given(schedules(), st.sampled_from(FAILURES[:6]))
def test_when_all_fail_the_hunt_ends_at_once_or_as_scheduled(
    schedule: Schedule, cause: str
) -> None:
    call = simulate(schedule, Phones(refuses={ring.member: cause for ring in schedule.rings}))
    starts = [ring.start for ring in schedule.rings]
    last = min(starts, default=0.0) if schedule.advance else max(starts, default=0.0)
    assert call.ended == pytest.approx(last)
    assert len(call.legs) == len(starts)


def two(advance: bool = True) -> Hunt:
    rings = (Ring("a", 0.0, inf), Ring("b", 0.0, inf), Ring("c", 10.0, inf))
    hunt = Hunt(Schedule(rings, 30.0, advance), 0.0)
    hunt.tick(0.0)
    return hunt


def test_a_winner_who_vanishes_has_the_silenced_rung_again() -> None:
    hunt = two()
    hunt.handle(ev.LegAnswered(1), 2.0)
    assert hunt.handle(ev.LegEnded(2, "LOSE_RACE"), 2.01) == []
    assert hunt.handle(ev.LegEnded(1, "NORMAL_CLEARING"), 2.02) == [ev.StartLeg(3, "b", 30 - 2.02)]


def test_those_whom_a_lost_answer_silenced_ring_again() -> None:
    hunt = two()
    hunt.handle(ev.LegAnswered(1), 2.0)
    hunt.handle(ev.LegEnded(2, "LOSE_RACE"), 2.01)
    assert hunt.handle(ev.AnswerLost(1), 2.02) == [ev.StartLeg(3, "b", 30 - 2.02)]


def test_those_who_were_silenced_wait_for_news_of_who_picks_up() -> None:
    hunt = two()
    assert hunt.handle(ev.LegEnded(1, "LOSE_RACE"), 2.0) == []
    assert hunt.handle(ev.LegEnded(2, "LOSE_RACE"), 2.0) == []
    assert hunt.handle(ev.PickedUp(3, "z"), 2.02) == []
    assert hunt.handle(ev.LegConnected(3), 2.1) == []
    assert hunt.winner is hunt.legs[3]
    assert hunt.winner.outcome is Outcome.PICKED_UP
    assert hunt.legs[1].outcome is Outcome.CANCELLED


def test_and_ring_again_when_there_is_none() -> None:
    hunt = two()
    hunt.handle(ev.LegEnded(1, "LOSE_RACE"), 2.0)
    hunt.handle(ev.LegEnded(2, "LOSE_RACE"), 2.0)
    assert hunt.due == 2.0 + NEWS_TIME
    assert {one.member for one in hunt.tick(2.0 + NEWS_TIME)} == {"a", "b"}


def test_who_picks_up_and_vanishes_has_the_silenced_rung_again() -> None:
    hunt = two()
    assert hunt.handle(ev.PickedUp(3, "a"), 2.0) == []
    hunt.handle(ev.LegEnded(1, "LOSE_RACE"), 2.01)
    hunt.handle(ev.LegEnded(2, "LOSE_RACE"), 2.01)
    started = hunt.handle(ev.LegEnded(3, "NORMAL_CLEARING"), 2.02)
    assert started == [ev.StartLeg(4, "a", 30 - 2.02), ev.StartLeg(5, "b", 30 - 2.02)]
    assert hunt.legs[3].outcome is Outcome.FAILED


def test_who_picks_up_in_the_instant_of_the_release_has_the_caller() -> None:
    hunt = two()
    hunt.tick(30.0)
    assert hunt.handle(ev.PickedUp(3, "z"), 30.01) == []
    assert hunt.handle(ev.LegConnected(3), 30.02) == []
    assert hunt.phase is Phase.CONNECTED


def test_a_claim_that_never_ends_is_given_up() -> None:
    hunt = two()
    hunt.handle(ev.LegAnswered(1), 2.0)
    hunt.handle(ev.LegEnded(2, "LOSE_RACE"), 2.0)
    assert hunt.due == 2.0 + CLAIM_TIME
    assert hunt.tick(5.0) == [ev.CancelLeg(1, "NO_ANSWER"), ev.StartLeg(3, "b", 25.0)]


def test_nobody_is_started_while_a_member_claims() -> None:
    hunt = two()
    hunt.handle(ev.LegAnswered(1), 9.999)
    assert hunt.tick(10.0) == []
    assert hunt.handle(ev.LegEnded(1, "NORMAL_CLEARING"), 10.1) == [
        ev.StartLeg(3, "c", 30.0 - 10.1)
    ]


def test_a_member_who_wins_in_the_instant_of_the_release_has_the_caller() -> None:
    hunt = two()
    assert hunt.tick(30.0) == [ev.CancelAll("NO_ANSWER"), ev.Release("NO_ANSWER")]
    assert hunt.handle(ev.LegConnected(2), 30.01) == []
    assert hunt.phase is Phase.CONNECTED
    assert hunt.winner is hunt.legs[2]


def test_nobody_new_rings_when_a_leg_ends_as_if_the_caller_had_given_up() -> None:
    hunt = Hunt(Schedule((Ring("a", 0, inf), Ring("b", 5, inf)), 30), 0.0)
    hunt.tick(0.0)
    assert hunt.handle(ev.LegEnded(1, "ORIGINATOR_CANCEL"), 2.0) == []
    assert hunt.handle(ev.CallerGone("ORIGINATOR_CANCEL"), 2.01) == []
    assert hunt.phase is Phase.GONE


def test_a_phone_that_ends_so_by_itself_holds_the_hunt_up_only_for_a_moment() -> None:
    hunt = Hunt(Schedule((Ring("a", 0, inf), Ring("b", 5, inf)), 30), 0.0)
    hunt.tick(0.0)
    assert hunt.handle(ev.LegEnded(1, "ORIGINATOR_CANCEL"), 2.0) == []
    assert hunt.due is not None
    assert hunt.tick(2.0 + NEWS_TIME - 0.01) == []
    assert hunt.tick(2.0 + NEWS_TIME) == [ev.StartLeg(2, "b", 28 - NEWS_TIME)]
