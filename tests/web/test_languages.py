import re

import pytest
from flask import Flask

from fsctl.web import languages
from fsctl.web.extraction import messages, sentences
from fsctl.web.sentences import Sentences
from tests.web.conftest import Browser


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What differs between databases is tested elsewhere."""
    return sqlite_url


def test_every_message_is_translated() -> None:
    catalog = languages.catalog("pl")
    assert catalog.num_plurals == 3
    for message in messages():
        if message.id:
            known = catalog.get(message.id, message.context)
            assert known is not None, f"{message.id}: run python -m fsctl.web.extraction"
            texts = known.string if isinstance(known.string, tuple) else (known.string,)
            assert all(texts), f"{message.id} is not translated"
            assert not known.fuzzy, message.id
            same = [set(re.findall(r"%\(\w+\)s|\{\d\}", text)) for text in texts]
            wanted = message.id if isinstance(message.id, str) else message.id[1]
            if "{2}" not in wanted:  # what a translation may leave out is a hint to a command
                assert all(one <= set(re.findall(r"%\(\w+\)s|\{\d\}", wanted)) for one in same)
    known_ids = {(message.id, message.context) for message in messages()}
    assert all((one.id, one.context) in known_ids for one in catalog if one.id)


def test_sentences_are_found_again_in_what_admin_says() -> None:
    polish = Sentences(languages.catalog("pl"))
    said = polish.translate("wait is 1 to 3600 seconds, not 5000")
    assert said == "czas oczekiwania grupy wynosi od 1 do 3600 sekund, a nie 5000"
    assert polish.translate('600 belongs to group "sales"') == "600 ma już: grupa „sales”"
    assert polish.translate("nobody says that") == "nobody says that"
    assert len(sentences()) > 50


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 grup"), (1, "1 grupa"), (2, "2 grupy"), (5, "5 grup"),
                         (12, "12 grup"), (22, "22 grupy"), (25, "25 grup")]
)  # fmt: skip
def test_polish_plurals(app: Flask, number: int, text: str) -> None:
    with app.test_request_context(headers={"Accept-Language": "pl"}):
        assert languages.ngettext("%(num)s group", "%(num)s groups", number) == text


def test_dates_and_numbers_are_those_of_the_language(app: Flask) -> None:
    shown = {}
    for code in ("pl", "en"):
        with app.test_request_context(headers={"Accept-Language": code}):
            shown[code] = (languages.seconds(0.5), languages.percent(0.125), languages.day(1e9))
    assert shown["pl"][:2] == ("0,5\N{NO-BREAK SPACE}s", "12,5\N{NO-BREAK SPACE}%")
    assert shown["en"][:2] == ("0.5\N{NO-BREAK SPACE}s", "12.5\N{NO-BREAK SPACE}%")
    assert "wrz 2001" in shown["pl"][2]
    assert "Sept 2001" in shown["en"][2]


def test_the_browser_chooses_and_the_user_may_choose_again(
    stranger: Browser,
) -> None:
    polish = {"Accept-Language": "pl-PL,pl;q=0.9,en;q=0.5", "Accept": "text/html"}
    assert "Zaloguj się" in stranger.client.get("/sign-in", headers=polish).text
    stranger.get("/sign-in")
    stranger.post("/language", language="en", back="/sign-in")
    assert stranger.where == "/sign-in"
    assert "Zaloguj się" not in stranger.client.get("/sign-in", headers=polish).text
    answer = stranger.post("/language", follow=False, language="pl", back="//evil.example")
    assert answer.location == "/groups"


def test_errors_are_in_the_language_too(anna: Browser) -> None:
    anna.get("/groups/add")
    anna.post("/language", language="pl", back="/groups/add")
    anna.post("/groups/add", name="sales")
    assert "grupa „sales” już istnieje" in anna.page
