"""The users of the panel, as ``admin`` and the command line have them."""

import io
import os
import pty
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from fsctl.admin import passwords, users
from fsctl.admin.audit import lines_of, list_user_changes
from fsctl.admin.errors import AdminError, Refused, WrongValue
from fsctl.admin.signed_in import sign_in, user_of
from fsctl.cli.main import root
from fsctl.store.engine import make_engine
from tests.web.conftest import PASSWORD


def test_users_are_added_set_listed_and_removed(engine: Engine) -> None:
    users.add_user(engine, "Łucja", PASSWORD)
    users.add_user(engine, "bob", PASSWORD, role="viewer", domain="B.example", language="pl")
    with pytest.raises(Refused, match="already"):
        users.add_user(engine, "ŁUCJA", PASSWORD)
    found = [(one.name, one.role, one.domain, one.language) for one in users.list_users(engine)]
    assert found == [
        ("bob", "viewer", "b.example", "pl"),
        ("Łucja", "administrator", "", ""),
    ]
    assert users.set_user(engine, "BOB", role="administrator", domain="").domain == ""
    users.remove_user(engine, "bob")
    assert len(users.list_users(engine)) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda engine: users.add_user(engine, "a b", PASSWORD),
        lambda engine: users.add_user(engine, "-a", PASSWORD),
        lambda engine: users.add_user(engine, "a", "123456789"),
        lambda engine: users.add_user(engine, "a", "\udc80" * 10),
        lambda engine: users.add_user(engine, "a", "1234567890"),
        lambda engine: users.add_user(engine, "magdalena.wolska", "Magdalena.Wolska1"),
        lambda engine: users.add_user(engine, "a", PASSWORD, role="root"),
        lambda engine: users.add_user(engine, "a", PASSWORD, language="de"),
        lambda engine: users.set_user(engine, "a"),
        lambda engine: users.remove_user(engine, "nobody"),
        lambda engine: users.add_token(engine, "nobody", "x"),
    ],
)
def test_what_cannot_be_is_refused(engine: Engine, change: object) -> None:
    with pytest.raises(AdminError):
        change(engine)  # type: ignore[operator]
    assert users.list_users(engine) == []


def test_a_session_and_a_token_are_known_by_what_is_not_kept(engine: Engine) -> None:
    users.add_user(engine, "anna", PASSWORD)
    found = sign_in(engine, "anna", PASSWORD, 1e9)
    assert found is not None
    token = users.add_token(engine, "anna", "script")
    with engine.connect() as connection:
        kept = [
            str(tuple(row))
            for table in ("web_user", "web_session", "web_token")
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")  # noqa: S608
        ]
    for secret in (found.secret, token, PASSWORD):
        assert not any(secret in row for row in kept)
    assert user_of(engine, found.secret, 1e9) == found.user
    assert users.user_with_token(engine, token) == found.user
    assert user_of(engine, found.secret + "x", 1e9) is None
    with pytest.raises(Refused, match="already"):
        users.add_token(engine, "anna", "script")
    users.remove_token(engine, "anna", "script")
    assert users.user_with_token(engine, token) is None
    with pytest.raises(Refused, match="no token"):
        users.remove_token(engine, "anna", "script")


@pytest.mark.parametrize(
    "text",
    ["1234567890", "12345678901", "qwertyuiop", "zaq12wsx!QAZ", "password123", "P@ssw0rd2024!",
     "haslo12345", "polska12345", "aaaaaaaaaaaa", "abababababab", "ab" * 128, "a" * 256,
     "01.01.1990 ", "fsctl fsctl", "administrator", "anna123456", "Anna Anna!", "\u0663" * 12],
)  # fmt: skip
def test_a_password_that_is_guessed_early_is_refused(text: str) -> None:
    with pytest.raises(WrongValue, match="easily guessed"):
        passwords.new_password(text, "anna")


@pytest.mark.parametrize(
    "text",
    [PASSWORD, "kotek i piesek", "x7#kfP2qLm", "żółw-jeż-żaba", "trzy czapki w autobusie",
     "\u4e00\u9f98\u725b\u8336\u8c46\u8150\u96e8\u5929\u7af9\u6d77", "correct horse battery " * 11],
)  # fmt: skip
def test_a_password_that_is_not_is_taken_whatever_it_is_made_of(text: str) -> None:
    assert passwords.new_password(text, "anna") == text


@given(st.text(st.sampled_from("4@8({[<369&!1|0$57+%2 aeilost"), min_size=10, max_size=256))
@settings(max_examples=10, deadline=None)
def test_no_password_takes_long_to_look_at(text: str) -> None:
    began = time.thread_time()
    with suppress(WrongValue):
        passwords.new_password(text, "anna")
    assert time.thread_time() - began < 2.0


def test_a_new_password_ends_tokens_and_says_so(engine: Engine) -> None:
    users.add_user(engine, "anna", PASSWORD)
    token = users.add_token(engine, "anna", "backup")
    users.set_password(engine, "anna", PASSWORD + "2")
    assert users.user_with_token(engine, token) is None
    assert users.list_tokens(engine, "anna") == []
    [entry, *_] = list_user_changes(engine, limit=1)
    assert lines_of(entry) == ['user "anna"', "token backup removed", "password changed"]


def test_passwords_are_kept_as_argon2id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", passwords.PasswordHasher())
    kept = passwords.keep(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.fits(kept, PASSWORD)
    assert not passwords.fits(kept, PASSWORD + " ")
    assert not passwords.fits(None, "the password of nobody")
    with pytest.raises(WrongValue, match="10 to 256 characters, not 257"):
        passwords.new_password("x" * 257, "anna")


# The command line


@pytest.fixture
def url(tmp_path: Path, sqlite_template: Path) -> str:
    (tmp_path / "fsctl.db").write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{tmp_path}/fsctl.db"


def fsctl(url: str, *args: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(root, ["--database-url", url, *args], input=typed)


def test_the_commands(url: str) -> None:
    line = f"{PASSWORD}\n"
    added = fsctl(url, "user", "add", "anna", "--password-stdin", typed=line)
    assert added.output == 'User "anna" added: administrator, every domain.\n'
    assert fsctl(url, "user", "add", "bob", typed=line).exit_code == 2
    short = fsctl(url, "user", "password", "anna", "--password-stdin", typed="short\n")
    assert (short.exit_code, "not 5" in short.output) == (2, True)
    changed = fsctl(url, "user", "set", "anna", "--role", "viewer", "--language", "pl")
    assert changed.output == 'User "anna": viewer, every domain, language pl.\n'
    assert "viewer" in fsctl(url, "user", "list").output
    assert '"language": "pl"' in fsctl(url, "user", "list", "--json").output
    assert fsctl(url, "user", "token", "anna").output.startswith("fsctl_")
    assert fsctl(url, "user", "token", "anna").exit_code == 1
    assert fsctl(url, "user", "token", "anna", "--remove").exit_code == 0
    assert "sessions ended: 0" in fsctl(url, "user", "sign-out", "anna").output
    again = fsctl(url, "user", "password", "anna", "--password-stdin", typed=line)
    assert "Their sessions and tokens have ended." in again.output
    assert fsctl(url, "user", "remove", "anna").output == 'User "anna" removed.\n'
    assert fsctl(url, "user", "remove", "anna").exit_code == 1


@pytest.mark.parametrize(("second", "code"), [(PASSWORD, 0), ("another one", 2)])
def test_the_password_is_asked_for_twice_and_not_shown(url: str, second: str, code: int) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "fsctl", "--database-url", url, "user", "add", "anna"],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said = io.BytesIO()
    for prompt, answer in ((b"Password: ", PASSWORD), (b"Once more: ", second)):
        while not said.getvalue().endswith(prompt):
            said.write(os.read(ours, 1))
        os.write(ours, answer.encode() + b"\n")
    assert process.wait(30) == code
    assert PASSWORD.encode() not in said.getvalue()
    assert len(users.list_users(make_engine(url))) == (code == 0)
