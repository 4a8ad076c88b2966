"""What the groups of a domain may have the switch use, by every way on which it can be set."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from fsctl.admin import whole
from fsctl.admin.allowed import allowing
from fsctl.admin.audit import list_changes
from fsctl.admin.errors import Refused
from fsctl.admin.groups import add_group, disable_group, get_group, set_group
from fsctl.admin.numbers import add_numbers
from fsctl.admin.transfer import import_groups, plan_import
from fsctl.admin.versions import fingerprint
from fsctl.controller.source import database_source
from fsctl.hunt.allowed import (
    Allowed,
    read_contexts,
    read_directories,
    read_extensions,
    read_hosts,
    show_entries,
)
from fsctl.hunt.endings import Reason, ending_for
from fsctl.hunt.group import Group
from fsctl.settings import Settings

DOMAIN = "a.example"
DEFAULT = Settings().allowed
GENEROUS = Allowed(
    read_contexts("inside-{domain},b.example=public"),
    read_extensions("4858762*,a.example=0048585555555"),
    read_directories("/srv/{domain},a.example=/srv/shared"),
    read_hosts("media.example.net,*.cdn.example,b.example=10.0.0.1"),
    "extensions",
)
RECORDINGS = f"/var/lib/freeswitch/recordings/{DOMAIN}"

FORBIDDEN = [
    ("when_busy", "extension 0900123456 public", "public"),
    ("ending", "extension 5 b.example", "b.example"),
    ("ending", "extension 0900123456", "0900123456"),
    ("ending", "extension +48700123456", "48700123456"),
    ("ending", f"extension 0048123 {DOMAIN}", "0048123"),
    ("ending", "extension 9-587-624", "9-587-624"),
    ("music", "/var/lib/freeswitch/recordings/b.example/x.wav", "b.example/x.wav"),
    ("greeting", "/etc/passwd", "/etc/passwd"),
    ("greeting", f"{RECORDINGS}x/y.wav", "y.wav"),
    ("announcement", "http://169.254.169.254/latest/meta-data", "169.254.169.254"),
    ("confirm_prompt", "http_cache://http://169.254.169.254/", "169.254.169.254"),
    ("too_late", "shout://10.0.0.1:8000/x", "10.0.0.1"),
    ("line_music", "https://user@evil.example/x", "evil.example"),
    ("line_position", "file_string://digits/{position}.wav!/etc/passwd", "/etc/passwd"),
    ("line_position", "file_string://digits/{position}.wav!http://x.example/", "x.example"),
    ("music", "tone_stream://path=/etc/passwd", "/etc/passwd"),
    ("recording", "/var/lib/freeswitch/recordings/b.example/{uuid}.wav", "b.example"),
    ("when_closed", "play /etc/shadow", "/etc/shadow"),
    ("when_full", "play http://127.0.0.1:8080/x.wav", "127.0.0.1"),
]
"""Settings of a group that its domain may not have unless the installation's settings say so."""

HARMLESS = [
    ("when_busy", "extension 500"),
    ("when_busy", "extension *97500"),
    ("when_busy", "extension 600-500"),
    ("when_busy", "extension sales.desk"),
    ("ending", f"extension 500 {DOMAIN}"),
    ("music", "local_stream://moh"),
    ("greeting", "ivr/ivr-welcome.wav"),
    ("greeting", f"{RECORDINGS}/welcome.wav"),
    ("recording", f"{RECORDINGS}/{{date}}/{{uuid}}.wav"),
    ("music", "tone_stream://%(1000,4000,425);loops=-1"),
    ("line_position", "file_string://ivr/ivr-you_are_number.wav!digits/{position}.wav"),
    ("when_closed", "play closed.wav USER_BUSY"),
    ("when_closed", "voicemail test002"),
    ("when_closed", "external +48501234567"),
    ("ending", "release USER_BUSY"),
]


@pytest.fixture
def ours(engine: Engine) -> Engine:
    """A database with a group of a domain, through which the default is allowed."""
    add_group(engine, "sales", domain=DOMAIN)
    add_numbers(engine, "sales", ["600"], "PL", domain=DOMAIN)
    return allowing(engine, DEFAULT, external=False)


def by_adding(engine: Engine, **given: str) -> object:
    return add_group(engine, "new", domain=DOMAIN, **given)


def by_setting(engine: Engine, **given: str) -> object:
    return set_group(engine, "sales", domain=DOMAIN, **given)


def by_changing(engine: Engine, **given: Any) -> object:
    group = get_group(engine, "sales", domain=DOMAIN)
    seen = fingerprint(group)
    return whole.change_group(engine, "sales", replace(group, **given), seen=seen, domain=DOMAIN)


def by_document(engine: Engine, **given: str) -> object:
    return whole.put_group(engine, {"name": "other", "domain": DOMAIN, **given}, region="PL")


def by_importing(engine: Engine, **given: Any) -> object:
    return import_groups(engine, [Group("sales", domain=DOMAIN, **given)], domain=DOMAIN)


def by_looking_at_an_import(engine: Engine, **given: Any) -> object:
    return plan_import(engine, [Group("sales", domain=DOMAIN, **given)], domain=DOMAIN)


WAYS = [by_adding, by_setting, by_changing, by_document, by_importing, by_looking_at_an_import]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("name", "value", "what"), [FORBIDDEN[0], FORBIDDEN[2], FORBIDDEN[5]])
def test_no_way_sets_what_is_not_allowed(
    ours: Engine, way: Callable[..., object], name: str, value: str, what: str
) -> None:
    with pytest.raises(Refused, match=f"cannot use .*{what}.* here; the setting allowed_"):
        way(ours, **{name: value})
    assert getattr(get_group(ours, "sales", domain=DOMAIN), name) is None


@pytest.mark.parametrize(("name", "value", "what"), FORBIDDEN)
def test_what_is_not_allowed(name: str, value: str, what: str) -> None:
    wrong = DEFAULT.wrong(DOMAIN, {name: value})
    assert what in wrong[name].what
    assert DEFAULT.wrong("", {name: value}) == {}


@pytest.mark.parametrize(("name", "value"), HARMLESS)
def test_what_is_allowed(ours: Engine, name: str, value: str) -> None:
    assert DEFAULT.wrong(DOMAIN, {name: value}) == {}
    by_setting(ours, **{name: value})


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("when_busy", "extension 5 inside-a.example", True),
        ("when_busy", "extension 5 inside-b.example", False),
        ("when_busy", "extension 5 public", False),
        ("when_busy", "extension 0900123456 inside-a.example", True),
        ("when_busy", "extension 48587624731", True),
        ("when_busy", "extension 0048585555555 extensions", True),
        ("when_busy", "extension 48585555555", False),
        ("when_busy", "extension 5 extensions", True),
        ("when_busy", "extension 5 a.example", False),
        ("music", "/srv/a.example/x.wav", True),
        ("music", "/srv/shared/x.wav", True),
        ("music", "/srv/b.example/x.wav", False),
        ("music", "https://MEDIA.example.net:8443/x.mp3", True),
        ("music", "https://media.example.net.evil.example/x", False),
        ("music", "https://media.example.net@evil.example/x", False),
        ("music", "https://media.example.net:80@evil.example/x", False),
        ("music", "http_cache://https://a.cdn.example/x", True),
        ("music", "https://cdn.example/x", False),
        ("music", "http://10.0.0.1/x", False),
    ],
)
def test_an_installation_says_more(name: str, value: str, allowed: bool) -> None:
    assert GENEROUS.wrong(DOMAIN, {name: value}) is not allowed


def test_any_is_any() -> None:
    anything = Allowed(
        read_contexts("*"), read_extensions("*"), read_directories("/etc"), read_hosts("*")
    )
    values = {
        "when_busy": "extension 5 public",
        "ending": "extension 0900123456",
        "music": "http://169.254.169.254/",
    }
    assert anything.wrong(DOMAIN, values) == {}


@settings(deadline=None)
@given(st.text(st.sampled_from("ab.:/@?-1"), max_size=20))
def test_only_a_host_that_is_named_is_fetched_from(rest: str) -> None:
    url = f"http://{rest}"
    if not Allowed(hosts=read_hosts("ab.a")).wrong(DOMAIN, {"music": url}):
        assert rest.partition("/")[0].partition("?")[0].partition(":")[0] == "ab.a"


def test_what_is_there_does_not_hold_up_other_changes(ours: Engine, engine: Engine) -> None:
    generous = allowing(engine, Allowed(read_contexts("public")), external=False)
    set_group(generous, "sales", domain=DOMAIN, when_busy="extension 5 public")
    disable_group(ours, "sales", domain=DOMAIN)
    by_changing(ours, wait=20.0)
    set_group(ours, "sales", domain=DOMAIN, wait=10)
    with pytest.raises(Refused, match="cannot use public"):
        whole.copy_group(ours, "sales", "copy", domain=DOMAIN)
    set_group(ours, "sales", domain=DOMAIN, when_busy="none")
    with pytest.raises(Refused, match="cannot use public"):
        whole.undo(ours, list_changes(ours)[0].id)


def test_a_call_does_without_what_is_not_allowed_any_more(
    ours: Engine, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    generous = allowing(
        engine, Allowed(read_contexts("public"), hosts=read_hosts("*")), external=False
    )
    set_group(
        generous, "sales", domain=DOMAIN, when_busy="extension 5 public",
        ending="voicemail test002", music="http://10.0.0.1/x", greeting="welcome.wav",
    )  # fmt: skip
    group = database_source(ours, allowed=DEFAULT).load((f"600@{DOMAIN}",))
    assert group is not None
    assert (group.when_busy, group.music, group.greeting) == (None, None, "welcome.wav")
    assert str(ending_for(group, Reason.BUSY)) == "voicemail test002"
    assert "when busy of group 'sales' (a.example) is left out: allowed_contexts" in caplog.text
    assert "allowed_hosts does not allow 10.0.0.1" in caplog.text


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_contexts, "a b"), (read_contexts, "{tenant}"), (read_contexts, "x,"),
        (read_directories, "recordings"), (read_directories, "/a/../b"), (read_directories, "/"),
        (read_hosts, "http://x"), (read_hosts, "x:80"), (read_hosts, "*x"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError, match=r"^write "):
        read(text)


@pytest.mark.parametrize("text", ["", "/srv/{domain}", "A.example=/srv/x,/srv/y"])
def test_a_list_is_written_as_it_is_read(text: str) -> None:
    assert show_entries(read_directories(text)) == text.replace("A.", "a.")
