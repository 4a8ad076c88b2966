"""Every command with its arguments and options: a page, and a manual page, for each word that can
follow ``fsctl``.
"""

import inspect
import re
from collections.abc import Iterator, Mapping

import click

from docs.reference.markdown import code, definitions, page, plain
from fsctl.cli.main import PROGRAM, root

Path = tuple[str, ...]

EXIT_STATUS = definitions(
    [
        ("0", "It is done."),
        ("1", "It was refused, or is not possible now; nothing was changed."),
        ("2", "Something was typed or configured wrongly; nothing was changed."),
        ("130", "It was interrupted."),
    ]
)
DB_EXIT_STATUS = definitions(
    [
        ("3", "The tables are those of a newer fsctl."),
        ("75", "Somebody else held the database for too long; try again later."),
    ]
)
FILES = definitions(
    [
        ("`/etc/fsctl/fsctl.toml`", "The settings; `./fsctl.toml` comes before it. See "
         "`fsctl.toml`(5)."),
        ("`/var/lib/fsctl`", "Where the service works: the database, if it is SQLite, and the "
         "records of calls that wait for it."),
    ]
)  # fmt: skip


def commands(
    group: click.Group = root, path: Path = (PROGRAM,)
) -> Iterator[tuple[Path, click.Command]]:
    """Yield every command that does something, with the words that call it."""
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, word))
        elif command is not None and not command.hidden:
            yield (*path, word), command


def synopsis(path: Path, command: click.Command) -> str:
    """Return the one line that says how a command is typed."""
    context = click.Context(command, info_name=" ".join(path))
    return " ".join([*path, *command.collect_usage_pieces(context)])


def summary(command: click.Command) -> str:
    """Return a command's first sentence, without its full stop."""
    words = " ".join(inspect.cleandoc(command.help or "").split())
    return re.split(r"\.(?= |$)", words)[0]


def pages() -> Mapping[str, str]:
    """Return the page of ``fsctl`` itself and of every word that can follow it."""
    context = click.Context(root)
    found = {f"{PROGRAM}.md": _root_page()}
    for word in root.list_commands(context):
        command = root.get_command(context, word)
        if command is None:
            continue
        path = (PROGRAM, word)
        parts = [_described(command)]
        if isinstance(command, click.Group):
            parts += [_section(*found) for found in commands(command, path)]
        else:
            parts = [_synopsis(path, command), *parts, _options(command)]
        parts.append(
            "## Exit status\n\n" + EXIT_STATUS + ("\n" + DB_EXIT_STATUS if word == "db" else "")
        )
        parts.append("## See also\n\n`fsctl`(1), `fsctl.toml`(5)")
        found[f"{'-'.join(path)}.md"] = page("-".join(path), *parts)
    return found


def manual() -> list[tuple[str, str, str]]:
    """Return every manual page of section 1: its source's name, its name, what it is about."""
    context = click.Context(root)
    found = [(PROGRAM, PROGRAM, "hunt groups for FreeSWITCH")]
    for word in root.list_commands(context):
        command = root.get_command(context, word)
        name = f"{PROGRAM}-{word}"
        about = summary(command) if command else ""
        found.append((name, name, about[:1].lower() + about[1:]))
    return found


def _root_page() -> str:
    every = [
        (f"[{' '.join(path)}]({PROGRAM}-{path[1]}.md)", plain(summary(command)) + ".")
        for path, command in commands()
    ]
    return page(
        PROGRAM,
        _synopsis((PROGRAM,), root),
        _described(root),
        _options(root),
        "## Commands\n\n" + definitions(every),
        "## Exit status\n\n" + EXIT_STATUS,
        "## Files\n\n" + FILES,
    )


def _section(path: Path, command: click.Command) -> str:
    return "\n\n".join(
        [
            f"## {' '.join(path)}",
            f"```text\n{synopsis(path, command)}\n```",
            _described(command),
            _definitions(command),
        ]
    )


def _synopsis(path: Path, command: click.Command) -> str:
    return f"## Synopsis\n\n```text\n{synopsis(path, command)}\n```"


def _options(command: click.Command) -> str:
    return "## Options\n\n" + _definitions(command)


def _described(command: click.Command) -> str:
    return plain(inspect.cleandoc(command.help or ""))


def _definitions(command: click.Command) -> str:
    context = click.Context(command)
    records = [param.get_help_record(context) for param in command.get_params(context)]
    return definitions(
        (code(names), plain(text) or "Required.") for names, text in filter(None, records)
    )
