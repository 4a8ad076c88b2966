"""Who is picked up, of several who wait."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import Mock

from fsctl.controller.arrival import Arrival
from fsctl.controller.pickup import PickUps
from fsctl.esl.presentation import Caller
from fsctl.hunt.group import Group

GROUP = Group("sales")


def waits(uuid: str, came: float, hunted: float) -> Mock:
    """Return a call that came, and for which a hunt began then."""
    arrival = Arrival(uuid, "600", Caller("601234567", "", False), None)
    return Mock(
        caller=SimpleNamespace(arrival=arrival),
        stay=SimpleNamespace(began=came),
        came=hunted,
        group=GROUP,
        can_be_picked_up=True,
    )


def switch(says: str = "0", then: Mock | None = None) -> Mock:
    """Return a session of a switch on which all callers wait; ``then`` a hunt is over."""

    def send(command: str) -> SimpleNamespace:
        if "limit_usage" not in command:
            return SimpleNamespace(data="+OK" if "uuid_transfer" in command else "socket")
        if then is not None:
            then.can_be_picked_up = False
        return SimpleNamespace(data=says)

    return Mock(uuid="picker", send=Mock(side_effect=send))


def taken(session: Mock, *calls: Mock) -> str:
    """Return what the switch is told to do last."""
    PickUps().take(session, GROUP, "anna", calls, "silence_stream://100")
    return str(session.send.call_args.args[0])


def test_the_one_who_has_waited_longest_in_line_or_not() -> None:
    after_a_line, younger = waits("u1", 10.0, 300.0), waits("u2", 200.0, 200.0)
    assert "intercept:u1" in taken(switch(), younger, after_a_line)


def test_not_one_who_came_to_stand_in_line_while_the_switch_was_asked() -> None:
    call = waits("u1", 10.0, 10.0)
    assert "uuid_transfer" not in taken(switch(then=call), call)
