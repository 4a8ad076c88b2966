"""What a caller hears until a member has the call: ringing, or a greeting, music, announcements.

Everything is played by the caller's own channel, so whoever takes the caller ends it, and a caller
who is released does not hear it out. A sound that cannot be played never stops a hunt.
"""

import logging
import math
from collections.abc import Callable, Mapping

from fsctl.esl import commands
from fsctl.esl.errors import Unquotable
from fsctl.esl.events import Event
from fsctl.esl.quoting import ringing, sound
from fsctl.hunt.group import Group, kept
from fsctl.hunt.line import told
from fsctl.hunt.nesting import who_confirms

GREETING = "fsctl_greeting"
MUSIC = "fsctl_music"
RINGING = "fsctl_ringing"
ANNOUNCEMENT = "fsctl_announcement"
POSITION = "fsctl_position"
"""Variables of the caller in which a sound waits to be played."""
ALL_SOUNDS = (GREETING, MUSIC, RINGING, ANNOUNCEMENT, POSITION)
GREETING_TIME = 60.0
"""Seconds after which a greeting that does not end has been heard long enough."""
RINGBACK = "tone_stream://%(1000,4000,425);loops=-1"
"""Ringing as media, in Poland's cadence, unless the dialplan has chosen another: once there was any
media, a telephone that is told of ringing (180) goes on to play the media's silence."""

PROMPT = "tone_stream://%(200,100,500);loops=2"
"""What a member hears who must press 1, in a group without a prompt."""

log = logging.getLogger(__name__)


class Sounds:
    """The sounds of one call to a group; ``post`` sends a command to the switch."""

    def __init__(
        self,
        group: Group,
        caller: str,
        post: Callable[[str], None],
        begun: bool = False,
        media: bool = False,
        ringback: str = "",
    ) -> None:
        """``begun``: a group before this one has played something to the caller; ``media``: the
        caller's channel has media, be it of the dialplan's making. ``ringback`` is the dialplan's
        own ringing, "" for the usual one."""
        self.due = math.inf
        """When ``tick`` is wanted, in the caller's seconds."""
        self._in_line = False
        self._caller = caller
        self._post = post
        self._answer = group.answer_first
        self._every = group.announce_every
        self._greeting = playable(group.greeting)
        self._announcement = playable(group.announcement)
        self._position = group.line_position
        self._line_music = playable(group.line_music)
        self._rings = self._loads = False
        self._music = playable(group.music)
        self._ringback = RINGBACK
        heard = begun or media or self._greeting or self._announcement or self._answer
        if heard or self.tells:
            self._ringback = _ringing(ringback)
        if self._music is None and heard:
            self._music = self._ringback
        self.begun = begun
        """Whether something is played to the caller, by a group before this one perhaps: what we
        play is heard in its place."""

    @property
    def greets(self) -> bool:
        """Whether there is something to hear before anybody rings."""
        return self._greeting is not None

    @property
    def loaded(self) -> tuple[str, ...]:
        """The variables that a winner clears, so that nothing is played into a conversation."""
        if self._music is None:
            return ()
        others = (ANNOUNCEMENT,) * bool(self._announcement) + (POSITION,) * self._in_line
        return (MUSIC, RINGING, *others)

    def greet(self) -> None:
        """Play the greeting, once; its end is an event of which ``greeted`` knows."""
        self._open()
        self._post(commands.load(self._caller, GREETING, self._greeting or RINGBACK))
        self._post(commands.play(GREETING))
        self._greeting = None

    def greeted(self, event: Event) -> bool:
        """Whether this event says that the greeting is over, or could not be played."""
        return _is_end_of(GREETING, event)

    def load(self) -> None:
        """Load what the caller will hear, before the first leg is started.

        A winner clears these variables. A sound that is loaded after that is played into the
        conversation.
        """
        if self._loads or self._music is None:
            return
        self._loads = True
        self._post(commands.load(self._caller, MUSIC, self._music))
        self._post(commands.load(self._caller, RINGING, RINGBACK))
        if self._announcement:
            self._post(commands.load(self._caller, ANNOUNCEMENT, self._announcement))

    def ring(self, now: float) -> None:
        """Let the caller hear that the hunt goes on; once they do, nothing changes."""
        if self._rings:
            return
        self._rings = True
        if self._music is None:
            self._post(commands.ring(self._caller))
            return
        self._open()
        self.load()
        self._post(commands.play(MUSIC, again=True))
        if self._announcement:
            self.due = now + self._every

    def stand(self, now: float) -> None:
        """Let the caller hear that he stands in line; what he hears already goes on."""
        self._in_line = self.tells
        music = self._line_music or self._music or (self._ringback if self.tells else None)
        if music != self._music:
            self._music, self._rings, self._loads = music, False, False
        self.ring(now)

    @property
    def tells(self) -> bool:
        """Whether callers in line are told their place."""
        return self._position is not None

    def tell(self, position: int) -> None:
        """Tell the caller his place in line."""
        sound = playable(told(self._position or "", position))
        if sound:
            self._post(commands.load(self._caller, POSITION, sound))
            self._post(commands.play(POSITION))

    def tick(self, now: float) -> None:
        """Play the announcement when it is time."""
        if now >= self.due:
            self.due = now + self._every
            self._post(commands.play(ANNOUNCEMENT))

    def take_in(self, event: Event) -> None:
        """Let the caller hear ringing where the music cannot be played.

        When a winner stops the music it is over too; nothing is played then, whatever is sent.
        """
        if _is_end_of(MUSIC, event) and self._music != RINGBACK:
            self._music = RINGBACK
            self._post(commands.play(RINGING, again=True))

    def _open(self) -> None:
        if not self.begun:
            self._post(commands.HEAR_SOUNDS)
        self.begun = True
        if self._answer:
            self._post(commands.answer())
            self._answer = False


@kept
def prompts_of(group: Group) -> Mapping[str, str]:
    """Return the prompt of each member who must press 1."""
    prompt = playable(group.confirm_prompt) or PROMPT
    return dict.fromkeys(who_confirms(group), prompt)


def playable(text: str | None) -> str | None:
    """Return a sound's name if it can be said to the switch; a newer fsctl may know others."""
    if text is None:
        return None
    try:
        return sound(text)
    except Unquotable as error:
        log.warning("a sound is left out: %s", error)
        return None


def _ringing(chosen: str) -> str:
    """Return the ringing that a dialplan has chosen, or the usual one."""
    if not chosen:
        return RINGBACK
    try:
        return ringing(chosen)
    except Unquotable as error:
        log.warning("ringback is ignored, the usual ringing is played: %s", error)
        return RINGBACK


def _is_end_of(variable: str, event: Event) -> bool:
    """Whether a sound is over, other than because the caller has hung up."""
    return (
        event.name == "CHANNEL_EXECUTE_COMPLETE"
        and event.get("Application-UUID") == variable
        and event.get("Answer-State") != "hangup"
    )
