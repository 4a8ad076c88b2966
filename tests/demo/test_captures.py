"""The Python switch says what FreeSWITCH said in the captured calls.

Each capture is replayed: the same commands at the same moments, the telephones doing what they did
then. Threads race in FreeSWITCH, so the order of events is compared per channel.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import gevent
import gevent.pool
import orjson
import pytest

from fsctl.demo import Script
from tests.demo.harness import Bench, Frame, Socket

FOLDER = Path(__file__).parent.parent / "captures"
MARK = re.compile(rb"\n### (TO|FROM) FREESWITCH ([0-9.]+)\n")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

#: The leg that lost in the capture where two answer together.
RACED = "ae6e25e8-27b0-4b3e-a101-052c5b215db9"

Event = dict[str, object]


@dataclass
class Scene:
    """What the telephones did in a capture; ``hang_up`` is seconds after ``connect``."""

    phones: dict[str, Script]
    hang_up: float | None = None
    unregistered: tuple[str, ...] = ()


SCENES = {
    "answered-json": Scene(
        {"test002": Script(answer_after=1.49), "test006": Script(), "test007": Script()},
        hang_up=2.54,
    ),
    "caller-gives-up-json": Scene({"test002": Script()}, hang_up=0.79),
    "members-fail-json": Scene(
        {"test002": Script(refuse=486), "test006": Script(refuse=603, refuse_after=0.29)},
        unregistered=("test030",),
    ),
    "no-answer-leg-timeout-json": Scene({"test002": Script()}),
    "two-answer-together-json": Scene(
        {"test002": Script(answer_after=0.59), "test006": Script(answer_after=0.59)},
        hang_up=1.64,
    ),
}


@dataclass
class Capture:
    commands: list[tuple[float, str]] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    caller: str = ""


def read(name: str) -> Capture:
    parts = MARK.split((FOLDER / f"{name}.txt").read_bytes())
    capture = Capture()
    start = float(parts[2])
    for way, at, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if way == b"TO":
            capture.commands.append((float(at) - start, text.decode().strip("\n")))
        elif b"Event-Name: CHANNEL_DATA" in text:
            capture.data = [line.split(":")[0] for line in text.decode().split("\n") if line]
            capture.caller = UUID.findall(text.decode().partition("\nUnique-ID")[2])[0]
        elif b"command/reply" in text or b"api/response" in text:
            capture.replies.append(text.decode().strip("\n"))
        elif b"event-json" in text:
            capture.events.append(orjson.loads(text[text.index(b"{") :]))
    return capture


@dataclass
class Replay:
    capture: Capture
    caller: str = ""
    frames: list[Frame] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    rung: list[str] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        return [frame.event for frame in self.frames if frame.event]

    @property
    def replies(self) -> list[str]:
        kinds = (b"command/reply", b"api/response")
        return [
            (f.head + (b"\n" + f.body if f.body else b"")).decode().strip("\n")
            for f in self.frames
            if any(kind in f.head for kind in kinds) and b"CHANNEL_DATA" not in f.head
        ]


def replay(name: str) -> Replay:
    scene = SCENES[name]
    result = Replay(read(name))
    bench = Bench()
    for user, script in scene.phones.items():
        bench.switch.register(user, script)
    for user in scene.unregistered:
        bench.switch.register(user, phones=0)
    placed = bench.switch.dial("600")
    result.caller = placed.uuid
    connection: Socket = bench.sockets.get(timeout=5)
    with gevent.Timeout(20):
        if scene.hang_up is not None:
            gevent.spawn_later(scene.hang_up, placed.hang_up)
        say(connection, result)
        connection.until(lambda: bool(connection.notices()), 5, "notice")
        if not bench.switch.quiet.wait(5):
            raise AssertionError("channels are left")
        asked = sum(command.startswith("bgapi") for _, command in result.capture.commands)
        connection.until(
            lambda: len(connection.events("BACKGROUND_JOB")) >= asked, 2, f"{asked} job results"
        )
        connection.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=result.caller)
    result.frames = connection.frames
    result.data = [line.split(":")[0] for line in connection.frames[0].head.decode().split("\n")]
    result.rung = [sight.who for sight in bench.sights if sight.what == "invite"]
    bench.close()
    return result


def say(connection: Socket, result: Replay) -> None:
    """Say what the captured controller said, when it said it."""
    start = time.monotonic()
    for at, captured in result.capture.commands:
        command = captured.replace(result.capture.caller, result.caller)
        gevent.sleep(max(0.0, start + at - time.monotonic()))
        if "uuid_kill" in command:  # it was a response to a leg's end
            command = command.replace(RACED, loser(connection))
            connection.event("CHANNEL_HANGUP", Unique_ID=UUID.findall(command)[0])
        connection.send(command)


def loser(connection: Socket) -> str:
    """Return the leg that has lost the race, whoever that is this time."""
    return str(connection.event("CHANNEL_HANGUP", Hangup_Cause="LOSE_RACE")["Unique-ID"])


@pytest.fixture(scope="module")
def replays() -> dict[str, Replay]:
    return dict(zip(SCENES, gevent.pool.Pool().map(replay, SCENES), strict=True))


KEY_HEADERS = (
    "Event-Name",
    "Event-Calling-File",
    "Event-Calling-Function",
    "Event-Calling-Line-Number",
    "Channel-State",
    "Channel-State-Number",
    "Channel-Call-State",
    "Answer-State",
    "Hangup-Cause",
    "Call-Direction",
    "Channel-HIT-Dialplan",
    "Caller-Caller-ID-Name",
    "Caller-Caller-ID-Number",
    "Caller-Destination-Number",
    "Other-Type",
    "Application",
    "Application-Data",
    "Application-Response",
    "variable_hangup_cause",
    "variable_hangup_cause_q850",
    "variable_limit_usage",
    "variable_last_bridge_role",
)


def told(event: Event, caller: str) -> dict[str, object]:
    """Return what of an event is comparable, the caller's uuid and the controller's port aside."""
    row = {key: event[key] for key in KEY_HEADERS if key in event}
    text = orjson.dumps(row).decode().replace(caller, "CALLER")
    again: dict[str, object] = orjson.loads(re.sub(r"127\.0\.0\.1:\d+", "CONTROLLER", text))
    return again


def by_channel(events: list[Event], caller: str) -> dict[str, list[dict[str, object]]]:
    rows = defaultdict(list)
    for event in events:
        # Whether CHANNEL_PARK comes before or after the subscription is a race.
        if "Unique-ID" in event and event["Event-Name"] != "CHANNEL_PARK":
            channel = str(event["Unique-ID"]).replace(caller, "CALLER")
            rows[channel].append(told(event, caller))
    return rows


def jobs(events: list[Event], caller: str) -> list[tuple[str, str]]:
    return sorted(
        (str(event["Job-Command-Arg"]).replace(caller, "CALLER"), str(event["_body"]))
        for event in events
        if event["Event-Name"] == "BACKGROUND_JOB"
    )


@pytest.mark.parametrize("name", [n for n in SCENES if n != "two-answer-together-json"])
def test_each_channel_tells_the_same_story(replays: dict[str, Replay], name: str) -> None:
    ours, theirs = replays[name], replays[name].capture
    got = by_channel(ours.events, ours.caller)
    expected = by_channel(theirs.events, theirs.caller)
    assert got.keys() == expected.keys()
    for channel, rows in expected.items():
        story = got[channel]
        if not any(row["Event-Name"] == "CHANNEL_PROGRESS" for row in rows):
            # A phone of ours rings before it refuses late; the captured one did not.
            story = [row for row in story if row["Event-Name"] != "CHANNEL_PROGRESS"]
            for row in [*story, *rows]:
                del row["Channel-Call-State"]
        assert story == rows


@pytest.mark.parametrize("name", SCENES)
def test_jobs_end_alike(replays: dict[str, Replay], name: str) -> None:
    ours, theirs = replays[name], replays[name].capture
    got, expected = jobs(ours.events, ours.caller), jobs(theirs.events, theirs.caller)
    if name == "two-answer-together-json":
        # Who loses, and whether its originate still notices the answer, is FreeSWITCH's own race.
        got = [(UUID.sub("LEG", command), body) for command, body in got if "user/" not in command]
        expected = [(UUID.sub("LEG", c), body) for c, body in expected if "user/" not in c]
    assert got == expected


@pytest.mark.parametrize("name", SCENES)
def test_replies_are_the_same_bytes(replays: dict[str, Replay], name: str) -> None:
    ours, theirs = replays[name], replays[name].capture

    def plain(replies: list[str]) -> list[str]:
        return [UUID.sub("UUID", reply) for reply in replies]

    if name == "two-answer-together-json":
        assert set(plain(ours.replies)) == set(plain(theirs.replies))
    else:
        assert plain(ours.replies) == plain(theirs.replies)


@pytest.mark.parametrize("name", SCENES)
def test_the_answer_to_connect_has_the_same_headers(replays: dict[str, Replay], name: str) -> None:
    ours, theirs = replays[name].data, replays[name].capture.data
    assert [header for header in ours if header] == theirs


@pytest.mark.parametrize("name", SCENES)
def test_events_have_the_same_headers(replays: dict[str, Replay], name: str) -> None:
    ours, theirs = replays[name], replays[name].capture
    by_kind: dict[tuple[object, ...], list[str]] = {}
    for event in theirs.events:
        by_kind.setdefault(kind(event), own_headers(event))
    compared = 0
    for event in ours.events:
        # How far a loser got before it lost is a race as well.
        raced = name == "two-answer-together-json" and event.get("Hangup-Cause") == "LOSE_RACE"
        if kind(event) in by_kind and not raced:
            assert own_headers(event) == by_kind[kind(event)]
            compared += 1
    assert compared >= len(theirs.events) - 3


def kind(event: Event) -> tuple[object, ...]:
    keys = ("Event-Name", "Call-Direction", "Answer-State", "Application", "Channel-Call-State")
    return tuple(event.get(key) for key in keys)


def own_headers(event: Event) -> list[str]:
    """Return the names of all headers but variables, in order."""
    return [name for name in event if not name.startswith("variable_")]


def test_of_two_who_answer_together_one_stays(replays: dict[str, Replay]) -> None:
    ours = replays["two-answer-together-json"]
    legs = by_channel(ours.events, ours.caller)
    ended = {
        channel: [str(row["Hangup-Cause"]) for row in rows if row["Event-Name"] == "CHANNEL_HANGUP"]
        for channel, rows in legs.items()
        if channel != "CALLER"
    }
    assert sorted(causes for [causes] in filter(None, ended.values())) == ["LOSE_RACE"]
    assert [row["Event-Name"] for row in legs["CALLER"]][-2:] == [
        "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
    ]


def test_every_capture_in_json_is_replayed() -> None:
    assert {path.stem for path in FOLDER.glob("*-json.txt")} == set(SCENES)
