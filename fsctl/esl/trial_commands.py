"""The commands of a test call (``trial``): how it is placed, followed and ended."""

from fsctl.esl.commands import CALL_TAG, EVENTS
from fsctl.esl.presentation import Shown
from fsctl.esl.quoting import number, token, variables

TRIAL_TAG = "fsctl_trial"
"""Variable of both channels of a test call: its own uuid."""


def follow_trial(trial: str) -> tuple[str, ...]:
    """Return the commands that make a connection hear of a test call, and of how it was begun."""
    events = " ".join((*EVENTS, "CHANNEL_EXECUTE"))
    return (
        f"filter variable_{TRIAL_TAG} {token(trial)}",
        f"filter Job-UUID {token(trial)}",
        f"filter variable_{CALL_TAG} {_ANY}",
        f"event json {events}",
    )


_ANY = "/./"
"""A value between slashes is an expression (``mod_event_socket.c``)."""


def follow_legs(caller: str) -> tuple[str, ...]:
    """Return the commands that, of all callers' legs, leave a connection those of this one.

    Before the caller's channel was known any might have been.
    """
    return (
        f"filter variable_{CALL_TAG} {token(caller)}",
        f"filter delete variable_{CALL_TAG} {_ANY}",
    )


def place_trial(trial: str, dialled: str, context: str, shown: Shown, seconds: int) -> str:
    """Return the command that calls a number through the switch's own dialplan, as a stranger.

    A loopback channel has two ends: one goes through the dialplan and is the caller whom we hunt
    for, the other is answered when that is, and then echoes what it hears. Both get the variables
    (``channel_on_init`` in ``mod_loopback.c``).
    """
    settings = {
        TRIAL_TAG: token(trial),
        "originate_timeout": str(int(seconds)),
        "ignore_early_media": "true",
        "loopback_bowout": "false",
        **shown.variables,
    }
    return (
        f"bgapi originate {variables(settings)}loopback/{number(dialled)}/{token(context)}/XML "
        f"&echo()\nJob-UUID: {token(trial)}"
    )


def end_trial(trial: str) -> str:
    """Return the api command that hangs both ends of a test call up."""
    return f"hupall NORMAL_CLEARING {TRIAL_TAG} {token(trial)}"
