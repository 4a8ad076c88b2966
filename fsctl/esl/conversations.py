"""Which users of a switch are in a conversation, as its own events tell.

Owns whose a channel is, which FreeSWITCH says in two ways: a leg to ``user/NAME`` has the variables
``dialed_user`` and ``dialed_domain`` (``user_outgoing_channel`` in ``mod_dptools.c``), a call from
a telephone that has proved whose it is ``user_name`` and ``domain_name``. A name that stands in
From is anybody's to choose, and so is a channel's ``presence_id`` that comes of it.
"""

from collections.abc import Callable, Iterator
from functools import partial

import orjson

from fsctl.esl import questions
from fsctl.esl.errors import ProtocolError, Unquotable
from fsctl.esl.events import Event
from fsctl.esl.inbound import Refused, SwitchConnection

ANSWERED, OVER = "CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE"
LISTEN = f"event json {ANSWERED} {OVER}"
_TALKING = ("ACTIVE", "HELD", "UNHELD")
"""States of a call that was answered (``switch_channel_callstate_t``)."""


class Conversations:
    """The users in conversations, by channel. Kept up to date by ``begin`` and ``take_in``."""

    def __init__(self) -> None:
        self._users: dict[str, str] = {}
        self._channels: dict[str, set[str]] = {}

    def __contains__(self, user: str) -> bool:
        """Whether a user is in one: ``NAME@DOMAIN``, or ``NAME`` of any domain."""
        name, at, _ = user.casefold().partition("@")
        channels = self._channels.get(name, ())
        return any(not at or self._users[one] == user.casefold() for one in channels)

    def begin(self, switch: SwitchConnection) -> None:
        """Listen from now on, and find out who is in a conversation already.

        A question for each channel that is answered; what ends meanwhile is an event that waits.
        """
        switch.send(LISTEN)
        for row in _rows(switch.api(questions.CHANNELS)):
            uuid = row.get("uuid", "")
            if row.get("callstate") in _TALKING:
                outbound = row.get("direction") == "outbound"
                try:
                    self._add(uuid, _user(outbound, partial(_ask, switch, uuid)))
                except (Refused, Unquotable):
                    continue  # it is over

    def take_in(self, event: Event) -> str:
        """Take in one event; return the user whose last conversation it has ended, "" for none."""
        uuid = event.get("Unique-ID")
        if event.name == ANSWERED:
            self._add(uuid, _user(event.get("Call-Direction") == "outbound", event.variable))
        elif event.name == OVER and uuid in self._users:
            user = self._users.pop(uuid)
            name = user.partition("@")[0]
            self._channels[name].discard(uuid)
            if not self._channels[name]:
                del self._channels[name]
            return "" if user in self else user
        return ""

    def _add(self, uuid: str, user: str) -> None:
        if uuid and user and uuid not in self._users:
            self._users[uuid] = user
            self._channels.setdefault(user.partition("@")[0], set()).add(uuid)


def _user(outbound: bool, variable: Callable[[str], str]) -> str:
    """Return whose a channel is, "" when it is no user's."""
    kind = ("dialed_user", "dialed_domain") if outbound else ("user_name", "domain_name")
    name, domain = (variable(one).casefold() for one in kind)
    return f"{name}@{domain}" if name and domain else name


def _ask(switch: SwitchConnection, uuid: str, name: str) -> str:
    answer = switch.api(questions.variable(uuid, name))
    return "" if answer == "_undef_" else answer


def _rows(answer: str) -> Iterator[dict[str, str]]:
    try:
        rows = orjson.loads(answer).get("rows", [])
    except (orjson.JSONDecodeError, AttributeError):
        raise ProtocolError(f"channels that read {answer[:60]!r}") from None
    yield from (row for row in rows if isinstance(row, dict))
