"""Legs: originating, racing, cancelling, bridging."""

from __future__ import annotations

import time
import uuid as uuids
from functools import partial

import pytest

from fsctl.demo import Script
from fsctl.demo.clock import epoch
from tests.demo.harness import Bench, Socket, everything, originate

RINGS = Script()
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


def ring(connection: Socket, command: str) -> str:
    """Start an originate and return its job's number."""
    head = connection.ask(f"bgapi {command}").head.decode()
    return head.rpartition("Job-UUID: ")[2].strip()


def result(connection: Socket, job: str, timeout: float = 5) -> str:
    return str(connection.event("BACKGROUND_JOB", timeout, Job_UUID=job)["_body"])


def call(bench: Bench, **scripts: Script) -> tuple[str, Socket]:
    caller, connection = bench.call(**scripts)
    everything(connection, caller)
    return caller, connection


@pytest.mark.parametrize(
    ("endpoint", "cause"),
    [
        ("user/idle", "USER_NOT_REGISTERED"),
        ("user/idle@pbx.test", "USER_NOT_REGISTERED"),
        ("user/idle@elsewhere", "SUBSCRIBER_ABSENT"),
        ("user/nobody", "SUBSCRIBER_ABSENT"),
        ("sofia/gateway/nogw/1", "INVALID_GATEWAY"),
        ("sofia/internal/x@127.0.0.1:9", "NORMAL_TEMPORARY_FAILURE"),
        ("error/user_busy", "USER_BUSY"),
        ("fax/1", "CHAN_NOT_IMPLEMENTED"),
        ("{a=b", "DESTINATION_OUT_OF_ORDER"),
        ("{a=b}", "DESTINATION_OUT_OF_ORDER"),
    ],
)
def test_what_cannot_ring_fails_at_once_without_a_channel(
    bench: Bench, endpoint: str, cause: str
) -> None:
    bench.switch.register("idle", phones=0)
    _, connection = call(bench)
    job = ring(connection, f"originate {endpoint} &park()")
    assert result(connection, job) == f"-ERR {cause}\n"
    assert not connection.events("CHANNEL_CREATE")


def test_too_few_arguments_get_the_usage(bench: Bench) -> None:
    _, connection = call(bench)
    assert result(connection, ring(connection, "originate user/x")).startswith("-USAGE: ")


@pytest.mark.parametrize(
    ("status", "word", "cause"),
    [
        (486, "busy", "USER_BUSY"),
        (603, "reject", "CALL_REJECTED"),
        (480, "reject", "NO_USER_RESPONSE"),
        (404, "reject", "UNALLOCATED_NUMBER"),
    ],
)
def test_a_refusal_becomes_a_cause(bench: Bench, status: int, word: str, cause: str) -> None:
    caller, connection = call(bench, test002=Script(refuse=status))
    job = ring(connection, originate(caller, "test002"))
    assert result(connection, job) == f"-ERR {cause}\n"
    assert bench.wait("test002", word)
    assert not bench.seen("test002", "cancel")


def test_a_fatal_redirect_ends_the_leg(bench: Bench) -> None:
    caller, connection = call(bench, test002=Script(refuse=302))
    job = ring(connection, originate(caller, "test002", extra="outbound_redirect_fatal=true"))
    assert result(connection, job) == "-ERR REQUESTED_CHAN_UNAVAIL\n"
    assert len(bench.seen("test002", "invite")) == 1


def test_a_redirect_is_invited_again_and_again(bench: Bench) -> None:
    caller, connection = call(bench, test002=Script(refuse=302))
    result(connection, ring(connection, originate(caller, "test002")))
    assert len(bench.seen("test002", "invite")) > 5


def test_a_leg_is_cancelled_too_early(bench: Bench) -> None:
    caller, connection = call(bench, test002=RINGS)
    leg = str(uuids.uuid4())
    # In one piece, or a busy machine may give the leg its channel in between.
    connection.send(f"bgapi {originate(caller, 'test002', leg)}\n\nbgapi uuid_kill {leg} LOSE_RACE")
    assert connection.event("BACKGROUND_JOB", Job_Command="uuid_kill")["_body"] == (
        "-ERR No such channel!\n"
    )
    connection.event("CHANNEL_PROGRESS", Unique_ID=leg)
    assert connection.ask(f"api uuid_kill {leg} LOSE_RACE").body == b"+OK\n"
    assert bench.wait("test002", "cancel").detail["reason"] == ELSEWHERE
    ended = connection.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=leg)
    assert (ended["Hangup-Cause"], ended["variable_hangup_cause_q850"]) == ("LOSE_RACE", "16")


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("PICKED_OFF", ELSEWHERE),
        ("ORIGINATOR_CANCEL", 'SIP;cause=487;text="ORIGINATOR_CANCEL"'),
        ("NO_ANSWER", 'Q.850;cause=19;text="NO_ANSWER"'),
    ],
)
def test_a_cancelled_phone_is_told_why(bench: Bench, cause: str, reason: str) -> None:
    caller, connection = call(bench, test002=RINGS)
    ring(connection, originate(caller, "test002"))
    bench.wait("test002", "invite")
    connection.ask(f"api hupall {cause} hunt_call {caller}")
    assert bench.wait("test002", "cancel").detail["reason"] == reason


def test_both_phones_of_a_user_ring_and_the_first_wins(bench: Bench) -> None:
    caller, connection = call(bench)
    bench.switch.register("test002", RINGS, phones=2)
    job = ring(connection, originate(caller, "test002"))
    bench.wait("test002", "invite")
    bench.wait("test002#2", "invite")
    connection.until(lambda: len(connection.events("CHANNEL_PROGRESS")) == 2, 2, "two ringing")
    legs = {f.event["Unique-ID"] for f in connection.events("CHANNEL_CREATE")}
    assert len(legs) == 2
    [second] = [c for c in bench.switch.ringing if c.phone.label == "test002#2"]
    second.pick_up()
    assert result(connection, job).removeprefix("+OK ").strip() in legs
    assert bench.wait("test002", "cancel").detail["reason"] == ELSEWHERE
    bench.wait("test002#2", "talking")


def test_with_a_uuid_of_its_own_only_one_phone_rings(bench: Bench) -> None:
    caller, connection = call(bench)
    bench.switch.register("test002", Script(refuse=486, refuse_after=0.05), phones=2)
    job = ring(connection, originate(caller, "test002", str(uuids.uuid4())))
    assert result(connection, job) == "-ERR USER_BUSY\n"
    assert len(connection.events("CHANNEL_CREATE")) == 1
    assert not bench.seen("test002#2", "invite")


def test_a_taken_uuid_cannot_be_used_again(bench: Bench) -> None:
    caller, connection = call(bench, test002=RINGS, test006=RINGS)
    leg = str(uuids.uuid4())
    ring(connection, originate(caller, "test002", leg))
    connection.event("CHANNEL_CREATE", Unique_ID=leg)
    job = ring(connection, originate(caller, "test006", leg))
    assert result(connection, job) == "-ERR DESTINATION_OUT_OF_ORDER\n"


def test_originate_timeout_counts_whole_seconds(bench: Bench) -> None:
    caller, connection = call(bench, test002=RINGS)
    extra = "ignore_early_media=true,originate_timeout=1"
    job = ring(connection, originate(caller, "test002", extra=extra))
    bench.wait("test002", "invite")
    second = epoch()
    assert result(connection, job) == "-ERR NO_ANSWER\n"
    assert epoch() - second <= 1
    assert time.time() % 1 < 0.3
    assert "cause=19" in str(bench.wait("test002", "cancel").detail["reason"])


def test_early_media_counts_as_an_answer_unless_it_is_ignored(bench: Bench) -> None:
    caller, connection = call(bench, test002=Script(early_media=True))
    deaf = ring(connection, originate(caller, "test002"))
    connection.event("CHANNEL_PROGRESS_MEDIA")
    connection.ask(f"api hupall NO_ANSWER hunt_call {caller}")
    assert result(connection, deaf) == "-ERR NO_ANSWER\n"
    job = ring(connection, originate(caller, "test002", extra="a=b"))
    assert result(connection, job).startswith("+OK ")
    bench.wait("caller", "answered")
    assert not bench.seen("test002", "answer")


def test_values_that_mention_a_variable_are_dropped_on_legs(bench: Bench) -> None:
    caller, connection = call(bench, test002=RINGS)
    ring(connection, originate(caller, "test002", extra="evil=${version},good=1"))
    created = connection.event("CHANNEL_CREATE", Presence_Call_Direction="outbound")
    assert "variable_evil" not in created
    assert created["variable_good"] == "1"


def test_the_winner_takes_the_caller_and_cancels_the_others(bench: Bench) -> None:
    caller, connection = call(bench, test002=RINGS, test006=Script(answer_after=0.05))
    connection.ask("filter Bridge-B-Unique-ID " + caller)
    ring(connection, originate(caller, "test002"))
    job = ring(connection, originate(caller, "test006"))
    answered = bench.wait("test006", "answer")
    assert bench.wait("caller", "answered").at - answered.at < 0.1
    assert bench.wait("test002", "cancel").detail["reason"] == ELSEWHERE
    leg = result(connection, job).removeprefix("+OK ").strip()
    bridged = connection.event("CHANNEL_BRIDGE")
    assert (bridged["Bridge-A-Unique-ID"], bridged["Unique-ID"]) == (leg, leg)
    assert connection.ask(f"api limit_usage hash hunt {caller}").body == b"1"
    connection.ask(f"api uuid_kill {leg}")
    bench.wait("caller", "bye")
    assert connection.ask(f"api limit_usage hash hunt {caller}").body == b"0"
    assert bench.switch.fallen_back == []


def test_phones_that_answer_together_leave_one_conversation(bench: Bench) -> None:
    members = [f"test{number:03}" for number in range(2, 8)]
    caller, connection = call(bench, **dict.fromkeys(members, RINGS))
    for member in members:
        ring(connection, originate(caller, member))
    for member in members:
        bench.wait(member, "invite")
    connection.until(lambda: len(connection.events("CHANNEL_PROGRESS")) == 6, 2, "six ringing")
    bench.switch.pick_up(*members)
    bench.wait("caller", "answered")
    channel = bench.switch.channels[caller]
    assert channel.wait(lambda: channel.bridged, 1)
    connection.until(lambda: len(connection.events("BACKGROUND_JOB")) == 6, 2, "six results")
    legs = [c for c in bench.switch.channels.values() if not c.inbound and not c.down]
    assert legs == [channel.partner]
    byes = [sight for sight in bench.sights if sight.what == "bye"]
    assert {sight.detail["reason"] for sight in byes} <= {ELSEWHERE}


def test_a_leg_that_finds_the_caller_gone_or_taken_hangs_up(bench: Bench) -> None:
    caller, connection = call(bench, test002=Script(answer_after=0.0))
    ring(connection, originate(caller, "test002"))
    channel = bench.switch.channels[caller]
    assert channel.wait(lambda: channel.bridged, 2)
    bench.switch.register("late", Script(answer_after=0.0))
    for target in (caller, "gone"):
        options = f"hunt_call={caller},intercept_unbridged_only=true"
        job = ring(connection, f"originate {{{options}}}user/late intercept:{target} inline")
        leg = result(connection, job).removeprefix("+OK ").strip()
        ended = connection.event("CHANNEL_HANGUP", Unique_ID=leg)
        assert ended["Hangup-Cause"] == "NORMAL_CLEARING"
    assert channel.bridged


def test_the_hangup_hook_cancels_legs_without_the_controller(bench: Bench) -> None:
    placed = bench.switch.dial("600")
    connection = bench.connect()
    everything(connection, placed.uuid)
    bench.switch.register("test002", RINGS)
    hook = f"hupall ORIGINATOR_CANCEL hunt_call {placed.uuid}"
    connection.ask(
        "sendmsg\ncall-command: execute\nexecute-app-name: set\n"
        f"execute-app-arg: api_hangup_hook={hook}"
    )
    connection.event("CHANNEL_EXECUTE_COMPLETE", Application="set")
    connection.ask(f"bgapi {originate(placed.uuid, 'test002')}")
    bench.wait("test002", "invite")
    connection.close()
    placed.hang_up()
    gave_up = bench.wait("caller", "gave up")
    cancel = bench.wait("test002", "cancel")
    assert cancel.at - gave_up.at < 0.05
    assert "cause=487" in str(cancel.detail["reason"])
    assert bench.switch.quiet.wait(1)


def answered_leg(bench: Bench, connection: Socket, caller: str) -> str:
    bench.switch.register("test002", Script(answer_after=0.0))
    options = f"hunt_call={caller}"
    job = ring(connection, f"originate {{{options}}}user/test002 &park()")
    return result(connection, job).removeprefix("+OK ").strip()


def test_uuid_bridge_kills_an_unanswered_caller(bench: Bench) -> None:
    caller, connection = call(bench)
    leg = answered_leg(bench, connection, caller)
    assert connection.ask(f"api uuid_bridge {caller} {leg}").body == f"+OK {leg}\n".encode()
    assert bench.wait("caller", "released").detail["code"] == 502
    bench.wait("test002", "bye")


@pytest.mark.parametrize("hangs_up", [True, False])
def test_uuid_bridge_of_an_answered_caller(bench: Bench, hangs_up: bool) -> None:
    caller, connection = call(bench)
    leg = answered_leg(bench, connection, caller)
    connection.ask("sendmsg\ncall-command: execute\nexecute-app-name: answer")
    bench.wait("caller", "answered")
    if hangs_up:
        connection.ask(f"api uuid_setvar {caller} hangup_after_bridge true")
    connection.ask(f"api uuid_bridge {caller} {leg}")
    connection.event("CHANNEL_BRIDGE", Unique_ID=caller)
    connection.ask(f"api uuid_kill {leg}")
    connection.event("CHANNEL_UNBRIDGE", Unique_ID=caller)
    bench.wait("caller", "bye")
    assert bench.switch.fallen_back == ([] if hangs_up else [caller])


def test_uuid_bridge_refuses_what_it_cannot_do(bench: Bench) -> None:
    caller, connection = call(bench)
    other = bench.switch.dial("601", who="other")
    bench.connect()
    for uuid in (other.uuid, "nobody"):
        body = connection.ask(f"api uuid_bridge {caller} {uuid}").body
        assert body == b"-ERR Invalid uuid\n"


def test_a_member_who_hangs_up_before_the_bridge_leaves_silence(bench: Bench) -> None:
    """Read in switch_ivr_bridge.c: nobody ends the caller that was answered for nothing."""
    caller, connection = call(bench, test002=Script(answer_after=0.0))
    leg = str(uuids.uuid4())
    ring(connection, originate(caller, "test002", leg))
    bench.wait("caller", "answered")
    assert bench.switch.api("uuid_kill", leg) == "+OK\n"
    channel = bench.switch.channels[caller]
    assert not channel.wait(lambda: channel.down or channel.bridged, 0.2)


@pytest.mark.parametrize(
    "command", ["sched_hangup +1 {} USER_BUSY", "sched_api +1 g uuid_kill {} USER_BUSY"]
)
def test_put_off_commands_run_on_the_whole_second(bench: Bench, command: str) -> None:
    caller, connection = call(bench)
    started = time.time()
    assert connection.ask("api " + command.format(caller)).body.startswith(b"+OK")
    assert bench.wait("caller", "released").detail["code"] == 486
    assert int(time.time()) > int(started)
    assert time.time() - started < 2


def test_a_put_off_command_can_be_taken_back(bench: Bench) -> None:
    caller, connection = call(bench)
    connection.ask(f"api sched_api +1 rescue uuid_kill {caller}")
    connection.ask(f"api sched_api @1 rescue uuid_setvar {caller} seen yes")
    assert connection.ask("api sched_del rescue").body == b"+OK Deleted: 2\n"


def test_limit_execute_holds_its_claim_only_so_long(bench: Bench) -> None:
    caller, connection = call(bench)
    connection.ask(
        "sendmsg\ncall-command: execute\nexecute-app-name: limit_execute\n"
        "execute-app-arg: hash hunt x 1 ring_ready ''"
    )
    connection.event("CHANNEL_EXECUTE_COMPLETE", Application="limit_execute")
    bench.wait("caller", "ringing")
    assert connection.ask("api limit_hash_usage hunt x").body == b"0"
    assert connection.ask(f"api uuid_getvar {caller} limit_usage").body == b"1"


def test_a_transfer_takes_the_caller_to_the_fallback(bench: Bench) -> None:
    caller, connection = call(bench)
    assert connection.ask(f"api uuid_transfer {caller} 9999").body == b"+OK\n"
    bench.wait("caller", "released")
    assert bench.switch.fallen_back == [caller]


def test_nothing_is_left_after_many_calls(bench: Bench) -> None:
    for _ in range(20):
        caller, connection = call(bench, test002=Script(answer_after=0.0))
        ring(connection, originate(caller, "test002"))
        channel = bench.switch.channels[caller]
        assert channel.wait(partial(getattr, channel, "bridged"), 5)
    assert len(bench.switch.channels) == 40
    assert bench.switch.api("hupall") == "+OK hangup all channels with cause MANAGER_REQUEST\n"
    assert bench.switch.quiet.wait(5)
    assert bench.switch.channels == {}
    assert not bench.switch.ringing
    assert bench.switch.limits.usage("hunt", caller) == 0
