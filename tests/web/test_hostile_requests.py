"""What strangers write into addresses and forms: no page fails, and nobody is sent elsewhere."""

import re
from html import unescape
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from fsctl.admin.groups import set_group
from fsctl.web.arguments import whole_number
from fsctl.web.redirects import own_path
from tests.fuzz.panel import landing
from tests.web.conftest import PASSWORD, Browser


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What a number too large does is SQLite's to say; PostgreSQL compares any."""
    return sqlite_url


@pytest.mark.parametrize(
    "path",
    [
        "/calls?endpoint=x",
        "/calls?_method=POST",
        "/calls?_external=1&shown=50",
        "/calls?_anchor=x&_scheme=ftp",
        "/groups?endpoint=x&values=1",
        "/groups?page=99999999999999999999",
        "/groups?page=" + "9" * 5000,
        "/calls?shown=99999999999999999999",
    ],
)
def test_a_query_is_no_argument_of_a_function(anna: Browser, path: str) -> None:
    assert anna.get(path).status_code == 200
    assert "ftp:" not in anna.page


@pytest.mark.parametrize(
    "path", ["/groups/99999999999999999999", "/users/99999999999999999999", "/groups/٣"]
)
def test_an_id_too_long_is_nobodys(anna: Browser, path: str) -> None:
    assert anna.get(path).status_code == 404


def test_links_keep_what_was_asked(anna: Browser, engine: Engine) -> None:
    anna.get("/calls?caller=601&caller=602&endpoint=x")
    assert "/calls.csv?caller=601&amp;caller=602&amp;endpoint=x" in anna.page


# Where a browser is sent


@pytest.mark.parametrize(
    "back",
    ["/\t/evil.example/x", "//evil.example", "/\\evil.example", "/\r\nX: y", "https://evil.example",
     "/ /evil.example", "\t//evil.example", "/\x00/evil.example", "http:evil.example", "\\\\evil"],
)  # fmt: skip
def test_nobody_is_sent_elsewhere_by_a_form(stranger: Browser, back: str) -> None:
    stranger.get("/sign-in")
    answer = stranger.post("/language", follow=False, language="pl", back=back)
    assert (answer.status_code, answer.location) == (302, "/groups")
    after = stranger.client.post(
        "/sign-in",
        query_string={"next": back},
        data={"csrf": stranger.csrf, "name": "anna", "password": PASSWORD},
    )
    assert (after.status_code, after.location) == (302, "/groups")


@pytest.mark.parametrize("path", ["/%09/evil.example/x", "/%2F/evil.example", "/%5Cevil.example"])
def test_the_language_button_of_a_page_that_is_none_leads_nowhere_else(
    anna: Browser, path: str
) -> None:
    assert anna.get(path).status_code == 404
    back = re.search(r'name="back" value="([^"]*)"', anna.page)
    assert back is not None
    answer = anna.post("/language", follow=False, language="pl", back=unescape(back[1]))
    assert urlsplit(landing(answer.location)).netloc == "localhost"


@settings(deadline=None)
@given(st.text(st.sampled_from("/\\\t\r\n .:@?#%0129aeil\x00\x0bł"), max_size=12))
@example("/%09/evil.example")
@example("/groups?search=a%0Ab")
@example("/.//evil.example")
@example("/..//evil.example")
@example("/[")
def test_a_path_of_our_own_is_one_to_every_browser(text: str) -> None:
    path = own_path(text)
    if path is not None:
        assert path == text
        where = urlsplit(landing(path))
        assert (where.scheme, where.netloc) == ("http", "localhost")


PART = st.text(st.sampled_from("abcxyz0189.-_~%+"), min_size=1, max_size=6)


@settings(deadline=None)
@given(st.lists(PART, min_size=1, max_size=3), st.text(st.sampled_from("ab=&%+/?09"), max_size=9))
def test_every_page_is_a_path_of_our_own(parts: list[str], query: str) -> None:
    path = f"/{'/'.join(parts)}?{query}"
    assert own_path(path) == path


@pytest.mark.parametrize("host", ["..", "a" * 500, "a..b", "x" * 64])
@pytest.mark.parametrize("path", ["/sign-in", "/api/v1/groups"])
def test_a_host_that_is_none_is_refused(stranger: Browser, host: str, path: str) -> None:
    answer = stranger.client.get(path, headers={"Host": host, "Accept": "text/html"})
    assert answer.status_code == 400


# Numbers


@settings(deadline=None)
@given(st.text(st.sampled_from("0123456789 -+_.e٣²"), max_size=24), st.integers(0, 10**6))
def test_a_number_is_within_its_bounds_or_none(text: str, most: int) -> None:
    found = whole_number(text, 1, most)
    if found is not None:
        assert 1 <= found <= most
        assert found == int(text)


def test_a_form_names_a_row_that_is_there(anna: Browser) -> None:
    anna.get("/groups/1/configuration")
    for act in ("remove-²", "up-" + "9" * 5000, "down-99", "remove--1", "remove-٣"):
        assert anna.post("/groups/1/configuration", act=act, row="0").status_code == 200


# Moments


def test_a_group_closed_for_ever_can_be_read(anna: Browser, engine: Engine) -> None:
    set_group(engine, "sales", closed_until="9999-12-31 23:59", time_zone="America/Los_Angeles")
    assert "Closed now, and for a year at least" in anna.get("/groups/1/configuration").text
