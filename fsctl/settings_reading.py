"""Where the settings in force come from: flag, environment, file, default, in that order.

Owns the file of settings and the one line that a wrong value is told in. What there is to be set
stands in ``fsctl.settings``.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fsctl.settings import SETTINGS, Settings
from fsctl.settings_row import Setting

CONFIG_FLAG = "--config"
CONFIG_VARIABLE = "FSCTL_CONFIG"
CONFIG_PLACES = (Path("fsctl.toml"), Path("/etc/fsctl/fsctl.toml"))


class SettingsError(ValueError):
    """A setting, or the file of settings, is wrong; the message is one line for its author."""


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
    try:
        settings = Settings(**values)  # type: ignore[arg-type]
    except ValueError as error:
        raise SettingsError(str(error)) from None
    return Loaded(settings, tuple(rows))


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
