"""Faults planted one after another in an installation that is well: each is found, and alone."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_network
from pathlib import Path

import gevent
import pytest
from click.testing import CliRunner
from gevent import socket
from sqlalchemy import text

from fsctl.admin.allowed import allowing
from fsctl.admin.groups import add_group, disable_group, set_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.cli.main import root
from fsctl.cli.xml_curl import Dialplan
from fsctl.doctor import listener
from fsctl.http_room import Network
from fsctl.hunt.allowed import Allowed, read_hosts
from fsctl.settings import Settings
from fsctl.store.engine import writing
from fsctl.store.mail_tables import Mail
from tests.databases import free_port
from tests.doctor.healthy import DOMAIN, EXTENSION, Installation, installed
from tests.mail.mailbox import mailbox

Plant = Callable[[Installation], None]


@pytest.fixture
def well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    for name in [name for name in os.environ if name.startswith("FSCTL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(listener, "PATIENCE", 0.5)
    with installed(tmp_path, monkeypatch) as installation:
        yield installation


def test_all_is_well(well: Installation) -> None:
    assert well.check() == (0, [])


def test_all_is_well_beside_calls(well: Installation) -> None:
    well.watch()
    well.environment["FSCTL_DIALPLAN_LISTEN"] = well.serve(
        Dialplan(
            Settings(), well.engine, well.controller.directory, lambda number: (number,), "x:1"
        )
    )
    assert well.check() == (0, [])


def test_a_mail_server_is_asked_and_gets_no_mail(well: Installation) -> None:
    with mailbox() as box:
        well.environment["FSCTL_SMTP_URL"] = f"smtp://127.0.0.1:{box.port}?tls=no"
        set_group(well.engine, "sales", missed_mail="anna@example.net")
        assert well.check() == (0, [])
        assert (box.mails, box.connections) == ([], 0)


def test_what_a_person_reads(well: Installation) -> None:
    well.answers["module_exists mod_hash"] = "false"
    environment: dict[str, str | None] = dict(well.environment)
    done = CliRunner().invoke(root, ["check"], env=environment)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    at = next(place for place, line in enumerate(lines) if line.startswith("FAULT"))
    assert lines[at].endswith(": mod_hash is not loaded")
    assert lines[at + 1].startswith("         -> in fs_cli: load mod_hash")
    assert lines[-1] == "1 fault was found."
    assert "ClueCon" not in done.stdout


# Faults


def wrong_setting(well: Installation) -> None:
    well.environment["FSCTL_REGION"] = "Poland"


def open_password(well: Installation) -> None:
    file = well.folder / "fsctl.toml"
    file.write_text(f'esl_url = "{well.environment.pop("FSCTL_ESL_URL")}"\n')
    file.chmod(0o644)


def no_spool(well: Installation) -> None:
    (well.folder / "spool").write_text("not a directory")


def no_mail_server(well: Installation) -> None:
    well.environment["FSCTL_SMTP_URL"] = f"smtp://127.0.0.1:{free_port()}"


def no_place_for_a_spool(well: Installation) -> None:
    (well.folder / "file").touch()
    well.environment["FSCTL_SPOOL"] = str(well.folder / "file" / "spool")


def no_database(well: Installation) -> None:
    well.environment["FSCTL_DATABASE_URL"] = f"sqlite:///{well.folder / 'none.db'}"


def not_a_database(well: Installation) -> None:
    well.environment["FSCTL_DATABASE_URL"] = "sqlite:////dev/null/none.db"


def old_tables(well: Installation) -> None:
    _revision(well, "0001")


def new_tables(well: Installation) -> None:
    _revision(well, "9999")


def _revision(well: Installation, number: str) -> None:
    with well.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :n"), {"n": number})


def no_controller(well: Installation) -> None:
    well.controller.stop()


def another_program(well: Installation) -> None:
    # The switch's own event socket stands in for it.
    well.environment["FSCTL_LISTEN"] = str(well.switch.switch_address)
    well.route(EXTENSION.format(well.switch.switch_address))


def frozen_controller(well: Installation) -> None:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    place = f"127.0.0.1:{sock.getsockname()[1]}"
    well.environment["FSCTL_LISTEN"] = place
    well.route(EXTENSION.format(place))

    def hold() -> None:
        peer, _ = sock.accept()
        peer.recv(1)

    gevent.spawn(hold)


def unknown_address(well: Installation) -> None:
    well.environment["FSCTL_LISTEN"] = "no-such-host.invalid:8084"
    well.route(EXTENSION.format("no-such-host.invalid:8084"))


def switch_not_allowed(well: Installation) -> None:
    well.environment["FSCTL_ALLOW"] = "10.0.0.0/8"


def wrong_password(well: Installation) -> None:
    well.environment["FSCTL_ESL_URL"] = well.switch.url.replace("ClueCon", "other")


def no_switch(well: Installation) -> None:
    well.environment["FSCTL_ESL_URL"] = "esl://:x@127.0.0.1:1"


def old_switch(well: Installation) -> None:
    well.answers["version short"] = "1.8.7"


def missing_module(well: Installation) -> None:
    well.answers["module_exists mod_hash"] = "false"


def wrong_clock(well: Installation) -> None:
    well.lead = -90


def unknown_member(well: Installation) -> None:
    well.answers[f"user_exists id test006 {DOMAIN}"] = "false"


def nobody_registered(well: Installation) -> None:
    for name in ("test002", "test006", "test007"):
        well.register(name, "error/user_not_registered")


def no_domain(well: Installation) -> None:
    del well.answers["global_getvar domain"]


def no_extension(well: Installation) -> None:
    well.route(EXTENSION.format(well.controller.address).replace("600|", ""))


def another_controller(well: Installation) -> None:
    well.route(EXTENSION.format("10.9.8.7:8084").replace("|(?:\\+|00)?48587624731", "|x"))


def another_extension(well: Installation) -> None:
    first = (
        '<extension name="all"><condition field="destination_number" expression="^6">'
        '<action application="echo"/></condition></extension>'
    )
    well.route(first + EXTENSION.format(well.controller.address))


def no_metrics(well: Installation) -> None:
    well.environment["FSCTL_METRICS_LISTEN"] = "127.0.0.1:1"


def metrics_of_another(well: Installation) -> None:
    well.environment["FSCTL_METRICS_LISTEN"] = answering(well, "404 Not Found", "not here")


def stopping(well: Installation) -> None:
    well.watch()
    well.controller.draining = True


def frozen_worker(well: Installation) -> None:
    body = '{"ok":false,"last_turn_seconds_ago":60,"draining":false}'
    well.environment["FSCTL_METRICS_LISTEN"] = answering(well, "503 Service Unavailable", body)


def no_dialplan_server(well: Installation) -> None:
    well.environment["FSCTL_DIALPLAN_LISTEN"] = "127.0.0.1:1"


def dialplan_of_another(well: Installation) -> None:
    # The controller itself stands in for it: it speaks, and not HTTP.
    well.environment["FSCTL_DIALPLAN_LISTEN"] = well.controller.address


def dialplan_forbidden(well: Installation) -> None:
    elsewhere = (ip_network("192.0.2.0/24"),)
    well.environment["FSCTL_DIALPLAN_LISTEN"] = answering(well, "200 OK", "", elsewhere)


def answering(
    well: Installation, status: str, body: str, allowed: Sequence[Network] | None = None
) -> str:
    """Have somebody give the same answer to every question; return where."""

    def answer(_environ: object, start_response: Callable[..., object]) -> list[bytes]:
        start_response(status, [])
        return [body.encode()]

    return well.serve(answer, allowed)


def babbling_switch(well: Installation) -> None:
    well.answers["strepoch"] = "noon"
    well.lead = 10**13


@pytest.mark.parametrize(
    ("plant", "what", "do"),
    [
        (wrong_setting, "region from FSCTL_REGION is 'Poland'", "write the two letters"),
        (open_password, "holds a password and everybody", "chmod o-rwx fsctl.toml"),
        (no_spool, "records of calls cannot be kept in", "--spool"),
        (no_mail_server, "cannot be reached: Connection refused", "see the setting smtp_url"),
        (no_place_for_a_spool, "is not there and cannot be made", "mkdir -p"),
        (no_database, "there is no database", "fsctl db upgrade"),
        (not_a_database, "there is no database", "fsctl db upgrade"),
        (old_tables, "has the tables of revision 0001", "fsctl db upgrade"),
        (new_tables, "of a newer fsctl", "install the newer fsctl"),
        (no_controller, "no controller listens on", "fsctl serve"),
        (another_program, "something that is no controller listens", "ss -ltnp"),
        (frozen_controller, "accepts connections and says nothing", "restart"),
        (unknown_address, "cannot be connected to", "--listen"),
        (switch_not_allowed, "is in no network of allow", "to the setting allow"),
        (wrong_password, "refuses the password", "event_socket.conf.xml"),
        (no_switch, "Connection refused", "see that FreeSWITCH runs"),
        (old_switch, "FreeSWITCH 1.8.7 is too old", "1.10"),
        (missing_module, "mod_hash is not loaded", "load mod_hash"),
        (wrong_clock, "s behind the clock here", "NTP"),
        (babbling_switch, "gave no proper answer", "see its log"),
        (unknown_member, f"test006@{DOMAIN} of group", "fsctl member remove"),
        (nobody_registered, "are not registered: nobody of it can ring", "telephones are on"),
        (no_domain, "have no domain", "vars.xml"),
        (no_extension, "no extension of its dialplan hands 600", "fsctl dialplan"),
        (another_controller, "hands 600 to 10.9.8.7:8084", "fsctl dialplan"),
        (no_metrics, "nobody answers on 127.0.0.1:1", "--metrics-listen"),
        (metrics_of_another, "no controller answers on", "--metrics-listen"),
        (stopping, "the controller is stopping", "journalctl"),
        (frozen_worker, "process of the controller is frozen", "restart"),
        (no_dialplan_server, "nobody answers on 127.0.0.1:1", "--dialplan-listen"),
        (dialplan_of_another, "no controller answers on", "--dialplan-listen"),
        (dialplan_forbidden, "does not answer this machine", "to the setting allow"),
        (another_extension, 'extension "all" of context "default" takes 600', "fsctl dialplan"),
    ],
)
def test_a_fault_is_found(well: Installation, plant: Plant, what: str, do: str) -> None:
    plant(well)
    code, found = well.check()
    faults = [one for one in found if one["state"] == "fault"]
    assert code == 1
    expected = 2 if plant is another_controller else 1
    assert len(faults) == expected, faults
    assert what in faults[0]["what"]
    assert do in faults[0]["do"]


# Warnings


def one_is_away(well: Installation) -> None:
    well.register("test006", "error/user_not_registered")


def open_database(well: Installation) -> None:
    well.folder.chmod(0o755)
    well.database.chmod(0o644)


def old_records(well: Installation) -> None:
    spool = well.folder / "spool"
    spool.mkdir()
    (spool / "a.jsonl").touch()
    long_ago = time.time() - 3600
    os.utime(spool / "a.jsonl", (long_ago, long_ago))


def bad_records(well: Installation) -> None:
    (well.folder / "spool").mkdir()
    (well.folder / "spool" / "a.bad").touch()


def disabled(well: Installation) -> None:
    disable_group(well.engine, "sales")


def nobody_in_it(well: Installation) -> None:
    add_group(well.engine, "empty")


def hidden_dialplan(well: Installation) -> None:
    well.answers["xml_locate dialplan"] = "can't find anything"


def no_switch_named(well: Installation) -> None:
    del well.environment["FSCTL_ESL_URL"]


def nobody_tells_who_talks(well: Installation) -> None:
    set_group(well.engine, "sales", skip_busy=True)
    del well.environment["FSCTL_ESL_URL"]


def nobody_to_send_mails(well: Installation) -> None:
    set_group(well.engine, "sales", missed_mail="anna@example.net")


def mails_that_wait(well: Installation) -> None:
    with writing(well.engine) as there:
        there.add(Mail(uuid="u", domain="", address="a@example.net", asked_ms=1, due_ms=1))


def no_way_to_dial(well: Installation) -> None:
    allowed = allowing(well.engine, Settings().allowed, external=True)
    add_member(allowed, "sales", "+48501234567", confirm=True)


def no_code_extension(well: Installation) -> None:
    well.route(EXTENSION.replace("\\*8", "\\*9").format(well.controller.address))


def number_like_a_code(well: Installation) -> None:
    add_numbers(well.engine, "sales", ["*45600"], "PL")


@pytest.mark.parametrize(
    ("plant", "what"),
    [
        (no_code_extension, "hands *8600 to no controller: nobody can pick callers up"),
        (number_like_a_code, '*45600 calls group "sales", so it is no code before 600 of group'),
        (one_is_away, "test006@hunt.example of group"),
        (open_database, "everybody on this machine may read it"),
        (old_records, "have waited in"),
        (bad_records, "hold records that the database would not take"),
        (disabled, "is disabled"),
        (nobody_in_it, "has no number"),
        (hidden_dialplan, "it shows no dialplan"),
        (no_switch_named, "no switch is named"),
        (nobody_tells_who_talks, "passes nobody over"),
        (nobody_to_send_mails, "tells nobody of missed calls: no mail server"),
        (mails_that_wait, "mails of missed calls wait for more than ten minutes: 1"),
        (no_way_to_dial, "does not call +48501234567"),
    ],
)
def test_a_warning_is_no_fault(well: Installation, plant: Plant, what: str) -> None:
    plant(well)
    code, found = well.check()
    assert code == 0
    assert {one["state"] for one in found} == {"warning"}
    assert what in found[0]["what"]
    assert found[0]["do"]


def test_a_domain_that_cannot_be_asked_about(well: Installation) -> None:
    well.answers["global_getvar domain"] = "hunt example"
    code, found = well.check()
    assert (code, len(found)) == (1, 3)
    assert all("is no user of the directory" in one["what"] for one in found)


def test_what_a_group_may_not_use_is_told(well: Installation) -> None:
    anything = allowing(well.engine, Allowed(hosts=read_hosts("*")), external=False)
    add_group(anything, "theirs", domain="a.example", music="http://10.0.0.1/x")
    _, found = well.check()
    assert 'music of group "theirs" of a.example cannot use 10.0.0.1: calls go without it' in [
        one["what"] for one in found
    ]
    well.environment["FSCTL_ALLOWED_HOSTS"] = "a.example=10.0.0.1"
    _, found = well.check()
    assert not [one for one in found if "cannot use" in one["what"]]
