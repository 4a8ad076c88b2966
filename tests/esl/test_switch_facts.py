"""What is asked of a switch and how its answers are read, on a scripted event socket."""

import time
from collections.abc import Iterator

import pytest

from fsctl.esl import switch_facts
from fsctl.esl.errors import ProtocolError, Unquotable
from fsctl.esl.inbound import Refused, SwitchConnection
from fsctl.esl.switch_facts import NEEDED_MODULES, Presence, User
from tests.esl.inbound_server import InboundServer

ANNA = User("anna", "hunt.example")
SOFIA = "${sofia_contact(*/${dialed_user}@${dialed_domain})}"
ANSWERS: dict[str, str] = {}


@pytest.fixture
def switch() -> Iterator[SwitchConnection]:
    ANSWERS.clear()
    server = InboundServer(ANSWERS)
    with SwitchConnection(server.switch_address) as connection:
        yield connection
    server.stop(timeout=0)


def test_version(switch: SwitchConnection) -> None:
    ANSWERS["version short"] = "1.10.12-release\n"
    assert switch_facts.version(switch) == "1.10.12-release"


@pytest.mark.parametrize(
    ("text", "old"),
    [("1.8.7", True), ("1.9", True), ("1.10.12-release", False), ("2.0", False), ("new", False)],
)
def test_versions(text: str, old: bool) -> None:
    assert switch_facts.is_too_old(text) is old


def test_modules(switch: SwitchConnection) -> None:
    for name in NEEDED_MODULES:
        ANSWERS[f"module_exists {name}"] = "true\n"
    assert switch_facts.missing_modules(switch) == ()
    ANSWERS["module_exists mod_hash"] = "false\n"
    assert switch_facts.missing_modules(switch) == ("mod_hash",)


def test_the_default_domain(switch: SwitchConnection) -> None:
    assert switch_facts.default_domain(switch) == ""
    ANSWERS["global_getvar domain"] = "hunt.example"
    assert switch_facts.default_domain(switch) == "hunt.example"


@pytest.mark.parametrize(
    ("exists", "dial_string", "contact", "presence"),
    [
        ("false", SOFIA, "error/user_not_registered", Presence.UNKNOWN),
        ("true", SOFIA, "error/user_not_registered", Presence.UNREGISTERED),
        ("true", "", "error/user_not_registered", Presence.UNREGISTERED),
        ("true", SOFIA, "sofia/internal/sip:anna@10.0.0.9:5060", Presence.REGISTERED),
        ("true", "sofia/gateway/trunk/1", "error/user_not_registered", Presence.ELSEWHERE),
    ],
)
def test_presence(
    switch: SwitchConnection, exists: str, dial_string: str, contact: str, presence: Presence
) -> None:
    ANSWERS["user_exists id anna hunt.example"] = exists
    ANSWERS["user_data anna@hunt.example param dial-string"] = dial_string
    ANSWERS["sofia_contact */anna@hunt.example"] = contact
    assert switch_facts.presence(switch, ANNA) is presence


def test_a_user_is_read() -> None:
    assert User.of("anna", "hunt.example") == ANNA
    assert User.of("anna@hunt.example", "other") == ANNA
    assert str(ANNA) == "anna@hunt.example"


def test_a_name_that_would_be_two_commands_is_never_asked(switch: SwitchConnection) -> None:
    with pytest.raises(Unquotable):
        switch_facts.presence(switch, User("anna\n\napi shutdown", "hunt.example"))


@pytest.mark.parametrize("lead", [-3600, -30, 0, 30, 3600])
def test_the_clock(switch: SwitchConnection, lead: int) -> None:
    ANSWERS["strepoch"] = str(int(time.time()) + lead)
    assert switch_facts.clock_lead(switch) == pytest.approx(lead, abs=2.0)


def test_a_clock_within_a_second_is_right(switch: SwitchConnection) -> None:
    ANSWERS["strepoch"] = str(int(time.time()))
    assert switch_facts.clock_lead(switch) == pytest.approx(0.0, abs=0.5)


def test_a_clock_that_tells_no_time(switch: SwitchConnection) -> None:
    ANSWERS["strepoch"] = "noon"
    with pytest.raises(ProtocolError):
        switch_facts.clock_lead(switch)


def test_the_dialplan(switch: SwitchConnection) -> None:
    ANSWERS["xml_locate dialplan"] = '<section name="dialplan"></section>\n'
    ANSWERS["xml_locate dialplan context name public"] = "can't find anything"
    assert switch_facts.dialplan(switch) == '<section name="dialplan"></section>'
    assert switch_facts.dialplan(switch, "public") == ""


def test_a_switch_that_knows_no_such_question(switch: SwitchConnection) -> None:
    with pytest.raises(Refused):
        switch_facts.version(switch)
