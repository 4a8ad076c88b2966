"""``fsctl mail``: whether mails of missed calls can be sent, and which wait."""

import time

import click

from fsctl.cli import when
from fsctl.cli.context import Context, fail, json_option, pass_context, settings_options
from fsctl.cli.output import write_json, write_table
from fsctl.mail.address import read_address, sender_of
from fsctl.mail.message import Writer
from fsctl.mail.session import MailServerError, Refused, session
from fsctl.store import outbox
from fsctl.store.engine import reading
from fsctl.store.outbox import Waiting


@click.group("mail", no_args_is_help=False)
def mail() -> None:
    """Try the mail server, and see which mails of missed calls wait.

    Who hears of a group's missed calls is set with "fsctl group set NAME --missed-mail ADDRESS".
    """


@mail.command("test")
@click.argument("address")
@settings_options("smtp_url", "mail_sender", "mail_language")
@pass_context
def test(context: Context, address: str) -> None:
    """Send ADDRESS a mail now, and say what the mail server made of it."""
    settings = context.settings
    if settings.smtp_url is None:
        fail('there is no mail server; name one: smtp_url = "smtp://USER:PASSWORD@HOST:587"', 2)
    try:
        address = read_address(address)
    except ValueError as error:
        fail(f"{address!a} is no address: {error}", 2)
    writer = Writer(sender_of(settings.mail_sender), settings.mail_language)
    letter = writer.trial(address, time.time())
    try:
        with session(settings.smtp_url) as talk:
            talk.send(writer.sender, address, letter.data)
    except MailServerError as error:
        fail(f"mail server {settings.smtp_url} {error}")
    except Refused as error:
        fail(f"mail server {settings.smtp_url} does not take a mail to {address}: {error}")
    click.echo(f"{settings.smtp_url} has taken a mail from {writer.sender} to {address}.")


@mail.command("list")
@json_option
@settings_options("domain")
@pass_context
def list_(context: Context, as_json: bool) -> None:
    """List the mails of missed calls that wait, those that were asked for first."""
    wanted = context.settings.domain
    with reading(context.engine()) as there:
        rows = [row for row in outbox.read_waiting(there) if wanted in ("", row.domain)]
    if as_json:
        write_json([_document(row) for row in rows])
        return
    heads = ("ASKED", "DUE", "TRIES", "TO", "CALL")
    write_table(
        heads,
        [
            (when.local(row.asked_ms / 1000), when.local(row.due_ms / 1000), str(row.tries),
             row.address, row.uuid)
            for row in rows
        ],
    )  # fmt: skip


def _document(row: Waiting) -> dict[str, object]:
    return {
        "asked": when.iso(row.asked_ms / 1000),
        "due": when.iso(row.due_ms / 1000),
        "tries": row.tries,
        "address": row.address,
        "domain": row.domain,
        "call": row.uuid,
    }
