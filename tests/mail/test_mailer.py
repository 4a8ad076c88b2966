"""Mails of missed calls from the records on: who hears of what, once, whatever fails between."""

import logging
import smtplib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, select, update

from fsctl.controller import mailer as mailer_module
from fsctl.controller.mailer import Mailer
from fsctl.controller.recorder import Recorder
from fsctl.hunt.group import Group, Member
from fsctl.mail import pacing
from fsctl.mail.message import Writer
from fsctl.mail.server import MailServer
from fsctl.store import outbox
from fsctl.store.call_records import CallRecord, Version, group_text
from fsctl.store.call_writing import purge_calls, write_calls
from fsctl.store.engine import reading, writing
from fsctl.store.limits import LONGEST_WAIT_MS
from fsctl.store.live import LiveHunt, write_live
from fsctl.store.mail_tables import Mail
from fsctl.store.tables import now_ms
from tests.databases import free_port
from tests.mail.mailbox import Mailbox, mailbox
from tests.records.samples import ANSWERED

ANNA, BASIA = "anna@example.net", "basia@example.net"
SENDER = "fsctl@pbx.example.net"
WRITER = Writer(SENDER, "en")

Make = Callable[..., Mailer]


@pytest.fixture(scope="module")
def server() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.fixture
def box(server: Mailbox) -> Iterator[Mailbox]:
    yield server
    server.mails.clear()
    server.answers.clear()


@pytest.fixture
def mailer(engine: Engine, box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Mailer:
    """Somebody who tries a server that failed again at once."""
    monkeypatch.setattr(mailer_module, "FIRST_RETRY", 0.0)
    return make(engine, box.port)


def make(engine: Engine, port: int, name: str = "pbx1/1", **more: object) -> Mailer:
    to = MailServer("127.0.0.1", port, plain=True)
    return Mailer(engine, to, WRITER, name=name, **more)  # type: ignore[arg-type]


def missed(number: int = 1, mail: str = ANNA, **changes: object) -> CallRecord:
    """Return the record of a call that ended now and that nobody took."""
    given = {"name": "Sales", **changes.pop("group", {})}  # type: ignore[dict-item]
    group = Group(**{"members": (Member("test002"),), "missed_mail": mail, **given})
    now = now_ms() / 1000
    found = replace(
        ANSWERED,
        uuid=f"5f3c0d1e-0000-4000-8000-{number:012x}",
        group=group.name,
        began=now - 30 + number / 1000,
        ended=now,
        outcome="no answer",
        cause="NO_ANSWER",
        answered_by=None,
        talk_seconds=None,
        group_as_it_was=group_text(group),
        attempts=(),
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def write(engine: Engine, *records: CallRecord) -> None:
    write_calls(engine, [Version(now_ms(), record) for record in records], mails=True)


def rows(engine: Engine) -> dict[str, str | None]:
    with reading(engine) as there:
        found = there.execute(select(Mail.address, Mail.result).order_by(Mail.id)).all()
        return {address: result for address, result in found}  # noqa: C416 - rows are no pairs


def later(engine: Engine, ms: int) -> None:
    """Let so much time pass for what is in the outbox."""
    with writing(engine) as there:
        there.execute(update(Mail).values(
            asked_ms=Mail.asked_ms - ms, due_ms=Mail.due_ms - ms, done_ms=Mail.done_ms - ms
        ))  # fmt: skip


def test_a_missed_call_is_told_once(engine: Engine, box: Mailbox, mailer: Mailer) -> None:
    record = missed(mail=f"{ANNA},{BASIA}")
    write(engine, record)
    mailer.look()
    box.wait(2)
    assert {address for _sender, address, _mail in box.mails} == {ANNA, BASIA}
    assert [mail["To"] for _sender, _address, mail in box.mails] == [ANNA, BASIA]
    write(engine, record)  # as when a spool is delivered twice
    mailer.look()
    assert len(box.mails) == 2
    assert rows(engine) == {ANNA: "sent", BASIA: "sent"}
    assert mailer.waiting == 0


def test_an_answered_call_is_told_to_nobody(engine: Engine, box: Mailbox, mailer: Mailer) -> None:
    write(engine, replace(missed(), outcome="answered", answered_by="test002"))
    assert rows(engine) == {}


def test_without_a_mail_server_nothing_waits(engine: Engine) -> None:
    write_calls(engine, [Version(now_ms(), missed())])
    assert rows(engine) == {}


def test_the_next_group_answers(engine: Engine, box: Mailbox, mailer: Mailer) -> None:
    first = missed(onward="group Support")
    write(engine, first)
    mailer.look()
    assert (box.mails, rows(engine)) == ([], {ANNA: None})
    second = missed(began=first.began + 10, outcome="answered", answered_by="test006")
    write(engine, second)
    mailer.look()
    assert (box.mails, rows(engine)) == ([], {ANNA: "needless"})


def test_nobody_of_either_group_answers(engine: Engine, box: Mailbox, mailer: Mailer) -> None:
    first = missed(onward="group Support", group={"name": "Sales"})
    write(engine, first)
    second = missed(mail=f"{BASIA},{ANNA}", began=first.began + 9, group={"name": "Support"})
    write(engine, second)
    mailer.look()
    texts = {address: str(mail.get_content()) for _sender, address, mail in box.mails}
    assert set(texts) == {ANNA, BASIA}
    assert len(box.mails) == 2, "who is of both groups hears of it once"
    for text in texts.values():
        assert text.index("Sales") < text.index("Went on to: group Support")


def test_the_order_in_which_records_come_is_no_matter(
    engine: Engine, box: Mailbox, mailer: Mailer
) -> None:
    first = missed(onward="group Support")
    write(engine, missed(mail="", began=first.began + 9))
    write(engine, first)
    mailer.look()
    box.wait()


def test_a_controller_dies_while_the_next_group_hunts(
    engine: Engine, box: Mailbox, mailer: Mailer
) -> None:
    write(engine, missed(onward="group Support"))
    later(engine, LONGEST_WAIT_MS * 3)
    mailer.look()
    assert not box.mails, "after a hunt and a wait in line it may be in its last hunt"
    later(engine, outbox.GIVEN_UP_MS - LONGEST_WAIT_MS * 3 + 1)
    mailer.look()
    box.wait()


@pytest.mark.parametrize("onward", ["extension 600", "external +48501234567"])
def test_a_call_may_come_back_from_the_dialplan(
    engine: Engine, box: Mailbox, mailer: Mailer, onward: str
) -> None:
    first = missed(onward=onward)
    write(engine, first)
    mailer.look()
    assert box.mails == []
    later(engine, outbox.COMES_BACK_MS + 1)
    hunt = LiveHunt(first.uuid, "", "Support", "601", "", "", first.ended, 30.0)
    with writing(engine) as there:
        write_live(there, "pbx2/1", [], [hunt], now_ms())
    mailer.look()
    assert box.mails == []
    with writing(engine) as there:
        write_live(there, "pbx2/1", [first.uuid], [], now_ms())
    later(engine, outbox.AGAIN_MS + 1)
    mailer.look()
    box.wait()


def test_voicemail_is_nobody(engine: Engine, box: Mailbox, mailer: Mailer) -> None:
    write(engine, missed(onward="voicemail test002"))
    mailer.look()
    assert "Went on to: voicemail test002" in str(box.wait()[0].get_content())


def test_the_dialplan_may_have_taken_it(engine: Engine, box: Mailbox, mailer: Mailer) -> None:
    first = missed(onward="group Support")
    write(engine, first, missed(began=first.began + 9, outcome="handed back"))
    mailer.look()
    assert (box.mails, rows(engine)) == ([], {ANNA: "needless"})


def test_a_group_hears_of_what_it_wants_to(engine: Engine) -> None:
    wanted = {"missed_when": "no answer, caller gave up"}
    write(engine, missed(1, outcome="closed", group=wanted))
    assert rows(engine) == {}
    write(engine, missed(2, outcome="caller gave up", group=wanted))
    assert rows(engine) == {ANNA: None}


def test_another_tenant_is_told_nothing(engine: Engine, box: Mailbox, mailer: Mailer) -> None:
    first = missed(domain="a.example", group={"name": "Sales", "domain": "a.example"})
    theirs = missed(mail="", began=first.began + 9, domain="b.example", group={"name": "Secret"})
    write(engine, first, theirs)
    mailer.look()
    assert "Secret" not in box.wait()[0].as_string()


def test_hidden_digits_are_hidden(engine: Engine, box: Mailbox) -> None:
    write(engine, missed())
    make(engine, box.port, hidden=4).look()
    mail = box.wait()[0]
    assert "+48 601 23* ***" in mail["Subject"]
    assert "4 567" not in mail.as_string()


def test_old_records_are_told_to_nobody(engine: Engine) -> None:
    late = outbox.LATEST_MS / 1000 + 1
    old = missed()
    write(engine, replace(old, began=old.began - late, ended=old.ended - late))
    assert rows(engine) == {}


# What fails


def test_a_server_that_is_away(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mailer_module, "FIRST_RETRY", 0.0)
    port = free_port()
    mailer = make(engine, port)
    write(engine, missed())
    with caplog.at_level(logging.INFO):
        mailer.look()
        mailer.look()
        with mailbox(port=port) as box:
            mailer.look()
            box.wait()
    told = [
        record.getMessage() for record in caplog.records if "mail server" in record.getMessage()
    ]
    assert [text.partition(":")[0] for text in told] == ["mails of missed calls wait", "over"]
    assert "Connection refused" in told[0]


def test_it_is_not_tried_all_the_time(engine: Engine, box: Mailbox) -> None:
    mailer = make(engine, box.port)
    box.answers[f"from {SENDER}"] = ["451 later"]
    write(engine, missed())
    mailer.look()
    mailer.look()
    assert box.mails == []
    assert rows(engine) == {ANNA: None}


def test_a_mail_is_put_off_alone(engine: Engine, box: Mailbox, mailer: Mailer) -> None:
    box.answers[ANNA] = ["450 greylisted", "450 greylisted"]
    write(engine, missed(mail=f"{ANNA},{BASIA}"))
    mailer.look()
    assert rows(engine) == {ANNA: None, BASIA: "sent"}
    mailer.look()
    assert len(box.mails) == 1
    later(engine, pacing.next_try_ms(0) + 1)
    mailer.look()
    later(engine, pacing.next_try_ms(0) + 1)
    mailer.look()
    assert rows(engine)[ANNA] is None, "it waits longer after a second time"
    later(engine, pacing.next_try_ms(1) + 1)
    mailer.look()
    assert rows(engine) == {ANNA: "sent", BASIA: "sent"}


def dropped(_talk: smtplib.SMTP, _data: bytes) -> None:
    raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")


@pytest.mark.parametrize("drops", [False, True])
def test_who_ends_the_conversation_does_not_keep_the_others_waiting(
    engine: Engine, box: Mailbox, mailer: Mailer, monkeypatch: pytest.MonkeyPatch, drops: bool
) -> None:
    write(engine, missed(mail=f"{ANNA},{BASIA}"))
    with monkeypatch.context() as broken:
        if drops:
            broken.setattr(smtplib.SMTP, "data", dropped)
        else:
            box.answers[ANNA] = ["421 too much of that"] * 2
        mailer.look()
    assert not box.mails
    assert rows(engine) == {ANNA: None, BASIA: None}
    mailer.look()
    assert [address for _sender, address, _mail in box.mails] == [BASIA]
    with reading(engine) as there:
        assert there.scalars(select(Mail.tries).where(Mail.address == ANNA)).all() == [1]
    box.answers.clear()
    later(engine, 60_000)
    mailer.look()
    assert rows(engine) == {ANNA: "sent", BASIA: "sent"}


def test_a_mail_that_is_never_taken(
    engine: Engine, box: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    counted: list[str] = []
    mailer = make(engine, box.port, count=counted.append)
    box.answers[ANNA] = ["550 no such user"]
    write(engine, missed(mail=f"{ANNA},{BASIA}"))
    mailer.look()
    assert rows(engine) == {ANNA: "refused", BASIA: "sent"}
    assert sorted(counted) == ["refused", "sent"]
    [told] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert told.getMessage() == f"the mail server takes the mail to {ANNA} never: 550 no such user"


def test_after_a_day_it_is_given_up(
    engine: Engine, box: Mailbox, mailer: Mailer, caplog: pytest.LogCaptureFixture
) -> None:
    write(engine, missed())
    later(engine, outbox.LATEST_MS + 1)
    mailer.look()
    assert (box.mails, rows(engine)) == ([], {ANNA: "late"})
    assert "is not told of the missed call" in caplog.text


def test_a_record_that_is_gone_needs_no_mail(engine: Engine, mailer: Mailer) -> None:
    write(engine, missed())
    purge_calls(engine, now_ms() / 1000 + 1)
    mailer.look()
    assert rows(engine) == {ANNA: "needless"}


def test_what_is_done_goes_in_the_end(engine: Engine, box: Mailbox, mailer: Mailer) -> None:
    write(engine, missed(1))
    mailer.look()
    later(engine, outbox.KEPT_MS + 1)
    write(engine, missed(2, mail=BASIA))
    make(engine, box.port).look()
    assert rows(engine) == {BASIA: "sent"}


# Several controllers


def test_one_sends_at_a_time_and_another_when_it_dies(engine: Engine, box: Mailbox) -> None:
    write(engine, missed())
    now = now_ms()
    with writing(engine) as there:
        assert outbox.take_turn(there, "pbx2/1", now, now + 60_000)
        assert not outbox.take_turn(there, "pbx1/1", now, now + 60_000)
        assert outbox.take_turn(there, "pbx2/1", now, now + 60_000)
    mailer = make(engine, box.port)
    mailer.look()
    assert box.mails == []
    with writing(engine) as there:
        outbox.take_turn(there, "pbx2/1", now, now - 1)
    mailer.look()
    box.wait()


def test_two_that_look_together_send_once(engine: Engine, box: Mailbox) -> None:
    write(engine, *(missed(number) for number in range(5)))
    both = [make(engine, box.port, name=name, looking_every=0.01) for name in ("a", "b")]
    for one in both:
        one.start()
    box.until(lambda: len(box.mails) >= 5)
    for one in both:
        one.stop()
    assert len({mail["Message-ID"] for _sender, _address, mail in box.mails}) == 5
    assert len(box.mails) == 5


def test_what_is_due_is_sent_at_the_end(engine: Engine, box: Mailbox, tmp_path: Path) -> None:
    recorder = Recorder(engine, tmp_path / "spool", mails=True)
    mailer = make(engine, box.port, looking_every=60.0)
    recorder.start()
    mailer.start()
    recorder.put(missed())
    recorder.stop(10.0)
    mailer.stop(10.0)
    assert len(box.mails) == 1


def test_who_is_killed_between_server_and_database_sends_it_again_under_the_same_id(
    engine: Engine, box: Mailbox, mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(engine, missed())

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(outbox, "settle", killed)
        with pytest.raises(KeyboardInterrupt):
            mailer.look()
    mailer.look()
    first, second = box.wait(2)
    assert first["Message-ID"] == second["Message-ID"]


# Floods


def test_a_flood_becomes_one_mail(engine: Engine, box: Mailbox, mailer: Mailer) -> None:
    write(engine, *(missed(number) for number in range(pacing.MOST)))
    mailer.look()
    box.wait(pacing.MOST)
    write(engine, *(missed(number) for number in range(100, 130)))
    mailer.look()
    mailer.look()
    assert len(box.mails) == pacing.MOST
    write(engine, missed(200, mail=BASIA))
    mailer.look()
    assert len(box.mails) == pacing.MOST + 1, "another address does not wait for it"
    later(engine, pacing.WINDOW_MS + 1)
    mailer.look()
    mail = box.wait(pacing.MOST + 2)[-1]
    assert mail["Subject"] == "30 missed calls"
    assert str(mail.get_content()).count("nobody answered") == 30
    mailer.look()
    assert set(rows(engine).values()) == {"sent"}


def test_many_at_once_are_one_mail(engine: Engine, box: Mailbox, mailer: Mailer) -> None:
    write(engine, *(missed(number) for number in range(pacing.MOST + 1)))
    mailer.look()
    assert [mail["Subject"] for mail in box.wait()] == ["11 missed calls"]
