"""What is shown of a database URL, and of the other settings that hold a password."""

import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsctl.settings import SETTINGS, Settings
from fsctl.settings_reading import SettingsError, load
from fsctl.store.engine import describe, make_engine, reading
from fsctl.store.errors import BadURL, StoreError
from fsctl.store.url import public_url, read_server_url

HUSH = "hushhush"
UNFORESEEN = [
    "postgresql://u:{}@h/d",
    "postgresql://u:x@{}@h/d",
    "postgresql://u:{}@x@h/d",
    "postgresql://u:x/{}@h/d",
    "postgresql://u:x?{}@h/d",
    "postgresql://u:x#{}@h/d",
    "postgresql://u:12/{}@h/d",
    "postgresql://u:12?{}@h/d",
    "postgresql://u:x:{}@h/d",
    "postgresql://u:{}@h:port/d",
    "postgresql://u:{}@h:1:2/d",
    "postgresql://u:{}@[h/d",
    "postgresql://u:{}",
    "postgresql:/u:{}@h/d",
    "postgresql//u:{}@h/d",
    "postgres u:{}@h/d",
    " postgresql://u:{}@h/d",
    "postgresql://u:{}@h/d\n",
    "postgresql://u:{}@h h/d",
    "postgresql://h/d?password={}",
    "postgresql://h/d?sslpassword={}",
    "postgresql://h/d?PASSWORD={}",
    "postgresql://h/d?sslmode={}!",
    "postgresql://h/d?{}",
    "postgresql://h/d?{}=1",
    "postgresql://h/d?user=u&passwd={}",
    "postgresql://h/d?options=-c%20x={}",
    "postgresql://h/d?sslmode=require;password={}",
    "postgresql://h:5432/d?password=x@{}",
    "postgresql://h1,h2:{}/d",
    "sqlite:///u:{}@h/d",
    "mysql://u:{}@h/d",
    "{}",
]
"""Database URLs, right and wrong, with a password in every place where somebody may have put it."""


@pytest.mark.parametrize("form", UNFORESEEN)
def test_no_form_shows_a_password(form: str) -> None:
    url = form.format(HUSH)
    assert HUSH not in public_url(url)
    try:
        shown = describe(make_engine(url))
    except BadURL as error:
        shown = "".join(traceback.format_exception(error))
    assert HUSH not in shown
    try:
        loaded = load({"database_url": url}, {})
        shown = f"{loaded.rows} {loaded!r}"
    except SettingsError as error:
        shown = "".join(traceback.format_exception(error))
    assert HUSH not in shown


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=20), st.sampled_from(UNFORESEEN))
def test_whatever_stands_around_a_password(around: str, form: str) -> None:
    assert HUSH not in public_url(form.format(around + HUSH + around))


@pytest.mark.parametrize("name", ["esl_url", "smtp_url"])
@pytest.mark.parametrize(
    "form",
    ["esl://:{}", "esl://:x,{}@h", "esl://u:{}@h", "{}", "esl://:a@h,esl://:x@{}@h",
     "smtp://u:x@{}@h", "smtp://u:{}", "smtp://u:x@h?password={}", "smtp://{}@h", "x@{}"],
)  # fmt: skip
def test_no_other_setting_shows_a_password(name: str, form: str) -> None:
    text = form.format(HUSH)
    row = next(row for row in SETTINGS if row.name == name)
    try:
        shown = row.public(row.show(row.read(text)))
    except ValueError as error:
        shown = f"{row.public(text)} {error}"
    assert HUSH not in shown


def test_no_setting_that_holds_a_password_is_in_a_representation() -> None:
    settings = Settings(database_url=f"postgresql://u:{HUSH}@h/d")
    assert HUSH not in repr(settings)
    assert HUSH not in repr(load({"database_url": f"postgresql://u:{HUSH}@h/d"}, {}))


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///fsctl.db",
        "sqlite:////srv/a@b/fsctl.db",
        "sqlite://",
        "postgresql:///d",
        "postgresql:///d?host=/run/postgresql&port=5433",
        "postgresql://u@h/d?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem",
        "postgresql://[::1]:5432,db2:5433/d?target_session_attrs=read-write",
    ],
)
def test_what_is_no_secret_is_shown(url: str) -> None:
    assert public_url(url) == url
    assert describe(make_engine(url)) == url


def test_a_parameter_of_a_file_that_is_unknown_is_not_shown() -> None:
    assert public_url(f"sqlite:///fsctl.db?key={HUSH}&mode=ro") == "sqlite:///fsctl.db?***&mode=ro"


def test_the_parts_of_a_url() -> None:
    url = read_server_url("postgresql://u%40x:a%2Fb@[::1]:5432,db2/d%20e?sslmode=require&x=")
    assert (url.user, url.password, url.database) == ("u@x", "a/b", "d e")
    assert url.hosts == (("::1", "5432"), ("db2", ""))
    assert url.query == (("sslmode", "require"), ("x", ""))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://u:p@ss@h/d", "write %40 for @"),
        ("postgresql://h/d?prepare_threshold=x", "prepare_threshold in the database URL is a nu"),
        ("postgresql://h/d?row_factory=x", "a parameter that PostgreSQL does not know"),
        ("postgresql://h/d?x", "after the \\? write NAME=VALUE"),
    ],
)
def test_what_is_wrong_with_a_url_is_said(url: str, says: str) -> None:
    with pytest.raises(BadURL, match=says):
        make_engine(url)


@pytest.mark.postgresql
def test_an_error_of_the_driver_shows_no_password() -> None:
    for query in ("sslmode=x", f"sslmode=require&sslpassword={HUSH}", "connect_timeout=x",
                  f"options=-c%20{HUSH}"):  # fmt: skip
        url = f"postgresql://u:{HUSH}@127.0.0.1:1/d?{query}"
        with pytest.raises(StoreError) as raised, reading(make_engine(url)) as session:
            session.connection()
        assert HUSH not in str(raised.value)
