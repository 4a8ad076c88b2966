"""Members with several phones: what a model of FreeSWITCH tells, and what the hunt makes of it.

The model knows of ``switch_ivr_originate`` what several phones of a user need: a leg looks at its
phones in their order, keeps the first that has answered and hangs the others up; only then does it
make the claim on the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fsctl.controller.legs import Legs
from fsctl.esl.commands import CALL_TAG, LEG_TAG, RING_TAG
from fsctl.esl.events import event_of
from fsctl.hunt import events as ev
from fsctl.hunt.machine import Hunt
from fsctl.hunt.schedule import Ring, Schedule

CALLER = "caller"
WAIT = 60.0
REFUSALS = (("USER_BUSY", "486"), ("CALL_REJECTED", "603"), ("NO_USER_RESPONSE", "480"))


@dataclass
class ModelPhone:
    """One channel of a leg: ``new``, ``ringing``, ``answered``, ``talking`` or ``over``."""

    uuid: str
    state: str = "new"


@dataclass
class ModelLeg:
    number: int
    member: str
    job: str
    phones: list[ModelPhone]
    tagged: bool = True
    done: bool = False
    causes: dict[str, str] = field(default_factory=dict)


class SeveralPhones(RuleBasedStateMachine):
    @initialize(
        members=st.lists(st.integers(1, 3), min_size=1, max_size=3),
        in_turn=st.booleans(),
        unheard=st.booleans(),
    )
    def begin(self, members: list[int], in_turn: bool, unheard: bool) -> None:
        """``unheard``: what tells of new channels came before it was asked for."""
        self.unheard = unheard
        self.phones_of = {f"m{at}": phones for at, phones in enumerate(members)}
        length = 20.0 if in_turn else WAIT
        rings = tuple(
            Ring(member, length * at if in_turn else 0.0, length)
            for at, member in enumerate(self.phones_of)
        )
        self.now = 0.0
        self.hunt = Hunt(Schedule(rings, WAIT, True, in_turn), 0.0)
        self.legs = Legs(CALLER)
        self.model: dict[int, ModelLeg] = {}
        self.winner: ModelLeg | None = None
        self.claims = 0
        self.carry_out(self.hunt.tick(0.0))

    # The controller

    def carry_out(self, actions: list[ev.Action]) -> None:
        for action in actions:
            if isinstance(action, ev.StartLeg):
                assert self.winner is None, "a member is rung while the caller talks"
                self.start(action)
            elif isinstance(action, ev.CancelLeg):
                self.is_due(action)
                self.legs[action.leg].cancelled = action.cause
                self.cancel([self.model[action.leg]], action.cause)
            elif isinstance(action, ev.CancelAll):
                for leg in self.legs.open:
                    leg.cancelled = leg.cancelled or action.cause
                self.cancel(list(self.model.values()), action.cause)

    def is_due(self, action: ev.CancelLeg) -> None:
        """A phone that rings is stopped when its member has rejected, or was rung long enough."""
        states = {phone.state for phone in self.model[action.leg].phones}
        rings = "ringing" in states and "answered" not in states
        if action.cause == "NO_ANSWER" and rings and not self.unheard:
            assert self.now >= self.hunt.legs[action.leg].stop_at - 1e-6

    def start(self, action: ev.StartLeg) -> None:
        leg = self.legs.add(action.leg)
        uuids = (f"{action.leg}-{at}" for at in range(self.phones_of[action.member]))
        phones = [ModelPhone(uuid) for uuid in uuids]
        self.model[action.leg] = ModelLeg(action.leg, action.member, leg.job, phones)
        for phone in [] if self.unheard else phones:
            self.tell("CHANNEL_CREATE", phone, self.model[action.leg])

    def tell(self, name: str, phone: ModelPhone, leg: ModelLeg, cause: str = "", code: str = ""):
        headers = {
            "Event-Name": name,
            "Unique-ID": phone.uuid,
            "Hangup-Cause": cause,
            f"variable_{CALL_TAG}": CALLER,
            f"variable_{LEG_TAG}": leg.job,
            "variable_sip_invite_failure_status": code,
        }
        tag = {f"variable_{RING_TAG}": leg.job} if leg.tagged else {}
        self.hear(event_of(headers | tag))

    def result(self, leg: ModelLeg, text: str) -> None:
        leg.done = True
        self.hear(event_of({"Event-Name": "BACKGROUND_JOB", "Job-UUID": leg.job}, text))

    def hear(self, event) -> None:
        for told in self.legs.translate(event):
            self.carry_out(self.hunt.handle(told, self.now))

    # The switch

    def end(self, leg: ModelLeg, phone: ModelPhone, cause: str, code: str = "") -> None:
        if phone.state != "over":
            phone.state = "over"
            leg.causes[phone.uuid] = cause
            self.tell("CHANNEL_HANGUP_COMPLETE", phone, leg, cause, code)

    def cancel(self, legs: list[ModelLeg], cause: str) -> None:
        """Do what ``hupall`` does: a leg that has made the claim has no tag any more."""
        for leg in legs:
            for phone in leg.phones if leg.tagged else ():
                self.end(leg, phone, cause)

    def look(self, leg: ModelLeg) -> None:
        """Do one round of ``switch_ivr_originate``."""
        up = [phone for phone in leg.phones if phone.state == "answered"]
        if not up:
            if all(phone.state == "over" for phone in leg.phones):
                self.result(leg, f"-ERR {leg.causes[leg.phones[0].uuid]}\n")
            return
        kept = up[0]
        for phone in leg.phones:
            if phone is not kept:
                self.end(leg, phone, "LOSE_RACE")
        self.claims += 1
        if self.winner is not None:
            self.result(leg, f"+OK {kept.uuid}\n")
            self.end(leg, kept, "LOSE_RACE")
            return
        self.winner, leg.tagged, kept.state = leg, False, "talking"
        self.result(leg, f"+OK {kept.uuid}\n")
        self.cancel([one for one in self.model.values() if one is not leg], "LOSE_RACE")
        self.hear(event_of({"Event-Name": "CHANNEL_ANSWER", "Unique-ID": CALLER}))
        self.tell("CHANNEL_BRIDGE", kept, leg)

    # What may happen

    def pick(self, data: st.DataObject, *states: str) -> tuple[ModelLeg, ModelPhone]:
        found = [
            (leg, phone)
            for leg in self.model.values()
            for phone in leg.phones
            if phone.state in states and not leg.done
        ]
        return data.draw(st.sampled_from(found))

    def some(self, *states: str) -> bool:
        return any(
            phone.state in states and not leg.done
            for leg in self.model.values()
            for phone in leg.phones
        )

    @precondition(lambda self: self.some("new"))
    @rule(data=st.data())
    def a_phone_rings(self, data: st.DataObject) -> None:
        leg, phone = self.pick(data, "new")
        phone.state = "ringing"
        self.tell("CHANNEL_PROGRESS", phone, leg)

    @precondition(lambda self: self.some("ringing"))
    @rule(data=st.data())
    def a_phone_is_picked_up(self, data: st.DataObject) -> None:
        leg, phone = self.pick(data, "ringing")
        phone.state = "answered"
        self.tell("CHANNEL_ANSWER", phone, leg)

    @precondition(lambda self: self.some("new", "ringing"))
    @rule(data=st.data(), refusal=st.sampled_from(REFUSALS))
    def a_phone_refuses(self, data: st.DataObject, refusal: tuple[str, str]) -> None:
        leg, phone = self.pick(data, "new", "ringing")
        self.end(leg, phone, *refusal)

    @precondition(lambda self: self.some("answered"))
    @rule(data=st.data())
    def who_has_picked_up_hangs_up(self, data: st.DataObject) -> None:
        leg, phone = self.pick(data, "answered")
        self.end(leg, phone, "NORMAL_CLEARING")

    @precondition(lambda self: any(not leg.done for leg in self.model.values()))
    @rule(data=st.data())
    def the_switch_looks(self, data: st.DataObject) -> None:
        open_legs = [leg for leg in self.model.values() if not leg.done]
        self.look(data.draw(st.sampled_from(open_legs)))

    @rule(seconds=st.floats(0.0, 5.0))
    def time_passes(self, seconds: float) -> None:
        self.now = min(self.now + seconds, max(self.now, self.hunt.due or self.now))
        self.carry_out(self.hunt.tick(self.now))

    @invariant()
    def the_winner_is_known(self) -> None:
        if self.winner is None:
            assert self.hunt.winner is None
        else:
            assert self.hunt.winner is not None
            assert self.hunt.winner.member == self.winner.member

    def teardown(self) -> None:
        """Let the switch finish: every leg ends once, and none is left open."""
        if not hasattr(self, "hunt"):
            return
        for _ in range(4):
            for leg in [leg for leg in self.model.values() if not leg.done]:
                self.cancel([leg], "NO_ANSWER")
                self.look(leg)
        for leg in self.hunt.legs.values():
            won = self.winner is not None and leg.number == self.winner.number
            assert (leg.ended is None) == won


SeveralPhones.TestCase.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
TestSeveralPhones = SeveralPhones.TestCase
