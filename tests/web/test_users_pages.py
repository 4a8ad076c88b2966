"""The panel's users, managed in the panel."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from fsctl.admin import users
from fsctl.admin.audit import list_user_changes
from fsctl.admin.errors import Refused
from tests.web.conftest import PASSWORD, Browser

OTHER = "another long password"


def id_of(engine: Engine, name: str) -> int:
    return next(one.id for one in users.list_users(engine) if one.name == name)


def test_a_user_is_added_changed_and_removed(
    anna: Browser, new_browser: Callable[[], Browser], example: Engine
) -> None:
    terms = {"role": "viewer", "domain": "", "language": "pl"}
    assert "Users of the panel" in anna.get("/users").text
    wrong = anna.post("/users/add", name="ewa", new=PASSWORD, again=OTHER, **terms)
    assert (wrong.status_code, len(users.list_users(example))) == (422, 1)
    assert 'value="ewa"' in wrong.text
    anna.post("/users/add", name="ewa", new=PASSWORD, again=PASSWORD, **terms)
    place = f"/users/{id_of(example, 'ewa')}"
    assert anna.where == place
    ewa = new_browser()
    assert ewa.sign_in("ewa").status_code == 200
    anna.post(place, role="administrator", domain="b.example", language="")
    assert [one.domain for one in users.list_users(example)] == ["", "b.example"]
    anna.post(f"{place}/password", new=OTHER, again=OTHER)
    assert ewa.get("/groups").status_code == 302
    assert ewa.sign_in("ewa", OTHER).status_code == 200
    assert "1 session was ended" in anna.post(f"{place}/sign-out").text
    page = anna.post(f"{place}/tokens", label="backup").text
    token = re.search(r"<code>(fsctl_[\w-]+)</code>", page)
    assert token is not None
    assert users.user_with_token(example, token[1]) is not None
    assert token[1] not in anna.get(place).text
    anna.post(f"{place}/tokens", remove="backup")
    assert users.user_with_token(example, token[1]) is None
    assert "The user was removed." in anna.post(f"{place}/remove").text
    done = [(entry.actor, entry.action) for entry in list_user_changes(example)]
    assert set(done[:-1]) == {
        ("anna", f"{what} user") for what in ("add", "set", "remove", "sign out")
    } | {("anna", what) for what in ("set password", "add token", "remove token")}
    page = anna.get("/history").text
    assert "user &#34;ewa&#34; of b.example" in page
    assert page.count("password changed") == 1
    assert page.count("Take back") == 1, "of the group, not of the users"
    assert [one.name for one in users.list_users(example)] == ["anna"]


def test_nobody_locks_themselves_out(anna: Browser, example: Engine) -> None:
    own = f"/users/{id_of(example, 'anna')}"
    before = users.list_users(example)
    for answer in (
        anna.post(own, role="viewer", domain="", language="en"),
        anna.post(own, role="administrator", domain="b.example", language="en"),
        anna.post(f"{own}/remove"),
    ):
        assert answer.status_code == 422
        assert "another administrator can" in answer.text
    assert users.list_users(example) == before
    assert anna.post(own, role="administrator", domain="", language="pl").status_code == 200
    anna.post(f"{own}/password", new=OTHER, again=OTHER)
    assert anna.where == "/account"
    assert users.list_users(example)[0].language == "pl"


def test_of_two_who_remove_each_other_one_is_left(example: Engine) -> None:
    users.add_user(example, "ewa", PASSWORD)
    users.remove_user(example, "ewa", by="anna")
    with pytest.raises(Refused, match="does not manage users any more"):
        users.remove_user(example, "anna", by="ewa")
    users.add_user(example, "jan", PASSWORD, role="viewer")
    with pytest.raises(Refused, match="does not manage users any more"):
        users.set_user(example, "anna", role="viewer", by="jan")


@pytest.mark.parametrize(
    ("role", "domain"), [("viewer", ""), ("administrator", "b.example"), ("viewer", "b.example")]
)
def test_others_do_not_even_see_them(
    new_browser: Callable[[], Browser], example: Engine, role: str, domain: str
) -> None:
    users.add_user(example, "bob", PASSWORD, role=role, domain=domain)
    bob = new_browser()
    bob.sign_in("bob")
    assert "/users" not in bob.page
    place = f"/users/{id_of(example, 'anna')}"
    for path in ("/users", "/users/add", place, f"{place}/remove"):
        assert bob.get(path).status_code == 403, path
    for path in ("/users/add", place, f"{place}/password", f"{place}/tokens", f"{place}/remove"):
        assert bob.post(path, role="administrator").status_code == 403, path
    assert len(users.list_users(example)) == 2


def test_a_user_of_one_domain_sees_no_changes_of_users(
    anna: Browser, new_browser: Callable[[], Browser]
) -> None:
    terms = {"role": "administrator", "domain": "b.example", "language": "en"}
    anna.post("/users/add", name="ewa", new=PASSWORD, again=PASSWORD, **terms)
    ewa = new_browser()
    ewa.sign_in("ewa")
    assert "user &#34;" not in ewa.get("/history").text
