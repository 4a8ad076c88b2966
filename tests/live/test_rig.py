"""The rig itself: what its phones see when FreeSWITCH calls them by its own ``bridge``."""

import pytest
from gevent import socket

from tests.live.rig import FreeSwitchRig
from tests.scenarios.rig import Script

pytestmark = pytest.mark.live

ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


def test_answered_call_has_voice_both_ways_and_the_loser_is_told_why(rig: FreeSwitchRig) -> None:
    rig.phone("test002", Script(answer_after=0.2))
    rig.phone("test006")
    call = rig.dial("bridge-test002,test006")
    rig.log.wait("caller", "answered")
    rig.log.wait("test002", "talking")
    assert call.hears("test002")
    assert not call.hears("test006", timeout=0.1)
    assert rig.log.wait("test006", "cancel").detail["reason"] == ELSEWHERE
    assert call.uuid in rig.channels()
    assert len(rig.channels()) == 2
    call.hang_up()
    assert "Q.850;cause=16" in str(rig.log.wait("test002", "bye").detail["reason"])
    assert rig.fallbacks() == []


def test_member_hangs_up(rig: FreeSwitchRig) -> None:
    rig.phone("test002", Script(answer_after=0.0, hang_up_after=0.1))
    rig.dial("bridge-test002")
    assert rig.log.wait("caller", "bye").at > rig.log.wait("caller", "answered").at


def test_caller_gives_up_at_once(rig: FreeSwitchRig) -> None:
    rig.phone("test002")
    call = rig.dial("bridge-test002")
    rig.log.wait("caller", "ringing")
    call.hang_up()
    gave_up = rig.log.wait("caller", "gave up")
    cancel = rig.log.wait("test002", "cancel")
    assert "487" in str(cancel.detail["reason"])
    assert cancel.at - gave_up.at < 1.0
    rig.log.absent("caller", "released")


@pytest.mark.parametrize(
    ("refuse", "word", "code"), [(486, "busy", 486), (603, "reject", 603), (480, "reject", 480)]
)
def test_refusals(rig: FreeSwitchRig, refuse: int, word: str, code: int) -> None:
    rig.phone("test002", Script(refuse=refuse, refuse_after=0.1))
    rig.dial("bridge-test002")
    assert rig.log.wait("caller", "released").detail["code"] == code
    rig.log.wait("test002", word)


def test_both_phones_of_a_user_ring(rig: FreeSwitchRig) -> None:
    rig.phone("test002", phones=2)
    call = rig.dial("bridge-test002")
    rig.log.wait("test002", "invite")
    rig.log.wait("test002#2", "invite")
    rig.answer_together("test002")
    answers = rig.log.wait("test002", "answer").at, rig.log.wait("test002#2", "answer").at
    assert abs(answers[0] - answers[1]) < 0.0005
    rig.log.wait("caller", "answered")
    assert call.hears("test002")


def test_user_without_a_phone(rig: FreeSwitchRig) -> None:
    rig.phone("test002", phones=0)
    rig.dial("bridge-test002")
    assert rig.log.wait("caller", "released").detail["code"] == 480
    rig.log.absent("test002", "invite")


def test_early_media_is_heard_as_such(rig: FreeSwitchRig) -> None:
    rig.phone("test002", Script(early_media=True, answer_after=0.3))
    rig.dial("bridge-test002")
    rig.log.wait("caller", "answered")
    rig.log.wait("test002", "talking")


def test_colleague_is_known_to_the_switch(rig: FreeSwitchRig) -> None:
    rig.phone("test002")
    rig.phone("test006")
    call = rig.dial("bridge-test006", user="test002", who="colleague")
    assert rig.log.wait("test006", "invite").detail["number"] == "test002"
    assert rig.switch.api(f"uuid_getvar {call.uuid} user_name") == "test002"
    assert rig.switch.api(f"uuid_getvar {call.uuid} domain_name") == rig.domain
    rig.log.absent("test002", "invite")


def test_stranger_is_not_asked_who_he_is(rig: FreeSwitchRig) -> None:
    rig.phone("test006")
    call = rig.dial("bridge-test006", caller_name="Jan Żuk")
    seen = rig.log.wait("test006", "invite")
    shown = {name: seen.detail[name] for name in ("number", "name", "hidden")}
    assert shown == {"number": "+48600100200", "name": "Jan Żuk", "hidden": False}
    assert rig.switch.api(f"uuid_getvar {call.uuid} user_name") == "_undef_"


def test_fallback_when_no_controller_listens(rig: FreeSwitchRig) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        call = rig.dial("600", controllers=f"127.0.0.1:{closed.getsockname()[1]}")
        rig.log.wait("caller", "fallback")
    assert rig.fallbacks() == [call.uuid]
    assert rig.channels() == [call.uuid]


def test_controllers_are_tried_in_turn_and_the_number_arrives(rig: FreeSwitchRig) -> None:
    with socket.socket() as closed, socket.create_server(("127.0.0.1", 0)) as controller:
        closed.bind(("127.0.0.1", 0))
        hosts = "|".join(f"127.0.0.1:{each.getsockname()[1]}" for each in (closed, controller))
        call = rig.dial("+48587624731", controllers=hosts)
        controller.settimeout(5)
        connection, _ = controller.accept()
        with connection, connection.makefile("rb") as replies:
            connection.sendall(b"connect\n\n")
            headers = list(iter(replies.readline, b"\n"))
            assert b"Caller-Destination-Number: %2B48587624731\n" in headers
            assert f"Unique-ID: {call.uuid}\n".encode() in headers
            connection.sendall(b"resume\n\nexit\n\n")
            rig.log.wait("caller", "fallback")


def test_reset_leaves_nothing_behind(rig: FreeSwitchRig) -> None:
    rig.phone("test002", Script(answer_after=0.0))
    rig.dial("bridge-test002")
    rig.log.wait("caller", "answered")
    rig.reset()
    assert rig.channels() == []
    assert rig.log.all() == []
    assert "Total items returned: 0" in rig.switch.api("sofia status profile internal reg")


def test_many_calls_at_once(rig: FreeSwitchRig) -> None:
    users = [f"test{number:03}" for number in range(20)]
    for user in users:
        rig.phone(user, Script(answer_after=0.2))
    calls = {user: rig.dial(f"bridge-{user}", who=f"caller of {user}") for user in users}
    for call in calls.values():
        rig.log.wait(call.who, "answered")
    assert all(call.hears(user) for user, call in calls.items())
    assert len(rig.channels()) == 2 * len(users)


def test_late_wait_shows_the_log(rig: FreeSwitchRig) -> None:
    rig.log.record("caller", "calling", number="600")
    with pytest.raises(
        AssertionError, match=r"no 'answered' of caller within 0\.01 s; seen:\n.*600"
    ):
        rig.log.wait("caller", "answered", timeout=0.01)
    with pytest.raises(AssertionError, match="caller should not have seen 'calling'"):
        rig.log.absent("caller", "calling")
