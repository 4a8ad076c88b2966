"""The commands that are sent to FreeSWITCH, each as one text without its closing empty line.

Nothing but ``questions``, which asks a switch what it has, builds others. Every part comes through
``quoting``.
"""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from fsctl.esl import leaving
from fsctl.esl.presentation import Shown
from fsctl.esl.quoting import (
    dial_string,
    is_token,
    listed,
    path,
    sound,
    token,
    value_of_sound,
    variables,
)

CALL_TAG = "fsctl_call"
"""Variable of every leg: the caller's uuid, as long as the leg lives. Events are filtered by it."""
HUNT_TAG = "fsctl_hunt"
"""Variable of every leg that hunts: the caller's uuid. Who has it is cancelled with the hunt."""
RING_TAG = "fsctl_ring"
"""Variable of every leg that hunts: its own job's uuid. By it a leg is cancelled alone."""
LEG_TAG = "fsctl_leg"
"""Variable of every leg: its own job's uuid, as long as the leg lives. Events are told apart by it:
a caller who is transferred is hunted for again while legs of the first hunt live."""
CLAIM = "fsctl"
"""Realm of the claim on a caller in mod_hash."""

EVENTS = (
    "CHANNEL_CREATE",
    "CHANNEL_PROGRESS",
    "CHANNEL_PROGRESS_MEDIA",
    "CHANNEL_ANSWER",
    "CHANNEL_BRIDGE",
    "CHANNEL_HANGUP_COMPLETE",
    "BACKGROUND_JOB",
    leaving.TELLS,
)
"""What a call's socket listens to."""

ORIGINATE_MARGIN = 2
"""Seconds by which FreeSWITCH's own ring timeout lies beyond ours: it counts on a whole-second
clock, up to a second early (field notes, "Legs"), and is the net below our own timer."""


class LegOrder(Struct, frozen=True, gc=False):
    """A leg to be: its job's uuid, the user, seconds to ring at most.

    ``prompt`` is the sound with which its member is asked to press 1, "" for nothing to confirm.
    ``dial`` is the dial string of who is no user of the directory, "" for a user.
    """

    job: str
    user: str
    ring_for: float
    prompt: str = ""
    dial: str = ""


class Extras(Struct, frozen=True, gc=False):
    """What a winner does besides: ``sounds`` are variables of the caller to be cleared (``load``),
    ``recording`` is the file in which the conversation is recorded. ``too_late`` is what a member
    hears who pressed 1 when somebody else had the caller."""

    sounds: tuple[str, ...] = ()
    recording: str = ""
    too_late: str = ""


PLAIN = Extras()

LISTEN = ("filter Event-Name FSCTL", "event json " + " ".join(EVENTS))
"""The commands by which a socket listens, to nothing as yet: they can be given before it is known
whose call it is. Without any filter FreeSWITCH passes the events of all calls on."""


def greeting(stay: int) -> bytes:
    """Return all that is said to a connection before it is known whose call it is.

    ``stay`` is in seconds, as in ``linger``.
    """
    return "".join(f"{command}\n\n" for command in ("connect", linger(stay), *LISTEN)).encode()


def hear_legs(caller: str) -> tuple[str, str]:
    """Return the commands that let a caller's socket hear of its legs and its jobs' results."""
    return f"filter Job-Owner-UUID {token(caller)}", f"filter variable_{CALL_TAG} {caller}"


def hear_caller(caller: str) -> str:
    """Return the command that lets a caller's socket hear of its own channel."""
    return f"filter Unique-ID {token(caller)}"


def linger(seconds: int) -> str:
    """Return the command that keeps the socket open so many seconds after the caller's hang-up."""
    return f"linger {seconds:d}"


def prepare(caller: str, sign: str) -> str:
    """Return the command that makes the switch itself look after a caller while we hunt.

    When the caller hangs up, every hunting leg is cancelled; after the conversation the call is
    over; when our socket closes before that, the caller goes on in the dialplan. (That last one
    must be taken back before a conversation, which a closing socket would end otherwise:
    ``listener_run`` in ``mod_event_socket.c`` resets the channel. Each leg does so when answered.)
    Before somebody transfers the caller we are told by a ``sign``, and have time to be gone
    (``leaving``).
    """
    caller = token(caller)
    return (
        f"api uuid_setvar_multi {caller} "
        f"api_hangup_hook=hupall ORIGINATOR_CANCEL {HUNT_TAG} {caller};"
        "hangup_after_bridge=true;socket_resume=true;"
        f"execute_on_blind_transfer_fsctl={leaving.steps(sign)}"
    )


def stay_when_closed(caller: str) -> str:
    """Return the command after which a socket that closes leaves its caller where they are."""
    return f"api uuid_setvar {token(caller)} socket_resume false"


def bound(caller: str, seconds: float, sounds: bool = False) -> str:
    """Return the command that has the switch itself release a caller after so many seconds.

    It is for a controller that is frozen or cut off, and works on the switch's whole-second clock.
    It does nothing when a member has the claim, nor when the caller has gone on in the dialplan:
    the task runs on the caller's own channel, where ``current_application`` tells. ``sounds`` says
    that something may be played to the caller.
    """
    caller = token(caller)
    still_ours = "unset"
    for application in ("socket", *PLAYING) if sounds else ("socket",):
        still_ours = f"${{cond(${{current_application}} == {application} ? hangup : {still_ours})}}"
    return (
        f"api sched_api +{math.ceil(seconds)} {task(caller)} uuid_broadcast {caller} "
        f"'limit_execute::hash {CLAIM} {caller} 1 {still_ours} NO_ANSWER' aleg"
    )


def unbind(caller: str) -> str:
    """Return the command that takes ``bound`` back."""
    return f"api sched_del {task(token(caller))}"


def task(caller: str) -> str:
    """Return the group of ``bound``'s task: a uuid alone is that of the operator's own tasks."""
    return f"fsctl-{caller}"


def ring(caller: str) -> str:
    """Return the command that lets the caller hear ringing (180)."""
    return f"api uuid_ring_ready {token(caller)}"


HEAR_SOUNDS = "event json CHANNEL_EXECUTE_COMPLETE"
"""The command by which a socket learns that a sound is over, besides what it listens to."""


def answer() -> str:
    """Return the command that answers the socket's own caller."""
    return _execute("answer")


def load(caller: str, variable: str, what: str) -> str:
    """Return the command that puts a sound where ``play`` finds it; a winner takes it away.

    So no sound begins once a member has the caller, however late the switch gets to it.
    """
    return f"api uuid_setvar {token(caller)} {token(variable)} {sound(what)}"


PLAYING = _ONCE, _AGAIN = "loop_playback", "endless_playback"
"""What plays to a caller who hunts: applications that a dialplan hardly has after ``socket``, by
which ``bound`` knows that the caller is still ours."""


def play(variable: str, again: bool = False) -> str:
    """Return the command that plays a loaded sound to the socket's own caller, once or for good.

    Its end is told with the variable's name as its ``Application-UUID``.
    """
    loaded = f"${{{token(variable)}}}"
    order = _execute(_AGAIN, loaded) if again else _execute(_ONCE, f"+1 {loaded}")
    return f"{order}\nevent-uuid: {variable}"


OFF_TAG = "fsctl_off"
"""Variable of a caller: the jobs of legs that were called off and had no channel yet."""

UNLESS_OVER = (
    f"api_on_originate=uuid_kill\\s${{regex(m:~${{uuid_getvar(${{{CALL_TAG}}}\\s{OFF_TAG})}}"
    f"~^-|${{{RING_TAG}}}~${{uuid}})}}\\sLOSE_RACE,origination_nested_vars=true"
)
"""Variables by which the switch itself ends a leg before it calls a phone, when the caller is gone
(``uuid_getvar`` answers ``-ERR``) or the leg was called off: to find a user in the directory may
take longer than the caller waits. It is expanded when the leg has its channel and can be found by
``hupall`` (``switch_ivr_originate``), so that a cancel misses no leg that passes. FreeSWITCH keeps
``${`` off a leg without ``origination_nested_vars``; ``quoting`` lets none of a stranger's through.
"""


class Originates:
    """The commands that call a caller's members and, when one has answered, claim the caller.

    Each leg carries everything to finish alone (field notes, "Claiming the caller"): ``limit`` is
    an atomic claim in the switch, the loser is hung up as "completed elsewhere", the winner takes
    its own tags off, cancels every other tagged leg and takes the caller.

    They are kept short, since FreeSWITCH reads what we send byte by byte: a hundred bytes keep the
    telephone waiting for 0.13 ms (tried). So the applications read the caller's uuid from the leg.
    What all legs of a call have in common is put together once.
    """

    def __init__(
        self,
        caller: str,
        shown: Shown,
        carried: Mapping[str, str] = MappingProxyType({}),
        context: str = "",
    ) -> None:
        """``carried`` goes with the call, quoted (``Carried.of_leg``).

        ``context`` is the caller's, as ``bridge`` has it: there a member goes on whom the caller
        transfers. Without it, or with a name that does not fit, they do in ``default``.
        """
        caller = token(caller)
        self._common = listed(
            {
                **carried,
                CALL_TAG: caller,
                HUNT_TAG: caller,
                "ignore_early_media": "true",
                # A redirect would loop, or take the caller elsewhere (field notes, "Legs").
                "outbound_redirect_fatal": "true",
                "intercept_unbridged_only": "true",
                # By the job itself, before it ends: a closing socket looks at it when all jobs have
                # ended (``listener_run`` in ``mod_event_socket.c``; ``api_on_answer`` would be
                # another thread).
                "api_on_post_originate": f"uuid_setvar\\s{caller}\\ssocket_resume\\sfalse",
                **shown.variables,
            }
        )
        self._context = f" {context}" if is_token(context) else ""
        self._answered: dict[tuple[Extras, bool], str] = {}

    def command(self, leg: LegOrder, extras: Extras = PLAIN) -> str:
        """Return the command that calls a member. Raises Unquotable."""
        job = token(leg.job)
        own = {
            RING_TAG: job,
            LEG_TAG: job,
            "originate_timeout": str(int(leg.ring_for) + ORIGINATE_MARGIN),
        }
        if leg.prompt:
            own |= _confirming(leg.prompt, extras.too_late)
        whom_to_dial = dial_string(leg.dial) if leg.dial else f"user/{token(leg.user)}"
        block = variables(own, UNLESS_OVER, self._common)
        on_answer = self._on_answer(extras, bool(leg.prompt))
        return (
            f"bgapi originate {block}{whom_to_dial} '{on_answer}' inline{self._context}"
            f"\nJob-UUID: {job}"
        )

    def _on_answer(self, extras: Extras, asks: bool) -> str:
        """Return what a leg does when it is answered; ``asks``: its member had to press 1."""
        known = self._answered.get((extras, asks))
        if known is None:
            known = self._answered[extras, asks] = ",".join(_claiming(extras, asks))
        return known


def _claiming(extras: Extras, asks: bool) -> list[str]:
    whom = f"${{{CALL_TAG}}}"
    late = f"{_late(extras.too_late)} inline" if asks and extras.too_late else "!LOSE_RACE"
    silence = "".join(f"${{uuid_setvar({whom} {token(sound)})}}" for sound in extras.sounds)
    won = f"${{hupall(LOSE_RACE {HUNT_TAG} {whom})}}${{sched_del({task(whom)})}}{silence}"
    # ``intercept`` takes no notice of what stands behind the uuid (``mod_dptools.c``), so what a
    # winner does besides needs no application, and the switch no two events, of its own: who has
    # answered has the media that ``intercept`` waits for first. Before a recording it does: opening
    # a file may take time, while the others ring.
    taking = (
        (f"set:x={won}", f"record_session:{path(extras.recording)}", f"intercept:{whom}")
        if extras.recording
        else (f"intercept:{whom} {won}",)
    )
    return [
        f"limit:hash {CLAIM} {whom} 1 {late}",
        f"multiunset:{HUNT_TAG} {RING_TAG} origination_nested_vars",
        *taking,
    ]


def _confirming(prompt: str, too_late: str) -> dict[str, str]:
    """Return the variables by which the switch asks a member to press 1 before a leg has answered.

    A member who is to be told that it is too late is not hung up by a winner: for that the tag goes
    as soon as the telephone is picked up.
    """
    asking = {"group_confirm_key": "1", "group_confirm_file": value_of_sound(prompt)}
    return asking | ({"execute_on_answer": f"unset\\s{HUNT_TAG}"} if too_late else {})


def _late(too_late: str) -> str:
    return f"m:|:playback:{value_of_sound(too_late)}|hangup:LOSE_RACE"


def tell_too_late(channel: str, too_late: str) -> str:
    """Return the command that ends a member's leg with a sound that says why."""
    told = f"m:|:playback:{sound(too_late)}|hangup:LOSE_RACE"
    return f"api uuid_transfer {token(channel)} {told} inline"


def kill(channel: str, cause: str) -> str:
    """Return the command that hangs one channel up."""
    return f"api uuid_kill {token(channel)} {token(cause)}"


def cancel(job: str, cause: str) -> str:
    """Return the command that ends the leg of this job, unless it has claimed the caller.

    Not by its channel: when the switch is behind with its events, by seconds under overload
    (tried), a leg that seems to ring may be a conversation.
    """
    return f"api hupall {token(cause)} {RING_TAG} {token(job)}"


def call_off(caller: str, jobs: Sequence[str]) -> str:
    """Return the command by which the legs of these jobs call no phone, if they have none yet.

    ``cancel`` must follow: it ends those that have passed their check in this instant.
    """
    return f"api uuid_setvar {token(caller)} {OFF_TAG} {'.'.join(map(token, jobs))}"


def claims(caller: str) -> str:
    """Return the command that asks how many hold the claim on a caller: 0 or 1."""
    return f"api limit_usage hash {CLAIM} {token(caller)}"


def cancel_all(caller: str, cause: str) -> str:
    """Return the command that ends every leg that still hunts for this caller."""
    return f"api hupall {token(cause)} {HUNT_TAG} {token(caller)}"


def end_all(caller: str, cause: str) -> str:
    """Return the command that ends every leg of this caller, even one that has the claim.

    For a caller who is gone: a leg that claims the caller in that very moment can be left alone in
    ``intercept`` for good, with no tag of the hunt any more (tried: 1 of 1,000).
    """
    return f"api hupall {token(cause)} {CALL_TAG} {token(caller)}"


def release(caller: str, cause: str) -> str:
    """Return the command that hangs the caller up, unless a leg holds the claim on it.

    Making the claim and hanging up are one step of the switch, so a member who answers in this very
    instant either has the caller or is told that the call is over; never neither.
    """
    return _execute("limit_execute", f"hash {CLAIM} {token(caller)} 1 hangup {token(cause)}")


def hang_up(cause: str) -> str:
    """Return the command that hangs the socket's own caller up, for whom nobody hunts."""
    return _execute("hangup", token(cause))


DECLINE = ("resume", "exit")
"""What lets the dialplan have a call back for which nothing was begun. Closing alone would mostly
leave the caller parked with nobody (tried). ``resume`` must never be sent to a call that may be
answered: it cannot be taken back, and ends the conversation when the socket closes."""


def _execute(application: str, argument: str = "") -> str:
    argument_line = f"\nexecute-app-arg: {argument}" if argument else ""
    return f"sendmsg\ncall-command: execute\nexecute-app-name: {application}{argument_line}"


DECLINE_STATIC = (_execute("set", "socket_resume=false"), "exit")
"""The same for a ``socket`` without ``async``. FreeSWITCH resets the channel of one that resumes,
and nothing goes on for the caller then (``listener_run`` in ``mod_event_socket.c``; tried)."""
