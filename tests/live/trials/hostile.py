"""Callers who choose their bytes: names, numbers and headers meant to become something else.

Half of the calls are honest and go on beside. Judged is what reaches the members' telephones, which
variables their legs have, whether an order hidden in a text was carried out, and whether the honest
calls noticed.
"""

from __future__ import annotations

import random
import statistics
import unicodedata
import uuid
from urllib.parse import quote, unquote

import gevent
from gevent import socket

from tests.live import sip
from tests.live.eventsocket import Event, EventSocket
from tests.live.trials.desk import Desk
from tests.live.trials.stage import Stage, eventually, stage
from tests.live.trials.tally import Tally, Wrong

CANARY = "fsctl_canary"
"""A global variable that every hidden order sets."""
QUIET_TIME = 2.0
LONGEST = 80
HONEST = "Kowalski"
SLOWER = 0.05
"""Seconds by which honest calls beside hostile ones may be slower, in the median."""
ALONE = 120
"""Honest calls before the first hostile one."""
LONG = 60_000
"""Bytes that one UDP datagram holds beside the rest of an INVITE."""

LONG_TCP = 65_536
_CARRIED = "variable_sip_h_X-Text"
"""A header that goes with the call, unless it could be taken apart."""

_ORDER = f"global_setvar {CANARY}=1"
_CALL = f"global_setvar({CANARY}=1)"
_NOTICE = "Content-Type: text/disconnect-notice\nContent-Length: 0\n\n"
_EVENT = (
    'Content-Length: 40\nContent-Type: text/event-json\n\n{"Event-Name":"CHANNEL_HANGUP_COMPLETE"}'
)
LISTED = (
    "line\nbreak",
    "line\r\nbreak",
    f"\n\napi {_ORDER}\n\n",
    f"x\nReply-Text: +OK\n\n{_NOTICE}",
    f"x\n\n{_EVENT}",
    "\u2028\u2029\u0085",
    "\udcff\udcfe\udc80\udcc3",
    'quo"te',
    "apo'strophe",
    "back\\slash\\",
    "{brace}",
    f"}}{{api_on_answer={_ORDER}}}",
    f"x,api_on_answer={_ORDER}",
    f"x',api_on_answer='{_ORDER}",
    f"x\\,api_on_ring={_ORDER}",
    f"${{{_CALL}}}",
    f"$${{{_CALL}}}",
    f"x}}user/test099 &{{{_ORDER}",
    f"[api_on_answer={_ORDER}]",
    f"^^:api_on_answer={_ORDER}:x=1",
    f"<api_on_answer={_ORDER}>",
    "x;fsctl_hunt=y",
    "|,:_:|",
    "\x00\x01\x1f\x7f",
    "%0A%0a%00%s%n",
    "\U0001f600 Łódź 東京 עברית",
    "a" * LONG,
    "\u0105" * LONG,
    "\n" * LONG,
)
_PIECES = (*LISTED[:-3], *"{}[]<>()'\"\\$%^,;:|=& ", "a", "ą", HONEST)


class Legs:
    """The variables of every leg that rings, by the caller's channel, as the switch has them."""

    def __init__(self, on: Stage) -> None:
        self.of: dict[str, set[str]] = {}
        switch = on.switch
        self._socket = EventSocket(switch.ports.event_socket, switch.password, self._rings)
        self._socket.command("event json CHANNEL_PROGRESS")

    def _rings(self, event: Event) -> None:
        if caller := event.get("variable_fsctl_call"):
            self.of[caller] = {name for name in event if name.startswith("variable_")}


def hostile(count: int, seed: int, desks: int) -> Tally:
    """Each listed text in each place, and then ``count`` random ones, beside honest calls."""
    tally = Tally("hostile", "from an honest caller's INVITE until a telephone rings")
    with stage(desks, (0.0, 0.1), wait=5.0) as on:
        legs = Legs(on)
        usual: set[str] = set()

        def honest(desk: Desk, number: int, chance: random.Random) -> None:
            caller = desk.dial(on.controllers)
            calling = desk.log.wait("caller", "calling").at
            first = desk.log.wait(desk.phones[0].label, "invite")
            if first.detail["name"] != HONEST:
                raise Wrong(f"an honest caller is shown as {first.detail}")
            eventually(lambda: caller.call_id in legs.of)
            usual.update(legs.of[caller.call_id])
            _end(desk, chance)
            tally.add("honest", first.at - calling)

        def trial(desk: Desk, number: int, chance: random.Random) -> None:
            if number % 2 == 0:
                honest(desk, number, chance)
                return
            row, column = divmod(number // 2, len(_PLACES))
            text, place = (
                LISTED[row] if row < len(LISTED) else _random_text(chance),
                _PLACES[column],
            )
            kind = _attack(desk, on, text, place, chance)
            for leg in legs.of.keys() & {caller.call_id for caller in desk.callers}:
                if strange := legs.of[leg] - usual - {_CARRIED}:
                    raise Wrong(f"{text[:60]!r} made variables of a leg: {strange}")
            tally.add(kind)

        on.run(tally, ALONE, seed, honest, pause=0.05)
        alone = statistics.median(tally.times[ALONE // 2 :])  # by then nothing is new any more
        tally.times.clear()
        on.run(tally, 2 * (len(LISTED) * len(_PLACES) + count), seed, trial)
        _over_tcp(on.desks[0], on)
        tally.add(f"rang, name of {LONG_TCP} bytes over TCP")
        if on.switch.api(f"global_getvar {CANARY}") == "1":
            tally.wrong.append("an order hidden in a text was carried out")
        beside = statistics.median(tally.times)
        tally.notes.append(f"honest calls: {alone * 1000:.0f} ms alone, {beside * 1000:.0f} beside")
        if beside - alone > SLOWER:
            tally.wrong.append("honest calls are slower")
    return tally


def _random_text(chance: random.Random) -> str:
    return "".join(chance.choices(_PIECES, k=chance.randint(1, 12)))


def _attack(desk: Desk, on: Stage, text: str, place: str, chance: random.Random) -> str:
    """Place one call with a text in one place; return how it went."""
    sender, extra = _headers(text, place)
    caller = desk.dial(on.controllers, sender, extra)
    if chance.random() < 1 / 3:
        gevent.sleep(chance.uniform(0.0, 0.06))
        caller.hang_up()
        gevent.sleep(QUIET_TIME)  # a telephone that rings after all is what must not happen
        if not desk.silent:
            raise Wrong(f"{text[:60]!r} in {place}: a telephone rings on")
        return f"gave up, text in {place}"
    rings = desk.phones[0].label
    if not desk.log.until(lambda: bool(desk.log.all(rings, "invite")) or caller.over, 3.0):
        raise Wrong(f"{text[:60]!r} in {place}: no telephone rings")
    if caller.over:
        code = desk.log.wait("caller", "released").detail["code"]
        if code != 400:
            raise Wrong(f"{text[:60]!r} in {place}: released with {code}")
        return f"no SIP to FreeSWITCH (400), text in {place}"
    _shown_clean(desk.log.wait(rings, "invite").detail, text)
    _end(desk, chance)
    return f"rang, text in {place}"


def _over_tcp(desk: Desk, on: Stage) -> None:
    """Place a call with a name that no datagram can carry, and take it back."""
    desk.clear()
    there = "127.0.0.1", on.switch.ports.external
    target = f"sip:{desk.number}@{there[0]}:{there[1]}"
    call_id = str(uuid.uuid4())

    def request(method: str) -> bytes:
        headers = [
            ("Via", f"SIP/2.0/TCP 127.0.0.1:{here};rport;branch=z9hG4bK{call_id}"),
            ("Max-Forwards", "70"),
            ("From", f"{_quoted('a' * LONG_TCP)} {_OWN};tag={call_id}"),
            ("To", f"<{target}>"),
            ("Call-ID", call_id),
            ("CSeq", f"1 {method}"),
            ("Contact", f"<sip:caller@127.0.0.1:{here};transport=tcp>"),
            ("X-Controllers", on.controllers),
        ]
        return sip.request(method, target, headers, sip.sdp(9)).encode()

    with socket.create_connection(there) as connection:
        here = connection.getsockname()[1]
        connection.sendall(request("INVITE"))
        shown = desk.log.wait(desk.phones[0].label, "invite").detail
        _shown_clean(shown, "a long name")
        connection.sendall(request("CANCEL"))
        if not desk.log.until(lambda: desk.silent, 3.0):
            raise Wrong("a telephone rings although the caller is gone")


def _shown_clean(shown: object, text: str) -> None:
    """Look at what a member's telephone shows."""
    assert isinstance(shown, dict)
    for part in ("name", "number"):
        found = unquote(str(shown[part])) if part == "number" else str(shown[part])
        odd = [
            char
            for char in found
            if unicodedata.category(char)[0] not in "LMN" and char not in " +-_.#*&!?,\u2019"
        ]
        if odd or len(found) > LONGEST:
            raise Wrong(f"{text[:60]!r} is shown as {part} {found[:120]!r}")


def _end(desk: Desk, chance: random.Random) -> None:
    """Have a member answer or not, and the caller hang up."""
    caller = desk.callers[-1]
    if chance.random() < 0.5:
        desk.phones[0].calls[0].answer()
        desk.log.wait("caller", "answered")
    caller.hang_up()
    if not desk.log.until(lambda: desk.silent, 3.0):
        raise Wrong("a telephone rings although the caller is gone")


# Where a text can stand. SIP has no way to write some in some places: those go percent-encoded.

_OWN = "<sip:+48600100200@hunt.example>"
_FROM = {
    "name": "{quoted} {own}",
    "number": "<sip:{encoded}@hunt.example>",
    "encoded name": '"{encoded}" {own}',
    "number in lower case": "<sip:{lower}@hunt.example>",
    "folded name": '"{folded}" {own}',
    "raw number": "<sip:{folded}@hunt.example>",
}
_PLACES = (*_FROM, "other headers")


def _headers(text: str, place: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the From header and others for a text in this place, cut off to what UDP can carry."""
    if not (place == "name" and text.isascii()):
        text = text[: LONG // 32]
    encoded = quote(text.encode("utf-8", "surrogateescape"), safe="")
    forms = {
        "own": _OWN,
        "quoted": _quoted(text),
        "folded": _folded(text),
        "encoded": encoded,
        "lower": encoded.lower(),
    }
    if place in _FROM:
        return _FROM[place].format(**forms), ()
    asserted = "{quoted} <sip:{encoded}@hunt.example>".format(**forms)
    return f'"{HONEST}" {_OWN}', (
        ("P-Asserted-Identity", asserted),
        ("Remote-Party-ID", f"{asserted};party=calling"),
        ("X-Text", forms["folded"]),
        ("Subject", forms["folded"]),
    )


def _quoted(text: str) -> str:
    return sip.quoted("".join(char for char in text if char not in "\r\n\0"))


def _folded(text: str) -> str:
    """Write line breaks as SIP folds lines."""
    return text.replace("\r", "").replace("\n", "\r\n ").replace("\0", "")
