"""What Prometheus is told of a controller: counted behind the calls, never by caller.

Owns the metrics: their names are a promise to dashboards and alerts. ``prometheus_client`` keeps
them. Several processes write into files of one directory, which the library finds in the
environment when it is imported (its "multiprocess mode"): whoever of them is asked answers for all,
and what a dead one has counted stays counted. So this module is imported by a worker after its
master has called ``share``, and by nobody sooner.
"""

import os
import platform
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

from fsctl import __version__
from fsctl.controller.sharing import DIRECTORY
from fsctl.esl.errors import EventSocketError, NoReply, ProtocolError, SessionClosed
from fsctl.hunt.codes import Code
from fsctl.hunt.outcomes import Outcome
from fsctl.store.call_records import CallOutcome, CallRecord
from fsctl.store.outbox import Result

CONTENT_TYPE = CONTENT_TYPE_LATEST
ANSWER = (1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 120, 300)
SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
"""Bounds of what is counted, in seconds: callers' patience, and what machines take."""
ERRORS: dict[type[EventSocketError], str] = {
    SessionClosed: "closed",
    NoReply: "no reply",
    ProtocolError: "protocol",
}
GIVEN_BACK = ("switch", "database", "fault", "socket")
CODE_RESULTS = ("done", "refused")
MAILS = (Result.SENT.value, Result.REFUSED.value, Result.LATE.value)


@dataclass(frozen=True, slots=True)
class State:
    """How a controller is at a moment; times are seconds, ``turned`` epoch seconds."""

    waiting: int = 0
    talking: int = 0
    in_line: int = 0
    legs_held: int = 0
    legs_refused: int = 0
    database_up: bool = False
    database_lag: float = 0.0
    records_waiting: int = 0
    records_lost: int = 0
    records_kept: bool = True
    mails_waiting: int = 0
    loop_lag: float = 0.0
    turned: float = 0.0
    draining: bool = False


class Meter:
    """The metrics of this process; ``text`` has those of all that share its directory."""

    def __init__(self) -> None:
        self._shared = os.environ.get(DIRECTORY, "")
        self._registry = registry = CollectorRegistry()
        self._calls = _by_label(
            Counter(
                "fsctl_calls",
                "Calls by how they ended for their caller.",
                ["outcome"],
                registry=registry,
            ),
            # Of a call that was interrupted nobody is left to count it.
            [one.value for one in CallOutcome if one is not CallOutcome.INTERRUPTED],
        )
        self._legs = _by_label(
            Counter("fsctl_legs", "Calls to members by outcome.", ["outcome"], registry=registry),
            [one.value for one in Outcome],
        )
        self._errors = _by_label(
            Counter(
                "fsctl_event_socket_errors",
                "Conversations with the switch that broke off.",
                ["kind"],
                registry=registry,
            ),
            [*ERRORS.values(), "stranger"],
        )
        self._given_back = _by_label(
            Counter(
                "fsctl_calls_given_back",
                "Calls that went on in the dialplan because of a fault.",
                ["reason"],
                registry=registry,
            ),
            GIVEN_BACK,
        )
        codes = Counter(
            "fsctl_codes",
            "Codes that telephones dialled before a group's number.",
            ["code", "result"],
            registry=registry,
        )
        self._codes = {
            (code.value, result): codes.labels(code.value, result)
            for code in Code
            for result in CODE_RESULTS
        }
        self._mails = _by_label(
            Counter(
                "fsctl_mails",
                "Mails of missed calls by what became of them.",
                ["outcome"],
                registry=registry,
            ),
            MAILS,
        )
        self._answer = Histogram(
            "fsctl_answer_seconds",
            "How long answered callers waited.",
            buckets=ANSWER,
            registry=registry,
        )
        self._lateness = Histogram(
            "fsctl_leg_lateness_seconds",
            "How long after its moment a member's leg was ordered.",
            buckets=SHORT,
            registry=registry,
        )
        self._admission = Histogram(
            "fsctl_admission_seconds",
            "From the switch's connection until the call's group was known.",
            buckets=SHORT,
            registry=registry,
        )
        self._records_lost = Counter(
            "fsctl_records_lost", "Records of calls for which there was no room.", registry=registry
        )
        self._lost = 0
        self._legs_refused = Counter(
            "fsctl_legs_refused",
            "Legs that the switch refused because it was full; they are tried again.",
            registry=registry,
        )
        self._refusals = 0
        self._state = _gauges(registry)
        build = Gauge(
            "fsctl_build_info",
            "Always 1: which fsctl this is.",
            ["version", "python"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        build.labels(__version__, platform.python_version()).set(1)

    # What happens

    def admitted(self, seconds: float) -> None:
        """Count a call whose group is known, so long after its connection."""
        self._admission.observe(seconds)

    def refused(self, outcome: str) -> None:
        """Count a call that rang nobody."""
        self._calls[outcome].inc()

    def hunted(self, record: CallRecord, lateness: list[float]) -> None:
        """Count a hunt that is over; ``lateness`` is that of its legs, in seconds."""
        self._calls[record.outcome].inc()
        if record.outcome == CallOutcome.ANSWERED:
            self._answer.observe(record.wait_seconds)
        for attempt in record.attempts:
            self._legs[attempt.outcome].inc()
        for seconds in lateness:
            self._lateness.observe(seconds)

    def failed(self, error: EventSocketError) -> None:
        """Count a conversation with the switch that broke off."""
        self._errors[ERRORS.get(type(error), "protocol")].inc()

    def stranger(self) -> None:
        """Count a connection that said of no call."""
        self._errors["stranger"].inc()

    def given_back(self, reason: str) -> None:
        """Count a call that the dialplan has again; ``reason`` is one of ``GIVEN_BACK``."""
        self._given_back[reason].inc()

    def code(self, code: str, done: bool) -> None:
        """Count a code that was dialled (``fsctl.hunt.codes.Code``), and done or refused."""
        self._codes[code, CODE_RESULTS[not done]].inc()

    def mailed(self, result: str) -> None:
        """Count a mail of a missed call; ``result`` is one of ``MAILS``."""
        self._mails[result].inc()

    # How things are

    def tell(self, state: State) -> None:
        """Take in how this controller is."""
        for name, gauge in self._state.items():
            gauge.set(float(getattr(state, name)))
        self._records_lost.inc(state.records_lost - self._lost)
        self._lost = state.records_lost
        self._legs_refused.inc(state.legs_refused - self._refusals)
        self._refusals = state.legs_refused

    def text(self) -> bytes:
        """Return everything in Prometheus' text format, added up over all processes."""
        return generate_latest(self._all())

    def oldest_turn(self) -> float:
        """Return when the process that is worst off last had its turn, in epoch seconds."""
        return self._all().get_sample_value("fsctl_loop_turned_timestamp_seconds") or 0.0

    def _all(self) -> CollectorRegistry:
        if not self._shared:
            return self._registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry, self._shared)  # type: ignore[no-untyped-call]
        return registry


def _by_label(counter: Counter, values: list[str] | tuple[str, ...]) -> dict[str, Counter]:
    """Return a counter for each value there can be, so that each is shown from zero on."""
    return {value: counter.labels(value) for value in values}


_GAUGES = {
    "waiting": ("fsctl_calls_waiting", "Callers who are hunted for now.", "livesum"),
    "in_line": ("fsctl_calls_in_line", "Callers who stand in line now.", "livesum"),
    "legs_held": (
        "fsctl_legs_held",
        "Legs that wait until the switch has room for them.",
        "livesum",
    ),
    "talking": ("fsctl_calls_talking", "Conversations that are still watched.", "livesum"),
    "database_up": ("fsctl_database_up", "Whether the database answers, 1 or 0.", "livemin"),
    "database_lag": (
        "fsctl_database_lag_seconds",
        "How long the database took for the last question, or has taken so far.",
        "livemax",
    ),
    "records_waiting": (
        "fsctl_records_in_memory",
        "Records of calls that are not on the disk yet.",
        "livesum",
    ),
    "records_kept": (
        "fsctl_records_kept",
        "Whether disk and database take the records of calls, 1 or 0.",
        "livemin",
    ),
    "mails_waiting": (
        "fsctl_mails_waiting",
        "Mails of missed calls that are not sent yet, of all controllers.",
        "livemax",
    ),
    "loop_lag": (
        "fsctl_loop_lag_seconds",
        "How much later than asked for a process had its last turn.",
        "livemax",
    ),
    "turned": (
        "fsctl_loop_turned_timestamp_seconds",
        "When the process that is worst off last had its turn.",
        "livemin",
    ),
    "draining": ("fsctl_draining", "Whether it ends as soon as no caller waits.", "livemax"),
}
"""Name, meaning and how several processes' values become one, by the field of ``State``."""


def _gauges(registry: CollectorRegistry) -> dict[str, Gauge]:
    return {
        field: Gauge(name, meaning, registry=registry, multiprocess_mode=mode)  # type: ignore[arg-type]
        for field, (name, meaning, mode) in _GAUGES.items()
    }
