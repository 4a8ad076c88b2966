"""The questions of ``fsctl.esl.switch_facts``, answered by a real FreeSWITCH."""

from collections.abc import Iterator

import pytest

from fsctl.esl import switch_facts
from fsctl.esl.address import SwitchAddress
from fsctl.esl.inbound import NotConnected, SwitchConnection
from fsctl.esl.routes import Fate, read_dialplan, routes
from fsctl.esl.switch_facts import Presence, User
from fsctl.esl.telephones import accounts, on_the_phone
from tests.live.rig import FreeSwitchRig
from tests.live.trials.stage import eventually
from tests.scenarios.rig import Script

pytestmark = pytest.mark.live


@pytest.fixture
def switch(rig: FreeSwitchRig) -> Iterator[SwitchConnection]:
    with SwitchConnection(address(rig)) as connection:
        yield connection


def address(rig: FreeSwitchRig) -> SwitchAddress:
    return SwitchAddress("127.0.0.1", rig.switch.ports.event_socket, rig.switch.password)


def test_what_it_is(switch: SwitchConnection, rig: FreeSwitchRig) -> None:
    assert switch_facts.version(switch).startswith("1.10.")
    assert switch_facts.missing_modules(switch) == ()
    assert switch_facts.default_domain(switch) == rig.domain
    assert switch_facts.clock_lead(switch) == pytest.approx(0.0, abs=0.5)


def test_who_is_there(switch: SwitchConnection, rig: FreeSwitchRig) -> None:
    rig.phone("test002")
    found = {
        name: switch_facts.presence(switch, User(name, rig.domain))
        for name in ("test002", "test003", "nobody")
    }
    assert found == {
        "test002": Presence.REGISTERED,
        "test003": Presence.UNREGISTERED,
        "nobody": Presence.UNKNOWN,
    }


def test_where_a_number_goes(switch: SwitchConnection) -> None:
    contexts = read_dialplan(switch_facts.dialplan(switch))
    [route] = routes(contexts, ["600"], ["127.0.0.1:8084"])
    assert (route.fate, route.context) == (Fate.OURS, "rig")
    [taken] = routes(contexts, ["bridge-test002"], ["127.0.0.1:8084"])
    assert taken.fate is Fate.TAKEN
    assert switch_facts.dialplan(switch, "rig").startswith('<context name="rig"')
    assert switch_facts.dialplan(switch, "nope") == ""


def test_a_wrong_password(rig: FreeSwitchRig) -> None:
    wrong = address(rig)._replace(password="x")
    with pytest.raises(NotConnected, match="refuses the password"):
        SwitchConnection(wrong).connect()


def test_everybody_at_once(switch: SwitchConnection, rig: FreeSwitchRig) -> None:
    rig.phone("test002", Script(answer_after=0.1))
    rig.phone("test006")
    known = {one.user.name: one.registered for one in accounts(switch)}
    assert {name: known[name] for name in ("test002", "test003", "test006")} == {
        "test002": True,
        "test003": False,
        "test006": True,
    }
    # The switch's list of channels is written behind its calls, those of the test before too.
    assert eventually(lambda: on_the_phone(switch) == {})
    rig.dial("bridge-test002")
    rig.dial("bridge-test006")
    wanted = {User("test002", rig.domain): True, User("test006", rig.domain): False}
    assert eventually(lambda: on_the_phone(switch) == wanted)
