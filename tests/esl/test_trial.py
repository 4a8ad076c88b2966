"""A test call's events as they are told; a real switch sends them in ``tests/live``."""

import pytest

from fsctl.esl.commands import CALL_TAG
from fsctl.esl.errors import Unquotable
from fsctl.esl.events import Event, event_of
from fsctl.esl.presentation import Shown
from fsctl.esl.trial import Told, Trial
from fsctl.esl.trial_commands import place_trial

SHOWN = Shown.of("+48500600700", "fsctl test")


class Switch:
    """Takes commands and tells of what it was given."""

    connected = True

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, command: str) -> None:
        self.sent.append(command)

    api = send


def trial() -> Trial:
    return Trial(Switch(), "600", "default", SHOWN)  # type: ignore[arg-type]


def of_caller(name: str, **more: str) -> Event:
    return event_of({"Event-Name": name, "Unique-ID": "b", "Call-Direction": "inbound", **more})


def of_leg(name: str, channel: str = "l", caller: str = "b", **more: str) -> Event:
    return event_of(
        {
            "Event-Name": name,
            "Unique-ID": channel,
            f"variable_{CALL_TAG}": caller,
            "variable_dialed_user": "anna",
            **more,
        }
    )


def told(call: Trial, *events: Event) -> list[Told]:
    return [one for event in events for one in call._read(event)]


def test_an_answered_call() -> None:
    call = trial()
    seen = told(
        call,
        of_caller("CHANNEL_CREATE"),
        of_caller(
            "CHANNEL_EXECUTE", **{"Application": "socket", "Application-Data": "h:1|h:2 async full"}
        ),
        of_leg("CHANNEL_CREATE"),
        of_leg("CHANNEL_CREATE", caller="another"),
        of_caller("CHANNEL_PROGRESS"),
        of_leg("CHANNEL_PROGRESS"),
        of_leg("CHANNEL_CREATE", "m"),
        of_leg("CHANNEL_ANSWER"),
        of_leg("CHANNEL_HANGUP_COMPLETE", "m", **{"Hangup-Cause": "LOSE_RACE"}),
        of_caller("CHANNEL_ANSWER"),
        of_caller("CHANNEL_HANGUP_COMPLETE", **{"Hangup-Cause": "NORMAL_CLEARING"}),
        of_leg("CHANNEL_HANGUP_COMPLETE"),
    )
    assert [(one.who, one.what) for one in seen] == [
        ("anna", "invite"),
        ("caller", "ringing"),
        ("anna", "invite"),
        ("anna", "answer"),
        ("anna", "cancel"),
        ("caller", "answered"),
        ("caller", "bye"),
        ("anna", "bye"),
    ]
    assert (call.controller, call.answered, call.over) == ("h:1|h:2", True, True)


@pytest.mark.parametrize(
    ("cause", "what"),
    [("USER_BUSY", "busy"), ("CALL_REJECTED", "reject"), ("NO_ANSWER", "cancel")],
)
def test_how_a_leg_fails(cause: str, what: str) -> None:
    call = trial()
    end = of_leg("CHANNEL_HANGUP_COMPLETE", **{"Hangup-Cause": cause})
    [one] = told(call, of_caller("CHANNEL_CREATE"), end)
    assert (one.what, one.detail) == (what, {"code": cause})


def test_a_call_that_never_came_about() -> None:
    call = trial()
    job = event_of({"Event-Name": "BACKGROUND_JOB"}, "-ERR NO_ROUTE_DESTINATION\n")
    assert told(call, job) == []
    assert (call.over, call.answered, call.cause) == (True, False, "NO_ROUTE_DESTINATION")


def test_it_follows_its_own_legs_alone_once_it_knows_its_caller() -> None:
    call = trial()
    told(call, of_caller("CHANNEL_CREATE"))
    assert call._switch.sent == [  # type: ignore[attr-defined]
        "filter variable_fsctl_call b",
        "filter delete variable_fsctl_call /./",
    ]


def test_it_is_hung_up_when_its_user_loses_patience() -> None:
    call = trial()
    with pytest.raises(KeyboardInterrupt), call:
        raise KeyboardInterrupt
    [order] = call._switch.sent  # type: ignore[attr-defined]
    assert order.startswith("hupall NORMAL_CLEARING fsctl_trial ")


@pytest.mark.parametrize("number", ["", "600/public", "6 0", "6\n0", "{a=b}6", "6,7", "6|7", "+"])
def test_what_cannot_be_dialled(number: str) -> None:
    with pytest.raises(Unquotable):
        place_trial("t", number, "default", SHOWN, 30)


@pytest.mark.parametrize("number", ["600", "+48587624731", "*98", "anna.b", "#1"])
def test_what_can_be_dialled(number: str) -> None:
    order = place_trial("t", number, "default", SHOWN, 30)
    assert f"}}loopback/{number}/default/XML &echo()\n" in order
