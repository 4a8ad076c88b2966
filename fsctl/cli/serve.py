"""``fsctl serve``: take calls from FreeSWITCH until told to stop."""

import logging
import os
import resource
import signal
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from socket import socket

import click
import gevent
from gevent.event import Event
from sqlalchemy import Engine

from fsctl.cli import dialplan
from fsctl.cli.context import Context, fail, pass_context, settings_options
from fsctl.cli.service_manager import ServiceManager
from fsctl.controller.directory import Directory
from fsctl.controller.live import Live
from fsctl.controller.memories import Memories
from fsctl.controller.presence import Presence
from fsctl.controller.recorder import Recorder
from fsctl.controller.server import Controller, Limits
from fsctl.controller.source import database_news, database_source
from fsctl.controller.whom import Around, Outside
from fsctl.controller.workers import Workers, hear_orders
from fsctl.esl.listener import bind, place_of
from fsctl.settings import Settings
from fsctl.store.engine import make_engine, reading
from fsctl.store.groups import all_numbers
from fsctl.store.numbers import dialled

log = logging.getLogger(__name__)


@click.command("serve")
@settings_options(
    "listen", "allow", "workers", "max_connections", "max_frame", "reply_time", "spool"
)
@pass_context
def serve(context: Context) -> None:
    """Take calls that FreeSWITCH's "socket" application hands over.

    Ctrl-C or SIGTERM lets hunts under way end and then stops; a second one stops at once.
    """
    settings = context.settings
    engine = context.engine()
    _log_as(settings, "")
    _raise_file_limit()
    try:
        sock = bind(settings.listen.host, settings.listen.port)
    except OSError as error:
        fail(f"cannot listen on {settings.listen}: {error.strerror}; give another with --listen")
    with reading(engine) as session:  # before calls come, whom a slow database would hold up
        numbers = all_numbers(session, most=20)
    manager = ServiceManager(os.environ)
    if settings.workers == 1:
        controller = _controller(settings, engine, sock)
        told = _Told(_hear_signals)  # before anybody can know that we are here
        controller.start()
        _say_where(sock, numbers)
        manager.ready()
        beating = gevent.spawn(_beat, manager)
        _until_told_to_stop(controller, _live(engine, controller), told, manager.stopping)
        beating.kill()
    else:
        engine.dispose()  # a connection must not be shared with the workers
        _say_where(sock, numbers)
        manager.ready()  # connections wait in the socket's queue until the workers are there

        def on_stop() -> None:
            sock.close()
            manager.stopping()

        work = partial(_work, settings, sock)
        Workers(settings.workers, work, on_stop, manager.alive, manager.every).run()
    click.echo("fsctl has stopped.")


def _work(settings: Settings, sock: socket, number: int, orders: int) -> None:
    """Be one of several processes that share the listening socket."""
    _log_as(settings, f"worker {number}: ")
    engine = make_engine(settings.database_url)
    controller = _controller(settings, engine, sock)
    told = _Told(partial(_hear_master, orders))
    controller.start()
    log.info("takes calls")
    _until_told_to_stop(controller, _live(engine, controller), told)


def _controller(settings: Settings, engine: Engine, sock: socket) -> Controller:
    memories = Memories(database_news(engine))
    return Controller(
        sock,
        settings.allow,
        Directory(database_source(engine, memories.learn)),
        _keys(settings.region),
        Limits(settings.max_connections, settings.max_frame, settings.reply_time),
        Recorder(engine, settings.spool),
        settings.domain_variable,
        memories,
        Presence(settings.esl_url),
        Around(Outside(settings.external_dial, settings.external_caller), dnd=settings.dnd),
    )


def _say_where(sock: socket, numbers: Sequence[str]) -> None:
    place = place_of(sock)
    click.echo(f"fsctl listens on {place}. FreeSWITCH's dialplan needs:\n")
    click.echo(dialplan.lines(numbers, place) + "\n")


def _keys(region: str) -> Callable[[str], tuple[str, ...]]:
    """Return how dialled numbers are looked up; reading one takes a tenth of a millisecond."""

    @lru_cache(maxsize=10_000)
    def keys(number: str) -> tuple[str, ...]:
        return dialled(number, region)

    return keys


class _Told:
    """Whether we were told to stop, and told again. ``hear`` is given what to call each time."""

    def __init__(self, hear: Callable[[Callable[[], None]], None]) -> None:
        self.once = Event()
        self.twice = Event()
        hear(self._hear)

    def _hear(self) -> None:
        (self.twice if self.once.is_set() else self.once).set()


def _live(engine: Engine, controller: Controller) -> Live:
    """Tell the panel of this controller's calls."""
    live = Live(engine, lambda: controller.calls)
    live.start()
    return live


def _beat(manager: ServiceManager) -> None:
    """Say that this process is alive, as long as its greenlets have their turn."""
    while manager.every:
        manager.alive()
        gevent.sleep(manager.every)


def _until_told_to_stop(
    controller: Controller, live: Live, told: _Told, stopping: Callable[[], None] = lambda: None
) -> None:
    """Wait until told to stop, let hunts end, stop; told once more it does not wait."""
    told.once.wait()
    stopping()
    hunting = sum(not call.hunt_over.is_set() for call in controller.calls)
    if hunting:
        click.echo(f"Letting {hunting} hunts end; once more to stop at once.")
    draining = gevent.spawn(controller.drain)
    draining.rawlink(lambda _: told.twice.set())
    told.twice.wait()
    controller.stop()
    live.stop()


def _hear_signals(on_stop: Callable[[], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, on_stop)


def _hear_master(orders: int, on_stop: Callable[[], None]) -> None:
    gevent.spawn(hear_orders, orders, on_stop)


def _log_as(settings: Settings, who: str) -> None:
    logging.basicConfig(
        level=settings.log_level.upper(),
        format=f"%(asctime)s %(levelname)s {who}%(message)s",
        force=True,
    )


def _raise_file_limit() -> None:
    """Allow as many open sockets as the system lets us: each call is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
