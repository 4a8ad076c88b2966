"""What mails say, in each language, and that no caller says more than a name."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fsctl.catalogs import catalog
from fsctl.hunt.group import Group, Member
from fsctl.hunt.missed import OUTCOMES
from fsctl.hunt.outcomes import Outcome
from fsctl.mail import message
from fsctl.mail.address import LONGEST_ADDRESS, read_address, read_addresses
from fsctl.mail.message import Letter, Writer
from fsctl.mail.server import mail_server, mask_mail_server, show_mail_server
from fsctl.store.call_records import Attempt, cleaned, group_text
from fsctl.web.extraction import mail_messages
from tests.records.samples import ANSWERED

GROUP = Group("Sprzedaż", members=(Member("test002"),), missed_mail="anna@example.net")
MISSED = replace(
    ANSWERED,
    group="Sprzedaż",
    outcome="no answer",
    cause="NO_ANSWER",
    answered_by=None,
    talk_seconds=None,
    wait_seconds=30.0,
    group_as_it_was=group_text(GROUP),
    attempts=(
        Attempt("test002", 0.0, 0.1, None, None, 12.34, "no answer", "NO_ANSWER"),
        Attempt("test006", 12.4, None, None, None, 12.4, "busy", "ON_THE_PHONE"),
    ),
    onward="voicemail test002",
)
WRITER = Writer("fsctl@pbx.example.net", "en")
READER = "anna@example.net"


def read(letter: Letter) -> EmailMessage:
    found = message_from_bytes(letter.data, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def body(mail: EmailMessage) -> str:
    return str(mail.get_content()).replace("\r\n", "\n")


def test_one_call_in_english() -> None:
    mail = read(WRITER.one(READER, [MISSED]))
    assert mail["Subject"] == "Missed call for Sprzedaż: Jan Żółw, +48 601 234 567"
    assert (mail["From"], mail["To"]) == ("fsctl@pbx.example.net", READER)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert body(mail) == (
        "Caller:     Jan Żółw, +48 601 234 567\n"
        "Number:     600\n"
        "Group:      Sprzedaż\n"
        "When:       Tuesday 14 May 2024, 10:42:07 (Europe/Warsaw)\n"
        "Waited:     30 s\n"
        "Why:        nobody answered\n"
        "Went on to: voicemail test002\n"
        "\n"
        "Who was rung:\n"
        "- test002: from 0 s to 12.3 s, nobody picked up\n"
        "- test006: from 12.4 s to 12.4 s, not rung, on the phone\n"
        "\n"
        "Call: 5f3c0d1e-0000-4000-8000-000000000001\n"
    )


def test_one_call_in_polish() -> None:
    mail = read(Writer("fsctl@pbx.example.net", "pl").one(READER, [MISSED]))
    assert mail["Subject"] == "Nieodebrane połączenie do Sprzedaż: Jan Żółw, +48 601 234 567"
    assert "Kiedy:           wtorek 14 maja 2024, 10:42:07 (Europe/Warsaw)\n" in body(mail)
    assert "- test002: od 0 s do 12,3 s, nikt nie odebrał\n" in body(mail)


def test_a_call_through_two_groups_is_told_whole() -> None:
    first = replace(MISSED, onward="group Support", group="Sales")
    second = replace(MISSED, group="Support", outcome="closed", attempts=(), onward="")
    text = read(WRITER.one(READER, [first, second])).get_content()
    assert text.index("Sales") < text.index("Went on to: group Support") < text.index("closed")
    assert text.count("Caller:") == 1
    assert "Nobody was rung." in text


@pytest.mark.parametrize(
    "hidden", [{"caller_hidden": True}, {"caller_number": ""}, {"caller_number": "Anonymous"}]
)
def test_who_withholds_the_number_is_not_shown(hidden: dict[str, object]) -> None:
    mail = read(WRITER.one(READER, [replace(MISSED, **hidden)]))  # type: ignore[arg-type]
    assert mail["Subject"] == "Missed call for Sprzedaż: a withheld number"
    assert "601" not in mail.as_string()
    assert "Jan" not in body(mail)
    if "caller_hidden" in hidden:
        assert mail["References"] is None


def test_calls_of_one_caller_are_one_thread() -> None:
    again = replace(MISSED, uuid="other", caller_number="0048601234567")
    first, second = (read(WRITER.one(READER, [one])) for one in (MISSED, again))
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    assert read(WRITER.one(READER, [MISSED]))["Message-ID"] == first["Message-ID"]


def test_many_calls_have_a_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message, "MOST_LINES", 2)
    calls = [[replace(MISSED, uuid=str(number))] for number in range(3)]
    mail = read(WRITER.many(READER, calls))
    assert mail["Subject"] == "3 missed calls"
    line = "2024-05-14 10:42:07  Sprzedaż  Jan Żółw, +48 601 234 567  nobody answered\n"
    assert body(mail) == f"3 missed calls:\n\n{line}{line}and 1 more\n"


texts = st.text(max_size=80) | st.sampled_from(
    [
        "x\r\nBcc: all@example.net",
        "=?utf-8?q?x=0D=0ABcc:_all=40example.net=0D=0A=0D=0Abody?=",
        "=?utf-8?b?DQpCY2M6IGFsbEBleGFtcGxlLm5ldA==?=",
        "\u202egnp.exe",
        "\ud800",
        "%(caller)s %s",
    ]
)


@given(name=texts, number=texts, group=texts)
def test_no_caller_writes_a_header(name: str, number: str, group: str) -> None:
    record = cleaned(replace(MISSED, caller_name=name, caller_number=number, group=group or "g"))
    mail = read(WRITER.one(READER, [record]))
    assert sorted(mail.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language",
         "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
        + (["References"] if record.caller_number else [])
    )  # fmt: skip
    assert mail["To"] == READER
    assert str(mail["Subject"]).isprintable()
    assert all(len(line) <= 998 for line in WRITER.one(READER, [record]).data.splitlines())


def test_every_outcome_has_words() -> None:
    assert set(message._OUTCOMES) == set(OUTCOMES)
    never = {Outcome.ANSWERED.value, Outcome.PICKED_UP.value}  # or the call was not missed
    assert set(message._LEGS) | never == {one.value for one in Outcome}


def test_every_message_is_translated() -> None:
    polish = catalog("fsctl.mail", "mail", "pl")
    wanted = [one for one in mail_messages() if one.id]
    assert len(wanted) > 30
    for one in wanted:
        known = polish.get(one.id)
        assert known is not None, f"{one.id}: run python -m fsctl.web.extraction"
        found = known.string if isinstance(known.string, tuple) else (known.string,)
        assert all(found), f"{one.id} is not translated"
        names = set(re.findall(r"%\(\w+\)s", str(one.id)))
        assert all(set(re.findall(r"%\(\w+\)s", text)) <= names for text in found)
    assert {one.id for one in polish if one.id} == {one.id for one in wanted}


# Addresses and the server


@pytest.mark.parametrize(
    "wrong",
    ["", "anna", "anna@", "@example.net", "a b@example.net", "a@example.net\r\nBcc: x@y.z",
     '"a b"@example.net', "a..b@example.net", ".a@example.net", "a@-x.net", "a@x_y.net",
     "żółw@example.net", "a@żółw.pl", "a@b@c.d", "A <a@b.c>", "a,b@c.d", "a" * 65 + "@b.c",
     "a@" + "b" * LONGEST_ADDRESS],
)  # fmt: skip
def test_what_is_no_address(wrong: str) -> None:
    with pytest.raises(ValueError, match="write a mail address"):
        read_address(wrong)


def test_addresses() -> None:
    assert read_addresses(" Anna+x@Example.NET, b.c@d ,Anna+x@example.net") == (
        "Anna+x@example.net,b.c@d"
    )
    assert read_addresses("") == ""
    with pytest.raises(ValueError, match="write mail addresses"):
        read_addresses("a@b.c,,d@e.f")
    with pytest.raises(ValueError, match="at most 20"):
        read_addresses(",".join(f"a{number}@b.c" for number in range(21)))


@given(st.text(max_size=40))
def test_no_text_that_passes_could_be_more_than_an_address(text: str) -> None:
    try:
        found = read_address(text)
    except ValueError:
        return
    assert found.isascii()
    assert not set(found) & set(' ,;:<>"()[]\\')


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("smtp://me:se%3Acr%40t@mail.example.net", "mail.example.net:587"),
        ("smtps://mail.example.net/", "mail.example.net:465"),
        ("smtp://[::1]:25?tls=no", "[::1]:25"),
    ],
)
def test_the_url_of_a_server(text: str, shown: str) -> None:
    server = mail_server(text)
    assert str(server) == shown
    assert mail_server(show_mail_server(server)) == server
    assert "cr" not in mask_mail_server(text)
    assert "cr" not in repr(server)


@pytest.mark.parametrize(
    "wrong",
    ["mail.example.net", "http://x", "smtp://", "smtp://me@x", "smtp://me:secret@x:99999",
     "smtp://me:%0Asecret@x", "smtps://x?tls=no", "smtp://x?tls=yes", "smtp://me:sec ret@x"],
)  # fmt: skip
def test_what_is_no_url_of_a_server(wrong: str) -> None:
    with pytest.raises(ValueError, match="write"):
        mail_server(wrong)
    assert "secret" not in mask_mail_server(wrong)
