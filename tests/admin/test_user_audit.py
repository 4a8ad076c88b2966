"""Changes of the panel's users are in the audit log, and old changes go."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, select, update

from fsctl.admin import users
from fsctl.admin.actor import acting_as
from fsctl.admin.audit import lines_of, list_changes, list_user_changes, purge_changes
from fsctl.admin.errors import Refused
from fsctl.admin.groups import add_group
from fsctl.cli.main import root
from fsctl.store import audit as audit_module
from fsctl.store.audit import USER
from fsctl.store.engine import reading, writing
from fsctl.store.revision import read_revision
from fsctl.store.tables import AuditEntry, now_ms
from fsctl.store.web_tables import UserAuditEntry
from tests.web.conftest import PASSWORD, cheap_passwords  # noqa: F401 - used by being here


def test_each_change_of_a_user_is_written_down(engine: Engine) -> None:
    boss = acting_as(engine, "boss")
    users.add_user(boss, "Anna", PASSWORD, role="viewer", language="pl")
    users.set_user(boss, "anna", role="administrator", domain="a.example")
    users.set_user(boss, "anna", role="administrator")
    users.set_password(boss, "anna", PASSWORD + "2")
    token = users.add_token(boss, "anna", "script")
    users.remove_token(boss, "anna", "script")
    users.sign_out_user(boss, "anna")
    users.remove_user(boss, "anna")
    entries = list_user_changes(engine)[::-1]
    assert {(entry.actor, entry.about) for entry in entries} == {("boss", USER)}
    assert [(entry.action, "; ".join(lines_of(entry))) for entry in entries] == [
        ("add user", 'user "Anna" added: role "viewer", language "pl"'),
        (
            "set user",
            'user "Anna" of a.example; role "viewer" -> "administrator"; domain "" -> "a.example"',
        ),
        ("set password", 'user "Anna" of a.example; password changed'),
        ("add token", 'user "Anna" of a.example; token script added'),
        ("remove token", 'user "Anna" of a.example; token script removed'),
        ("sign out user", 'user "Anna" of a.example; signed out everywhere'),
        ("remove user", 'user "Anna" of a.example removed: role "administrator", language "pl"'),
    ]
    with reading(engine) as session:
        kept = str([(row.before, row.after) for row in session.scalars(select(UserAuditEntry))])
        assert read_revision(session) == 1, "controllers need not look"
    for secret in (PASSWORD, token, users.digest_of(token), "argon2"):
        assert secret not in kept


def test_what_is_refused_is_not_written_down(engine: Engine) -> None:
    users.add_user(engine, "anna", PASSWORD)
    with pytest.raises(Refused):
        users.add_user(engine, "Anna", PASSWORD)
    with pytest.raises(Refused):
        users.remove_user(engine, "anna", by="anna")
    with pytest.raises(Refused):
        users.remove_token(engine, "anna", "none")
    assert [entry.action for entry in list_user_changes(engine)] == ["add user"]


def test_the_command_shows_both_kinds(database_url: str, engine: Engine) -> None:
    def shown(*args: str) -> list[tuple[str, str]]:
        done = CliRunner().invoke(root, ["--database-url", database_url, "audit", "--json", *args])
        assert done.exit_code == 0, done.output
        return [(one["about"], one["action"]) for one in json.loads(done.output)]

    users.add_user(engine, "anna", PASSWORD)
    add_group(engine, "sales")
    users.add_user(engine, "basia", PASSWORD)
    both = [("user", "add user"), ("group", "add group"), ("user", "add user")]
    assert sorted(shown()) == sorted(both)
    assert shown("--user", "ANNA") == both[:1]
    assert shown("--group", "sales") == both[1:2]
    assert shown("--domain", "a.example") == []
    assert len(shown("--limit", "2")) == 2
    done = CliRunner().invoke(
        root, ["--database-url", database_url, "audit", "--user", "a", "--group", "b"]
    )
    assert done.exit_code == 2


def test_old_changes_go_step_by_step(
    database_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_module, "PURGED_AT_ONCE", 2)
    old = now_ms() - 10 * 86_400_000
    for number in range(5):
        add_group(engine, f"old {number}")
        users.add_user(engine, f"old{number}", PASSWORD)
    with writing(engine) as session:
        session.execute(update(AuditEntry).values(at=old))
        session.execute(update(UserAuditEntry).values(at=old))
    add_group(engine, "new")
    users.add_user(engine, "new", PASSWORD)
    assert purge_changes(engine, old / 1000) == 0
    done = CliRunner().invoke(
        root, ["--database-url", database_url, "audit", "purge", "--older-than", "9d"]
    )
    assert (done.exit_code, done.output) == (0, "")
    assert [entry.action for entry in list_changes(engine)] == ["add group"]
    assert [entry.action for entry in list_user_changes(engine)] == ["add user"]
