"""Whoever guesses passwords is slowed down, and keeps nobody out of their own account."""

import re
import unicodedata
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from fsctl.admin import users
from fsctl.admin.browsers import KNOWN_FOR, known_browser, new_mark
from fsctl.web import throttle
from fsctl.web.throttle import Throttle, network_of
from tests.web.conftest import PASSWORD, Browser, Clock

NewBrowser = Callable[[], Browser]
SPELLINGS = ("Łucja Żółw", "łucja żółw", "ŁUCJA ŻÓŁW", "łUcJa ŻÓŁw")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What differs between databases is tested elsewhere."""
    return sqlite_url


def at(browser: Browser, address: str) -> Browser:
    browser.client.environ_base["REMOTE_ADDR"] = address
    return browser


# Networks


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2002:c000:207:1::9", "192.0.2.7"),
        ("64:ff9b::192.0.2.7", "192.0.2.7"),
        ("2001:0:53aa:64c:0:fbff:3fff:fdf8", "192.0.2.7"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "?"),
        ("192.0.2.7:1234", "?"),
    ],
)
def test_an_address_belongs_to_a_network(address: str, network: str) -> None:
    assert network_of(address) == network


@settings(deadline=None)
@given(st.integers(0, 2**128 - 1), st.integers(0, 2**64 - 1))
def test_whoever_has_a_64_of_ipv6_has_one_network(address: int, host: int) -> None:
    other = address >> 64 << 64 | host
    here, there = (network_of(str(IPv6Address(one))) for one in (address, other))
    assert here == there or "/" not in here or "/" not in there


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_an_address_of_ipv4_is_itself_however_it_is_written(number: int) -> None:
    address = str(IPv4Address(number))
    assert network_of(f"::ffff:{address}") == network_of(address) == address


# Counts


def failures(counted: Throttle, name: str, address: str, now: float = 0.0, times: int = 50) -> int:
    """How many passwords are looked at when somebody tries again and again."""
    return sum(counted.admit(name, address, now) == 0 for _ in range(times))


def test_a_network_cannot_guess_at_many_names() -> None:
    counted = Throttle()
    tried = [counted.admit(f"name{n}", f"2001:db8::{n:x}", 0.0) == 0 for n in range(40)]
    assert tried == [True] * throttle.MOST_NETWORK + [False] * 10
    assert counted.admit("name1", "2001:db8:0:1::1", 0.0) == 0


@pytest.mark.parametrize(
    "spelling",
    [*SPELLINGS, *(unicodedata.normalize("NFD", one) for one in SPELLINGS)],
)
def test_every_spelling_of_a_name_is_the_same_name(spelling: str) -> None:
    counted = Throttle()
    assert failures(counted, SPELLINGS[0], "192.0.2.7") == throttle.MOST_PAIR
    assert counted.admit(spelling, "192.0.2.7", 0.0) > 0
    assert counted.admit(spelling, "192.0.2.8", 0.0) == 0


def test_signing_in_again_and_again_is_no_guessing() -> None:
    counted = Throttle()
    for second in range(3 * throttle.MOST_NAME):
        assert counted.admit("anna", "192.0.2.7", float(second) / 100) == 0.0
        counted.succeeded("anna", "192.0.2.7")


def test_many_failures_of_a_name_make_strangers_slower_and_then_wait() -> None:
    counted = Throttle()
    networks = [f"2001:db8:{n >> 16:x}:{n & 0xFFFF:x}::1" for n in range(5_000)]
    looked_at = [failures(counted, "anna", network, times=6) for network in networks]
    first = throttle.MANY // throttle.MOST_PAIR
    assert looked_at[:first] == [throttle.MOST_PAIR] * first
    assert sum(looked_at) == throttle.MOST_NAME
    assert set(looked_at[first : first + 1_000]) == {1}
    assert looked_at[-1] == 0
    # By then another name is as free as ever, and her own browser has its own count.
    assert failures(counted, "olga", "192.0.2.7") == throttle.MOST_PAIR
    known = [counted.admit("anna", "192.0.2.7", 0.0, "her browser") == 0 for _ in range(10)]
    assert known == [True] * throttle.MOST_BROWSER + [False] * 5
    assert counted.admit("anna", "192.0.2.7", throttle.WINDOW) == 0


def test_failures_are_forgotten_by_and_by() -> None:
    counted = Throttle()
    for second in range(0, 900, 180):
        assert counted.admit("anna", "192.0.2.7", float(second)) == 0
    assert counted.admit("anna", "192.0.2.7", 899.0) == pytest.approx(1.0)
    assert counted.admit("anna", "192.0.2.7", 900.0) == 0
    assert counted.admit("anna", "192.0.2.7", 900.0) == pytest.approx(180.0)


def test_it_remembers_no_more_than_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "REMEMBERED", 100)
    counted = Throttle()
    for n in range(1_000):
        counted.admit(f"name {n}" + "\N{LATIN SMALL LIGATURE FFI}" * n, f"2001:db8:{n:x}::1", 0.0)
    kinds = (counted._pairs, counted._networks, counted._names)
    assert [len(one._times) for one in kinds] == [100, 100, 100]
    assert max(len(key) for one in kinds for key in one._times) < 1_000
    # Whoever floods it with other names is still counted for what they do.
    assert failures(counted, "anna", "192.0.2.7", 1.0) == throttle.MOST_PAIR
    for n in range(50):
        counted.admit(f"name {n}", f"2001:db8:{n:x}::1", 2.0)
    assert counted.admit("anna", "192.0.2.7", 3.0) > 0
    counted.admit("anna", "192.0.2.7", 10_000.0)
    counted.admit("olga", "192.0.2.8", 10_000.0)
    for n in range(200):
        counted.admit(f"name {n}", f"2001:db8:{n:x}::1", 20_000.0)
    assert all(len(one._times) <= 200 for one in kinds)


# The page


def test_guessing_is_slowed_down_even_with_the_right_password(
    new_browser: NewBrowser, clock: Clock
) -> None:
    guesser = new_browser()
    for _ in range(throttle.MOST_PAIR):
        assert guesser.sign_in(password="wrong").status_code == 401
    assert guesser.sign_in().status_code == 429
    assert "Try again in 15 minutes." in guesser.page
    assert at(new_browser(), "192.0.2.7").sign_in().status_code == 200
    clock.now += throttle.WINDOW
    assert guesser.sign_in().status_code == 200


def test_a_stranger_with_a_64_of_ipv6_keeps_nobody_out(new_browser: NewBrowser) -> None:
    guesser = new_browser()
    codes = []
    for n in range(210):
        codes.append(at(guesser, f"2001:db8::{n:x}").sign_in(password="wrong").status_code)
    assert codes == [401] * throttle.MOST_PAIR + [429] * (210 - throttle.MOST_PAIR)
    assert at(new_browser(), "192.0.2.7").sign_in().status_code == 200


def test_a_flood_from_everywhere_keeps_nobody_out_of_their_own_browser(
    new_browser: NewBrowser, app: object, monkeypatch: pytest.MonkeyPatch, example: Engine
) -> None:
    monkeypatch.setattr(throttle, "MANY", 4)
    monkeypatch.setattr(throttle, "MOST_NAME", 8)
    users.add_user(example, "olga", PASSWORD)
    own = new_browser()
    own.sign_in()
    own.post("/sign-out")
    counted = app.extensions["panel"].throttle  # type: ignore[attr-defined]
    counted.__init__()
    for n in range(20):
        counted.admit("anna", f"198.51.100.{n}", 1_800_000_000.0)
    assert at(new_browser(), "192.0.2.7").sign_in().status_code == 429
    assert at(own, "192.0.2.8").sign_in().status_code == 200
    own.post("/sign-out")
    assert own.sign_in("olga").status_code == 200  # whose browser it is not, and it is no attack
    other = new_browser()
    assert other.sign_in("olga").status_code == 200
    other.post("/sign-out")
    assert other.sign_in("anna").status_code == 429


def test_a_mark_is_its_users_until_the_password_changes(example: Engine) -> None:
    from fsctl.admin.signed_in import sign_in

    users.add_user(example, "olga", PASSWORD)
    found = sign_in(example, "anna", PASSWORD, 1e9)
    assert found is not None
    known = known_browser(example, "ANNA", found.mark, 1e9 + 1)
    assert known is not None
    assert known_browser(example, "olga", found.mark, 1e9 + 1) is None
    assert known_browser(example, "anna", found.mark, 1e9 + KNOWN_FOR) is None
    moved = re.sub(r"^\d+", "2000000000", found.mark)
    for wrong in ("", "x", "1.2.3", "." * 3, found.mark[:-1], moved, found.mark + "ł", "1." * 999):
        assert known_browser(example, "anna", wrong, 1e9 + 1) is None
    nobodys = new_mark(0, "nobody has this password", 1e9)
    assert known_browser(example, "nobody", nobodys, 1e9 + 1) is None
    users.set_password(example, "anna", PASSWORD)
    assert known_browser(example, "anna", found.mark, 1e9 + 1) is None


def test_who_is_signed_in_guesses_their_own_password_no_faster(
    anna: Browser, new_browser: NewBrowser, clock: Clock
) -> None:
    anna.get("/account")
    form = {"old": "wrong", "new": "another long password", "again": "another long password"}
    codes = []
    for n in range(throttle.MOST_ACCOUNT + 1):
        answer = at(anna, f"198.51.100.{n}").post("/account/password", **form)
        codes.append((answer.status_code, "Too many attempts" in answer.text))
    assert codes == [(422, False)] * throttle.MOST_ACCOUNT + [(422, True)]
    assert new_browser().sign_in().status_code == 200
    clock.now += throttle.WINDOW
    form["old"] = PASSWORD
    assert anna.post("/account/password", **form).status_code == 200
