"""What mod_xml_curl is answered, asked as it asks (``xml_url_fetch`` in ``mod_xml_curl.c``)."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from fsctl.admin.groups import add_group, disable_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.cli import xml_curl
from fsctl.cli.xml_curl import Dialplan
from fsctl.controller.directory import Directory
from fsctl.controller.source import database_source
from fsctl.settings import Settings
from fsctl.store.engine import make_engine
from fsctl.store.numbers import dialled

Ask = Callable[..., tuple[str, str]]


@pytest.fixture
def ask(database_url: str, tables: None) -> Iterator[Ask]:
    engine = make_engine(database_url)
    for name, domain in (("sales", ""), ("theirs", "b.example"), ("off", "")):
        add_group(engine, name, domain=domain)
        add_member(engine, name, "test002", domain=domain)
    add_numbers(engine, "sales", ["600", "+48587624731"], "PL")
    add_numbers(engine, "theirs", ["700"], "PL", domain="b.example")
    add_numbers(engine, "off", ["800"], "PL")
    disable_group(engine, "off")
    directory = Directory(database_source(engine))
    directory.start()

    def keys(number: str) -> tuple[str, ...]:
        return dialled(number, "PL")

    def question(
        path: str = "/dialplan",
        query: str = "",
        listen: str = "10.0.0.5:8084",
        **fields: str,
    ) -> tuple[str, str]:
        server = Dialplan(Settings(), engine, directory, keys, listen)
        body = urlencode({"hostname": "pbx", "section": "dialplan", **fields}).encode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_HOST": "10.7.7.7:9109",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        said: list[str] = []
        text = b"".join(server(environ, lambda status, _headers: said.append(status))).decode()
        return said[0][:3], text

    yield question
    directory.stop()
    engine.dispose()


def hunted(number: str, **fields: str) -> dict[str, str]:
    return {"Hunt-Destination-Number": number, "Hunt-Context": "public", **fields}


def actions(text: str) -> list[tuple[str, str]]:
    root = ElementTree.fromstring(text)  # noqa: S314 - our own
    assert root.attrib["type"] == "freeswitch/xml"
    return [(one.attrib["application"], one.attrib["data"]) for one in root.iter("action")]


def hosts(text: str) -> str:
    return actions(text)[1][1].removesuffix(" async full")


def not_found(answer: tuple[str, str]) -> bool:
    return answer[0] == "200" and '<result status="not found"/>' in answer[1]


def test_a_call_of_a_group_is_handed_over(ask: Ask) -> None:
    status, text = ask(**hunted("0048587624731"))
    assert status == "200"
    assert '<context name="public">' in text
    assert actions(text)[:2] == [
        ("set", "socket_resume=true"),
        ("socket", "10.0.0.5:8084 async full"),
    ]
    assert ("bridge", "user/test002") in actions(text)
    transferred = ask(**hunted("600", **{"Caller-Destination-Number": "999"}))
    assert not not_found(transferred)


def test_a_code_before_a_group_s_number_is_handed_over(ask: Ask) -> None:
    for number in ("*45600", "*8+48587624731"):
        assert actions(ask(**hunted(number))[1]) == [
            ("set", "socket_resume=true"),
            ("socket", "10.0.0.5:8084 async full"),
            ("respond", "503"),
        ]
    assert all(not_found(ask(**hunted(number))) for number in ("*45", "*8", "*8999", "*9600"))
    assert '"fsctl codes b.example"' in ask()[1]


def test_what_is_no_group_s_is_left_to_freeswitch(ask: Ask) -> None:
    assert not_found(ask(**hunted("999")))
    assert not_found(ask(**hunted("6" * 100)))
    assert not_found(ask(**hunted('"/><x>')))
    assert not_found(ask(**hunted("600", **{"Hunt-Context": "a\nb"})))
    assert not_found(ask(section="directory", user="test002"))


def test_a_domain_s_number_is_its_own(ask: Ask) -> None:
    assert not_found(ask(**hunted("700")))
    found = ask(**hunted("700", variable_domain_name="b.example"))
    assert ("bridge", "user/test002@b.example") in actions(found[1])


def test_a_disabled_group_rings_nobody_without_a_controller(ask: Ask) -> None:
    found = actions(ask(**hunted("800"))[1])
    assert [name for name, _ in found] == ["set", "socket", "respond"]


def test_a_context_s_name_is_a_text(ask: Ask) -> None:
    _, text = ask(**hunted("600", **{"Hunt-Context": '"><b a="'}))
    root = ElementTree.fromstring(text)  # noqa: S314
    assert [one.attrib["name"] for one in root.iter("context")] == ['"><b a="']


def test_the_controllers_are_those_of_the_address(ask: Ask) -> None:
    query = "controllers=10.0.0.5:8084,%5B::1%5D:8085"
    assert hosts(ask(query=query, **hunted("600"))[1]) == "10.0.0.5:8084|::1:8085"
    assert ask(query="controllers=here", **hunted("600"))[0] == "400"
    assert hosts(ask(listen="0.0.0.0:8084", **hunted("600"))[1]) == "10.7.7.7:8084"
    # What a caller's channel has cannot stand in for it.
    assert hosts(ask(**hunted("600", controllers="6.6.6.6:1"))[1]) == "10.0.0.5:8084"


def test_all_of_it_when_no_call_is_named(ask: Ask) -> None:
    status, text = ask()
    assert status == "200"
    assert text.count("<extension ") == 4
    assert '<context name="global">' in text
    assert "fsctl off" not in text


def test_nothing_else_is_there(ask: Ask) -> None:
    assert ask(path="/", **hunted("600"))[0] == "404"


def test_a_question_of_very_many_fields_is_none(ask: Ask) -> None:
    many = {f"variable_{number}": "x" for number in range(xml_curl.MOST_FIELDS)}
    assert not_found(ask(**hunted("600", **many)))
