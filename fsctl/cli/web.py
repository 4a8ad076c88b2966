"""``fsctl web``: serve the administrator's panel until told to stop."""

import signal

import click
import gevent
from gevent.event import Event

from fsctl import logs
from fsctl.admin.users import list_users
from fsctl.cli.context import Context, fail, pass_context, settings_options
from fsctl.cli.open_files import raise_file_limit
from fsctl.esl.listener import bind, place_of
from fsctl.http_server import Limits
from fsctl.web.app import create_app
from fsctl.web.door import door_of
from fsctl.web.server import Server
from fsctl.web.sizes import STRANGERS

MOST_CONNECTIONS = 1_000
SPARE_FILES = 100
"""Files that connections leave to the rest of the program: its database, its logs."""
FIRST_USER = "Nobody can sign in yet. Make the first administrator: fsctl user add NAME"


def _keep_listen(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Context).flags["web_listen"] = value


@click.command("web")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Where browsers, or a reverse proxy, connect to: the same as --web-listen.",
    expose_value=False,
    callback=_keep_listen,
)
@settings_options("web_proxies", "esl_url")
@pass_context
def web(context: Context) -> None:
    """Serve the panel with which administrators change groups in a browser.

    A process of its own beside "fsctl serve". Ctrl-C or SIGTERM ends it.
    """
    settings = context.settings
    engine = context.engine()
    logs.configure(settings.log_level, settings.log_format)
    try:
        sock = bind(settings.web_listen.host, settings.web_listen.port)
    except OSError as error:
        fail(
            f"cannot listen on {settings.web_listen}: {error.strerror}; give another with --listen"
        )
    app = create_app(engine, settings)
    limits = Limits(
        connections=min(MOST_CONNECTIONS, raise_file_limit() - SPARE_FILES), body=STRANGERS
    )
    server = Server(sock, app.wsgi_app, door_of(app), limits, settings.web_proxies)
    told = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, told.set)
    server.start()
    click.echo(f"The panel is at http://{place_of(sock)}/")
    if not list_users(engine):
        click.echo(FIRST_USER)
    told.wait()
    server.stop()
    click.echo("The panel has stopped.")
