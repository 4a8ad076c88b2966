"""Every setting of fsctl: one field of ``Settings`` each, with its default, reader and description.

Owns where a value comes from (flag, environment, file, default, in that order) and whether it can
be right. Knows nobody of ours but the rule for a domain's name: the command line makes its flags,
and the documentation its table, from ``SETTINGS``.
"""

import dataclasses
import ipaddress
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import phonenumbers

from fsctl.hunt.domain import read_domain

CONFIG_FLAG = "--config"
CONFIG_VARIABLE = "FSCTL_CONFIG"
CONFIG_PLACES = (Path("fsctl.toml"), Path("/etc/fsctl/fsctl.toml"))

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(ValueError):
    """A setting, or the file of settings, is wrong; the message is one line for its author."""


class Address(NamedTuple):
    """A TCP address to listen on. ``host`` has no brackets; port 0 asks for any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def database_url(text: str) -> str:
    """Check the scheme only: the store says what else is wrong with a database URL."""
    if not re.match(r"(sqlite|postgres(ql)?)(\+\w+)?://", text) or not text.isprintable():
        raise ValueError("write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
    return text


def mask_password(text: str) -> str:
    """Return a database URL, well formed or not, with ``***`` for its password."""
    text = re.sub(r":(?!//).*@", ":***@", text, flags=re.DOTALL)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", text)


def address(text: str) -> Address:
    """Read ``HOST:PORT``; an IPv6 host stands in brackets."""
    advice = "write HOST:PORT, for example 127.0.0.1:8084 or [::1]:8084"
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})", text)
    if match is None or int(match[3]) > 65535:
        raise ValueError(advice)
    if match[1] is None:
        return Address(match[2], int(match[3]))
    try:
        return Address(str(ipaddress.IPv6Address(match[1])), int(match[3]))
    except ValueError:
        raise ValueError(advice) from None


def region(text: str) -> str:
    """Read the ISO 3166 code of a region whose numbering plan is known."""
    if text.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("write the two letters of a country, for example PL")
    return text.upper()


def variable(text: str) -> str:
    """Read the name of a channel variable."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", text):
        raise ValueError("write the name of a channel variable, for example domain_name")
    return text


def count(text: str) -> int:
    """Read a number of things, from 0 to 1000."""
    if not re.fullmatch(r"[0-9]{1,4}", text) or int(text) > 1000:
        raise ValueError("write a number from 0 to 1000")
    return int(text)


def directory(text: str) -> Path:
    """Read the name of a directory, which need not be there yet."""
    if not text.isprintable() or not text.strip():
        raise ValueError("write the name of a directory, for example /var/lib/fsctl/spool")
    return Path(text)


def seconds(text: str) -> float:
    """Read a time, from a tenth of a second to a minute."""
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,3})?", text) or not 0.1 <= float(text) <= 60:
        raise ValueError("write seconds from 0.1 to 60, for example 10")
    return float(text)


def frame_size(text: str) -> int:
    """Read a number of bytes that no honest frame is beyond."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 65_536 <= int(text) <= 67_108_864:
        raise ValueError("write bytes from 65536 to 67108864, for example 4194304")
    return int(text)


def connections(text: str) -> int:
    """Read how many connections there may be."""
    if not re.fullmatch(r"[0-9]{1,7}", text) or not 1 <= int(text) <= 1_000_000:
        raise ValueError("write a number from 1 to 1000000, for example 20000")
    return int(text)


def workers(text: str) -> int:
    """Read a number of processes."""
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 256:
        raise ValueError("write a number from 1 to 256; one for each core is enough")
    return int(text)


def show_seconds(value: float) -> str:
    """Write seconds as ``seconds`` reads them."""
    return f"{value:g}"


def log_level(text: str) -> str:
    """Read the name of a log level."""
    levels = ("debug", "info", "warning", "error")
    if text.lower() not in levels:
        raise ValueError(f"write one of {', '.join(levels)}")
    return text.lower()


def networks(text: str) -> tuple[Network, ...]:
    """Read a comma list of IP networks; a single address is a network of one."""
    found: list[Network] = []
    for part in text.split(","):
        try:
            found.append(ipaddress.ip_network(part.strip()))
        except ValueError:
            raise ValueError(_network_advice(part.strip())) from None
    return tuple(found)


def _network_advice(part: str) -> str:
    try:
        return f"{part} has host bits set: write {ipaddress.ip_network(part, strict=False)}"
    except ValueError:
        return "write IP networks with commas between them, for example 127.0.0.0/8,::1/128"


def show_networks(value: tuple[Network, ...]) -> str:
    """Write networks as ``networks`` reads them."""
    return ",".join(map(str, value))


def setting(
    default: str,
    read: Callable[[str], object],
    metavar: str,
    description: str,
    *,
    show: Callable[[Any], str] = str,
    mask: Callable[[str], str] | None = None,
) -> Any:
    """Declare one setting.

    ``read`` turns text into the value, or raises ValueError saying what to write instead; ``show``
    is its inverse. ``mask`` hides the secret part of a text, and so makes the setting a secret.
    """
    meta = {
        "default": default,
        "read": read,
        "metavar": metavar,
        "description": description,
        "show": show,
        "mask": mask,
    }
    return dataclasses.field(default_factory=lambda: read(default), metadata=meta)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What fsctl was told. To add a setting, add a field."""

    database_url: str = setting(
        "sqlite:///fsctl.db",
        database_url,
        "URL",
        "The database: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.",
        mask=mask_password,
    )
    listen: Address = setting(  # noqa: RUF009 - setting() returns a field
        "127.0.0.1:8084",
        address,
        "HOST:PORT",
        "Where FreeSWITCH's socket application connects to.",
    )
    region: str = setting(
        "PL",
        region,
        "COUNTRY",
        "Whose numbering plan a number without an international prefix is read by (ISO 3166).",
    )
    log_level: str = setting(
        "info",
        log_level,
        "LEVEL",
        "The least severe messages to log: debug, info, warning or error.",
    )
    allow: tuple[Network, ...] = setting(
        "127.0.0.0/8,::1/128",
        networks,
        "NETWORKS",
        "The IP networks that may connect to the listener, with commas between them.",
        show=show_networks,
    )
    workers: int = setting(
        "1",
        workers,
        "COUNT",
        "How many processes take calls; more than one core needs more than one.",
    )
    max_connections: int = setting(
        "20000",
        connections,
        "COUNT",
        "How many connections of FreeSWITCH a process keeps; one more goes on in its dialplan.",
    )
    max_frame: int = setting(
        "4194304",
        frame_size,
        "BYTES",
        "The largest message taken from FreeSWITCH.",
    )
    reply_time: float = setting(
        "10",
        seconds,
        "SECONDS",
        "How long FreeSWITCH may take to answer a command before it counts as gone.",
        show=show_seconds,
    )
    domain: str = setting(
        "",
        read_domain,
        "DOMAIN",
        "Whose groups commands are about, where several tenants have their own.",
    )
    domain_variable: str = setting(
        "domain_name",
        variable,
        "NAME",
        "The channel variable that a call's domain is read from, where groups have domains.",
    )
    backups: int = setting(
        "5",
        count,
        "COUNT",
        "How many copies of an SQLite database upgrades keep beside it; 0 takes none.",
    )
    spool: Path = setting(  # noqa: RUF009 - setting() returns a field
        "fsctl-spool",
        directory,
        "DIRECTORY",
        "Where records of calls wait on disk until the database has them.",
    )
    mask_numbers: int = setting(
        "0",
        count,
        "DIGITS",
        "How many of a caller's last digits are hidden wherever calls are shown; 0 hides none.",
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table of settings."""

    name: str
    default: str
    metavar: str
    description: str
    read: Callable[[str], object]
    show: Callable[[Any], str]
    mask: Callable[[str], str] | None

    @property
    def flag(self) -> str:
        """The option of the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "FSCTL_" + self.name.upper()

    @property
    def secret(self) -> bool:
        """Whether a part of the value must never be shown."""
        return self.mask is not None

    def public(self, text: str) -> str:
        """Return the text without its secret part."""
        return self.mask(text) if self.mask else text


SETTINGS: tuple[Setting, ...] = tuple(
    Setting(name=field.name, **field.metadata) for field in dataclasses.fields(Settings)
)


@dataclass(frozen=True, slots=True)
class Row:
    """One setting as ``fsctl config`` shows it: secrets are masked."""

    name: str
    value: str
    source: str
    description: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and where each came from."""

    settings: Settings
    rows: tuple[Row, ...]


def load(flags: Mapping[str, str], environ: Mapping[str, str], config: str | None = None) -> Loaded:
    """Read every setting.

    ``flags`` are texts by setting name, ``config`` is the value of ``--config``. An environment
    variable that is empty counts as not set. Raises SettingsError.
    """
    path, texts = _read_file(config, environ)
    values: dict[str, object] = {}
    rows: list[Row] = []
    for row in SETTINGS:
        if row.name in flags:
            text, source, origin = flags[row.name], "flag", row.flag
        elif environ.get(row.variable):
            text, source, origin = environ[row.variable], "environment", row.variable
        elif row.name in texts:
            text, source, origin = texts[row.name], f"file:{path}", str(path)
        else:
            text, source, origin = row.default, "default", "default"
        values[row.name] = value = _read_value(row, text, origin)
        rows.append(Row(row.name, row.public(row.show(value)), source, row.description))
    return Loaded(Settings(**values), tuple(rows))  # type: ignore[arg-type]


def _read_value(row: Setting, text: str, origin: str) -> object:
    try:
        return row.read(text)
    except ValueError as error:
        raise SettingsError(f"{row.name} from {origin} is {row.public(text)!a}: {error}") from None


def _read_file(
    config: str | None, environ: Mapping[str, str]
) -> tuple[Path | None, dict[str, str]]:
    """Find and read the file of settings; no file at all is no error, a named one must be there."""
    named = config if config is not None else environ.get(CONFIG_VARIABLE) or None
    path = Path(named) if named is not None else next(filter(Path.is_file, CONFIG_PLACES), None)
    if path is None:
        return None, {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise SettingsError(f"{path} is not TOML: {' '.join(str(error).split())}") from None
    known = {row.name for row in SETTINGS}
    for key in table:
        if key not in known:
            raise SettingsError(f"{path} has the unknown key {key!r}; see: fsctl config")
    return path, {key: _text(path, key, value) for key, value in table.items()}


def _text(path: Path, key: str, value: object) -> str:
    """Return a TOML value as the text that a flag would carry; a list becomes a comma list."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise SettingsError(f"{path}: {key} must be a text in quotes")
    return str(value)
