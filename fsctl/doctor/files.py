"""The files that fsctl reads and writes: whether it may, and whether others should not."""

import getpass
import os
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import Engine

from fsctl.doctor.finding import Finding, fault, ok, warning
from fsctl.files import MEGABYTE, space_of
from fsctl.settings import SETTINGS
from fsctl.settings_reading import Loaded

PART = "files"
LITTLE_ROOM = 100 * MEGABYTE
_MAKE_ROOM = "remove old recordings and copies of the database, or run fsctl calls purge"
LONG_WAIT = 600.0
"""Seconds after which records on disk should have been in the database."""


def examine_settings(loaded: Loaded) -> Iterator[Finding]:
    """Look at the file of settings: with a password in it, it is not for everybody."""
    part = "settings"
    secret = {row.name for row in SETTINGS if row.secret}
    files = {row.source.removeprefix("file:") for row in loaded.rows if _from_file(row.source)}
    holding = {
        row.source.removeprefix("file:")
        for row in loaded.rows
        if _from_file(row.source) and row.name in secret and "***" in row.value
    }
    told = ", ".join(sorted(files)) or "no file"
    yield ok(part, f"{len(loaded.rows)} settings are right ({told})")
    for name in sorted(holding):
        if Path(name).stat().st_mode & stat.S_IROTH:
            yield fault(
                part,
                f"{name} holds a password and everybody on this machine may read it",
                f"chmod o-rwx {name}, and leave it readable to the user that runs fsctl",
            )


def _from_file(source: str) -> bool:
    return source.startswith("file:")


def examine_database_file(engine: Engine) -> Iterator[Finding]:
    """Look at the file of an SQLite database, which is there."""
    for file in database_files(engine):
        yield from _examine_database_file(file)


def database_files(engine: Engine) -> list[Path]:
    """Return the file that a database is; none for one in memory, and for PostgreSQL."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name.startswith((":memory:", "file:")):
        return []
    return [Path(name)]


def _examine_database_file(file: Path) -> Iterator[Finding]:
    folder = file.absolute().parent
    for place in (file, folder):
        # SQLite makes files of its own beside the database.
        if not os.access(place, os.R_OK | os.W_OK):
            yield fault(
                PART,
                f"{place} cannot be written by this user, {_user()}",
                f"run fsctl as the user that owns it, or: chown {_user()} {place}",
            )
    if file.stat().st_mode & stat.S_IROTH and folder.stat().st_mode & stat.S_IXOTH:
        yield warning(
            PART,
            f"{file} has callers' numbers, and everybody on this machine may read it",
            f"chmod o-rwx {file}",
        )


def examine_room(places: Iterable[Path]) -> Iterator[Finding]:
    """Look for file systems of these files that are full or almost full; report each once."""
    spaces = {space.mount: space for space in map(space_of, places) if space is not None}
    for space in spaces.values():
        if space.full:
            yield fault(PART, str(space), f"{_MAKE_ROOM}; until then no change is possible")
        elif space.free < LITTLE_ROOM:
            yield warning(PART, f"{space}: it is almost full", _MAKE_ROOM)


def examine_spool(spool: Path) -> Iterator[Finding]:
    """Look at the directory in which records of calls wait."""
    if not spool.exists():
        above = next(folder for folder in spool.absolute().parents if folder.exists())
        if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            yield fault(
                PART,
                f"the directory {spool} for records of calls is not there and cannot be made",
                f"mkdir -p {spool} and chown it to {_user()}, or give another with --spool",
            )
        else:
            yield ok(PART, f"records of calls will wait in {spool}")
        return
    if not spool.is_dir() or not os.access(spool, os.R_OK | os.W_OK | os.X_OK):
        yield fault(
            PART,
            f"records of calls cannot be kept in {spool}: it is no directory that {_user()} "
            "may write to",
            f"chown {_user()} {spool}, or give another with --spool",
        )
        return
    yield from _waiting(spool)


def _waiting(spool: Path) -> Iterator[Finding]:
    ages = [time.time() - found for found in _times(spool, "*.jsonl")]
    bad = len(list(spool.glob("*.bad")))
    if ages and max(ages) > LONG_WAIT:
        yield warning(
            PART,
            f"records of calls have waited in {spool} for {max(ages) / 60:.0f} minutes",
            "start fsctl serve, which brings them to the database; its log says what it meets",
        )
    if bad:
        yield warning(
            PART,
            f"{bad} files in {spool} hold records that the database would not take",
            f"look at {spool}/*.bad, and remove them when nobody needs them",
        )
    if not bad and not (ages and max(ages) > LONG_WAIT):
        yield ok(PART, f"records of calls go through {spool}")


def _times(folder: Path, pattern: str) -> Iterator[float]:
    for path in folder.glob(pattern):
        try:
            yield path.stat().st_mtime
        except OSError:  # delivered meanwhile
            continue


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
