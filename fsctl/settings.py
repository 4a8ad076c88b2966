"""Every setting of fsctl: one field of ``Settings`` each, with its default, reader and description.

Owns what can be set, and the table ``SETTINGS``, from which the command line makes its flags and
the documentation its own. ``settings_row`` says what a setting is, ``settings_values`` reads its
text, ``settings_reading`` finds the text: in a flag, the environment or the file. Knows nobody of
ours but the rule for a domain's name.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from fsctl.esl.address import SwitchAddress, masked
from fsctl.hunt.allowed import (
    Allowed,
    Entries,
    read_contexts,
    read_directories,
    read_extensions,
    read_hosts,
    show_entries,
)
from fsctl.hunt.codes import Codes, read_code
from fsctl.hunt.domain import read_domain
from fsctl.mail.server import MailServer, mail_server, mask_mail_server, show_mail_server
from fsctl.settings_row import Setting, setting
from fsctl.settings_values import (
    Address,
    Network,
    address,
    address_or_none,
    connections,
    context,
    count,
    database_url,
    directory,
    dnd,
    external_caller,
    external_dial,
    frame_size,
    header_names,
    language,
    log_format,
    log_level,
    mail_sender,
    networks,
    networks_or_none,
    region,
    seconds,
    show_address,
    show_networks,
    show_seconds,
    show_switches,
    sound,
    switches,
    variable,
    voicemail,
    workers,
)
from fsctl.store.url import public_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What fsctl was told. To add a setting, add a field."""

    database_url: str = setting(
        "sqlite:///fsctl.db",
        database_url,
        "URL",
        "The database: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.",
        mask=public_url,
    )
    listen: Address = setting(  # noqa: RUF009 - setting() returns a field
        "127.0.0.1:8084",
        address,
        "HOST:PORT",
        "Where FreeSWITCH's socket application connects to.",
    )
    region: str = setting(
        "PL",
        region,
        "COUNTRY",
        "Whose numbering plan a number without an international prefix is read by (ISO 3166).",
    )
    log_level: str = setting(
        "info",
        log_level,
        "LEVEL",
        "The least severe messages to log: debug, info, warning or error.",
    )
    log_format: str = setting(
        "text",
        log_format,
        "FORM",
        "How lines of the log are written: text, for people, or json.",
    )
    allow: tuple[Network, ...] = setting(
        "127.0.0.0/8,::1/128",
        networks,
        "NETWORKS",
        "The IP networks that may connect to the listener, with commas between them.",
        show=show_networks,
    )
    workers: int = setting(
        "1",
        workers,
        "COUNT",
        "How many processes take calls; more than one core needs more than one.",
    )
    max_connections: int = setting(
        "20000",
        connections,
        "COUNT",
        "How many connections of FreeSWITCH a process keeps; one more goes on in its dialplan.",
    )
    max_frame: int = setting(
        "4194304",
        frame_size,
        "BYTES",
        "The largest message taken from FreeSWITCH.",
    )
    reply_time: float = setting(
        "10",
        seconds,
        "SECONDS",
        "How long FreeSWITCH may take to answer a command before it counts as gone.",
        show=show_seconds,
    )
    transfer_context: str = setting(
        "",
        context,
        "CONTEXT",
        "Dialplan context of extensions as destinations; empty: the group's domain, or default.",
    )
    external_context: str = setting(
        "",
        context,
        "CONTEXT",
        "Where callers are sent on to numbers outside; empty: they are not.",
    )
    allowed_contexts: Entries = setting(  # noqa: RUF009 - setting() returns a field
        "",
        read_contexts,
        "CONTEXTS",
        "Dialplan contexts that destinations of a domain's groups may use in addition to the usual "
        "context, separated by commas. {domain} stands for the domain, DOMAIN=CONTEXT applies to "
        "that domain only, * allows any context.",
        show=show_entries,
    )
    allowed_extensions: Entries = setting(  # noqa: RUF009 - setting() returns a field
        "",
        read_extensions,
        "NUMBERS",
        "Numbers of seven digits or more, or beginning with + or 00, to which a domain's groups "
        "may send callers as an extension of the usual context, separated by commas. 4858762* "
        "allows every number that begins with these digits, * any number.",
        show=show_entries,
    )
    allowed_directories: Entries = setting(  # noqa: RUF009 - setting() returns a field
        "/var/lib/freeswitch/recordings/{domain}",
        read_directories,
        "DIRECTORIES",
        "Directories in which a domain's groups may record and from which they may play files, "
        "separated by commas; {domain} stands for the domain.",
        show=show_entries,
    )
    allowed_hosts: Entries = setting(  # noqa: RUF009 - setting() returns a field
        "",
        read_hosts,
        "HOSTS",
        "Hosts from which a domain's groups may play sounds, separated by commas; *.example.net "
        "allows every host under example.net.",
        show=show_entries,
    )
    voicemail: str = setting(
        "default",
        voicemail,
        "PROFILE",
        "The profile of mod_voicemail, or an extension with {user} in it, such as *99{user}.",
    )
    domain: str = setting(
        "",
        read_domain,
        "DOMAIN",
        "Whose groups commands are about, where several tenants have their own.",
    )
    domain_variable: str = setting(
        "domain_name",
        variable,
        "NAME",
        "The channel variable that a call's domain is read from, where groups have domains.",
    )
    backups: int = setting(
        "5",
        count,
        "COUNT",
        "How many copies of an SQLite database upgrades keep beside it; 0 takes none.",
    )
    spool: Path = setting(  # noqa: RUF009 - setting() returns a field
        "fsctl-spool",
        directory,
        "DIRECTORY",
        "Where records of calls wait on disk until the database has them.",
    )
    esl_url: tuple[SwitchAddress, ...] = setting(
        "",
        switches,
        "URL",
        "The switch's own event socket, esl://:PASSWORD@HOST:PORT; several with commas between "
        "them. Calls need it only to know who is on the phone.",
        show=show_switches,
        mask=masked,
    )
    dnd: str = setting(
        "",
        dnd,
        "COMMAND",
        "The api command by which FreeSWITCH tells whether a member wants no calls, of {user} and "
        "{domain}, for example hash select/dnd/{user}@{domain}. Empty: nobody is asked.",
    )
    external_dial: str = setting(
        "",
        external_dial,
        "DIAL-STRING",
        "How a telephone number that is a member is called: {number} with its +, {digits} without, "
        "for example sofia/gateway/provider/{number}. Empty: such members are not called.",
    )
    external_caller: str = setting(
        "",
        external_caller,
        "NUMBER",
        "Caller's number that they show, of {number}, {dialled} and text; empty: as for members.",
    )
    leg_headers: tuple[str, ...] = setting(
        "X-*",
        header_names,
        "NAMES",
        "SIP headers of the caller that legs get: names, * at the end for any ending; none: none.",
        show=lambda names: ",".join(names) or "none",
    )
    sign_code: str = setting(
        "*45",
        read_code,
        "CODE",
        "What members dial before a group's number to sign on and off there; none: nothing.",
    )
    pickup_code: str = setting(
        "*8",
        read_code,
        "CODE",
        "What is dialled before a group's number to pick up who waits there; none: nothing.",
    )
    signed_on_sound: str = setting(
        "tone_stream://%(150,50,523);%(150,50,659);%(300,200,784)",
        sound,
        "SOUND",
        "What a member hears who has signed on: a file or a stream.",
    )
    signed_off_sound: str = setting(
        "tone_stream://%(150,50,784);%(150,50,659);%(300,200,523)",
        sound,
        "SOUND",
        "What a member hears who has signed off.",
    )
    refused_sound: str = setting(
        "tone_stream://%(250,250,425);loops=2",
        sound,
        "SOUND",
        "What is heard after a code that is refused, or that finds nobody waiting.",
    )
    smtp_url: MailServer | None = setting(  # noqa: RUF009 - setting() returns a field
        "",
        mail_server,
        "URL",
        "The server that takes mails of missed calls: smtp://USER:PASSWORD@HOST:587, which must "
        "offer TLS unless ?tls=no follows, or smtps://...; empty: no mails are sent.",
        show=show_mail_server,
        mask=mask_mail_server,
    )
    mail_sender: str = setting(
        "",
        mail_sender,
        "ADDRESS",
        "Whom these mails come from; empty: fsctl at this machine's name.",
    )
    mail_language: str = setting(
        "en",
        language,
        "LANGUAGE",
        "The language of these mails: en or pl.",
    )
    metrics_listen: Address | None = setting(  # noqa: RUF009 - setting() returns a field
        "",
        address_or_none,
        "HOST:PORT",
        "Where Prometheus reads metrics, and monitoring /healthz and /readyz; empty: nowhere.",
        show=show_address,
    )
    dialplan_listen: Address | None = setting(  # noqa: RUF009 - setting() returns a field
        "",
        address_or_none,
        "HOST:PORT",
        "Where FreeSWITCH's mod_xml_curl asks for the dialplan; empty: nowhere.",
        show=show_address,
    )
    web_listen: Address = setting(  # noqa: RUF009 - setting() returns a field
        "127.0.0.1:8080",
        address,
        "HOST:PORT",
        "Where browsers, or a reverse proxy, connect to the administrator's panel.",
    )
    web_proxies: tuple[Network, ...] = setting(
        "",
        networks_or_none,
        "NETWORKS",
        "Addresses or IP networks of your reverse proxies, separated by commas: only their "
        "X-Forwarded headers are trusted. Empty: no proxy is trusted.",
        show=show_networks,
    )
    mask_numbers: int = setting(
        "0",
        count,
        "DIGITS",
        "How many of a caller's last digits are hidden wherever calls are shown; 0 hides none.",
    )

    def __post_init__(self) -> None:
        """Refuse settings that do not go together. Raises ValueError."""
        _ = self.codes

    @property
    def allowed(self) -> Allowed:
        """What groups with a domain may make the switch use."""
        return Allowed(
            self.allowed_contexts,
            self.allowed_extensions,
            self.allowed_directories,
            self.allowed_hosts,
            self.transfer_context,
        )

    @property
    def codes(self) -> Codes:
        """The codes that telephones dial."""
        return Codes(self.sign_code, self.pickup_code)


SETTINGS: tuple[Setting, ...] = tuple(
    Setting(name=field.name, **field.metadata) for field in dataclasses.fields(Settings)
)
