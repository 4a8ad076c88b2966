import dataclasses
import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.esl.address import SwitchAddress
from fsctl.settings import SETTINGS, Settings
from fsctl.settings_reading import Loaded, Row, SettingsError, load
from fsctl.settings_values import Address


def row(loaded: Loaded, name: str) -> Row:
    return next(one for one in loaded.rows if one.name == name)


def test_the_defaults() -> None:
    settings = load({}, {}).settings
    assert settings == Settings()
    assert settings.database_url == "sqlite:///fsctl.db"
    assert settings.listen == Address("127.0.0.1", 8084)
    assert settings.allow == (
        ipaddress.ip_network("127.0.0.0/8"),
        ipaddress.ip_network("::1/128"),
    )
    assert {row.source for row in load({}, {}).rows} == {"default"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.region = "DE"  # type: ignore[misc]


def test_flag_before_environment_before_file_before_default(nowhere: Path) -> None:
    (nowhere / "fsctl.toml").write_text(
        'region = "DE"\nlog_level = "error"\nlisten = "0.0.0.0:1"\n'
    )
    environ = {"FSCTL_REGION": "GB", "FSCTL_LOG_LEVEL": "debug", "FSCTL_ALLOW": ""}
    loaded = load({"region": "fr"}, environ)
    assert loaded.settings == Settings(region="FR", log_level="debug", listen=Address("0.0.0.0", 1))
    assert {row.name: row.source for row in loaded.rows if row.source != "default"} == {
        "listen": "file:fsctl.toml",
        "region": "flag",
        "log_level": "environment",
    }


def test_a_named_file_is_read_instead(nowhere: Path) -> None:
    (nowhere / "fsctl.toml").write_text('region = "DE"\n')
    (nowhere / "a.toml").write_text('allow = ["10.0.0.0/8", "::1"]\n')
    (nowhere / "b.toml").write_text('region = "GB"\n')
    by_environment = load({}, {"FSCTL_CONFIG": "a.toml"})
    assert by_environment.settings.region == "PL"
    assert row(by_environment, "allow").value == "10.0.0.0/8,::1/128"
    assert load({}, {"FSCTL_CONFIG": "a.toml"}, config="b.toml").settings.region == "GB"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"colour = 1", "fsctl.toml has the unknown key 'colour'; see: fsctl config"),
        (b"[region]\na = 1", "fsctl.toml: region must be a text in quotes"),
        (b"region = true", "fsctl.toml: region must be a text in quotes"),
        (b"region = PL", "fsctl.toml is not TOML: Invalid value (at line 1, column 10)"),
        (
            b'region = "Poland"',
            "region from fsctl.toml is 'Poland': write the two letters of a country, "
            "for example PL",
        ),
    ],
)
def test_a_file_that_is_wrong(nowhere: Path, content: bytes, message: str) -> None:
    (nowhere / "fsctl.toml").write_bytes(content)
    with pytest.raises(SettingsError) as raised:
        load({}, {})
    assert str(raised.value) == message


def test_a_file_that_cannot_be_read(nowhere: Path) -> None:
    (nowhere / "bytes.toml").write_bytes(b"\xff\xfe")
    for name, message in (
        ("none.toml", "^cannot read none.toml: No such file or directory$"),
        (".", r"^cannot read \.: Is a directory$"),
        ("bytes.toml", r"^bytes\.toml is not TOML: "),
    ):
        with pytest.raises(SettingsError, match=message):
            load({}, {}, config=name)


@pytest.mark.parametrize(
    ("text", "host", "port", "shown"),
    [
        ("127.0.0.1:8084", "127.0.0.1", 8084, "127.0.0.1:8084"),
        ("[::1]:8084", "::1", 8084, "[::1]:8084"),
        ("[0:0::1]:0", "::1", 0, "[::1]:0"),
        ("pbx.example.org:65535", "pbx.example.org", 65535, "pbx.example.org:65535"),
    ],
)
def test_an_address(text: str, host: str, port: int, shown: str) -> None:
    loaded = load({"listen": text}, {})
    assert loaded.settings.listen == (host, port)
    assert row(loaded, "listen").value == shown


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        *(
            ("listen", text, "write HOST:PORT, for example 127.0.0.1:8084 or [::1]:8084")
            for text in ("8084", ":8084", "::1:8084", "[::g]:1", "[1.2.3.4]:1", "a:65536", "a:-1",
                         "a b:1", "a:1\n", "a:\u0661")
        ),
        ("region", "48", "write the two letters of a country, for example PL"),
        ("log_level", "loud", "write one of debug, info, warning, error"),
        ("allow", "10.0.0.1/8", "10.0.0.1/8 has host bits set: write 10.0.0.0/8"),
        *(
            ("allow", text,
             "write IP networks with commas between them, for example 127.0.0.0/8,::1/128")
            for text in ("", "localhost", "10.0.0.0/33", "10.0.0.0/8,")
        ),
        ("domain", "a b", "write a domain's name, for example pbx.example.org"),
        ("domain_variable", "a:b",
         "write the name of a channel variable, for example domain_name"),
        ("backups", "-1", "write a number from 0 to 1000"),
        ("backups", "1001", "write a number from 0 to 1000"),
        *(
            ("database_url", text,
             "write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
            for text in ("fsctl.db", "mysql://h/d", "sqlite:///a\0b")
        ),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_source(name: str, text: str, advice: str) -> None:
    flag = "--" + name.replace("_", "-")
    with pytest.raises(SettingsError) as raised:
        load({name: text}, {})
    shown = next(row for row in SETTINGS if row.name == name).public(text)
    assert str(raised.value) == f"{name} from {flag} is {shown!a}: {advice}"
    if text:
        with pytest.raises(SettingsError, match=f"^{name} from FSCTL_{name.upper()} is "):
            load({}, {f"FSCTL_{name.upper()}": text})


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hush@h/d",
        "postgresql://u:hu@sh:hush@h/d",
        "postgresql://u@h/d?a=b&password=hush&c=d",
        "mysql://u:hush@h/d",
        "u:hush@h",
    ],
)
def test_a_password_is_never_shown(url: str) -> None:
    try:
        shown = "".join(row.value for row in load({"database_url": url}, {}).rows)
    except SettingsError as error:
        shown = str(error)
    assert "hush" not in shown


def test_switches() -> None:
    text = "esl://:Clue%2CCon@pbx.example.org, esl://:hush@[::1]:8022"
    loaded = load({"esl_url": text}, {})
    assert loaded.settings.esl_url == (
        SwitchAddress("pbx.example.org", 8021, "Clue,Con"),
        SwitchAddress("::1", 8022, "hush"),
    )
    assert row(loaded, "esl_url").value == "esl://:***@pbx.example.org:8021,esl://:***@[::1]:8022"
    assert row(load({}, {}), "esl_url").value == ""


@pytest.mark.parametrize(
    "text",
    [
        "hush",
        "esl://hush@h",
        "esl://u:hush@h",
        "esl://:hush@h:0",
        "esl://:hush@h:70000",
        "esl://:hush%0Aapi@h",
        "esl://:hush@h,esl://:hu@sh@h",
        "http://:hush@h",
    ],
)
def test_what_is_no_switch(text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load({"esl_url": text}, {})
    message = str(raised.value)
    assert message.endswith(
        "write esl://:PASSWORD@HOST:PORT, for example esl://:ClueCon@127.0.0.1:8021"
    )
    assert "hush" not in message


def test_one_switch_twice() -> None:
    with pytest.raises(SettingsError, match="one switch stands there twice"):
        load({"esl_url": "esl://:a@h,esl://:b@h:8021"}, {})


@given(st.sampled_from([row.name for row in SETTINGS]), st.text())
def test_any_text_is_a_value_or_a_line(name: str, text: str) -> None:
    try:
        row = next(row for row in load({name: text}, {}).rows if row.name == name)
    except SettingsError as error:
        line = str(error)
    else:
        line = row.value
        if not next(row for row in SETTINGS if row.name == name).secret:
            assert load({name: line}, {}).settings == load({name: text}, {}).settings
    assert line.isprintable()
