"""The event socket: connecting, commands, and what happens when either side leaves."""

from __future__ import annotations

import re
import time

import gevent
import pytest

from fsctl.demo import Script
from fsctl.demo.transfers import transfer
from tests.demo.harness import Bench, Socket, everything, originate

RINGS = Script()


def reply(connection: Socket, command: str) -> str:
    frame = connection.ask(command)
    if frame.body:
        return frame.body.decode()
    return frame.head.decode().partition("Reply-Text: ")[2].split("\n")[0]


def execute(connection: Socket, name: str, argument: str = "") -> None:
    tail = f"\nexecute-app-arg: {argument}" if argument else ""
    reply(connection, f"sendmsg\ncall-command: execute\nexecute-app-name: {name}{tail}")


def test_a_refused_host_is_passed_over(bench: Bench) -> None:
    placed = bench.switch.dial("600", controllers=f"127.0.0.1:1|{bench.address}")
    data = bench.connect().frames[0].head.decode()
    assert f"\nUnique-ID: {placed.uuid}\n" in data
    assert "\nvariable_current_application_data: 127.0.0.1%3A1|" not in data
    assert f"%3A1%7C{bench.address.replace(':', '%3A')}%20async%20full" in data


def test_without_any_controller_the_dialplan_goes_on(bench: Bench) -> None:
    placed = bench.switch.dial("600", controllers="127.0.0.1:1|127.0.0.1:2")
    assert bench.wait("caller", "released").detail["code"] == 503
    assert bench.switch.fallen_back == [placed.uuid]
    bench.wait("caller", "fallback")


def test_only_connect_is_answered_first(bench: Bench) -> None:
    bench.switch.dial("600")
    connection = bench.sockets.get(timeout=5)
    connection.send("linger")
    assert reply(connection, "linger 7") == "+OK will linger 7 seconds"
    assert len(connection.frames) == 1


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("resume", "+OK"),
        ("linger", "+OK will linger"),
        ("nolinger", "+OK will not linger"),
        ("divert_events on", "+OK events diverted"),
        ("event plain CHANNEL_ANSWER nonsense", "+OK event listener enabled plain"),
        ("event json nonsense", "-ERR no keywords supplied"),
        ("nixevent CHANNEL_ANSWER", "+OK events nixed"),
        ("noevents", "-ERR not listening for events"),
        ("myevents json", "+OK Events Enabled"),
        ("filter Unique-ID", "-ERR invalid syntax"),
        ("filter Unique-ID a b", "+OK filter added. [Unique-ID]=[a b]"),
        ("filter delete Unique-ID", "+OK filter deleted. [Unique-ID][]"),
        ("sendmsg 1234\ncall-command: hangup", "-ERR invalid session id [1234]"),
        ("getvar sip_to_user", "600"),
        ("fly", "-ERR command not found"),
        ("api fly", "-ERR fly Command not found!\n"),
        ("api global_getvar domain", "pbx.test"),
        ("api show channels count", "\n1 total.\n"),
        ("api uuid_exists nobody", "false"),
        ("api uuid_kill nobody", "-ERR No such channel!\n"),
        (
            "api hupall LOSE_RACE tag x",
            "+OK hangup all channels matching [tag]=[x] with cause: LOSE_RACE\n",
        ),
        ("api limit_hash_usage hunt x", "0"),
        ("api sched_del nothing", "+OK Deleted: 0\n"),
        ("api eval ${domain} and ${version(short)}", "pbx.test and 1.10.12\n"),
        ("api cond a == a ? yes : no", "yes"),
        ("api cond 2 > 10 ? yes : no", "no"),
        ("api cond 'a b' != 'a c' ? yes : no", "yes"),
        ("api cond nonsense", "-ERR"),
        ("api uuid_broadcast nobody x::y", "-ERR invalid uuid\n"),
        ("API VERSION", "-ERR VERSION Command not found!\n"),
        ("exit", "+OK bye"),
    ],
)
def test_commands_are_answered_in_freeswitchs_words(
    bench: Bench, command: str, answer: str
) -> None:
    _, connection = bench.call()
    assert reply(connection, command) == answer


def test_variables_are_set_and_read_by_uuid(bench: Bench) -> None:
    caller, connection = bench.call()
    assert reply(connection, f"api uuid_setvar {caller} tag 'a b'") == "+OK\n"
    assert reply(connection, f"api uuid_getvar {caller} tag") == "a b"
    assert reply(connection, f"api uuid_setvar_multi {caller} x=1;y=2") == "+OK\n"
    assert reply(connection, f"api uuid_getvar {caller} y") == "2"
    assert reply(connection, f"api uuid_setvar {caller} tag") == "+OK\n"
    assert reply(connection, f"api uuid_getvar {caller} tag") == "_undef_"
    execute(connection, "multiset", "^^:a=1:b=2")
    execute(connection, "set", "c=${a}${b}")
    execute(connection, "unset", "a")
    execute(connection, "ring_ready")
    bench.wait("caller", "ringing")
    values = [reply(connection, f"api uuid_getvar {caller} {name}") for name in "abc"]
    assert values == ["_undef_", "2", "12"]


def test_a_job_keeps_the_number_that_it_is_given(bench: Bench) -> None:
    caller, connection = bench.call()
    connection.ask("event json BACKGROUND_JOB")
    job = "11111111-2222-3333-4444-555555555555"
    frame = connection.ask(f"bgapi uuid_exists {caller}\nJob-UUID: {job}")
    assert frame.head.count(job.encode()) == 2
    done = connection.event("BACKGROUND_JOB", Job_UUID=job)
    assert (done["_body"], done["Job-Owner-UUID"]) == ("true", caller)


def test_myevents_tells_of_the_caller_alone_and_of_its_jobs(bench: Bench) -> None:
    caller, connection = bench.call(test002=RINGS)
    connection.ask("myevents json")
    connection.ask("event json BACKGROUND_JOB")
    connection.send(f"bgapi {originate(caller, 'nobody')}")
    connection.send(f"bgapi {originate(caller, 'test002')}")
    bench.wait("test002", "invite")
    execute(connection, "ring_ready")
    connection.event("CHANNEL_PROGRESS")
    connection.event("BACKGROUND_JOB")
    assert {frame.event.get("Unique-ID", caller) for frame in connection.events()} == {caller}


def test_before_the_first_filter_the_whole_switch_is_heard(bench: Bench) -> None:
    _, connection = bench.call()
    connection.ask("event json CHANNEL_CREATE")
    stranger = bench.switch.dial("601", who="stranger")
    connection.event("CHANNEL_CREATE", Unique_ID=stranger.uuid)


def test_applications_take_effect_at_the_next_tick_and_in_order(bench: Bench) -> None:
    caller, connection = bench.call()
    everything(connection, caller)
    execute(connection, "set", "a=1")
    execute(connection, "ring_ready")
    execute(connection, "pre_answer")
    execute(connection, "answer")
    connection.event("CHANNEL_EXECUTE_COMPLETE", Application="answer")
    done = connection.events("CHANNEL_EXECUTE_COMPLETE")
    assert [f.event["Application"] for f in done] == ["set", "ring_ready", "pre_answer", "answer"]
    bench.wait("caller", "answered")
    early = [sight.detail["early"] for sight in bench.seen("caller", "ringing")]
    assert early == [False, True]


def test_playback_opens_media_and_can_be_broken_off(bench: Bench) -> None:
    caller, connection = bench.call()
    everything(connection, caller)
    execute(connection, "playback", "silence_stream://-1")
    bench.wait("caller", "ringing")
    assert reply(connection, f"api uuid_break {caller}") == "+OK\n"
    connection.event("CHANNEL_EXECUTE_COMPLETE", Application="playback")
    execute(connection, "playback", "silence_stream://20")
    execute(connection, "sleep", "10")
    connection.event("CHANNEL_EXECUTE_COMPLETE", Application="sleep")


def test_a_broadcast_runs_on_the_channel_with_its_variables(bench: Bench) -> None:
    _, connection = bench.call()
    caller = reply(connection, "getvar uuid")
    everything(connection, caller)
    chain = (
        "limit_execute::hash hunt x 1 ${cond(${current_application} == socket ? hangup : unset)}"
    )
    answer = reply(connection, f"api uuid_broadcast {caller} '{chain} USER_BUSY' aleg")
    assert answer == "+OK Message sent\n"
    assert bench.wait("caller", "released").detail["code"] == 486


def test_a_broadcast_reaches_a_conversation(bench: Bench) -> None:
    caller, connection = bench.call(test002=Script(answer_after=0.0))
    everything(connection, caller)
    reply(connection, f"bgapi {originate(caller, 'test002')}")
    channel = bench.switch.channels[caller]
    assert channel.wait(lambda: channel.bridged, 2)
    reply(connection, f"api uuid_broadcast {caller} set::x=1 both")
    connection.event("CHANNEL_EXECUTE_COMPLETE", Application="set", Unique_ID=caller)
    assert channel.bridged
    reply(connection, f"api uuid_broadcast {caller} playback!user_busy::silence_stream://20 aleg")
    assert bench.wait("caller", "bye")


def test_api_originate_holds_the_socket(bench: Bench) -> None:
    caller, connection = bench.call(test002=Script(refuse=486, refuse_after=0.2))
    connection.ask("event json CHANNEL_CREATE CHANNEL_HANGUP")
    connection.send("api originate user/test002 &park()")
    connection.send(f"api uuid_exists {caller}")
    bench.wait("test002", "busy")
    assert not connection.events()
    connection.event("CHANNEL_HANGUP")
    bodies = [frame.body for frame in connection.replies() if frame.body]
    assert bodies == [b"-ERR USER_BUSY\n", b"true"]


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        ("NO_ANSWER", 480),
        ("USER_BUSY", 486),
        ("NO_USER_RESPONSE", 408),
        ("CALL_REJECTED", 603),
        ("NORMAL_TEMPORARY_FAILURE", 503),
        ("UNALLOCATED_NUMBER", 404),
        ("17", 486),
        ("nonsense", 480),
    ],
)
def test_a_cause_becomes_a_status_for_the_caller(bench: Bench, cause: str, code: int) -> None:
    _, connection = bench.call()
    connection.ask(f"sendmsg\ncall-command: hangup\nhangup-cause: {cause}")
    assert bench.wait("caller", "released").detail["code"] == code


def test_a_lingering_socket_hears_the_end_and_closes_on_the_whole_second(bench: Bench) -> None:
    caller, connection = bench.call()
    everything(connection, caller)
    connection.ask("linger 0")
    execute(connection, "hangup", "NO_ANSWER")
    connection.event("CHANNEL_HANGUP_COMPLETE")
    connection.until(lambda: len(connection.notices()) == 2, 3, "second notice")
    connection.until(lambda: connection.closed, 1, "end of the socket")
    first, last = connection.notices()
    assert b"Content-Disposition: linger\n" in first.head
    assert b"Linger-Time: 0\n" in first.head
    assert b"Content-Disposition: disconnect\n" in last.head
    assert b"ClueCon" in last.body
    assert time.time() % 1 < 0.5


def test_without_linger_the_socket_closes_at_once(bench: Bench) -> None:
    _, connection = bench.call()
    execute(connection, "hangup")
    connection.until(lambda: connection.closed, 1, "end of the socket")
    [notice] = connection.notices()
    assert b"Content-Disposition: disconnect\n" in notice.head


def test_a_disconnect_notice_holds_whatever_lines_the_caller_wrote(bench: Bench) -> None:
    placed = bench.switch.dial("600", caller_number="a\nUnique-ID: evil")
    connection = bench.connect()
    assert b"\nCaller-Username: a%0AUnique-ID%3A%20evil\n" in connection.frames[0].head
    connection.ask("linger 5")
    placed.hang_up()
    connection.until(lambda: bool(connection.notices()), 2, "notice")
    assert (
        b"Channel-Name: sofia/internal/a\nUnique-ID: evil@127.0.0.1\n"
        in connection.notices()[0].head
    )


def test_a_callers_own_escape_stays(bench: Bench) -> None:
    bench.switch.dial("600", caller_name="100%0AEvent-Name: CHANNEL_ANSWER")
    head = bench.connect().frames[0].head
    assert b"\nCaller-Caller-ID-Name: 100%0AEvent-Name%3A%20CHANNEL_ANSWER\n" in head


def test_a_parked_caller_goes_on_when_the_socket_closes(bench: Bench) -> None:
    """FreeSWITCH's do too, whatever ``socket_resume`` says, 5 ms after ``connect`` (tried)."""
    caller, connection = bench.call()
    gevent.sleep(0.05)
    connection.close()
    bench.wait("caller", "released")
    assert bench.switch.fallen_back == [caller]


def test_a_caller_is_taken_out_of_a_second_socket_when_the_first_closes(bench: Bench) -> None:
    """FreeSWITCH does not ask whose ``park`` it is (``listener_run``)."""
    caller, first = bench.call()
    transferring = gevent.spawn(transfer, bench.switch, bench.switch.channels[caller], "601")
    second = bench.connect()
    transferring.join()
    gevent.sleep(0.05)
    assert bench.switch.fallen_back == []
    first.close()
    bench.wait("caller", "released")
    assert bench.switch.fallen_back == [caller]
    second.close()


@pytest.mark.parametrize("how", ["resume", "socket_resume", "exit"])
def test_a_told_caller_goes_on_once_the_socket_is_gone(bench: Bench, how: str) -> None:
    caller, connection = bench.call()
    if how == "socket_resume":
        reply(connection, f"api uuid_setvar {caller} socket_resume true")
    else:
        reply(connection, "resume")
    if how == "exit":
        reply(connection, "exit")
    else:
        connection.close()
    bench.wait("caller", "released")
    assert bench.switch.fallen_back == [caller]


def test_the_caller_waits_for_the_jobs_of_a_socket_that_is_gone(bench: Bench) -> None:
    caller, connection = bench.call(test002=Script(refuse=486, refuse_after=0.3))
    reply(connection, "resume")
    reply(connection, f"bgapi {originate(caller, 'test002')}")
    bench.wait("test002", "invite")
    connection.close()
    busy = bench.wait("test002", "busy")
    released = bench.wait("caller", "released")
    assert released.at > busy.at


def test_a_member_still_gets_the_caller_without_the_controller(bench: Bench) -> None:
    placed = bench.switch.dial("600")
    connection = bench.connect()
    bench.switch.register("test002", Script(answer_after=0.15))
    connection.send(f"bgapi {originate(placed.uuid, 'test002')}")
    bench.wait("test002", "invite")
    connection.close()
    assert placed.talks_to("test002", 2)


def test_resume_cuts_a_conversation_when_the_socket_goes(bench: Bench) -> None:
    """Read in ``listener_run``: the caller is reset, bridged or not, and nothing calls it back."""
    caller, connection = bench.call(test002=Script(answer_after=0.02))
    everything(connection, caller)
    reply(connection, "resume")
    connection.send(f"bgapi {originate(caller, 'test002')}")
    bench.wait("test002", "talking")
    channel = bench.switch.channels[caller]
    assert channel.wait(lambda: channel.bridged, 1)
    connection.close()
    bench.wait("test002", "bye")
    assert not channel.wait(lambda: channel.down, 0.1)
    assert channel.running == "CS_RESET"


def test_a_controller_that_never_connects_loses_the_socket(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fsctl.demo.listener.CONNECT_TIMEOUT", 0.1)
    bench.switch.dial("600")
    connection = bench.sockets.get(timeout=5)
    connection.until(lambda: connection.closed, 2, "end of the socket")


def test_commands_may_come_in_pieces(bench: Bench) -> None:
    _, connection = bench.call()
    seen = len(connection.replies())
    for byte in b"\r\nlinger 3\r\n\r\nsendmsg\ncontent-length: 4\n\nbodynolinger\n\n":
        connection.sock.sendall(bytes([byte]))
        gevent.sleep(0)
    connection.until(lambda: len(connection.replies()) == seen + 3, 2, "three replies")
    texts = [re.findall(rb"Reply-Text: (.*)", f.head)[0] for f in connection.replies()[seen:]]
    assert texts == [b"+OK will linger 3 seconds", b"+OK", b"+OK will not linger"]
