from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import Engine

from fsctl.admin import signed_in, users
from fsctl.admin.groups import add_group, get_group
from fsctl.settings import Settings
from fsctl.settings_values import networks_or_none
from fsctl.web import throttle
from fsctl.web.app import EVERY_ROLE, OPEN, create_app
from tests.web.conftest import PAGE, PASSWORD, Browser, Clock

NewBrowser = Callable[[], Browser]
OTHER = "another long password"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What differs between databases is tested elsewhere."""
    return sqlite_url


def test_a_stranger_is_asked_who_they_are_and_then_gets_the_page(stranger: Browser) -> None:
    assert stranger.get("/groups?search=x").location == "/sign-in?next=/groups?search%3Dx"
    stranger.get("/sign-in?next=/groups?search%3Dx")
    answer = stranger.post("/sign-in?next=/groups?search%3Dx", name="ANNA", password=PASSWORD)
    assert (answer.status_code, answer.request.full_path) == (200, "/groups?search=x")


def test_a_program_is_told_plainly(stranger: Browser) -> None:
    assert stranger.client.get("/groups").status_code == 401


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_nobody_is_sent_elsewhere_after_signing_in(stranger: Browser, wanted: str) -> None:
    stranger.get("/sign-in")
    answer = stranger.post(f"/sign-in?next={wanted}", follow=False, name="anna", password=PASSWORD)
    assert answer.location == "/groups"


def test_what_is_wrong_is_not_told(stranger: Browser) -> None:
    answers = []
    for name, password in (("anna", "wrong"), ("nobody", PASSWORD), ("a\0b", PASSWORD)):
        answer = stranger.sign_in(name, password)
        assert answer.status_code == 401
        answers.append(answer.text.replace(name, ""))
    assert answers[0].replace(stranger.csrf, "") == answers[1].replace(stranger.csrf, "")
    assert "Name and password do not belong together." in answers[2]


@pytest.mark.parametrize(("pause", "times"), [(signed_in.IDLE + 61, 1), (signed_in.IDLE - 100, 13)])
def test_a_session_ends_when_idle_and_in_any_case(
    anna: Browser, clock: Clock, pause: int, times: int
) -> None:
    codes = []
    for _ in range(times):
        clock.now += pause
        codes.append(anna.client.get("/groups").status_code)
    assert codes[-1] == 401
    assert set(codes[:-1]) <= {200}


def test_sessions_can_be_ended(new_browser: NewBrowser, example: Engine) -> None:
    here, there = new_browser(), new_browser()
    here.sign_in()
    there.sign_in()
    here.post("/sign-out")
    assert here.client.get("/groups").status_code == 401
    assert there.client.get("/groups").status_code == 200
    here.sign_in()
    there.get("/groups")
    there.post("/sign-out-everywhere")
    assert here.client.get("/groups").status_code == 401
    assert there.client.get("/groups").status_code == 401
    here.sign_in()
    assert users.sign_out_user(example, "anna") == 1
    assert here.client.get("/groups").status_code == 401


def test_who_is_removed_or_changed_notices_at_once(anna: Browser, example: Engine) -> None:
    users.set_user(example, "anna", role="viewer")
    anna.get("/groups/1")
    assert anna.post("/groups/1", name="sales", description="x").status_code == 403
    users.remove_user(example, "anna")
    assert anna.client.get("/groups").status_code == 401


def test_a_new_password_ends_every_other_session(new_browser: NewBrowser) -> None:
    here, there = new_browser(), new_browser()
    here.sign_in()
    there.sign_in()
    here.get("/account")
    assert here.post("/account/password", old="no", new=OTHER, again=OTHER).status_code == 422
    assert "That is not your password." in here.page
    here.post("/account/password", old=PASSWORD, new="short", again="short")
    assert "a password has 10 to 256 characters, not 5" in here.page
    here.post("/account/password", old=PASSWORD, new="1234567890", again="1234567890")
    assert "this password is easily guessed" in here.page
    answer = here.post("/account/password", old=PASSWORD, new=OTHER, again=OTHER)
    assert answer.status_code == 200
    assert there.client.get("/groups").status_code == 401
    assert there.sign_in(password=PASSWORD).status_code == 401
    assert there.sign_in(password=OTHER).status_code == 200


# Changes that nobody asked for


def test_a_change_needs_the_token_of_this_session(anna: Browser, new_browser: NewBrowser) -> None:
    form = {"name": "sales", "description": "changed"}
    for token in ("", "0" * 64, new_browser().get("/sign-in").text[:64]):
        answer = anna.client.post("/groups/1", data={**form, "csrf": token})
        assert answer.status_code == 403
    crossed = anna.client.post(
        "/groups/1", data={**form, "csrf": anna.csrf}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert crossed.status_code == 403
    assert "changed" not in anna.get("/groups/1").text
    assert anna.post("/groups/1", **form).status_code == 200


def test_every_change_is_refused_to_strangers_and_viewers(app: Flask, example: Engine) -> None:
    users.add_user(example, "olga", PASSWORD, role="viewer")
    stranger, viewer = Browser(app.test_client()), Browser(app.test_client())
    viewer.sign_in("olga")
    stranger.get("/sign-in")
    changing = [
        rule
        for rule in app.url_map.iter_rules()
        if rule.methods
        and {"POST", "PUT", "PATCH", "DELETE"} & rule.methods
        and not rule.endpoint.startswith("api.")  # for which a cookie is nothing (test_api)
    ]
    assert len(changing) > 10
    for rule in changing:
        with app.test_request_context():
            values = dict.fromkeys(rule.arguments, 1)
            path = app.url_map.bind("localhost").build(rule.endpoint, values, method="POST")
        if rule.endpoint not in OPEN:
            assert stranger.client.post(path, data={"csrf": stranger.csrf}).status_code == 401
        if rule.endpoint not in EVERY_ROLE:
            viewer.get("/groups")
            assert viewer.post(path).status_code == 403, path


def test_a_viewer_sees_no_buttons(new_browser: NewBrowser, example: Engine) -> None:
    users.add_user(example, "olga", PASSWORD, role="viewer")
    viewer = new_browser()
    viewer.sign_in("olga")
    for path in ("/groups", "/groups/1", "/groups/1/numbers", "/groups/1/configuration"):
        page = viewer.get(path).text
        main = page[page.index("<main") : page.index("</main")]
        assert "<button" not in main.replace("<button>Search</button>", ""), path


# Tenants


def test_a_domains_administrator_knows_no_other_domain(
    new_browser: NewBrowser, example: Engine
) -> None:
    users.add_user(example, "bob", PASSWORD, domain="b.example")
    add_group(example, "theirs", domain="b.example")
    bob = new_browser()
    page = bob.sign_in("bob").text
    assert "theirs" in page
    assert "sales" not in page
    assert "sales" not in bob.get("/groups?domain=&search=600").text
    for path in ("", "/numbers", "/configuration", "/remove", "/numbers/check?numbers=1"):
        assert bob.client.get(f"/groups/1{path}", headers=PAGE).status_code == 404
    assert bob.post("/groups/1", name="sales", description="x").status_code == 404
    bob.get("/groups/2/numbers")
    bob.post("/groups/2/numbers", numbers="+48587624731")
    assert "another domain" in bob.page
    assert "sales" not in bob.page
    bob.get("/groups/add")
    bob.post("/groups/add", name="new", domain="a.example")
    assert get_group(example, "new", domain="b.example").name == "new"


# What a browser is told


def test_browsers_are_told_to_be_careful(anna: Browser) -> None:
    answer = anna.get("/groups")
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in answer.headers
    for word in ("style=", "onclick", "<script>", "javascript:"):
        assert word not in answer.text


@pytest.mark.parametrize(
    ("proxies", "peer", "secure"),
    [
        ("127.0.0.1,::1", "127.0.0.1", True),
        ("127.0.0.1,::1", "::1", True),
        ("127.0.0.1", "::ffff:127.0.0.1", True),
        ("127.0.0.1", "192.0.2.7", False),
        ("", "127.0.0.1", False),
        ("", "::1", False),
    ],
)
def test_only_a_proxy_that_the_settings_name_is_believed(
    example: Engine, caplog: pytest.LogCaptureFixture, proxies: str, peer: str, secure: bool
) -> None:
    app = create_app(example, Settings(web_proxies=networks_or_none(proxies)))
    stranger = Browser(app.test_client())
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.9", **PAGE}
    stranger.client.environ_base["REMOTE_ADDR"] = peer
    page = stranger.client.get("/sign-in", headers=told)
    stranger._seen(page)
    form = {"name": "anna", "password": PASSWORD, "csrf": stranger.csrf}
    answer = stranger.client.post("/sign-in", data=form, headers=told)
    cookies = [c for c in answer.headers.getlist("Set-Cookie") if "fsctl_visit" not in c]
    assert len(cookies) == 2
    for cookie in cookies:
        assert ("; Secure;" in cookie) is secure
        assert cookie.startswith("__Host-") is secure
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
    assert ("Strict-Transport-Security" in answer.headers) is secure
    ignored = [one.getMessage() for one in caplog.records if "is ignored" in one.getMessage()]
    assert len(ignored) == (not secure)


def test_what_a_stranger_forwards_hides_no_guessing(example: Engine, app: Flask) -> None:
    codes = []
    for number in range(throttle.MOST_PAIR + 1):
        guesser = Browser(app.test_client())
        guesser.client.environ_base["HTTP_X_FORWARDED_FOR"] = f"10.0.0.{number}"
        codes.append(guesser.sign_in(password="wrong").status_code)
    assert codes == [401] * throttle.MOST_PAIR + [429]
