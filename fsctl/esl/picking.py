"""Picking a waiting caller up from another telephone: what the switch is asked and told.

The telephone that picks up has a channel of its own, which called us. It makes the same claim on
the caller as a member's leg (``commands.Originates``), so exactly one of all of them has the
caller.
"""

from dataclasses import dataclass

from fsctl.esl.commands import CALL_TAG, CLAIM, HUNT_TAG, PLAYING, claims, task
from fsctl.esl.moving import LONGEST_SOUND, Step, tell
from fsctl.esl.quoting import path, sound, token

PICKER_TAG = "fsctl_picker"
"""Variable of a channel that has claimed a caller by a code: the name of who picks up."""
LOST = "LOSE_RACE"
"""Cause with which a picker is released who was too late."""
NOBODY = "NORMAL_UNSPECIFIED"
"""Cause with which a picker is released when the caller is gone (SIP 480)."""


@dataclass(frozen=True, slots=True)
class PickUp:
    """What a telephone is to do: take ``caller``, as ``picker``, and record it in a file, if any.

    ``silence`` are variables of the caller to be cleared (``commands.load``), ``refused`` is what
    is heard when somebody else has the caller.
    """

    caller: str
    picker: str
    silence: tuple[str, ...]
    refused: str
    recording: str = ""

    def steps(self) -> tuple[Step, ...]:
        """Return what the telephone's channel does. Raises Unquotable.

        First the claim. Only who holds it has the tags by which the caller's controller hears of
        this channel: of its answer before the members' telephones are told, so that it knows whom
        they were stopped for. ``socket_resume`` goes before those telephones, whose jobs a closing
        socket waits for: a controller that dies now cannot have the caller reset.
        """
        caller = token(self.caller)
        too_late = f"playback:{sound(self.refused)}|hangup:{LOST}"
        silence = "".join(f"${{uuid_setvar({caller} {token(one)})}}" for one in self.silence)
        return (
            Step("set", f"playback_timeout_sec={LONGEST_SOUND}"),  # no spaces in what follows
            Step("limit", f"hash {CLAIM} {caller} 1 m:|:{too_late} inline"),
            Step("set", "hangup_after_bridge=true"),
            Step("set", "intercept_unbridged_only=true"),
            Step("set", f"{CALL_TAG}={caller}"),
            Step("set", f"{PICKER_TAG}={token(self.picker)}"),
            Step("answer"),
            Step(
                "set",
                f"x=${{uuid_setvar({caller} socket_resume false)}}"
                f"${{hupall({LOST} {HUNT_TAG} {caller})}}${{sched_del({task(caller)})}}{silence}",
            ),
            *([Step("record_session", path(self.recording))] if self.recording else []),
            Step("intercept", caller),
            # The caller was gone.
            *tell(self.refused, NOBODY, answered=True),
        )


def questions(caller: str) -> tuple[str, str]:
    """Return the commands that ask whether a caller hunts on this switch, and is nobody's yet."""
    return f"api uuid_getvar {token(caller)} current_application", claims(caller)


def is_claimed(claims: str) -> bool:
    """Whether the answer to ``commands.claims`` says that somebody has the caller."""
    return claims.strip().isdigit() and claims.strip() != "0"


def waits(application: str, claims: str) -> bool:
    """Whether the answers to ``questions`` say that a caller can be picked up."""
    return application.strip() in ("socket", *PLAYING) and claims.strip() == "0"
