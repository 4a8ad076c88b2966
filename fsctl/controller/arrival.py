"""A call as the switch hands it over. Strangers choose most of it; nothing is cleaned yet."""

from collections.abc import Callable
from dataclasses import dataclass

from fsctl.esl.carried import (
    NOTHING,
    START,
    Carried,
    Carrying,
    Route,
    hops_of,
    mark_of,
    read_route,
)
from fsctl.esl.presentation import Caller
from fsctl.esl.session import CallSession
from fsctl.hunt.endings import MOST_HOPS
from fsctl.hunt.group import Group

LONGEST_NUMBER = 64
"""Characters of a dialled number beyond which nobody serves it: a stranger chose them."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call as it was handed over: the caller's channel, what was dialled, who calls.

    ``user`` is the directory user whose phone it is, None for a stranger; ``domain`` is the tenant
    that the channel names, empty for none; ``host`` is where the number was called (RFC 3261, the
    Request-URI); ``hops`` is how many groups it has been through, ``MOST_HOPS`` when it may go
    through no more; ``forwards`` is how often it may yet be forwarded (Max-Forwards, RFC 3261,
    8.1.1.6), empty when the switch does not say. ``media`` is whether the caller's channel has
    media already, ``answered`` whether the dialplan has answered it; ``ringback`` is what the
    dialplan wants the caller to hear as ringing; ``carried`` goes with every leg. ``switch`` is the
    switch's own id since its start, ``context`` the dialplan context in which the call is;
    ``route`` says of which groups the call is a leg.
    """

    uuid: str
    number: str
    caller: Caller
    user: str | None
    domain: str = ""
    host: str = ""
    hops: int = 0
    forwards: str = ""
    media: bool = False
    answered: bool = False
    ringback: str = ""
    carried: Carried = NOTHING
    switch: str = ""
    context: str = ""
    route: Route = START

    @classmethod
    def of(
        cls,
        session: CallSession,
        domain_variable: str = "domain_name",
        carrying: Carrying = Carrying(),  # noqa: B008 - it is immutable
    ) -> "Arrival":
        """Read it from the connect reply. Strangers choose most of this; nothing is cleaned yet."""
        get = session.session_data.get
        # Only a name that the switch has verified: the From user is anybody's to choose.
        user = get("variable_user_name") or get("variable_sip_auth_username") or None
        domain = get("variable_domain_name")
        number = get("Caller-Destination-Number", "")
        state = get("Answer-State", "")
        route = read_route(hops_of(session.session_data))
        forwards = get("variable_max_forwards", "")
        return cls(
            session.uuid,
            number if len(number) <= LONGEST_NUMBER else "",
            Caller(
                get("Caller-Caller-ID-Number", ""),
                get("Caller-Caller-ID-Name", ""),
                "true" in (get("Caller-Privacy-Hide-Name"), get("Caller-Privacy-Hide-Number")),
            ),
            f"{user}@{domain}" if user and domain and "@" not in user else user,
            get("variable_" + domain_variable, ""),
            get("variable_sip_req_host", ""),
            MOST_HOPS if forwards in ("0", "1") else route.hops,
            _one_less(forwards),
            state in ("early", "answered"),
            state == "answered",
            _ringback(get, state == "answered"),
            carrying.read(session.session_data, session.channel_block),
            get("Core-UUID", ""),
            get("Caller-Context", ""),
            route,
        )

    def is_leg_of(self, group: Group) -> bool:
        """Whether the call is a leg of this very group, which hunts for it still: a loop.

        Who has answered it, such as a menu, may send it where they like.
        """
        marks = self.route.hunting
        return bool(marks) and not self.answered and mark_of(name_in_domain(group)) in marks

    def route_of_leg(self, group: Group, hops: int) -> Route:
        """Return the route of a leg of a group, which is the call's so many-th."""
        return Route(hops, (*self.route.hunting, mark_of(name_in_domain(group))))


def name_in_domain(group: Group) -> str:
    """Return a group's name with its domain: two tenants may use one name."""
    return f"{group.name}@{group.domain}"


def _ringback(get: Callable[[str, str], str], answered: bool) -> str:
    """Return what the dialplan has chosen, as ``bridge`` does (``switch_ivr_originate.c``)."""
    chosen = get("variable_transfer_ringback", "") if answered else ""
    return chosen or get("variable_ringback", "")


def _one_less(forwards: str) -> str:
    return str(int(forwards) - 1) if _is_count(forwards) and int(forwards) > 0 else ""


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 4
