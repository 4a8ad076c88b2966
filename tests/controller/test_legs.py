"""What the switch's events mean to the hunt."""

import orjson
import pytest

from fsctl.controller.legs import Legs
from fsctl.esl import events
from fsctl.esl.commands import CALL_TAG, LEG_TAG, RING_TAG
from fsctl.esl.events import Event, event_of
from fsctl.esl.picking import PICKER_TAG
from fsctl.esl.session import CALLER_LEFT
from fsctl.hunt import events as ev
from fsctl.hunt.outcomes import CALLER_GONE

A = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"
LEG = "33333333-3333-3333-3333-333333333333"


def of_leg(
    name: str, *, caller: str = A, hunts: bool = True, cause: str = "", channel: str = LEG
) -> Event:
    headers = {
        "Event-Name": name,
        "Unique-ID": channel,
        "Hangup-Cause": cause,
        f"variable_{CALL_TAG}": caller,
        f"variable_{LEG_TAG}": "1",
    }
    return event_of(headers | ({f"variable_{RING_TAG}": "job"} if hunts else {}))


def of_caller(name: str) -> Event:
    return event_of({"Event-Name": name, "Unique-ID": A})


def told(*heard: Event, confirms: bool = False, answered: bool = False) -> list[ev.Event]:
    """Return what a call with one leg takes from these events."""
    legs = Legs(A, answered)
    leg = legs.add(1, confirms)
    for event in heard:
        if event.name == "BACKGROUND_JOB":
            event.job = leg.job
        if event.leg_tag:
            event.leg_tag = leg.job
    return [event for each in heard for event in legs.translate(each)]


def result(text: str) -> Event:
    return event_of({"Event-Name": "BACKGROUND_JOB"}, text)


def test_the_events_of_another_call_mean_nothing() -> None:
    """FreeSWITCH passes some on that came between two commands (tried)."""
    ours = [of_leg("CHANNEL_CREATE"), of_leg("CHANNEL_ANSWER")]
    theirs = [of_leg(name, caller=OTHER) for name in ("CHANNEL_BRIDGE", "CHANNEL_HANGUP_COMPLETE")]
    assert told(*ours, *theirs) == [ev.LegAnswered(1)]


def test_the_legs_of_another_hunt_for_the_same_caller_mean_nothing() -> None:
    """A caller who was transferred is hunted for again, maybe by another process."""
    first, second = Legs(A), Legs(A)
    job = second.add(1).job
    assert job != first.add(1).job
    for name in ("CREATE", "ANSWER", "BRIDGE", "HANGUP_COMPLETE"):
        event = of_leg(f"CHANNEL_{name}", hunts=name in ("CREATE", "ANSWER"))
        event.leg_tag = job
        assert not first.translate(event)


def test_a_winner_who_is_gone_before_the_bridge_had_the_caller() -> None:
    end = of_leg("CHANNEL_HANGUP_COMPLETE", hunts=False, cause="NORMAL_CLEARING")
    assert told(of_leg("CHANNEL_ANSWER"), of_caller("CHANNEL_ANSWER"), end) == [
        ev.LegAnswered(1),
        ev.LegConnected(1),
        ev.LegEnded(1, "NORMAL_CLEARING"),
    ]


def test_one_who_is_gone_before_the_caller_was_answered_had_not() -> None:
    end = of_leg("CHANNEL_HANGUP_COMPLETE", hunts=False, cause="NORMAL_CLEARING")
    assert told(of_leg("CHANNEL_ANSWER"), end)[1:] == [ev.LegEnded(1, "NORMAL_CLEARING")]


def test_a_caller_who_leaves_before_the_bridge_was_with_the_winner() -> None:
    gone = event_of(
        dict(of_caller("CHANNEL_HANGUP_COMPLETE").headers) | {"variable_bridge_uuid": LEG}
    )
    found = told(of_leg("CHANNEL_CREATE"), of_leg("CHANNEL_ANSWER"), gone)
    assert found == [ev.LegAnswered(1), ev.LegConnected(1), ev.CallerGone("")]


def test_so_it_was_when_only_the_notice_tells() -> None:
    gone = event_of({"Event-Name": CALLER_LEFT})
    found = told(of_leg("CHANNEL_ANSWER"), of_caller("CHANNEL_ANSWER"), gone)
    assert found[1:] == [ev.LegConnected(1), ev.CallerGone(CALLER_GONE)]
    assert told(of_leg("CHANNEL_ANSWER"), gone)[1:] == [ev.CallerGone(CALLER_GONE)]


def test_a_loser_who_hangs_up_at_the_same_time_had_not() -> None:
    end = of_leg("CHANNEL_HANGUP_COMPLETE", cause="NORMAL_CLEARING")
    kept = result(f"+OK {LEG}\n")
    found = told(of_leg("CHANNEL_ANSWER"), of_caller("CHANNEL_ANSWER"), end, kept)
    assert found[1:] == [ev.LegAnswered(1), ev.LegEnded(1, "NORMAL_CLEARING")]


def lost_to(channel: str, other: str = OTHER) -> list[Event]:
    """Return what the switch tells of two phones of a user when it keeps ``channel``."""
    lost = of_leg("CHANNEL_HANGUP_COMPLETE", cause="LOSE_RACE", channel=other)
    return [lost, result(f"+OK {channel}\n")]


@pytest.mark.parametrize("created", [False, True], ids=["unheard", "heard"])
@pytest.mark.parametrize("result_first", [False, True])
def test_a_phone_that_lost_to_another_of_its_user_ends_no_leg(
    created: bool, result_first: bool
) -> None:
    """The CHANNEL_CREATE of a leg that starts before the filter is set is not heard."""
    both = [of_leg("CHANNEL_ANSWER"), of_leg("CHANNEL_ANSWER", channel=OTHER)]
    begun = [of_leg("CHANNEL_CREATE"), of_leg("CHANNEL_CREATE", channel=OTHER)]
    end = lost_to(LEG)
    heard = [*(begun if created else []), *both, *(reversed(end) if result_first else end)]
    assert set(told(*heard)) == {ev.LegAnswered(1)}
    bridge = of_leg("CHANNEL_BRIDGE", hunts=False)
    over = of_leg("CHANNEL_HANGUP_COMPLETE", hunts=False, cause="NORMAL_CLEARING")
    assert told(*heard, bridge, over)[-2:] == [
        ev.LegConnected(1),
        ev.LegEnded(1, "NORMAL_CLEARING"),
    ]


def test_the_kept_phone_may_lose_the_claim() -> None:
    both = [of_leg("CHANNEL_ANSWER"), of_leg("CHANNEL_ANSWER", channel=OTHER)]
    lost = of_leg("CHANNEL_HANGUP_COMPLETE", cause="LOSE_RACE")
    assert told(*both, *lost_to(LEG), lost)[-1:] == [ev.LegEnded(1, "LOSE_RACE")]


def test_only_the_notice_tells_that_the_caller_of_a_kept_phone_left() -> None:
    both = [of_leg("CHANNEL_ANSWER"), of_leg("CHANNEL_ANSWER", channel=OTHER)]
    gone = event_of({"Event-Name": CALLER_LEFT})
    found = told(*both, *lost_to(LEG), of_caller("CHANNEL_ANSWER"), gone)
    assert found[-2:] == [ev.LegConnected(1), ev.CallerGone(CALLER_GONE)]


def test_a_failed_job_has_the_cause_of_the_phone_that_was_picked_up() -> None:
    """Its own word is the cause of the first phone."""
    vanished = of_leg("CHANNEL_HANGUP_COMPLETE", cause="NORMAL_CLEARING", channel=OTHER)
    picked_up = of_leg("CHANNEL_ANSWER", channel=OTHER)
    found = told(picked_up, vanished, result("-ERR USER_BUSY\n"))
    assert found == [ev.LegAnswered(1), ev.LegEnded(1, "NORMAL_CLEARING")]


def test_who_must_press_1_has_not_answered_before() -> None:
    asked = [of_leg("CHANNEL_CREATE"), of_leg("CHANNEL_ANSWER")]
    assert told(*asked, confirms=True) == []
    assert told(*asked, result(f"+OK {LEG}\n"), confirms=True) == [ev.LegAnswered(1)]


def test_who_hangs_up_without_pressing_ends_with_the_job() -> None:
    asked = [of_leg("CHANNEL_CREATE"), of_leg("CHANNEL_ANSWER")]
    end = of_leg("CHANNEL_HANGUP_COMPLETE", cause="NORMAL_CLEARING")
    found = told(*asked, end, result("-ERR NORMAL_CLEARING\n"), confirms=True)
    assert found == [ev.LegEnded(1, "NORMAL_CLEARING")]


def test_who_presses_1_and_is_gone_at_once_is_over() -> None:
    """The job's result may come after the channel's end."""
    asked = [of_leg("CHANNEL_CREATE"), of_leg("CHANNEL_ANSWER")]
    end = of_leg("CHANNEL_HANGUP_COMPLETE", cause="NORMAL_CLEARING")
    found = told(*asked, end, result(f"+OK {LEG}\n"), confirms=True)
    assert found == [ev.LegAnswered(1), ev.LegEnded(1, "NORMAL_CLEARING")]


def test_an_answer_of_a_group_that_answers_first_says_nothing_of_a_member() -> None:
    end = of_leg("CHANNEL_HANGUP_COMPLETE", hunts=False, cause="NORMAL_CLEARING")
    events = of_caller("CHANNEL_ANSWER"), of_leg("CHANNEL_ANSWER"), end
    assert told(*events, answered=True) == [
        ev.LegAnswered(1),
        ev.LegEnded(1, "NORMAL_CLEARING"),
    ]


def of_picker(name: str, *, caller: str = A, cause: str = "") -> Event:
    tags = {f"variable_{CALL_TAG}": caller, f"variable_{PICKER_TAG}": "anna"}
    return event_of({"Event-Name": name, "Unique-ID": OTHER, "Hangup-Cause": cause, **tags})


def test_who_picks_up_is_a_leg_that_begins_with_its_answer() -> None:
    found = told(*map(of_picker, ("CHANNEL_ANSWER", "CHANNEL_BRIDGE")))
    assert found == [ev.PickedUp(2, "anna"), ev.LegAnswered(2), ev.LegConnected(2)]
    end = of_picker("CHANNEL_HANGUP_COMPLETE", cause="NORMAL_CLEARING")
    assert told(of_picker("CHANNEL_ANSWER"), end)[2:] == [ev.LegEnded(2, "NORMAL_CLEARING")]


def test_it_may_have_been_answered_before() -> None:
    assert told(of_picker("CHANNEL_BRIDGE")) == [ev.PickedUp(2, "anna"), ev.LegConnected(2)]


def test_another_callers_picker_and_one_of_an_earlier_hunt_mean_nothing() -> None:
    assert told(of_picker("CHANNEL_ANSWER", caller=LEG)) == []
    assert told(of_picker("CHANNEL_HANGUP_COMPLETE", cause="NORMAL_CLEARING")) == []


def test_the_caller_s_own_bridge_tells_who_has_them() -> None:
    bridge = event_of(dict(of_caller("CHANNEL_BRIDGE").headers) | {"Other-Leg-Unique-ID": OTHER})
    assert told(of_picker("CHANNEL_ANSWER"), bridge)[2:] == [ev.LegConnected(2)]


@pytest.mark.parametrize("answered", [False, True])
def test_no_event_of_a_leg_is_read_whole(answered: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has some 150 headers, and a busy switch sends thousands of them each second."""
    heard = []
    for name in ("CREATE", "PROGRESS", "ANSWER", "BRIDGE", "HANGUP_COMPLETE"):
        for one in (of_leg(f"CHANNEL_{name}"), of_picker(f"CHANNEL_{name}")):
            heard.append(events.read_json(orjson.dumps(dict(one.headers))))
    heard += [
        events.read_json(orjson.dumps(dict(of_caller(n).headers)))
        for n in ("CHANNEL_ANSWER", "CHANNEL_BRIDGE", "CHANNEL_HANGUP_COMPLETE")
    ]

    def refuse(_body: bytes) -> None:
        raise AssertionError("all headers are read")

    monkeypatch.setattr(events, "_all_headers", refuse)
    assert ev.LegAnswered(1) in told(*heard, answered=answered)


def test_what_only_one_parser_takes_has_no_other_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_HEADERS", 1)
    event = events.read_json(b'{"Event-Name":"CHANNEL_ANSWER","Other":"1"}')
    assert event.get("Event-Name") == "CHANNEL_ANSWER"
    assert event.get("Other") == ""


def refusal(cause: str, code: str = "", channel: str = LEG) -> Event:
    event = of_leg("CHANNEL_HANGUP_COMPLETE", cause=cause, channel=channel)
    event.invite_failure = code
    return event


CREATED = of_leg("CHANNEL_CREATE"), of_leg("CHANNEL_CREATE", channel=OTHER)


@pytest.mark.parametrize(
    ("cause", "code", "for_all"),
    [
        ("CALL_REJECTED", "603", True),
        ("UNWANTED", "607", True),
        ("USER_BUSY", "600", True),
        ("CALL_REJECTED", "", True),
        ("CALL_REJECTED", "403", False),
        ("USER_BUSY", "486", False),
        ("NO_USER_RESPONSE", "480", False),
    ],
)
def test_a_refusal_speaks_for_the_phone_or_for_its_member(
    cause: str, code: str, for_all: bool
) -> None:
    found = told(*CREATED, refusal(cause, code))
    assert found == [ev.PhoneRefused(1, cause, for_all)]


def test_a_phone_may_refuse_before_the_next_has_a_channel() -> None:
    first, second = CREATED
    found = told(first, refusal("CALL_REJECTED", "603"), second)
    assert found == [ev.PhoneRefused(1, "CALL_REJECTED", True)]
    assert told(first, refusal("CALL_REJECTED", "603"), second, second) == found


def test_a_phone_that_is_hung_up_at_once_leaves_the_others_ringing() -> None:
    answer, end = (
        of_leg("CHANNEL_ANSWER"),
        of_leg("CHANNEL_HANGUP_COMPLETE", cause="NORMAL_CLEARING"),
    )
    lost = [ev.LegAnswered(1), ev.AnswerLost(1)]
    assert told(*CREATED, answer, end) == lost
    assert told(*CREATED, answer, end, result(f"+OK {OTHER}\n"))[2:] == [ev.LegAnswered(1)]
    assert told(*CREATED, answer, end, result(f"+OK {LEG}\n"))[2:] == [
        ev.LegAnswered(1),
        ev.LegEnded(1, "NORMAL_CLEARING"),
    ]
    other = of_leg("CHANNEL_ANSWER", channel=OTHER)
    assert told(*CREATED, answer, other, end) == [ev.LegAnswered(1), ev.LegAnswered(1)]


def test_a_refusal_tells_nothing_where_no_other_phone_is_concerned() -> None:
    ringing = of_leg("CHANNEL_PROGRESS", channel=OTHER)
    picked_up = of_leg("CHANNEL_ANSWER", channel=OTHER)
    alone = of_leg("CHANNEL_CREATE")
    assert told(alone, refusal("CALL_REJECTED", "603")) == []
    assert told(*CREATED, ringing, refusal("USER_BUSY", "486")) == [ev.LegRinging(1)]
    assert told(*CREATED, picked_up, refusal("CALL_REJECTED", "603")) == [ev.LegAnswered(1)]
    assert told(*CREATED, picked_up, refusal("CALL_REJECTED", "603"), confirms=True) == []
    for ours in ("LOSE_RACE", "ORIGINATOR_CANCEL", "NO_ANSWER"):
        assert told(*CREATED, refusal(ours)) == []
