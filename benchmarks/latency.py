"""What a hunt adds to a call on a real FreeSWITCH, beside the switch's own ``bridge`` and beside
the smallest controller that can hunt (``benchmarks.smallest``), in one run.

    python -m benchmarks.latency [ROUNDS]

Three registered telephones; the second answers after 0.3 s. The three ways alternate. Printed are
milliseconds as the telephones saw them, and the ratios to bridge:

- INVITE in -> INVITE out: the caller's INVITE leaves -> the first telephone has its own;
- answer -> 200: the member's telephone sends 200 -> the caller has it;
- answer -> voice: the same -> the first packet of the member's voice is with the caller, and of the
  caller's with the member.

Before it looks at the dialplan FreeSWITCH lets some two of five calls wait for 20 ms, whoever is to
serve them (``switch_core_state_machine.c``: a channel that its thread finds in CS_NEW). A median
falls now on one side of that, now on the other; so the mean of all calls is printed too, and the
median of the calls that did not wait.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
from pathlib import Path

import gevent

from benchmarks.smallest import smallest
from fsctl.admin.groups import add_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.store import migrate
from fsctl.store.engine import make_engine
from tests.live.rig import FreeSwitchRig
from tests.scenarios.controllers import ServedController
from tests.scenarios.rig import Script

USERS = ("test002", "test006", "test007")
BEAT = 18.0
"""Milliseconds; a call that took less has not waited for FreeSWITCH's 20."""
HUNT, BRIDGE = "700", "bridge-" + ",".join(USERS)
SMALLEST = "smallest"
"""A hunt of the smallest controller, by the same number."""


def ways_of(ours: str, smallest: str) -> dict[str, tuple[str, str]]:
    """Return by which controllers and which number a call goes each way."""
    return {HUNT: (ours, HUNT), SMALLEST: (smallest, HUNT), BRIDGE: (ours, BRIDGE)}


def set_up(folder: str) -> ServedController:
    url = f"sqlite:///{Path(folder) / 'fsctl.db'}"
    migrate.upgrade(url)
    engine = make_engine(url)
    add_group(engine, "latency")
    add_numbers(engine, "latency", [HUNT], "PL")
    for user in USERS:
        add_member(engine, "latency", user)
    return ServedController(url)


def one_call(rig: FreeSwitchRig, number: str) -> tuple[float, ...]:
    """Place a call and return the four figures in milliseconds."""
    for user in USERS:
        rig.phone(user)
    rig.phone(USERS[1], Script(answer_after=0.3))
    # FreeSWITCH's sessions run on a 20 ms beat: calls must not keep step with it.
    gevent.sleep(random.uniform(0.0, 0.05))
    call = rig.dial(number)
    calling = rig.log.wait("caller", "calling").at
    rig.log.wait("caller", "answered")
    invited = min(rig.log.wait(user, "invite").at for user in USERS)
    picked_up = rig.log.wait(USERS[1], "answer").at
    answered = rig.log.wait("caller", "answered").at
    voices = call.first_voices(USERS[1])
    call.hang_up()
    rig.reset()
    since = (answered, *voices)
    return (invited - calling) * 1000, *((at - picked_up) * 1000 for at in since)


def main(rounds: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder, smallest() as other:
        controller = set_up(folder)
        ways = ways_of(controller.address, other)
        rig = FreeSwitchRig(controller.address)
        found: dict[str, list[tuple[float, ...]]] = {way: [] for way in ways}
        try:
            for turn in range(-1, rounds):
                # In no order: how soon a call's thread starts depends on the call before it.
                for way in random.sample(list(ways), len(ways)):
                    rig.controllers, number = ways[way]
                    times = one_call(rig, number)
                    if turn >= 0:
                        found[way].append(times)
        finally:
            rig.close()
            controller.stop()
    print(f"{rounds} calls each, ms{'hunt':>32}{'smallest':>10}{'bridge':>8}  ratios to bridge")
    arrived, answered, heard, spoke = (
        {way: [call[figure] for call in calls] for way, calls in found.items()}
        for figure in range(4)
    )
    prompt = {way: [ms for ms in times if ms < BEAT] for way, times in arrived.items()}
    for what, figure, times in (
        ("INVITE in -> INVITE out, median", statistics.median, arrived),
        ("INVITE in -> INVITE out, mean", statistics.mean, arrived),
        ("INVITE in -> INVITE out, median without wait", statistics.median, prompt),
        ("answer -> caller's 200, median", statistics.median, answered),
        ("answer -> voice to the caller, median", statistics.median, heard),
        ("answer -> voice to the member, median", statistics.median, spoke),
    ):
        hunt, least, bridge = (figure(times[way]) for way in ways)
        print(f"{what:<46}{hunt:6.1f}{least:10.1f}{bridge:8.1f}", end="")
        print(f"{hunt / bridge:9.2f}{least / bridge:6.2f}")
    waited = (f"{1 - len(prompt[way]) / rounds:.0%}" for way in ways)
    print("waited: {}, {} and {}".format(*waited))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
