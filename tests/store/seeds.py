"""What a database of each revision may hold, in its SQL: whoever adds a revision adds here."""

import atexit
import shutil
import tempfile
from functools import cache

from sqlalchemy import URL, create_engine, inspect, make_url, text

from fsctl.store import migrate
from fsctl.store.engine import make_engine

SEEDS = {
    "0001": [
        "INSERT INTO hunt_group (id, name, name_key, description, wait_ms, advance, enabled,"
        " created_at) VALUES (1, 'Łódź', 'łódź', '100% \"O''Neill\"', 12500, false, true, 1),"
        " (2, 'sales', 'sales', '', 30000, true, false, 2)",
        "INSERT INTO group_number (group_id, number, kind)"
        " VALUES (1, '600', 'internal'), (1, '+48587624731', 'city'), (2, '*45', 'internal')",
        'INSERT INTO group_member (group_id, "user", delay_ms, enabled, position)'
        " VALUES (1, 'test002', 0, true, 0), (1, 'test006', 500, false, 7),"
        " (2, 'test002', 0, true, 0)",
        "UPDATE group_revision SET number = 41",
    ],
    "0002": [
        'INSERT INTO audit (at, actor, action, domain, group_key, former_key, "before", "after")'
        " VALUES (1, 'anna', 'add group', '', 'sales', NULL, NULL, '{\"name\": \"sales\"}')",
    ],
    "0003": [
        "INSERT INTO call_group (digest, document, used_ms) VALUES ('d', '{}', 1)",
        "INSERT INTO call_record (uuid, began_ms, recorded_ms, domain, group_name, group_key,"
        " group_digest, number, caller_number, caller_key, caller_name, caller_user, outcome,"
        " cause, wait_ms, ended_ms, controller)"
        " VALUES ('u', 1, 1, '', 'sales', 'sales', 'd', '600', '1', '1', '', '', 'gave_up', '',"
        " 1, 1, 'c')",
    ],
    "0004": [
        "UPDATE hunt_group SET strategy = 'round-robin', ring_time_ms = 12500, rounds = 3"
        " WHERE id = 1",
        "UPDATE group_member SET ring_time_ms = 7500, \"order\" = 2, weight = 9, note = 'mobile'",
        "INSERT INTO member_memory (member_id, answered_ms, idle_ms, calls, written_ms)"
        " VALUES (1, 1, 2, 3, 4)",
    ],
    "0005": [
        "INSERT INTO web_user (id, name, name_key, role, domain, language, password, created_ms)"
        " VALUES (1, 'Ańna', 'ańna', 'administrator', '', 'pl', 'x', 1)",
        "INSERT INTO web_session (digest, user_id, began_ms, seen_ms) VALUES ('d', 1, 1, 1)",
        "INSERT INTO web_token (id, user_id, label, digest, created_ms)"
        " VALUES (1, 1, 'script', 'd', 1)",
        "INSERT INTO live_controller (name, seen_ms) VALUES ('c', 1)",
        "INSERT INTO live_call (controller, uuid, domain, group_name, number, caller_number,"
        " caller_name, began_ms, wait_ms, legs) VALUES ('c', 'u', '', 'sales', '600', '1', '',"
        " 1, 30000, '[]')",
    ],
    "0006": [
        "UPDATE hunt_group SET hours = 'mon-fri 8:00-16:00', dates = '2026-12-25',"
        " closed_until = '2026-12-28 07:30', time_zone = 'Europe/London' WHERE id = 1",
    ],
    "0007": [
        "UPDATE hunt_group SET caller_name = '[Łódź] {name}', caller_number = '{dialled}',"
        " alert_info = 'Bellcore-dr3', diversion = true, music = 'tone_stream://%(1,2,3)',"
        " greeting = '/a.wav', announcement = 'b.wav', announce_every_ms = 5000,"
        " answer_first = true, recording = '/{group}/{uuid}.wav' WHERE id = 1",
    ],
    "0008": [
        "UPDATE hunt_group SET confirm_prompt = '/p.wav', too_late = 'l.wav' WHERE id = 1",
        "UPDATE group_member SET confirm = true WHERE group_id = 1",
    ],
    "0009": [
        "UPDATE hunt_group SET ending = 'release USER_BUSY', when_no_answer = 'extension 500',"
        " when_busy = 'voicemail a', when_unreachable = 'external +48501234567',"
        " when_no_members = 'play a.wav', when_closed = 'play b.wav NO_ANSWER',"
        " when_disabled = 'release' WHERE id = 1",
        "UPDATE call_record SET onward = 'release USER_BUSY'",
    ],
    "0010": ["UPDATE hunt_group SET skip_busy = true WHERE id = 1"],
    "0011": [
        "UPDATE hunt_group SET missed_mail = 'a@example.net,b@example.net',"
        " missed_when = 'no answer, closed' WHERE id = 1",
        "UPDATE call_record SET caller_hidden = true",
        "INSERT INTO mail_outbox (id, uuid, domain, address, asked_ms, due_ms, tries)"
        " VALUES (1, 'u', '', 'a@example.net', 1, 1, 0)",
        "UPDATE mail_turn SET holder = 'c', until_ms = 1",
    ],
    "0012": [
        "INSERT INTO user_audit (id, at, actor, action, user_key, after)"
        " VALUES (1, 1, 'root', 'add user', 'ańna', '{}')",
    ],
    "0013": [
        "UPDATE hunt_group SET pickup = 'domain' WHERE id = 1",
        "UPDATE group_member SET signed_on = false WHERE group_id = 1",
    ],
    "0014": [
        "UPDATE hunt_group SET max_callers = 2, line = 5, line_wait_ms = 60000,"
        " line_retry_ms = 5000, line_music = 'a.wav', line_every_ms = 20000,"
        " line_position = 'file_string://a.wav!digits/{position}.wav', when_full = 'release',"
        " when_line_over = 'voicemail a' WHERE id = 1",
        "UPDATE call_record SET line_ms = 1500",
        "INSERT INTO live_line VALUES ('pbx1/1', '', 'sales', 1, 1, '[[1.5,\"u\",false]]')",
    ],
}

Rows = dict[str, list[tuple[object, ...]]]


def grow(url: str, revision: str) -> None:
    """Make a database of this revision that has lived through every one before, with its data.

    Each is grown once, out of the one before, and copied from then on.
    """
    made = make_url(url)
    # Not made.set(database=None), which leaves the database: what is grown is for every test.
    server = URL.create(made.drivername, made.username, made.password, made.host, made.port)
    copy(grown(server, revision), url)


@cache
def grown(server: URL, revision: str) -> str:
    """Return the URL of such a database, to be copied."""
    if server.get_backend_name() == "sqlite":
        kept = tempfile.TemporaryDirectory(prefix="fsctl-grown-")
        atexit.register(kept.cleanup)
        place = server.set(database=f"{kept.name}/fsctl.db")
    else:
        place = server.set(database=f"grown_{revision}")
    url = place.render_as_string(hide_password=False)
    before = [step for step in sorted(SEEDS) if step < revision]
    if before:
        copy(grown(server, before[-1]), url)
    elif server.get_backend_name() != "sqlite":
        remake(url)
    migrate.upgrade(url, to=revision)
    run(url, SEEDS[revision])
    return url


def copy(source: str, url: str) -> None:
    """Make a database be the same as another, which nobody uses."""
    name, file = make_url(source).database, make_url(url).database
    if make_url(url).get_backend_name() == "sqlite":
        shutil.copy(str(name), str(file))
    else:
        remake(url, f"TEMPLATE {name}")


def remake(url: str, out_of: str = "") -> None:
    """Make a PostgreSQL database anew."""
    made = make_url(url)
    admin = create_engine(
        made.set(drivername="postgresql+psycopg", database="postgres"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {made.database} WITH (FORCE)")
        connection.exec_driver_sql(f"CREATE DATABASE {made.database} {out_of}")
    admin.dispose()


def run(url: str, statements: list[str]) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement.replace(":", r"\:")))
    engine.dispose()


def rows(url: str) -> Rows:
    """Return every row of every table by those of its columns that the first revision had too."""
    engine = make_engine(url)
    found: Rows = {}
    with engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            columns = COLUMNS.get(table)
            if columns:
                listed = ", ".join(f'"{column}"' for column in columns)
                statement = text(f"SELECT {listed} FROM {table} ORDER BY 1, 2, 3")  # noqa: S608
                found[table] = [tuple(row) for row in connection.execute(statement)]
    engine.dispose()
    return found


COLUMNS = {
    "hunt_group": (
        "id", "name", "name_key", "description", "wait_ms", "advance", "enabled", "created_at",
    ),
    "group_number": ("group_id", "number", "kind"),
    "group_member": ("group_id", "user", "delay_ms", "enabled", "position"),
}  # fmt: skip
