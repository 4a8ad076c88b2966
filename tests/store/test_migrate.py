import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

import fsctl.store.call_tables
import fsctl.store.mail_tables
import fsctl.store.web_tables  # noqa: F401 - tables of the models too
from fsctl.admin.example import add_example
from fsctl.admin.groups import list_groups, set_group
from fsctl.store import migrate
from fsctl.store.engine import make_engine, reading
from fsctl.store.errors import Busy, NewerSchema, StoreError, Unavailable
from fsctl.store.groups import find_group_by_number
from fsctl.store.revision import read_revision
from fsctl.store.tables import SCHEMA, Base
from tests.store.seeds import SEEDS, grow, rows, run

pytestmark = pytest.mark.xdist_group("migrations")  # which share what they have grown
ROOT = Path(__file__).parents[2]
REVISIONS = sorted(SEEDS)
NEXT, AFTER_NEXT = (f"{int(SCHEMA) + more:04}" for more in (1, 2))

REBUILD = f"""
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{SCHEMA}"


def upgrade():
    with op.batch_alter_table("hunt_group", recreate="{{recreate}}") as batch:
        batch.add_column(sa.Column("colour", sa.String(8), nullable=True))


def downgrade():
    with op.batch_alter_table("hunt_group") as batch:
        batch.drop_column("colour")
"""

FAIL = f"""
from alembic import op

revision = "{AFTER_NEXT}"
down_revision = "{NEXT}"


def upgrade():
    op.execute("{{statement}}")
"""


def test_there_is_one_head_and_the_models_name_it() -> None:
    scripts = ScriptDirectory.from_config(migrate.configuration())
    assert scripts.get_heads() == [SCHEMA] == [migrate.head()]


def test_revisions_are_numbered_in_order_and_each_has_data_to_be_tested_with() -> None:
    scripts = ScriptDirectory.from_config(migrate.configuration())
    newest_first = [script.revision for script in scripts.walk_revisions()]
    assert newest_first == sorted(newest_first, reverse=True)
    assert newest_first == REVISIONS[::-1]


def test_the_migrations_make_exactly_the_models(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        made = check_constraints(connection.engine)
        Base.metadata.drop_all(connection)
        connection.commit()
    Base.metadata.create_all(engine)
    assert check_constraints(engine) == made


def check_constraints(engine: Engine) -> dict[str, str]:
    found = inspect(engine)
    return {
        str(check["name"]): check["sqltext"]
        for table in Base.metadata.tables
        for check in found.get_check_constraints(table)
    }


def test_alembic_check_finds_nothing_to_add(engine: Engine) -> None:
    with engine.begin() as connection:
        command.check(migrate.configuration(connection))


def test_upgrading_twice_does_it_once(database_url: str) -> None:
    assert migrate.current(database_url) is None
    assert migrate.upgrade(database_url).applied == REVISIONS
    assert migrate.current(database_url) == migrate.head()
    assert migrate.upgrade(database_url) == migrate.Upgraded()


def test_down_and_up_again_without_data(database_url: str) -> None:
    migrate.upgrade(database_url)
    assert migrate.downgrade(database_url, "base") == REVISIONS[::-1]
    assert inspect(make_engine(database_url)).get_table_names() == ["alembic_version"]
    assert migrate.current(database_url) is None
    assert migrate.upgrade(database_url).applied == REVISIONS


@pytest.mark.parametrize("past", REVISIONS)
def test_every_past_revision_comes_up_with_its_data(database_url: str, past: str) -> None:
    grow(database_url, past)
    before = rows(database_url)
    assert len(before["hunt_group"]) == 2
    applied = migrate.upgrade(database_url).applied
    assert applied == [revision for revision in REVISIONS if revision > past]
    assert rows(database_url) == before
    engine = make_engine(database_url)
    assert [group.name for group in list_groups(engine)] == ["sales", "Łódź"]
    set_group(engine, "łódź", description="still to be changed")
    with reading(engine) as session:
        assert read_revision(session) == 42
        assert find_group_by_number(session, ["+48587624731"]) is not None


def test_down_to_every_past_revision_and_up_again_with_data(
    database_url: str, inspected_anew: dict[str, object]
) -> None:
    """Each step down and up leads to where it began, so any number of them does."""
    grow(database_url, REVISIONS[-1])
    before = rows(database_url)
    for revision, past in zip(REVISIONS[:0:-1], REVISIONS[-2::-1], strict=True):
        as_it_was = inspected(database_url)
        assert migrate.downgrade(database_url, past) == [revision]
        assert rows(database_url) == before
        assert migrate.upgrade(database_url, to=revision).applied == [revision]
        assert rows(database_url) == before
        assert inspected(database_url) == as_it_was
        migrate.downgrade(database_url, past)
    migrate.upgrade(database_url)
    assert rows(database_url) == before
    assert inspected(database_url) == inspected_anew
    assert migrate.downgrade(database_url, REVISIONS[0]) == REVISIONS[:0:-1]
    assert rows(database_url) == before


def inspected(url: str) -> dict[str, object]:
    """Return what a database says of its tables, whatever the order."""
    engine = make_engine(url)
    found = inspect(engine)
    kinds = (
        found.get_multi_columns(),
        found.get_multi_check_constraints(),
        found.get_multi_unique_constraints(),
        found.get_multi_indexes(),
        found.get_multi_foreign_keys(),
    )
    said: dict[str, object] = {
        table: [sorted(str(one["name"]) for one in kind.get((None, table), ())) for kind in kinds]
        for table in found.get_table_names()
    }
    engine.dispose()
    return said


@pytest.fixture
def inspected_anew(request: pytest.FixtureRequest, database_url: str) -> dict[str, object]:
    """What a database says that was made by this fsctl."""
    if database_url.startswith("sqlite"):
        return inspected(f"sqlite:///{request.getfixturevalue('sqlite_template')}")
    template = request.getfixturevalue("postgresql_template")
    return inspected(request.getfixturevalue("postgresql_cluster").url(template))


def test_groups_with_a_domain_do_not_go_down(database_url: str) -> None:
    grow(database_url, "0002")
    run(database_url, ["UPDATE hunt_group SET domain = 'a.example' WHERE id = 2"])
    before = rows(database_url)
    with pytest.raises(Unavailable, match="there are groups with a domain"):
        migrate.downgrade(database_url, "0001")
    assert rows(database_url) == before
    assert migrate.current(database_url) == "0002"


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the migrations, to add to."""
    place = tmp_path / "100% migrations"
    # With what is compiled of them, as it is good for a copy of the same age too.
    shutil.copytree(ROOT / "migrations", place)
    monkeypatch.setattr(migrate, "script_location", lambda: place)
    return place / "versions"


@pytest.mark.parametrize("recreate", ["auto", "always"])
def test_a_table_can_be_changed_under_its_data(
    engine: Engine, database_url: str, scripts: Path, recreate: str
) -> None:
    if recreate == "always" and engine.dialect.name != "sqlite":
        pytest.skip("only SQLite changes a table by building it anew")
    add_example(engine)
    before = list_groups(engine)
    engine.dispose()
    (scripts / f"{NEXT}.py").write_text(REBUILD.format(recreate=recreate))
    assert migrate.upgrade(database_url).applied == [NEXT]
    assert list_groups(engine) == before
    assert migrate.downgrade(database_url, SCHEMA) == [NEXT]
    assert list_groups(engine) == before


FAILING = (
    "SELECT nonsense",
    "INSERT INTO group_number (group_id, number, kind) VALUES (99, '600', 'internal')",
)


@pytest.mark.parametrize("past", [None, *REVISIONS])
def test_a_migration_that_fails_leaves_nothing_behind(
    database_url: str, scripts: Path, past: str | None
) -> None:
    if past is not None:
        grow(database_url, past)
    before = (inspected(database_url), rows(database_url), migrate.current(database_url))
    (scripts / f"{NEXT}.py").write_text(REBUILD.format(recreate="auto"))
    for statement in FAILING:
        (scripts / f"{AFTER_NEXT}.py").write_text(FAIL.format(statement=statement))
        with pytest.raises(StoreError) as raised:
            migrate.upgrade(database_url)
        assert "\n" not in str(raised.value)
        after = (inspected(database_url), rows(database_url), migrate.current(database_url))
        assert after == before


HALF = f"""
import sys

import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{SCHEMA}"


def upgrade():
    op.create_table("half", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute(sa.text("DELETE FROM group_member"))
    print("half way", flush=True)
    sys.stdin.read()
"""  # noqa: S608 - a program, with nobody's text in it

UPGRADE = """
import sys
from pathlib import Path
from fsctl.store import migrate
migrate.script_location = lambda: Path(sys.argv[2])
migrate.upgrade(sys.argv[1])
"""


def test_killed_half_way_it_leaves_nothing_behind(database_url: str, scripts: Path) -> None:
    grow(database_url, SCHEMA)
    before = (inspected(database_url), rows(database_url), migrate.current(database_url))
    (scripts / f"{NEXT}.py").write_text(HALF)
    process = subprocess.Popen(
        [sys.executable, "-c", UPGRADE, database_url, scripts.parent],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "half way\n"
    process.kill()
    process.communicate(timeout=30)
    (scripts / f"{NEXT}.py").unlink()
    assert migrate.upgrade(database_url) == migrate.Upgraded()
    after = (inspected(database_url), rows(database_url), migrate.current(database_url))
    assert after == before


def test_a_newer_database_is_left_alone(database_url: str, scripts: Path) -> None:
    (scripts / f"{NEXT}.py").write_text(REBUILD.format(recreate="auto"))
    migrate.upgrade(database_url)
    (scripts / f"{NEXT}.py").unlink()
    with pytest.raises(NewerSchema, match="newer fsctl"):
        migrate.upgrade(database_url)
    assert migrate.current(database_url) == NEXT


def test_a_database_that_is_made_newer_while_waiting_is_left_alone(
    database_url: str, scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scripts / f"{NEXT}.py").write_text(REBUILD.format(recreate="auto"))
    migrate.upgrade(database_url)
    (scripts / f"{NEXT}.py").unlink()
    monkeypatch.setattr(migrate, "schema_version", lambda _engine: None)
    with pytest.raises(NewerSchema, match="newer fsctl"):
        migrate.upgrade(database_url)


def test_who_finds_it_done_after_waiting_does_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.upgrade(database_url)
    monkeypatch.setattr(migrate, "schema_version", lambda _engine: None)
    assert migrate.upgrade(database_url, backups=3) == migrate.Upgraded()


def test_a_lock_held_too_long_is_told_apart(database_url: str) -> None:
    engine = make_engine(database_url, migrating=True)
    with engine.connect() as holder:
        if engine.dialect.name == "sqlite":
            holder.exec_driver_sql("COMMIT")
            holder.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            holder.exec_driver_sql(f"SELECT pg_advisory_xact_lock({migrate._LOCK})")
        with pytest.raises(Busy, match=r"nothing was changed, try again later$"):
            migrate.upgrade(database_url, wait=0.1)
    migrate.upgrade(database_url, wait=0)
    assert migrate.current(database_url) == SCHEMA


@pytest.mark.postgresql
def test_a_table_in_use_holds_nobody_up_for_long(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(postgresql_url, "0001")
    monkeypatch.setattr(migrate, "TABLE_SECONDS", 0.1)
    with make_engine(postgresql_url).connect() as reader:
        reader.execute(text("SELECT count(*) FROM hunt_group"))
        with pytest.raises(Busy):
            migrate.upgrade(postgresql_url)
    assert migrate.current(postgresql_url) == "0001"


def test_a_running_controller_goes_on_while_a_newer_schema_arrives(
    engine: Engine, database_url: str, scripts: Path
) -> None:
    add_example(engine)
    (scripts / f"{NEXT}.py").write_text(REBUILD.format(recreate="auto"))
    stop, errors, reads = threading.Event(), [], [0]
    first = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                with reading(engine) as session:
                    assert find_group_by_number(session, ["600"]) is not None
                    read_revision(session)
            except Exception as error:
                errors.append(error)
            reads[0] += 1
            first.set()

    controller = threading.Thread(target=serve)
    controller.start()
    try:
        assert first.wait(10)
        assert migrate.upgrade(database_url).applied == [NEXT]
        seen = reads[0]
        set_group(engine, "sales", wait=20)
        while reads[0] < seen + 5:
            assert controller.is_alive()
    finally:
        stop.set()
        controller.join(10)
    assert errors == []
    assert list_groups(engine)[0].wait == 20.0


def test_history(database_url: str) -> None:
    assert [step.applied for step in migrate.history(database_url)] == [False] * len(REVISIONS)
    migrate.upgrade(database_url, to="0001")
    steps = migrate.history(database_url)
    assert [step.revision for step in steps if step.applied] == ["0001"]
    assert steps[0].description == "Hunt groups with their numbers and members"


def test_a_percent_sign_in_the_url(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/100%.db"
    assert migrate.upgrade(url).applied == REVISIONS
    with sqlite3.connect(tmp_path / "100%.db") as plain:
        assert plain.execute("SELECT version_num FROM alembic_version").fetchone() == (SCHEMA,)
    plain.close()
