"""The documents stay true: tables are complete, what they show is what fsctl says, links lead on.

When one of these fails after a change, its message is the line to write, and where.
"""

import os
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from fsctl import settings_reading
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS
from fsctl.cli import dialplan
from fsctl.cli.main import COMMANDS, root
from fsctl.hunt import outcomes
from fsctl.hunt.admission import Refusal
from fsctl.hunt.missed import EVERY, OUTCOMES
from fsctl.hunt.strategies import STRATEGIES
from fsctl.settings import SETTINGS, Settings
from fsctl.settings_reading import CONFIG_FLAG, CONFIG_VARIABLE

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.pl.md")
DOCUMENTS = sorted(
    str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
)

readmes = pytest.mark.parametrize("name", READMES)
documents = pytest.mark.parametrize("name", DOCUMENTS)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(name: str, start: str) -> list[list[str]]:
    """The cells of every table row whose first cell begins with this code."""
    lines = [line for line in read(name).splitlines() if line.startswith(f"| `{start}")]
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines]


def blocks(name: str, *languages: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", read(name), re.MULTILINE | re.DOTALL)
    return [text for language, text in found if not languages or language in languages]


# Commands


def commands(
    group: click.Group, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that call it."""
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield (*path, word), command
            yield from commands(command, (*path, word))
        else:
            yield (*path, word), command


def usage(path: tuple[str, ...], command: click.Command) -> str:
    """How a command is written: ``fsctl group add NAME [--wait SECONDS]``."""
    words = list(path)
    for param in command.params:
        assert param.name is not None
        if isinstance(param, click.Argument):
            words.append(param.metavar or param.name.upper())
        elif isinstance(param, click.Option) and not param.hidden:
            text = "/".join(param.opts + param.secondary_opts)
            if not param.is_flag:
                text += f" {param.metavar or param.type.name.upper()}"
            words.append(f"[{text}]" + ("..." if param.multiple else ""))
    return " ".join(words)


@readmes
def test_the_table_of_commands_is_complete(name: str) -> None:
    real = [usage(path, command) for path, command in commands(root, ("fsctl",))]
    shown = [row[0].strip("`") for row in rows(name, "fsctl ")]
    lacks = [f"| `{line}` | what it does |" for line in real if line not in shown]
    assert not lacks, f"{name}: the table of commands lacks\n" + "\n".join(lacks)
    away = COMMANDS.keys() - set(root.list_commands(click.Context(root)))
    stale = [line for line in shown if line not in real and line.split()[1] not in away]
    assert not stale, f"{name}: the table of commands has, but fsctl has not\n" + "\n".join(stale)
    assert len(shown) == len(set(shown))
    assert all(len(row) == 2 and row[1] for row in rows(name, "fsctl "))


@readmes
def test_options_of_fsctl_itself_are_told(name: str) -> None:
    for param in root.params:
        told = re.search(rf"`[^`]*{param.opts[0]}\b[^`]*`", read(name))
        assert told, f"{name} does not mention {param.opts[0]}"


# Settings


@readmes
def test_the_table_of_settings_is_complete(name: str) -> None:
    shown = [tuple(row[:4]) for row in rows(name, "--")]
    real = [
        tuple(
            f"`{cell}`" if cell else "" for cell in (row.flag, row.variable, row.name, row.default)
        )
        for row in SETTINGS
    ]
    lacks = [" | ".join(("|", *row, "what it means |"))[2:] for row in real if row not in shown]
    assert not lacks, f"{name}: the table of settings lacks\n| " + "\n| ".join(lacks)
    file = f"`{CONFIG_FLAG} FILE`"
    stale = [row for row in shown if row not in real and row[0] != file]
    assert not stale, f"{name}: the table of settings has, but fsctl has not: {stale}"
    assert (file, f"`{CONFIG_VARIABLE}`") in [row[:2] for row in shown]
    assert all(len(row) == 5 and row[4] for row in rows(name, "--"))


def test_every_setting_of_a_group_is_told_with_its_test() -> None:
    table = rows("docs/groups.md", "--")
    shown = [(row[0].strip("`"), row[1]) for row in table]
    real = [
        ("--" + name.replace("_", "-"), whose)
        for whose, terms in (("group", GROUP_TERMS), ("member", MEMBER_TERMS))
        for name, term in terms.items()
        if term.command
    ]
    assert sorted(shown) == sorted(real), "docs/groups.md: Every setting, and its test"
    for row in table:
        tests = re.findall(r"`([^`]+)`", row[2])
        assert tests, row
        for test in tests:
            assert (ROOT / test).is_file(), test


def test_every_strategy_is_told() -> None:
    for name in STRATEGIES:
        assert len(rows("docs/groups.md", f"{name}`")) == 1, name


# Outcomes

ORDER = (
    outcomes.NO_ANSWER,
    "USER_BUSY",
    "CALL_REJECTED",
    outcomes.NOT_REGISTERED,
    outcomes.TEMPORARY_FAILURE,
)
"""The cause for a caller whose members failed in different ways: the first of these counts."""


def test_every_outcome_that_can_be_missed_is_told() -> None:
    told = re.search(r"^`--missed-when` says.*?\n\n", read("docs/groups.md"), re.M | re.S)
    assert told
    assert set(re.findall(r"`([a-z ]+)`", told[0])) == {EVERY, *OUTCOMES}


def test_headings_stand_alone() -> None:
    for name in DOCUMENTS:
        text = re.sub(r"^```.*?^```$", "", read(name), flags=re.M | re.S)
        stuck = re.search(r"[^\n]\n(#+ .*)", text)
        assert not stuck, f"{name}: an empty line belongs above {stuck[1]}"


def test_the_order_of_causes_is_the_one_that_is_told() -> None:
    for first, second in pairwise(ORDER):
        assert outcomes.release_cause([second, first]) == first


@readmes
def test_the_table_of_outcomes_has_every_cause(name: str) -> None:
    table = "\n".join(line for line in read(name).splitlines() if line.startswith("|"))
    for cause in {*ORDER, *(refusal.value for refusal in Refusal), outcomes.CALLER_GONE}:
        assert re.search(rf"\| `{cause}` \| \d\d\d \|", table), f"{name}: no row says {cause}"


# What is shown


@readmes
def test_it_begins_with_make(name: str) -> None:
    typed = [line for block in blocks(name, "sh", "console") for line in block.splitlines()]
    first = [
        next(at for at, line in enumerate(typed) if wanted in line)
        for wanted in ("make run", "make demo", "make test", "fsctl ")
    ]
    assert first == sorted(first)


@documents
def test_make_has_what_is_typed(name: str) -> None:
    known = re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)
    assert known is not None
    for block in blocks(name, "sh", "console"):
        for target in re.findall(r"^(?:\w+=\S+ )*make (\w+)", block, re.MULTILINE):
            assert target in known[1].split()


def typed_commands(name: str) -> list[list[str]]:
    """The words of every ``fsctl`` line in a block of shell commands."""
    lines = "".join(blocks(name, "sh")).splitlines()
    session = "".join(blocks(name, "console")).splitlines()
    lines += [line[2:] for line in session if line.startswith("$ ")]
    words = [shlex.split(line.partition(" > ")[0], comments=True) for line in lines]
    return [line for line in words if "fsctl" in line[:2]]


@documents
def test_shown_commands_can_be_typed(name: str) -> None:
    for words in typed_commands(name):
        if words[0] != "fsctl":
            variable = words.pop(0).partition("=")[0]
            assert variable in {row.variable for row in SETTINGS}, f"{name}: {variable}"
        command: click.Command = root
        path, rest = words[:1], words[1:]
        while isinstance(command, click.Group):
            if command.invoke_without_command and rest[0].startswith("-"):
                break
            found = command.get_command(click.Context(command), rest[0])
            assert found is not None, f"{name}: no command {rest[0]!r} in: {shlex.join(words)}"
            command = found
            path.append(rest.pop(0))
        try:
            command.make_context(" ".join(path), rest)
        except click.UsageError as error:
            pytest.fail(f"{name}: {shlex.join(words)}: {error.format_message()}")


@readmes
def test_the_session_shown_is_what_happens(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each ``$ fsctl`` line of a console block, on the example's database, says what follows it."""
    for variable in [variable for variable in os.environ if variable.startswith("FSCTL_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setattr(settings_reading, "CONFIG_PLACES", ())
    monkeypatch.chdir(tmp_path)
    for words in (["db", "upgrade"], ["db", "example"]):
        prepared = CliRunner().invoke(root, words)
        assert prepared.exit_code == 0, prepared.output or prepared.exception
    steps = "".join(blocks(name, "console")).split("$ fsctl ")[1:]
    assert steps
    for step in steps:
        line, _, shown = step.partition("\n")
        said = CliRunner().invoke(root, shlex.split(line)).output
        assert shown.strip() == said.strip(), f"{name}: fsctl {line} says\n{said}"


def test_the_dialplan_shown_is_what_serve_prints() -> None:
    printed = dialplan.lines(("600", "+48587624731"), "127.0.0.1:8084")
    assert printed + "\n" in blocks("docs/freeswitch.md", "xml")
    codes = dialplan.lines(("600", "+48587624731"), "127.0.0.1:8084", Settings().codes)
    assert codes.removeprefix(printed).lstrip() + "\n" in blocks("docs/freeswitch.md", "xml")


@documents
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", read(name)):
        if "://" in target:
            continue
        path, _, heading = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), f"{name}: {target} is not there"
        if heading:
            titles = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in [anchor(title) for title in titles], f"{name}: {target}"


def anchor(title: str) -> str:
    """The name that a heading gets as the target of a link."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
