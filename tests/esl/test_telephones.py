"""Everybody whom a switch knows, on a scripted event socket."""

from collections.abc import Iterator

import orjson
import pytest

from fsctl.esl.errors import ProtocolError
from fsctl.esl.inbound import SwitchConnection
from fsctl.esl.switch_facts import User
from fsctl.esl.telephones import Account, accounts, on_the_phone
from tests.esl.inbound_server import InboundServer

ANSWERS: dict[str, str] = {}
HEAD = "userid|context|domain|group|contact|callgroup|effective_caller_id_name|number\n"


@pytest.fixture
def switch() -> Iterator[SwitchConnection]:
    ANSWERS.clear()
    server = InboundServer(ANSWERS)
    with SwitchConnection(server.switch_address) as connection:
        yield connection
    server.stop(timeout=0)


def test_the_users(switch: SwitchConnection) -> None:
    ANSWERS["list_users"] = (
        HEAD
        + "anna|default|a.example|all|sofia/internal/sip:anna@10.0.0.9|x|Anna Nowak|1\n"
        + "anna|default|a.example|sales|sofia/internal/sip:anna@10.0.0.9|x|Anna Nowak|1\n"
        + "jan|(null)|a.example|(null)|error/user_not_registered|(null)|(null)|(null)\n"
        + "evil|d|a.example|all|sofia/internal/sip:a|b@10.0.0.9|x|Eve|1\n"
        + "short|line\n\n+OK\n"
    )
    assert accounts(switch) == [
        Account(User("anna", "a.example"), "Anna Nowak", True),
        Account(User("jan", "a.example"), "", False),
        Account(User("evil", "a.example"), "Eve", True),
    ]


def test_who_is_on_the_phone(switch: SwitchConnection) -> None:
    ANSWERS["show channels as json"] = '{"row_count":0}\n'
    assert on_the_phone(switch) == {}
    channels = [
        ("anna@a.example", "outbound", "RINGING"),
        ("jan@a.example", "outbound", "ACTIVE"),
        ("jan@a.example", "outbound", "EARLY"),
        ("ola@a.example", "inbound", "RINGING"),
        ("ewa@a.example", "outbound", "HANGUP"),
        ("", "inbound", "ACTIVE"),
    ]
    rows = [
        {"presence_id": who, "direction": way, "callstate": state} for who, way, state in channels
    ]
    ANSWERS["show channels as json"] = orjson.dumps({"row_count": 6, "rows": rows}).decode()
    assert on_the_phone(switch) == {
        User("anna", "a.example"): False,
        User("jan", "a.example"): True,
        User("ola", "a.example"): True,
    }


@pytest.mark.parametrize("answer", ["nothing", "[]", '{"rows": 1}', '{"rows": [1]}'])
def test_channels_that_cannot_be_read(switch: SwitchConnection, answer: str) -> None:
    ANSWERS["show channels as json"] = answer
    with pytest.raises(ProtocolError):
        on_the_phone(switch)
