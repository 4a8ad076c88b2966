"""Who is known to be on the phone: what a switch tells, and for how long that counts."""

import json
from collections.abc import Iterator

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.controller import presence as module
from fsctl.controller.presence import Presence
from fsctl.esl.conversations import ANSWERED, OVER, Conversations
from fsctl.esl.events import Event, event_of
from tests.esl.inbound_server import InboundServer

ROWS = [
    {"uuid": "a", "direction": "outbound", "callstate": "ACTIVE"},
    {"uuid": "b", "direction": "inbound", "callstate": "HELD"},
    {"uuid": "c", "direction": "outbound", "callstate": "RINGING"},
    {"uuid": "gone", "direction": "outbound", "callstate": "ACTIVE"},
    {"uuid": "bad uuid", "direction": "outbound", "callstate": "ACTIVE"},
    {"uuid": "d", "direction": "inbound", "callstate": "ACTIVE"},
]
VARIABLES = {
    "a dialed_user": "Anna", "a dialed_domain": "pbx.test",
    "b user_name": "jan", "b domain_name": "pbx.test", "b dialed_user": "ola",
    "d dialed_user": "ola",
}  # fmt: skip


def answer(command: str) -> str:
    verb, _, rest = command.partition(" ")
    if verb == "show":
        return json.dumps({"row_count": len(ROWS), "rows": ROWS})
    if verb == "uuid_getvar":
        if rest.startswith("gone"):
            return "-ERR No such channel!\n"
        return VARIABLES.get(rest, "_undef_")
    return "1795387574"


@pytest.fixture
def switch() -> Iterator[InboundServer]:
    server = InboundServer(answer)
    yield server
    server.stop(timeout=0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PULSE", 0.05), ("FRESH", 0.3), ("RETRY", 0.05)):
        monkeypatch.setattr(module, name, value)


def until(condition) -> None:
    with gevent.Timeout(5):
        while not condition():
            gevent.sleep(0.01)


def test_who_talked_before_is_found(switch: InboundServer, quick: None) -> None:
    presence = Presence([switch.switch_address])
    assert not presence.talks("anna")
    presence.start()
    until(lambda: presence.talks("anna@pbx.test"))
    assert presence.talks("ANNA")
    assert presence.talks("jan@pbx.test")
    assert not presence.talks("anna@other.test")
    assert not presence.talks("ola")  # a stranger's channel says so
    presence.stop()


def test_what_a_switch_told_does_not_outlive_it(quick: None) -> None:
    """It is frozen, and says no more; then it is back."""
    frozen = False

    def answer_unless_frozen(command: str) -> str:
        while frozen:
            gevent.sleep(0.01)
        return answer(command)

    server = InboundServer(answer_unless_frozen)
    presence = Presence([server.switch_address])
    presence.start()
    until(lambda: presence.talks("anna"))
    frozen = True
    until(lambda: not presence.talks("anna"))
    frozen = False
    until(lambda: presence.talks("anna"))
    presence.stop()
    server.stop(timeout=0)


def test_a_switch_that_is_not_there_is_no_trouble(quick: None) -> None:
    server = InboundServer(answer)
    address = server.switch_address
    server.stop(timeout=0)
    presence = Presence([address])
    presence.start()
    gevent.sleep(0)
    assert not presence.talks("anna")
    presence.stop()


def event(name: str, uuid: str, user: str = "", way: str = "outbound") -> Event:
    kind = "dialed" if way == "outbound" else "user"
    variables = (
        {"variable_dialed_user": user, "variable_dialed_domain": "d"}
        if kind == "dialed"
        else {"variable_user_name": user, "variable_domain_name": "d"}
    )
    return event_of(
        {
            "Event-Name": name,
            "Unique-ID": uuid,
            "Call-Direction": way,
            **(variables if user else {}),
        }
    )


channels = st.sampled_from("abcde")
happenings = st.lists(
    st.tuples(st.sampled_from([ANSWERED, OVER]), channels, st.sampled_from(["inbound", "outbound"]))
)


@given(happenings)
def test_a_user_talks_as_long_as_one_of_their_channels_does(
    told: list[tuple[str, str, str]],
) -> None:
    known = Conversations()
    talking: dict[str, str] = {}
    for name, uuid, way in told:
        user = "ab"[uuid > "b"]
        known.take_in(event(name, uuid, user, way))
        if name == ANSWERED:
            talking.setdefault(uuid, user)
        else:
            talking.pop(uuid, None)
        for one in "ab":
            assert (one in known) == (f"{one}@d" in known) == (one in talking.values())


def test_a_stranger_is_nobody() -> None:
    known = Conversations()
    known.take_in(event(ANSWERED, "a"))
    assert "" not in known
