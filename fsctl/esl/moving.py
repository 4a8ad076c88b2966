"""Sending a caller elsewhere for good: the switch does all of it, and we are gone by then."""

from dataclasses import dataclass

from fsctl.esl.carried import HOPS
from fsctl.esl.quoting import number, sound, token

LEAVING = 500
"""Milliseconds that a caller stays who goes on, for our socket to be closed by then. To close it
later would reset the channel, whoever has the caller by then (``listener_run`` in
``mod_event_socket.c``): the dialplan that comes next may set ``socket_resume`` again."""
LONGEST_SOUND = 120
"""Seconds after which a caller is released to whom something is played that does not end."""


@dataclass(frozen=True, slots=True)
class Step:
    """An application that the switch runs, with its argument, all of it quoted."""

    application: str
    argument: str = ""

    def __str__(self) -> str:
        return f"{self.application}:{self.argument}" if self.argument else self.application


def to_extension(extension: str, context: str) -> tuple[Step, ...]:
    """Return the steps that lead to an extension of the dialplan. Raises Unquotable."""
    return (Step("transfer", f"{number(extension)} XML {token(context)}"),)


def to_voicemail(profile: str, user: str, domain: str) -> tuple[Step, ...]:
    """Return the steps that lead to a user's voicemail box; without a domain, in the switch's own.

    Raises Unquotable.
    """
    whose = token(domain) if domain else "${domain}"
    box = Step("voicemail", f"{token(profile)} {whose} {token(user)}")
    return Step("answer"), Step("sleep", "500"), box


def play_and_release(what: str, cause: str) -> tuple[Step, ...]:
    """Return the steps that play a sound and release the caller. Raises Unquotable."""
    return (
        Step("sched_hangup", f"+{LONGEST_SOUND} {token(cause)}"),
        Step("playback", sound(what)),
        Step("hangup", token(cause)),
    )


def tell(what: str, cause: str, answered: bool) -> tuple[Step, ...]:
    """Return the steps that let somebody hear a sound and release them, ``answered`` or not.

    Raises Unquotable.
    """
    before = (Step("answer"), Step("sleep", "200")) if answered else ()
    return (*before, *play_and_release(what, cause))


def leave(caller: str, steps: tuple[Step, ...]) -> tuple[str, str]:
    """Return the commands that have a caller do these steps for good, for whom nothing was begun.

    Together they leave at once, and our socket may close with them: what would make FreeSWITCH
    reset the channel then (``listener_run`` in ``mod_event_socket.c``) is taken off first.
    """
    caller = token(caller)
    listed = "^".join(map(str, steps))
    return (
        f"api uuid_setvar {caller} socket_resume false",
        f"api uuid_transfer {caller} 'm:^:{listed}' inline",
    )


def move_on(caller: str, hops: int, steps: tuple[Step, ...], sounds: tuple[str, ...] = ()) -> str:
    """Return the command that sends a caller on, for whom nobody rings any more.

    Nothing is left of what we had set, nor of the variables with ``sounds``; the claim, if any,
    ends with the transfer (``switch_limit.c``).
    """
    before = (
        *(Step("unset", token(variable)) for variable in sounds),
        Step("set", "socket_resume=false"),
        Step("unset", "api_hangup_hook"),
        Step("unset", "hangup_after_bridge"),
        Step("export", f"{HOPS}={int(hops)}"),
        Step("sleep", str(LEAVING)),
    )
    listed = "^".join(map(str, (*before, *steps)))
    return f"api uuid_transfer {token(caller)} 'm:^:{listed}' inline"
