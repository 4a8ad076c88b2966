"""The hunt, where a member has several phones: one may refuse, or lose an answer, for another."""

from fsctl.hunt import events as ev
from fsctl.hunt.machine import CLAIM_TIME, SIGN_TIME, Hunt
from fsctl.hunt.outcomes import Outcome
from fsctl.hunt.schedule import Ring, Schedule


def in_turn() -> Hunt:
    """Return a hunt that rings one member after the other, each for 12 seconds."""
    rings = tuple(Ring(member, 12.0 * at, 12.0) for at, member in enumerate("abc"))
    hunt = Hunt(Schedule(rings, 36.0, True, True), 0.0)
    hunt.tick(0.0)
    return hunt


def test_a_member_who_rejects_on_one_phone_has_rejected() -> None:
    hunt = in_turn()
    assert hunt.handle(ev.PhoneRefused(1, "CALL_REJECTED", True), 0.5) == [
        ev.CancelLeg(1, "LOSE_RACE"),
        ev.StartLeg(2, "b", 12.0),
    ]
    hunt.handle(ev.LegEnded(1, "LOSE_RACE"), 0.52)
    assert (hunt.legs[1].cause, hunt.legs[1].outcome) == ("CALL_REJECTED", Outcome.REJECTED)
    hunt.handle(ev.LegEnded(2, "CALL_REJECTED"), 1.0)
    assert hunt.handle(ev.LegEnded(3, "CALL_REJECTED"), 2.0) == [ev.Release("CALL_REJECTED")]


def test_a_phone_that_gives_no_sign_is_not_waited_for_when_another_is_busy() -> None:
    hunt = in_turn()
    assert hunt.handle(ev.PhoneRefused(1, "USER_BUSY", False), 0.5) == []
    assert hunt.due == SIGN_TIME
    assert hunt.tick(SIGN_TIME) == [ev.CancelLeg(1, "NO_ANSWER"), ev.StartLeg(2, "b", 12.0)]
    hunt.handle(ev.LegEnded(1, "NO_ANSWER"), SIGN_TIME + 0.02)
    assert (hunt.legs[1].cause, hunt.legs[1].outcome) == ("USER_BUSY", Outcome.BUSY)


def test_a_phone_that_rings_is_waited_for_though_another_is_busy() -> None:
    hunt = in_turn()
    hunt.handle(ev.PhoneRefused(1, "USER_BUSY", False), 0.5)
    hunt.handle(ev.LegRinging(1), 2.0)
    assert hunt.due == 12.0
    hunt.handle(ev.LegAnswered(1), 3.0)
    hunt.handle(ev.LegConnected(1), 3.02)
    assert hunt.legs[1].outcome is Outcome.ANSWERED


def test_a_phone_rings_on_when_another_was_picked_up_and_hung_up_at_once() -> None:
    hunt = in_turn()
    hunt.handle(ev.LegAnswered(1), 2.0)
    assert hunt.due == 2.0 + CLAIM_TIME
    assert hunt.handle(ev.AnswerLost(1), 2.01) == []
    assert hunt.due == 12.0
    hunt.handle(ev.LegAnswered(1), 9.0)
    assert hunt.due == 9.0 + CLAIM_TIME
    hunt.handle(ev.LegConnected(1), 9.02)
    assert (hunt.legs[1].answered, hunt.legs[1].outcome) == (9.0, Outcome.ANSWERED)


def test_a_phone_that_answers_as_another_rejects_has_the_caller() -> None:
    hunt = in_turn()
    hunt.handle(ev.PhoneRefused(1, "CALL_REJECTED", True), 0.5)
    assert hunt.handle(ev.LegAnswered(1), 0.501) == []
    assert hunt.handle(ev.LegConnected(1), 0.51) == [ev.CancelLeg(2, "LOSE_RACE")]
    assert hunt.legs[1].outcome is Outcome.ANSWERED
