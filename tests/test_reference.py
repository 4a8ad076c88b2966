"""The generated reference has everything that there is, found here by other ways than its own."""

import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from sqlalchemy import create_engine, inspect

from docs import reference
from docs.reference import metrics, variables
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS
from fsctl.cli.main import root
from fsctl.esl import commands, trial_commands
from fsctl.esl.presentation import Shown
from fsctl.settings import SETTINGS
from fsctl.store import migrate

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def pages() -> Mapping[str, str]:
    return reference.pages()


def every(group: click.Group, words: str = "fsctl") -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []
    for name, command in [
        (name, group.get_command(click.Context(group), name))
        for name in group.list_commands(click.Context(group))
    ]:
        assert command is not None
        more = every(command, f"{words} {name}") if isinstance(command, click.Group) else []
        found += more or [(f"{words} {name}", command)]
    return found


def test_every_command_with_every_option_has_a_place(pages: Mapping[str, str]) -> None:
    for words, command in [*every(root), ("fsctl", root)]:
        text = pages["-".join(words.split()[:2]) + ".md"]
        assert f"\n{words} " in text or f"\n{words}\n" in text, words
        for param in command.params:
            for option in param.opts if isinstance(param, click.Option) else ():
                assert re.search(rf"^`.*{re.escape(option)}\b.*`$\n: \S", text, re.MULTILINE), (
                    option
                )


def test_every_command_has_a_manual_page() -> None:
    names = {name for _, name, _ in reference.commands.manual()}
    assert names == {"fsctl", *("-".join(words.split()[:2]) for words, _ in every(root))}
    assert all(about for _, _, about in reference.commands.manual())


def test_every_setting_has_a_place(pages: Mapping[str, str]) -> None:
    for row in SETTINGS:
        [told] = re.findall(rf"^`{row.name}`\n: (.*)$", pages["fsctl.toml.md"], re.MULTILINE)
        assert row.flag in told
        assert row.variable in told
        assert row.default in told
    for name in [*GROUP_TERMS, *MEMBER_TERMS]:
        assert re.search(rf"^`{name}`\n: \S", pages["terms.md"], re.MULTILINE), name


def test_every_table_that_the_migrations_make_has_a_place(
    pages: Mapping[str, str], tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'fsctl.db'}"
    migrate.upgrade(url)
    made = inspect(create_engine(url))
    sections = dict(part.split("\n", 1) for part in pages["tables.md"].split("\n## ")[1:])
    assert set(sections) == set(made.get_table_names()) - {"alembic_version"}
    for table, text in sections.items():
        shown = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
        assert shown == [column["name"] for column in made.get_columns(table)]
        assert len(text.split("\n\n")[1]) > 10, f"{table} is not described"


def test_every_variable_that_is_sent_has_a_place() -> None:
    """As the wire has them, not as the reference finds them in the source."""
    shown = Shown.of("600", "Anna", True, "ring1", "<sip:600@a.example>;reason=unconditional")
    extras = commands.Extras(("fsctl_music",), "/srv/a.wav", "late.wav")
    sent = [
        commands.Originates("a", shown).command(
            commands.LegOrder("b", "c", 30, "press.wav"), extras
        ),
        trial_commands.place_trial("a", "600", "default", shown, 30),
    ]
    found = {
        name
        for order in sent
        for name in re.findall(r"[{,]([A-Za-z_-]+)=", re.split(r"}(?:user|loopback)/", order)[0])
    }
    found |= set(re.findall(r"[ ;]([a-z_]+)=", commands.prepare("a", "b")))
    assert len(found) > 15
    assert found <= set(variables.VARIABLES)


def test_every_metric_has_a_place(pages: Mapping[str, str]) -> None:
    if find_spec(metrics.MODULE) is None:
        assert "no metrics" in pages["metrics.md"]
        return
    names = [name for name, *_ in metrics.every()]
    assert names
    assert all(f"`{name}`" in pages["metrics.md"] for name in names)
    source = Path(ROOT, *metrics.MODULE.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    declared = {re.sub("_total$", "", name) for name in re.findall(r'"(fsctl_\w+)"', source)}
    assert declared <= set(names)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Sphinx keeps what it has read: once for both."""
    return tmp_path_factory.mktemp("read")


@pytest.mark.xdist_group("sphinx")  # both write the generated pages
@pytest.mark.parametrize("builder", ["html", "man"])
def test_sphinx_has_nothing_to_say_against_it(builder: str, tmp_path: Path, read: Path) -> None:
    """What ``make docs`` and ``make man`` do."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", builder]
    done = subprocess.run(
        [*command, "-c", "docs", "-d", read, ".", tmp_path / "made"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    made = {path.name for path in (tmp_path / "made").iterdir()}
    assert "index.html" in made if builder == "html" else {"fsctl-group.1", "fsctl.toml.5"} < made
