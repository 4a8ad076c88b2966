"""``fsctl serve``: take calls from FreeSWITCH until told to stop."""

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from socket import socket
from typing import TYPE_CHECKING, Protocol

import click
import gevent
from gevent.event import Event
from sqlalchemy import Engine

from fsctl import logs
from fsctl.admin.actor import acting_as
from fsctl.admin.members import toggle_signed_on
from fsctl.caches import cache_of_texts
from fsctl.cli import dialplan
from fsctl.cli.context import Context, fail, pass_context, settings_options
from fsctl.cli.open_files import raise_file_limit
from fsctl.cli.service_manager import ServiceManager
from fsctl.controller import sharing
from fsctl.controller.capacity import Capacities
from fsctl.controller.codes import CodeSounds, DialledCodes
from fsctl.controller.directory import Directory, Keys
from fsctl.controller.live import Live
from fsctl.controller.memories import Memories
from fsctl.controller.onward import Places
from fsctl.controller.pickup import PickUps, database_waiting
from fsctl.controller.presence import Presence
from fsctl.controller.recorder import Recorder
from fsctl.controller.server import Controller, Limits
from fsctl.controller.signing import Signing
from fsctl.controller.source import database_news, database_source
from fsctl.controller.whom import Around, Outside
from fsctl.controller.workers import Workers, hear_orders
from fsctl.esl.carried import Carrying
from fsctl.esl.listener import bind, place_of
from fsctl.hunt.codes import Codes
from fsctl.hunt.group import Group
from fsctl.mail.address import sender_of
from fsctl.settings import Settings
from fsctl.settings_values import Address
from fsctl.store.engine import make_engine, reading
from fsctl.store.groups import all_numbers
from fsctl.store.numbers import LONGEST_TEXT, dialled

if TYPE_CHECKING:
    from fsctl.controller.mailer import Mailer
    from fsctl.controller.metrics import Meter

log = logging.getLogger(__name__)


@click.command("serve")
@settings_options(
    "listen",
    "allow",
    "workers",
    "max_connections",
    "max_frame",
    "reply_time",
    "spool",
    "metrics_listen",
    "dialplan_listen",
)
@pass_context
def serve(context: Context) -> None:
    """Take calls that FreeSWITCH's "socket" application hands over.

    Ctrl-C or SIGTERM lets hunts under way end and then stops; a second one stops at once.
    """
    settings = context.settings
    engine = context.engine()
    logs.configure(settings.log_level, settings.log_format)
    raise_file_limit()
    sockets = _Sockets(settings)
    with reading(engine) as session:  # before calls come, whom a slow database would hold up
        numbers = all_numbers(session, most=20)
    manager = ServiceManager(os.environ)
    if settings.workers == 1:
        told = _Told(_hear_signals)  # before anybody can know that we are here
        service = _Service(settings, engine, sockets)
        service.start()
        _say_where(sockets, numbers, settings.codes)
        manager.ready()
        beating = gevent.spawn(_beat, manager)
        _until_told_to_stop(service, told, manager.stopping)
        beating.kill()
    else:
        engine.dispose()  # a connection must not be shared with the workers
        _say_where(sockets, numbers, settings.codes)
        manager.ready()  # connections wait in the socket's queue until the workers are there
        _run_workers(settings, sockets, manager)
    click.echo("fsctl has stopped.")


class _Sockets:
    """What we listen on; None for what nobody wants to have served."""

    def __init__(self, settings: Settings) -> None:
        self.calls = _bind(settings.listen, "--listen")
        self.metrics = _bind_if(settings.metrics_listen, "--metrics-listen")
        self.dialplan = _bind_if(settings.dialplan_listen, "--dialplan-listen")

    def close(self) -> None:
        """Have nobody connect to them through us any more."""
        for sock in (self.calls, self.metrics, self.dialplan):
            if sock:
                sock.close()


def _bind_if(address: Address | None, flag: str) -> socket | None:
    return _bind(address, flag) if address else None


def _bind(address: Address, flag: str) -> socket:
    try:
        return bind(address.host, address.port)
    except OSError as error:
        fail(f"cannot listen on {address}: {error.strerror}; give another with {flag}")


def _run_workers(settings: Settings, sockets: _Sockets, manager: ServiceManager) -> None:
    """Be the master of several processes that share the listening sockets."""

    def on_stop() -> None:
        sockets.close()
        manager.stopping()

    on_end: Callable[[int], None] = lambda _pid: None  # noqa: E731 - one of two
    if sockets.metrics:
        sharing.share()
        on_end = sharing.forget
    try:
        work = partial(_work, settings, sockets)
        Workers(settings.workers, work, on_stop, manager.alive, manager.every, on_end).run()
    finally:
        if sockets.metrics:
            sharing.unshare()


def _work(settings: Settings, sockets: _Sockets, number: int, orders: int) -> None:
    """Be one of several processes that share the listening sockets."""
    logs.configure(settings.log_level, settings.log_format, number)
    service = _Service(settings, make_engine(settings.database_url), sockets)
    told = _Told(partial(_hear_master, orders))
    service.start()
    log.info("takes calls")
    _until_told_to_stop(service, told)


class _Service:
    """The controller, and what goes with it in its process."""

    def __init__(self, settings: Settings, engine: Engine, sockets: _Sockets) -> None:
        memories = Memories(database_news(engine))
        keys = _keys(settings.region)
        directory = Directory(database_source(engine, memories.learn, settings.allowed))
        meter = _meter() if sockets.metrics else None
        self.controller = controller = Controller(
            sockets.calls,
            settings.allow,
            directory,
            keys,
            Limits(settings.max_connections, settings.max_frame, settings.reply_time),
            Recorder(engine, settings.spool, mails=settings.smtp_url is not None),
            settings.domain_variable,
            memories,
            meter,
            settings.mask_numbers,
            Presence(settings.esl_url),
            _around(settings),
            _codes(settings, engine, directory),
        )
        self._parts: list[_Part] = [Live(engine, controller)]
        mailer = _mailer(settings, engine, meter) if settings.smtp_url else None
        if mailer:
            self._parts.append(mailer)
        if sockets.metrics and meter:
            self._parts.append(_monitor(sockets.metrics, controller, meter, mailer))
        if sockets.dialplan:
            served = (settings, engine, keys, controller.address)
            self._parts.append(_dialplan_server(sockets.dialplan, *served))

    def start(self) -> None:
        """Begin to take calls."""
        _favour_calls()
        self.controller.start()
        for part in self._parts:
            part.start()

    def stop(self) -> None:
        """Stop at once."""
        self.controller.stop()
        for part in self._parts:
            part.stop()


def _around(settings: Settings) -> Around:
    return Around(
        Outside(settings.external_dial, settings.external_caller),
        Places(settings.transfer_context, settings.external_context, settings.voicemail),
        dnd=settings.dnd,
        carrying=Carrying(settings.leg_headers),
        capacities=Capacities(settings.workers),
    )


def _codes(settings: Settings, engine: Engine, directory: Directory) -> DialledCodes:
    def sign(group: Group, user: str, actor: str, may_commit: Callable[[], None]) -> bool:
        change = toggle_signed_on(
            acting_as(engine, actor), group.name, user, domain=group.domain, may_commit=may_commit
        )
        return next(one.signed_on for one in change.group.members if one.user == user)

    return DialledCodes(
        settings.codes,
        CodeSounds(settings.signed_on_sound, settings.signed_off_sound, settings.refused_sound),
        Signing(sign, directory.look_now),
        PickUps(database_waiting(engine)),
    )


class _Part(Protocol):
    """What starts and stops with the controller."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


def _meter() -> "Meter":
    """Return what counts. It must not be loaded before it is known who counts together."""
    from fsctl.controller.metrics import Meter  # noqa: PLC0415

    return Meter()


def _mailer(settings: Settings, engine: Engine, meter: "Meter | None") -> "Mailer":
    """Return what sends mails; it is loaded where there is a server for them."""
    from fsctl.controller.mailer import Mailer  # noqa: PLC0415
    from fsctl.mail.message import Writer  # noqa: PLC0415

    assert settings.smtp_url is not None  # noqa: S101 - whoever calls has looked
    writer = Writer(sender_of(settings.mail_sender), settings.mail_language)
    count = meter.mailed if meter else lambda _result: None
    return Mailer(engine, settings.smtp_url, writer, hidden=settings.mask_numbers, count=count)


def _monitor(
    sock: socket, controller: Controller, meter: "Meter", mailer: "Mailer | None"
) -> _Part:
    from fsctl.controller.monitor import Monitor  # noqa: PLC0415

    return Monitor(sock, controller, meter, mailer)


def _dialplan_server(
    sock: socket, settings: Settings, engine: Engine, keys: Callable[[str], Keys], listen: str
) -> _Part:
    from fsctl.cli.xml_curl import Dialplan, DialplanServer  # noqa: PLC0415

    directory = Directory(database_source(engine, allowed=settings.allowed))
    application = Dialplan(settings, engine, directory, keys, listen)
    return DialplanServer(sock, application, directory, settings.allow)


def _say_where(sockets: _Sockets, numbers: Sequence[str], codes: Codes) -> None:
    place = place_of(sockets.calls)
    click.echo(f"fsctl listens on {place}. FreeSWITCH's dialplan needs:\n")
    click.echo(dialplan.lines(numbers, place, codes) + "\n")
    if sockets.metrics:
        click.echo(f"Metrics are at http://{place_of(sockets.metrics)}/metrics")
    if sockets.dialplan:
        click.echo(f"mod_xml_curl asks http://{place_of(sockets.dialplan)}/dialplan")


def _keys(region: str) -> Callable[[str], tuple[str, ...]]:
    """Return how dialled numbers are looked up; reading one takes a tenth of a millisecond."""

    @cache_of_texts(10_000, LONGEST_TEXT)
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


def _beat(manager: ServiceManager) -> None:
    """Say that this process is alive, as long as its greenlets have their turn."""
    while manager.every:
        manager.alive()
        gevent.sleep(manager.every)


def _until_told_to_stop(
    service: _Service, told: _Told, stopping: Callable[[], None] = lambda: None
) -> None:
    """Wait until told to stop, let hunts end, stop; told once more it does not wait."""
    told.once.wait()
    stopping()
    controller = service.controller
    if controller.waiting:
        click.echo(f"Letting {controller.waiting} hunts end; once more to stop at once.")
    draining = gevent.spawn(controller.drain)
    draining.rawlink(lambda _: told.twice.set())
    told.twice.wait()
    service.stop()


def _hear_signals(on_stop: Callable[[], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, on_stop)


def _hear_master(orders: int, on_stop: Callable[[], None]) -> None:
    gevent.spawn(hear_orders, orders, on_stop)


SWITCH_INTERVAL = 0.000_5
"""Seconds for which a thread behind the calls may keep the interpreter from them: tenth of what is
usual. A call gives the interpreter away at every reading and sending, and wants it back."""
YOUNG, MIDDLE, OLD = 20_000, 50, 1_000
"""After how many new objects the youngest are looked through for garbage in circles, after how many
such looks the older ones, and after how many of those all (``gc``). With 10,000 calls waiting a
look at all takes a tenth of a second, in which no leg starts; and calls make no circles."""


def _favour_calls() -> None:
    """Keep Python's own housekeeping from holding calls up."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
