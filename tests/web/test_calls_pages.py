import csv
import io
from pathlib import Path

import pytest
from flask import Flask
from msgspec.structs import replace
from sqlalchemy import Engine

from fsctl.admin import spreadsheet, users
from fsctl.admin.audit import list_changes
from fsctl.admin.call_file import COLUMNS
from fsctl.admin.groups import add_group, get_group, list_groups, set_group
from fsctl.settings import Settings
from fsctl.store.call_records import CallRecord, Version, cleaned
from fsctl.store.call_writing import write_calls
from fsctl.web import calls as pages
from fsctl.web.app import create_app
from fsctl.web.languages import COOKIE
from tests.records.samples import ANSWERED, call
from tests.web.conftest import PASSWORD, Browser

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The queries are tested on both databases elsewhere."""
    return sqlite_url


def write(engine: Engine, *records: CallRecord) -> None:
    write_calls(engine, [Version(1, cleaned(record)) for record in records])


@pytest.fixture
def past(example: Engine) -> Engine:
    others = [
        call(1, outcome="caller gave up", answered_by=None, caller_name=HOSTILE, attempts=()),
        replace(
            call(2, outcome="no members", domain="b.example", group="Theirs", wait_seconds=0.0),
            number="=1+1",
        ),
    ]
    write(example, ANSWERED, *others)
    return example


def test_calls_are_listed_filtered_and_drawn(anna: Browser, past: Engine) -> None:
    assert "Jan Żółw" in anna.get("/calls").text
    assert "answered" in anna.page
    found = anna.get("/calls?outcome=caller+gave+up&caller=601234567&since=2024-05-14").text
    assert "&lt;img src=x" in found
    assert HOSTILE not in found
    assert "Jan Żółw" not in found
    page = anna.get("/calls/1").text
    assert "answered at 7.2\N{NO-BREAK SPACE}s, has the caller" in page
    assert "stopped, another member was first (LOSE_RACE, SIP 487)" in page
    assert "<strong>test009</strong>: not rung" in page
    assert HOSTILE not in anna.get("/calls/2").text
    for path in ("/calls/99", "/calls/5000", "/calls/999999999999999999999"):
        assert anna.get(path).status_code == 404


@pytest.mark.parametrize("query", ["since=yesterday", "until=2024-13-01", "since=0001-01-01"])
def test_what_is_no_day_is_said(anna: Browser, query: str) -> None:
    for path in ("/calls", "/stats", "/calls.csv"):
        answer = anna.get(f"{path}?{query}")
        assert answer.status_code in {200, 422}
        assert "is not a day" in answer.text or query.startswith("since=0001")


def test_more_calls_are_a_page_away(
    anna: Browser, past: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "SHOWN", 2)
    assert anna.get("/calls").text.count("<tr>") == 3
    assert "shown=4" in anna.page
    assert anna.get("/calls?shown=4").text.count("<tr>") == 4


def test_statistics_are_counted_and_drawn(anna: Browser, past: Engine) -> None:
    page = anna.get("/stats").text
    assert "(50.0\N{NO-BREAK SPACE}%)" in page
    assert 'class="plot"' in page
    assert "test006" in page
    assert "Statistics" in anna.get("/stats?group=nobody&until=2020-01-01").text


def test_csv_runs_no_formula_and_has_every_call(
    anna: Browser, past: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheet, "ROWS_AT_ONCE", 2)
    answer = anna.client.get("/calls.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(rows) == 3
    assert rows[0]["number"] == "'=1+1"
    assert rows[2]["caller_number"] == "'+48 601 234 567"


def test_csv_is_as_a_spreadsheet_in_the_users_language_reads_it(
    anna: Browser, past: Engine, example: Engine
) -> None:
    def first(path: str, language: str) -> str:
        anna.client.set_cookie(COOKIE, language)
        return anna.client.get(path).text.splitlines()[0]

    for path, heads in (("/calls.csv", ['"id"', '"uuid"']), ("/export.csv", ['"group"'])):
        assert first(path, "en").startswith("\ufeff" + ",".join(heads))
        assert first(path, "pl").startswith("\ufeff" + ";".join(heads))
        assert first(f"{path}?separator=tab", "pl").startswith("\ufeff" + "\t".join(heads))
        assert anna.client.get(f"{path}?separator=x").status_code == 422
    page = anna.get("/import").text
    assert all(f'href="/export.csv?separator={one}"' in page for one in ("comma", "semicolon"))
    heads = first("/calls.csv", "en").removeprefix("\ufeff").replace('"', "").split(",")
    assert tuple(heads) == COLUMNS  # as the command line writes them


def test_callers_are_masked_everywhere(past: Engine) -> None:
    app: Flask = create_app(past, Settings(mask_numbers=4))
    browser = Browser(app.test_client())
    browser.sign_in()
    for path in ("/calls", "/calls/1", "/calls.csv"):
        page = browser.get(path).text
        assert "+48 601 23* ***" in page
        assert "Jan" not in page


def test_a_domains_viewer_sees_its_calls_only(past: Engine, app: Flask) -> None:
    users.add_user(past, "bob", PASSWORD, domain="b.example", role="viewer")
    bob = Browser(app.test_client())
    bob.sign_in("bob")
    for path in ("/calls", "/calls?domain=", "/calls.csv"):
        page = bob.get(path).text
        assert "Theirs" in page
        assert "Sales" not in page
    assert bob.get("/calls/1").status_code == 404
    assert bob.get("/calls/3").status_code == 200


# History


def test_the_last_change_is_taken_back_from_the_history(anna: Browser, past: Engine) -> None:
    set_group(past, "sales", wait=10)
    page = anna.get("/groups/1/history").text
    assert page.count(">Take back<") == 1
    assert "wait 30 -&gt; 10" in page
    anna.post(f"/history/{_latest(past)}/undo", group="1")
    assert anna.where == "/groups/1/history"
    assert get_group(past, "sales").wait == 30
    assert "wait 10 -&gt; 30" in anna.page
    anna.post("/history/1/undo")
    assert "not the last change" in anna.page
    assert anna.where == "/history"


def _latest(engine: Engine) -> int:
    return list_changes(engine, limit=1)[0].id


# Export and import


def test_a_file_is_looked_at_and_then_imported(anna: Browser, past: Engine, tmp_path: Path) -> None:
    add_group(past, "old")
    exported = anna.client.get("/export.yaml").text
    assert anna.client.get("/export.csv").text.startswith('\ufeff"group",')
    changed = exported.replace("wait: 30\n", "wait: 20\n", 1)
    anna.get("/import")
    _send(anna, changed, keep="on")
    assert "wait 30 -&gt; 20" in anna.page
    assert get_group(past, "old").wait == 30
    carried = changed
    anna.post("/import", carried=carried, act="import", keep="1")
    assert "Imported: 0 added, 1 changed, 0 removed." in anna.page
    assert get_group(past, "old").wait == 20
    anna.get("/import")
    assert _send(anna, "version: 1\ngroups:\n- name: a\n  wait: no\n") == 422
    assert "line 4: wait" in anna.page
    assert _send(anna, "") == 422
    assert len(list_groups(past)) == 2
    assert _send(anna, "version: 1\ngroups: []\n", act="import") == 302
    assert list_groups(past) == []


def _send(anna: Browser, text: str, act: str = "show", **more: str) -> int:
    file = (io.BytesIO(text.encode()), "groups.yaml")
    form = {"csrf": anna.csrf, "act": act, "file": file, **more}
    answer = anna.client.post("/import", data=form, headers={"Accept": "text/html"})
    anna.page = answer.text
    return answer.status_code


def test_a_domains_administrator_imports_into_it_only(past: Engine, app: Flask) -> None:
    users.add_user(past, "bob", PASSWORD, domain="b.example")
    bob = Browser(app.test_client())
    bob.sign_in("bob")
    assert "sales" not in bob.client.get("/export.yaml").text
    bob.get("/import")
    assert _send(bob, "version: 1\ngroups:\n- name: new\n", act="import") == 302
    assert {(one.name, one.domain) for one in list_groups(past)} == {
        ("sales", ""),
        ("new", "b.example"),
    }
    stolen = "version: 1\ngroups:\n- name: new\n  numbers: ['+48587624731']\n"
    assert _send(bob, stolen, act="import") == 422
    assert "belongs to another domain" in bob.page
    assert "sales" not in bob.page


def test_records_of_an_older_fsctl_are_drawn_too(anna: Browser, example: Engine) -> None:
    odd = replace(ANSWERED, outcome="something new", group_as_it_was="", cause="ODD")
    write(example, odd)
    assert "something new" in anna.get("/calls/1").text
