"""Four thousand callers who choose their bytes: every command that follows keeps to a grammar.

The controller is the real one, over real sockets; the switch is scripted, so that a call costs
milliseconds. What a real switch makes of the same is the trial ``hostile`` of ``tests/live``.
"""

from __future__ import annotations

import logging
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_network
from urllib.parse import quote

import gevent
import orjson
import pytest
from gevent import socket
from gevent.pool import Pool

from fsctl.cli.serve import _keys
from fsctl.controller.codes import CodeSounds, DialledCodes
from fsctl.controller.directory import Directory, Keys, Source
from fsctl.controller.onward import Places
from fsctl.controller.server import Controller
from fsctl.controller.whom import Around, Outside
from fsctl.esl.listener import bind
from fsctl.hunt.codes import Codes
from fsctl.hunt.group import Group, Member
from tests.fuzz.grammar import Stranger, check

CALLS = 4_000
SHARDS = 4
AT_ONCE = 40
ORDER = "global_setvar fsctl_canary=1"
PIECES = (
    "\n", "\r\n", "\n\n", f"\n\napi {ORDER}\n\n", "\0", "\t", "\x1b[2J", "\x7f", "\u2028",
    "\u0085",
    "'", '"', "\\", "\\'", "\\,", "\\n", "\\s", ",", ";", "|", ":_:", "^", "^^:", "m:^:", "=", "&",
    "%",
    "{", "}", "[", "]", "<", ">", "(", ")", "${", "$${", f"${{{ORDER}}}", f"${{api({ORDER})}}",
    f"}}{{api_on_answer={ORDER}}}", f"x,api_on_answer={ORDER}", f"x',api_on_answer='{ORDER}",
    f"x\\,api_on_ring={ORDER}", f"}}user/test099 &{{{ORDER}", f"[api_on_answer={ORDER}]",
    f"^^:api_on_answer={ORDER}:x=1", f"<api_on_answer={ORDER}>", ";fsctl_hunt=y", "' inline\n\n",
    "%0A", "%0D%0A", "%27", "%00", "/../", "..", "/", "@", ":", "#", "*", "+48", " ", "a" * 300,
    "\u0105", "\u6771\u4eac", "\U0001f600", "\u202e", "\udcff", "e\u0301", "\uff07", "\uff1d",
)  # fmt: skip
HONEST = {
    "Caller-Caller-ID-Name": "Jan Kowalski, Łódź",
    "Caller-Caller-ID-Number": "+48601234567",
    "Channel-Name": "sofia/external/48601234567@10.0.0.1",
    "Answer-State": "ringing",
    "variable_sip_req_host": "pbx.example",
    "variable_domain_name": "",
    "variable_user_name": "",
    "variable_max_forwards": "70",
    "variable_export_vars": "tenant,nolocal:crm_id",
    "variable_tenant": "acme",
    "variable_nolocal:crm_id": "17",
    "variable_sip_h_X-Reference": "<urn:uuid:1>;a=b",
    "variable_sip_h_X-Fsctl-Hops": "1",
    "variable_ringback": "%(1000,4000,425)",
    "variable_transfer_ringback": "local_stream://moh",
    "Caller-Privacy-Hide-Name": "false",
}
"""What the switch says of a channel. Strangers choose most of it, or a dialplan copies it."""
OURS_ALONE = (
    "api_on_answer",
    "execute_on_ring",
    "fsctl_hunt",
    "origination_uuid",
    "group_confirm_key",
)
"""Variables that no dialplan has a leg set by exporting them."""
HAPPENS = ("CHANNEL_CREATE", "CHANNEL_PROGRESS", "CHANNEL_ANSWER")
OVER = ("name: hangup", "limit_execute", "uuid_transfer", "exit")
"""Commands after which a caller is gone."""
NUMBERS = ("600", "0048587624731", "602", "603", "*8600", "*45602", "604")
GROUPS = {
    "600": Group("plain", members=(Member("test002"), Member("test006"))),
    "+48587624731": Group(
        "Sales, \u201cnight\u201d",
        caller_name="{group}: {name} ({number}) [{dialled}]",
        caller_number="{dialled}",
        diversion=True,
        alert_info="ring1",
        recording="/var/rec/{group}/{number}-{dialled}-{uuid}.wav",
        confirm_prompt="/sounds/confirm.wav",
        too_late="/sounds/late.wav",
        members=(Member("test002", confirm=True), Member("+48501234567")),
    ),
    "602": Group(
        "in turn",
        strategy="sequential",
        greeting="/sounds/hello.wav",
        music="local_stream://moh",
        answer_first=True,
        pickup="domain",
        members=(Member("test002"), Member("test006@a.example")),
        when_unreachable="extension 700",
    ),
    "603": Group(
        "answers nobody", members=(Member("test002"),), ending="play /sounds/closed.wav"
    ),
    "604": Group("queue", members=(Member("test002"),), line=5, line_music="local_stream://moh"),
}  # fmt: skip


class House:
    """The real controller, with groups in which strangers' texts meet everything there is."""

    def __init__(self) -> None:
        def load(keys: Keys) -> Group | None:
            return next((GROUPS[key] for key in keys if key in GROUPS), None)

        around = Around(
            Outside("sofia/gateway/out/{number}", "{number}"), Places(external="outbound")
        )
        self.controller = Controller(
            bind("127.0.0.1", 0),
            (ip_network("127.0.0.0/8"),),
            Directory(Source(load, lambda: 1), patience=10.0),
            _keys("PL"),
            around=around,
            codes=DialledCodes(Codes("*45", "*8"), CodeSounds()),
        )
        self.controller.start()
        host, _, port = self.controller.address.rpartition(":")
        self.place = host, int(port)


class Switch:
    """One call of a switch that has everything said by strangers; it keeps the commands."""

    def __init__(self, house: House, said: dict[str, str], chance: random.Random) -> None:
        self.commands: list[str] = []
        self._said = said
        self._held = b""
        self._chance = chance
        self._sock = socket.create_connection(house.place)
        self._sock.settimeout(10)

    def call(self) -> None:
        """Bring the call, have its legs end in some way, and hang up."""
        left = self._chance.randint(1, 4)
        """Legs after which the caller hangs up."""
        with suppress(OSError):
            for command in self._heard():
                self._answer(command)
                left -= command.startswith("bgapi")
                if left <= 0 or any(word in command for word in OVER):
                    break
            self._tell("CHANNEL_HANGUP_COMPLETE", Unique_ID=self._said["Unique-ID"])
            self._sock.shutdown(socket.SHUT_WR)
            list(self._heard())
        self._sock.close()
        assert not self._held, f"the last command has no end: {self._held!r}"

    def _heard(self) -> Iterator[str]:
        """Yield the commands as they come, each to its empty line, and keep them."""
        while True:
            command, end, rest = self._held.partition(b"\n\n")
            if end:
                self._held = rest
                self.commands.append(command.decode())
                yield self.commands[-1]
            elif data := self._sock.recv(65536):
                self._held += data
            else:
                return

    def _answer(self, command: str) -> None:
        kind = b"Content-Type: command/reply\nReply-Text: +OK\n"
        if command == "connect":
            lines = [f"{name}: {self._written(text)}\n" for name, text in self._said.items()]
            kind = "".join(lines).encode() + kind
        elif command.startswith("api "):
            text = "0" if "limit_usage" in command else "+OK"
            kind = f"Content-Type: api/response\nContent-Length: {len(text)}\n\n{text}".encode()
            self._sock.sendall(kind)
            return
        self._sock.sendall(kind + b"\n")
        if command.startswith("bgapi originate"):
            self._have_a_leg(command)

    def _have_a_leg(self, command: str) -> None:
        """Have a phone ring, reject, or be unreachable; its events have strangers' texts."""
        job = command.rpartition("Job-UUID: ")[2]
        tags = {"variable_fsctl_call": self._said["Unique-ID"], "variable_fsctl_leg": job}
        texts = {"Caller_Callee_ID_Name": self._text(), "Caller_Destination_Number": self._text()}
        leg = self._chance.choice((f"leg-{job}", f"leg-{job}", self._text()))
        for name in self._chance.sample(
            ("CHANNEL_CREATE", "CHANNEL_PROGRESS", "CHANNEL_ANSWER"), 2
        ):
            self._tell(name, Unique_ID=leg, **tags, **texts)
        cause = self._chance.choice(("USER_BUSY", "CALL_REJECTED", "NO_ANSWER", self._text()))
        self._tell("CHANNEL_HANGUP_COMPLETE", Unique_ID=leg, Hangup_Cause=cause, **tags)
        self._tell("BACKGROUND_JOB", Job_UUID=job, _body=f"-ERR {cause}\n")

    def _tell(self, name: str, **headers: str) -> None:
        named = {
            key.replace("_", "-") if key[0].isupper() else key: headers[key] for key in headers
        }
        event = {"Event-Name": name, **named}
        body = orjson.dumps({key: clean(text) for key, text in event.items()})
        self._sock.sendall(
            b"Content-Length: %d\nContent-Type: text/event-json\n\n%s" % (len(body), body)
        )

    def _written(self, text: str) -> str:
        """Write a value as FreeSWITCH does (``switch_url_encode``), or as it is, in one line."""
        if self._chance.random() < 0.9:
            return quote(text.encode("utf-8", "surrogateescape"), safe="+/:@;=,()*&!?~'[]")
        return clean(text.translate({10: "%0A", 13: "%0D"}))

    def _text(self) -> str:
        return mutated(self._chance, "test002")


def clean(text: str) -> str:
    """Return a text that is valid UTF-8."""
    return text.encode("utf-8", "replace").decode()


def mutated(chance: random.Random, honest: str) -> str:
    """Return an honest value into which some pieces have got, or which is none any more."""
    text = honest if chance.random() < 0.7 else ""
    for _ in range(chance.randint(1, 5)):
        at = chance.randint(0, len(text))
        until = min(len(text), at + chance.choice((0, 0, 1, 3)))
        text = text[:at] + chance.choice(PIECES) * chance.choice((1, 1, 1, 2)) + text[until:]
    return text


def arrival(chance: random.Random, number: int) -> dict[str, str]:
    """Return what the switch says of a hostile call."""
    said = {"Unique-ID": f"call-{number}", **HONEST}
    said["Caller-Destination-Number"] = chance.choice(NUMBERS)
    said["Answer-State"] = chance.choice(("ringing", "early", "answered"))
    if chance.random() < 0.3:
        said["variable_user_name"], said["variable_domain_name"] = "test006", "a.example"
    for name in chance.sample(sorted(said.keys() - {"Unique-ID"}), chance.randint(1, 8)):
        if name != "Caller-Destination-Number" or chance.random() < 0.2:
            said[name] = mutated(chance, said[name])
    if chance.random() < 0.1:
        name = chance.choice(OURS_ALONE)
        said["variable_export_vars"] += f",{name}"
        said[f"variable_{name}"] = ORDER
    if chance.random() < 0.02:
        said["Unique-ID"] = mutated(chance, said["Unique-ID"])
    return said


def brought(house: House, calls: range, seed: int) -> Iterator[tuple[dict[str, str], list[str]]]:
    """Bring hostile calls, and yield for each what was said of it and which commands came."""

    def one(number: int) -> tuple[dict[str, str], list[str]]:
        chance = random.Random(f"{seed} {number}")
        said = arrival(chance, number)
        switch = Switch(house, said, chance)
        with gevent.Timeout(30, AssertionError(f"call {number} does not end: {said}")):
            switch.call()
        return said, switch.commands

    pool = Pool(AT_ONCE)
    try:
        yield from pool.imap_unordered(one, calls)
    finally:
        pool.kill()


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of warnings say that strangers' texts were left out."""
    caplog.set_level(logging.CRITICAL)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    house = House()
    yield house
    house.controller.stop()


def judge(house: House, calls: range, seed: int = 13) -> Counter[str]:
    """Bring calls and check their commands; count these by their first words."""
    kinds: Counter[str] = Counter()
    for said, commands in brought(house, calls, seed):
        exported = said["variable_export_vars"].replace("nolocal:", "")
        carried = {"sip_h_X-Reference", *exported.split(",")}
        for command in commands:
            try:
                check(command, carried)
            except Stranger as stranger:
                raise AssertionError(f"{stranger}, of {said}") from None
            kinds[" ".join(command.split(" ", 2)[:2])[:40]] += 1
    return kinds


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_command_keeps_to_the_grammar(house: House, shard: int) -> None:
    size = CALLS // SHARDS
    kinds = judge(house, range(shard * size, (shard + 1) * size))
    print(sum(kinds.values()), kinds)
    assert kinds["bgapi originate"] > size // 2  # and so they were hunted for


ANYTHING = re.compile(".*", re.DOTALL)
BROKEN = {
    "names": {"presentation.label": str, "quoting._VALUES": ANYTHING},
    "a name's comma": {"quoting._ESCAPES": {}, "quoting._VALUES": ANYTHING},
    "words": {"quoting._TOKEN": ANYTHING},
    "a host": {"presentation._HOST": ANYTHING, "quoting._HEADER": ANYTHING,
               "quoting._VALUES": ANYTHING},
    "sounds": {"quoting._RINGING": ANYTHING, "quoting._SOUND": ANYTHING},
    "headers": {"quoting._CARRIED": ANYTHING, "quoting._VALUES": ANYTHING},
    "names of variables": {"quoting._VARIABLE": ANYTHING, "quoting._TOKEN": ANYTHING},
    "what is ours": {"carried._KEPT_BACK": re.compile("(?!)")},
    "paths": {"quoting._NOT_IN_PATH": re.compile("(?!)"), "quoting._PATH": ANYTHING,
              "quoting._PLAIN_NAME": ANYTHING},
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_broken_quoting_is_noticed(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    for name, value in BROKEN[what].items():
        monkeypatch.setattr(f"fsctl.esl.{name}", value)
    house = House()
    try:
        with pytest.raises(AssertionError, match=r"of ours|a leg has|a leg's|a block"):
            judge(house, range(CALLS))
    finally:
        house.controller.stop()
